"""Every control file, declared once.  Loading, qmail-showctl, the man pages' tables and the checks all read SETTINGS."""

from __future__ import annotations

from qmailpy.settings.kinds import Line, List, Map, Number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qmailpy.settings.kinds import Kind

ME = object()  # a default: what control/me says

SMTPD, REMOTE, SEND, INJECT = "qmail-smtpd", "qmail-remote", "qmail-send", "qmail-inject"
QMTPD, QMQPC, LISTEN = "qmail-qmtpd", "qmail-qmqpc", "config"


class Setting:
    """One control file.

    kind     how it is read (settings/kinds.py)
    used_by  the programs that read it
    text     one sentence for the man page
    default  its value where the file is absent; ME: what control/me says
    literal  what counts where the default is ME and control/me is absent as well; None: nothing
    env      a variable that replaces the file
    shown    how qmail-showctl says it: (before the value, after it, the sentence for an absent list or line)
    """

    __slots__ = ("name", "kind", "used_by", "text", "default", "literal", "env", "shown")

    def __init__(self, name: str, kind: type[Kind], used_by: str | tuple[str, ...], text: str, *, default: object = None,
                 literal: object = None, env: str = "", shown: tuple[str, ...] = ()) -> None:
        self.name, self.kind, self.text = name, kind, text
        self.used_by = (used_by,) if isinstance(used_by, str) else used_by
        self.default, self.literal, self.env, self.shown = default, literal, env, shown


SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (
    Setting("badmailfrom", List, SMTPD, "Senders that are refused, one a line: addresses, or @host for every address at a host.",
            shown=("", " not accepted in MAIL FROM.", "Any MAIL FROM is allowed.")),
    Setting("bouncefrom", Line, SEND, "User name of the author of bounces.", default=b"MAILER-DAEMON", shown=("Bounce user name is ", ".")),
    Setting("bouncehost", Line, SEND, "Host name of the author of bounces.", default=ME, literal=b"bouncehost", shown=("Bounce host name is ", ".")),
    Setting("concurrencyincoming", Number, LISTEN, "Most SMTP sessions at once; read by the run scripts that start the listener.", default=20,
            shown=("Incoming concurrency is ", ".")),
    Setting("concurrencylocal", Number, SEND,
            "Most local deliveries at once; 0 stops local delivery. The limit that was set at installation holds in any case.", default=10,
            shown=("Local concurrency is ", ".")),
    Setting("concurrencyremote", Number, SEND,
            "Most remote deliveries at once; 0 stops remote delivery. The limit that was set at installation holds in any case.", default=20,
            shown=("Remote concurrency is ", ".")),
    Setting("databytes", Number, (SMTPD, QMTPD), "Most bytes that a message from the network may have; 0: any number.", env="DATABYTES",
            shown=("SMTP DATA limit is ", " bytes.")),
    Setting("defaultdomain", Line, INJECT, "Domain that is added to host names without a dot.", default=ME, literal=b"defaultdomain",
            env="QMAILDEFAULTDOMAIN", shown=("Default domain name is ", ".")),
    Setting("defaulthost", Line, INJECT, "Host that is added to addresses without one; it may be a domain rather than this host.", default=ME,
            literal=b"defaulthost", env="QMAILDEFAULTHOST", shown=("Default host name is ", ".")),
    Setting("doublebouncehost", Line, SEND, "Host that double bounces go to.", default=ME, literal=b"doublebouncehost", shown=("2B recipient host: ", ".")),
    Setting("doublebounceto", Line, SEND, "User that double bounces go to.", default=b"postmaster", shown=("2B recipient user: ", ".")),
    Setting("envnoathost", Line, SEND, "Host presumed for envelope recipients without an @.", default=ME, literal=b"envnoathost",
            shown=("Presumed domain name is ", ".")),
    Setting("helohost", Line, REMOTE, "Name that is said in HELO. Without it and without me no mail is sent.", default=ME,
            shown=("SMTP client HELO host name is ", ".")),
    Setting("idhost", Line, INJECT, "Host name in Message-ID fields; no two hosts may use the same.", default=ME, literal=b"idhost", env="QMAILIDHOST",
            shown=("Message-ID host name is ", ".")),
    Setting("localiphost", Line, SMTPD, "Host name that takes the place of this host's [IP address] in recipient addresses.", default=ME,
            shown=("Local IP address becomes ", ".")),
    Setting("locals", List, SEND, "Domains whose mail is delivered here, one a line. Without it and without me qmail-send does not start.", default=ME,
            shown=("Messages for ", " are delivered locally.", "Messages for me are delivered locally.")),
    Setting("me", Line, (INJECT, REMOTE, SEND, SMTPD), "The full name of this host; the default of many settings.",
            shown=("My name is ", ".", "My name is undefined! Uh-oh.")),
    Setting("morercpthosts", List, "qmail-newmrh", "Further entries for rcpthosts; they count once qmail-newmrh has compiled them into morercpthosts.cdb.",
            shown=("SMTP clients may send messages to recipients at ", ".", "No effect.")),
    Setting("percenthack", List, SEND, "Domains where user%host@domain means user@host, one a line.",
            shown=("The percent hack is allowed for user%host@", ".", "The percent hack is not allowed.")),
    Setting("plusdomain", Line, INJECT, "Domain that takes the place of a plus sign at the end of a host name.", default=ME, literal=b"plusdomain",
            env="QMAILPLUSDOMAIN", shown=("Plus domain name is ", ".")),
    Setting("qmqpservers", List, QMQPC, "IP addresses of QMQP servers, one a line, tried in this order.", shown=("QMQP server: ", ".", "No QMQP servers.")),
    Setting("qmtproutes", Map, REMOTE,
            "domain:relay or domain:relay:port, one a line: where mail for a domain goes by QMTP; before smtproutes where both have the same "
            "domain. If the file exists, though it be empty, mail exchangers whose preference says so are tried by QMTP first.",
            shown=("QMTP route: ", "", "No artificial QMTP routes.")),
    Setting("queuelifetime", Number, SEND, "Seconds that a message may wait in the queue; after that, one more failure makes it bounce.", default=604800,
            shown=("Message lifetime in the queue is ", " seconds.")),
    Setting("rcpthosts", List, (SMTPD, QMTPD),
            "Domains that mail from strangers is taken for, one a line; .domain stands for every name below domain. Without the file, all.",
            shown=("SMTP clients may send messages to recipients at ", ".", "SMTP clients may send messages to any recipient.")),
    Setting("smtpgreeting", Line, SMTPD, "What the server calls itself; the first word is to be its name. Without it and without me it does not serve.",
            default=ME, shown=("SMTP greeting: 220 ", ".")),
    Setting("smtproutes", Map, REMOTE,
            "domain:relay or domain:relay:port, one a line: where mail for a domain goes, whatever its MX records say. .domain stands for every name "
            "below it, an empty domain for all; with an empty relay the MX records count.",
            shown=("SMTP route: ", "", "No artificial SMTP routes.")),
    Setting("timeoutconnect", Number, REMOTE, "Seconds to wait for a connection to a server.", default=60,
            shown=("SMTP client connection timeout is ", " seconds.")),
    Setting("timeoutremote", Number, REMOTE, "Seconds to wait for each answer of a server.", default=1200,
            shown=("SMTP client data timeout is ", " seconds.")),
    Setting("timeoutsmtpd", Number, SMTPD, "Seconds to wait for each block of data from the client.", default=1200,
            shown=("SMTP server data timeout is ", " seconds.")),
    Setting("virtualdomains", Map, SEND,
            "user@domain:prepend or domain:prepend, one a line: an address there becomes the local address prepend-address. .domain stands for every "
            "name below it, an empty domain for all; an empty prepend makes an exception.",
            shown=("Virtual domain: ", "", "No virtual domains.")),
)}
