"""`python -m bench.reports`: how fast structured reports are read and mapped, in seconds of one core.

Beside pydicom, and DCMTK's dsrdump where it is installed. Files given on the command line are read, too.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from shutil import which
from statistics import median

from pydicom import Dataset, dcmread
from rich.console import Console
from rich.table import Table

from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import inflate, is_deflated
from sr.data_set import DataSet, read_data_set
from sr.fhir_json import dumps
from sr.mapping import map_report
from sr.read_content import read_content
from testdata.ct import ct_series
from testdata.files import part10
from testdata.long_dose_report import long_dose_report
from testdata.measurement_report import measurement_report

EVENTS = 600
ROUNDS = 5
REPORTS = 100  # that are mapped in each round
IDENTITY = "0" * 64
WIDTH_OF_FILES = 140
COLUMNS = ("Bytes", "Items", "Read, s", "Items/s", "pydicom, s", "dsrdump, s", "Read and mapped, s")


def main() -> int:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
    table = Table("Report", *COLUMNS)
    for name, content in _reports(options.files):
        table.add_row(name, *figures(content))
    console.print(table)
    report = part10(measurement_report(ct_series(slices=20, rows=128, columns=128)))
    seconds = timed(lambda: [read_and_map(report) for _ in range(REPORTS)])
    items = count(read_lean(report))
    console.print(
        f"TID 1500 of {items} items, read, mapped, written: {REPORTS / seconds:.0f} reports a second"
    )
    return 0


def read_lean(content: bytes) -> DataSet:
    """The data set of a Part 10 file, as the archive hands it to the mapping."""
    read = read_file_meta(content)
    if read is None:
        raise ValueError("this is no DICOM file")
    meta, start = read
    syntax = meta.transfer_syntax_uid
    return read_data_set(inflate(content[start:]) if is_deflated(syntax) else content[start:], syntax)


def read_and_map(content: bytes) -> int:
    """Read a report, map it, and write what it became; gives the bytes of that."""
    mapped = map_report(read_lean(content), IDENTITY)
    return sum(len(dumps(resource)) for resource in mapped.resources)


def count(dataset: Dataset | DataSet) -> int:
    """Read the whole content tree; gives the number of its items."""
    return sum(1 for _ in read_content(dataset).root.walk())


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the processor that the work takes: the median of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)


def figures(content: bytes) -> list[str]:
    """What is told of a report, under COLUMNS."""
    items, seconds = count(read_lean(content)), timed(lambda: count(read_lean(content)))
    return [
        f"{len(content):,}",
        f"{items:,}",
        f"{seconds:.3f}",
        f"{items / seconds:,.0f}",
        f"{timed(lambda: count(dcmread(BytesIO(content))), rounds=1):.2f}",
        _dsrdump(content),
        f"{timed(lambda: read_and_map(content)):.3f}",
    ]


def _dsrdump(content: bytes) -> str:
    program = which("dsrdump")
    if program is None:
        return "not here"
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(content)
        file.flush()
        before = _children_seconds()
        command = [program, "-Ev", "-Ec", file.name]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return f"{_children_seconds() - before:.2f}" + ("" if done.returncode == 0 else " (fails)")


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reports(files: list[Path]) -> list[tuple[str, bytes]]:
    made = [(f"dose of {EVENTS} events", part10(long_dose_report(EVENTS)))]
    return [*made, *((path.name, path.read_bytes()) for path in files)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="other reports to read")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
