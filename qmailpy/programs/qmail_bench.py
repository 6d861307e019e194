"""qmail-bench: measure this home, and what else is found, on this machine.  See qmail-bench(8)."""

from __future__ import annotations

import json
import os
import platform
import sys
import time

import click

from qmailpy import VERSION
from qmailpy.bench import plot, table
from qmailpy.bench.bench import DISK, MEMORY, Bench, Plan, reason
from qmailpy.bench.figures import FIGURES
from qmailpy.bench.measure import Failed
from qmailpy.exits import OK, Temporary, Usage
from qmailpy.home import here
from qmailpy.unix.signals import interruptible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from qmailpy.bench.measure import Table

NOTHING = 1  # the exit status if nothing could be measured
NOTE = "Figures of one run can be compared with each other, those of two runs cannot: a machine has other things to do as well."


def words(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """Names separated by blanks or commas, each of which there is, in the order in which we know them.  Raises click.BadParameter."""
    known = tuple(FIGURES) if option.name == "figures" else (DISK, MEMORY)
    chosen = set(value.replace(",", " ").split())
    if unknown := chosen - set(known):
        raise click.BadParameter(f"{' '.join(sorted(unknown))}: there is only {', '.join(known)}")
    return tuple(name for name in known if name in chosen) or known


FOLDER = click.Path(exists=True, file_okay=False, resolve_path=True)
FILE = click.Path(dir_okay=False)


@click.command(help="Measure this qmail home, by a copy of it that nobody else uses, and what else is found, on this machine.")
@click.option("--figures", callback=words, default="", metavar="NAMES", help=f"What to measure, of: {' '.join(FIGURES)}.  Default: all.")
@click.option("--places", callback=words, default="", metavar="NAMES", help=f"Where queues and Maildirs are, of: {DISK} {MEMORY}.  Default: both.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="How often everything is measured.")
@click.option("--peer", type=FOLDER, metavar="HOME", help="Another qmail home to compare with, of C programs for instance.")
@click.option("--postfix/--no-postfix", default=True, help="Compare with the Postfix that is installed, or not.")
@click.option("--disk", type=FOLDER, default="/var/tmp", metavar="FOLDER", show_default=True, help="Where the scratch folder on disk is made.")
@click.option("--memory", type=click.Path(), default="/dev/shm", metavar="FOLDER", show_default=True, help="Where the scratch folder in memory is made.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write all figures there.")
@click.option("--plot", "plot_file", type=FILE, metavar="FILE", help="Draw them there, as SVG.")
def command(figures: tuple[str, ...], places: tuple[str, ...], rounds: int, peer: str | None, postfix: bool, disk: str, memory: str,
            json_file: str | None, plot_file: str | None) -> Wish:
    """The command line."""
    return Wish(Plan(rounds, places, {DISK: disk, MEMORY: memory}, peer or "", postfix=postfix), figures, json_file, plot_file)


class Wish:
    """What the command line asks for: a plan, the names of figures, and where to write them, if anywhere."""

    def __init__(self, plan: Plan, figures: tuple[str, ...], json_file: str | None, plot_file: str | None) -> None:
        self.plan, self.figures, self.json_file, self.plot_file = plan, figures, json_file, plot_file

    def grant(self) -> int:
        """Measure, tell, write; the exit status.  Raises Failed, OSError."""
        for path in filter(None, (self.json_file, self.plot_file)):
            write(path, "")  # what cannot be written is told before all the work
        progress = Progress()
        bench = Bench(here(), self.plan, progress.tell)
        try:
            facts = told_of(bench)
            click.echo("".join(f"{name}: {fact}\n" for name, fact in facts.items()) + NOTE + "\n")
            tables = measure(bench, self.figures, progress)
        finally:
            bench.close()
            progress.clear()
        for name, why in bench.skipped:
            click.echo(f"{name}: not measured: {why}")
        if self.json_file:
            write(self.json_file, json.dumps({"facts": facts, "rounds": self.plan.rounds, "tables": [table.value(one) for one in tables],
                                              "not measured": [{"what": what, "why": why} for what, why in bench.skipped]}, indent=1) + "\n")
        if self.plot_file:
            write(self.plot_file, plot.picture(tables))
        return OK if any(list(one.rows()) for one in tables) else NOTHING


def write(path: str, text: str) -> None:
    """Write a file.  Raises OSError."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write(text)


class Progress:
    """Says what is being done, on standard error: on a terminal in one line that is written anew, else nothing but what is new in its first words."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = ""

    def tell(self, text: str) -> None:
        """Say it."""
        subject = text.partition(":")[0]
        if self._terminal:
            click.echo(f"\r\033[K{text[:100]}", nl=False, err=True)
        elif subject != self._last:
            click.echo(subject, err=True)
        self._last = subject

    def clear(self) -> None:
        """Leave the line for something else."""
        if self._terminal:
            click.echo("\r\033[K", nl=False, err=True)


def told_of(bench: Bench) -> dict[str, str]:
    """What a reader must know of the machine and the moment."""
    return {"qmailpy": f"{VERSION} in {bench.home.path}, Python {platform.python_version()}",
            "machine": f"{platform.system()} {platform.release()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
            "time": time.strftime("%Y-%m-%d %H:%M:%S %z"),
            **{place.name: f"{os.path.dirname(place.folder)}, {place.kind}" for place in bench.places}}


def measure(bench: Bench, figures: tuple[str, ...], progress: Progress) -> list[Table]:
    """Measure, and print each table as soon as it is there; all tables."""
    tables = []
    for place in bench.places:
        for name in figures:
            figure = FIGURES[name]
            if figure.once and place is not bench.places[0]:
                continue
            try:
                for one in figure.tables(bench, place):
                    if not one.contenders:
                        continue  # why not was noted
                    tables.append(one)
                    progress.clear()
                    click.echo("\n".join(table.lines(one)))
            except (Failed, OSError) as problem:
                bench.skipped.append((f"{name}, {place.name}", reason(problem)))
    return tables


def main(argv: list[str], env: MutableMapping[str, str]) -> int:
    try:
        wish: Wish | int = command.main(argv[1:], "qmail-bench", standalone_mode=False)
    except click.ClickException as problem:
        raise Usage(f"qmail-bench [ options ]: {problem.format_message()}") from None
    if isinstance(wish, int):
        return wish  # --help was asked for
    try:
        with interruptible():
            return wish.grant()
    except KeyboardInterrupt:
        raise Temporary("interrupted") from None
    except (Failed, OSError) as problem:
        raise Temporary(reason(problem)) from problem
