"""What was found out, as text and as JSON."""

from __future__ import annotations

from qmailpy.explain.session import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qmailpy.explain.destination import Destination, Way
    from qmailpy.explain.session import Command, Step
    from qmailpy.explain.trace import Hit

    Origin = Callable[[str], str]


def lines(command: Command, origin: Origin) -> Iterator[str]:
    """A command as lines of text; `origin` tells where a setting's value comes from."""
    if command.line:
        yield shown(command.line)
    for step in command.steps:
        yield from step_lines(step, origin)
    for line in command.log:
        yield f"    log: {shown(line)}"
    wait = f"   (after {command.seconds} s)" if command.seconds else ""
    for number, line in enumerate(command.reply.rstrip(b"\r\n").split(b"\r\n")):
        yield f"  {shown(line)}{'' if number else wait}"


def step_lines(step: Step, origin: Origin) -> Iterator[str]:
    """A check as lines of text."""
    settings = ", ".join(f"{name}: {origin(name)}" for name in step.asked)
    yield f"    {'REFUSES' if step.reply else 'passes '} {step.name}{f' [{settings}]' if settings else ''}"
    for hit in step.hits:
        yield f"            {place(hit)}"
    for remark in step.remarks:
        yield f"            {remark}"


def place(hit: Hit) -> str:
    """A line of a control file."""
    return f"control/{hit.name}:{hit.number}: {shown(hit.text)}" if hit.number else f"control/{hit.name}: by its default"


def destination_lines(found: Destination) -> Iterator[str]:
    """Where a recipient goes, as lines of text."""
    if found.local:
        who = f"to {found.user} ({found.by})" if found.user else ""
        orders = f", {found.file}" if found.file else ", by the default delivery" if found.user and not found.trouble else ""
        yield f"    local: {shown(found.address)} {who}{orders}".rstrip()
    else:
        yield f"    remote: {shown(found.address)}, from <{shown(found.sender)}>{', with a login' if found.login else ''}"
        yield from (f"            {way_line(way)}" for way in found.ways)
    for hit in found.hits:
        yield f"            {place(hit)}"
    for order in found.orders:
        yield f"            {shown(order)}"
    if found.trouble:
        yield f"            {found.trouble}"


def way_line(way: Way) -> str:
    """A host that is tried."""
    host = f"{way.name} {way.address}".strip() or "its mail exchangers (--dns tells them)"
    source = " is not contacted (bindroutes)" if way.source is None else f" from {way.source}" if way.source else ""
    return f"{host} port {way.port} by {way.protocol}{f', {way.tls}' if way.tls else ''}{source}"


def command_json(command: Command, origin: Origin) -> dict[str, object]:
    """A command as JSON can hold it."""
    return {
        "command": shown(command.line), "reply": [shown(line) for line in command.reply.rstrip(b"\r\n").split(b"\r\n")], "seconds": command.seconds,
        "log": [shown(line) for line in command.log],
        "checks": [{"name": step.name, "about": step.about, "refuses": step.reply is not None, "settings": {name: origin(name) for name in step.asked},
                    "lines": [hit_json(hit) for hit in step.hits], "remarks": step.remarks} for step in command.steps],
    }


def hit_json(hit: Hit) -> dict[str, object]:
    """A line of a control file."""
    return {"file": f"control/{hit.name}", "line": hit.number, "text": shown(hit.text)}


def destination_json(found: Destination) -> dict[str, object]:
    """Where a recipient goes."""
    where: dict[str, object] = {"channel": "local" if found.local else "remote", "address": shown(found.address),
                                "lines": [hit_json(hit) for hit in found.hits], "trouble": found.trouble}
    if found.local:
        return where | {"user": found.user, "by": found.by, "file": found.file, "orders": [shown(order) for order in found.orders]}
    ways = [{"name": way.name, "address": way.address, "port": way.port, "protocol": way.protocol, "preference": way.preference,
             "contacted": way.source is not None, "local_address": way.source or "", "tls": way.tls} for way in found.ways]
    return where | {"sender": shown(found.sender), "login": found.login, "hosts": ways}
