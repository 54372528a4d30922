"""`python -m bench`: measure the service beside the peer, print a table, write docs/benchmarks*.md."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import machine, report, tools
from bench.rounds import Results, Rounds
from bench.rows import ROWS, Phase, Row
from bench.servers import OURS, PEER, CannotStart
from bench.stage import QUICK, Amounts, Stage

DOCS = Path(__file__).parent.parent / "docs"
ROUNDS = 5
WIDTH_OF_FILES = 170
SOURCES_BYTES = 1 << 30  # what the studies to be sent take at most, and some room


def main() -> int:
    """Returns 0 when all of our rows were measured, whether or not their targets were met."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with_peer = _has_tools(console)
    if with_peer is None:
        return 1
    start = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            tempfile.TemporaryDirectory(prefix="bench-", dir=_memory()) as sources,
        ):
            facts = machine.describe(Path(folder))
            results = _measure(console, options, (Path(folder), Path(sources)), with_peer)
    except CannotStart as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; both services have ended.")
        return 130
    lines = report.lines(options.rows, results)
    _print(console, lines)
    if not options.quick:
        minutes = round((time.monotonic() - start) / 60)
        run = report.Run(results.versions, facts, options.rounds, minutes)
        _write_pages(console, lines, run, with_peer)
    return 1 if any(line.ours.failure for line in lines) else 0


def _write_pages(console: Console, lines: Sequence[report.Line], run: report.Run, with_peer: bool) -> None:
    """Write each page of which all rows were measured."""
    for page in report.PAGES:
        of_page = [line for line in lines if page.has(line.row)]
        is_whole = len(of_page) == sum(map(page.has, ROWS))
        if is_whole and (with_peer or not page.needs_peer):
            (DOCS / page.name).write_text(page.text(of_page, run), encoding="utf-8")
            console.print(f"Written to {DOCS / page.name}")


def _memory() -> Path | None:
    """Where the clients read from without a disk; None for wherever temporary files go.

    What they read is removed after each row, and a disk that was just removed from is slow to write to: ext4
    without a journal searches for a minute and more among what was removed before it gives out an inode.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it has a name of its own
    return memory if memory.is_dir() and disk_usage(memory).free > SOURCES_BYTES else None


def _measure(
    console: Console, options: argparse.Namespace, folders: tuple[Path, Path], with_peer: bool
) -> Results:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("making the studies", total=None)
        stage = Stage(*folders, QUICK if options.quick else Amounts())

        def step(words: str) -> None:
            progress.update(task, description=words, advance=1)

        contenders = [PEER, OURS] if with_peer else [OURS]
        rounds = Rounds(contenders, options.rows, options.rounds, stage, step)
        progress.update(task, total=rounds.steps)
        return rounds.measure()


def _has_tools(console: Console) -> bool | None:
    """Whether the peer can be measured; None when nothing can."""
    if (tools.missing_clients() or not tools.has_peer()) and tools.can_install():
        console.print(f"Something is missing; installing it: {' '.join(tools.INSTALL)}")
        tools.install()
    if missing := tools.missing_clients():
        console.print(
            f"Cannot measure without {', '.join(missing)}. On Debian, as root: {' '.join(tools.INSTALL)}"
        )
        return None
    if not tools.has_peer():
        console.print(
            f"No peer: Orthanc or its DICOMweb plugin is not here. As root: {' '.join(tools.INSTALL)}"
        )
    return tools.has_peer()


def _print(console: Console, lines: Sequence[report.Line]) -> None:
    console.print(report.terminal_table(lines))
    for failure in report.failures(lines):
        console.print(f"Not measured: {failure}", style="red", markup=False)
    missed = report.missed(lines)
    console.print(f"Targets missed: {'; '.join(missed) or 'none'}.", markup=False)
    if unjudged := report.unjudged(lines):
        console.print(f"Not judged, for want of a peer or of a figure: {unjudged} targets.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--rows", nargs="+", metavar="NAME", choices=[row.name for row in ROWS], help="only these"
    )
    parser.add_argument(
        "--million",
        action="store_const",
        dest="rows",
        const=[row.name for row in ROWS if row.phase is Phase.MILLION],
        help="only the searches among a million studies",
    )
    parser.add_argument(
        "--rounds", type=_at_least_one, default=ROUNDS, help="how often each row is measured (%(default)s)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="store less and ask for shorter: a look, no measurement"
    )
    options = parser.parse_args()
    options.rows = _chosen(options.rows)
    return options


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _chosen(names: Sequence[str] | None) -> list[Row]:
    return [row for row in ROWS if names is None or row.name in names]


if __name__ == "__main__":
    sys.exit(main())
