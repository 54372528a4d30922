"""`python -m bench.fhir`: studies and reports as FHIR, beside dicom2fhir; searching among Observations.

Writes docs/benchmarks-fhir.md when all was measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import generate_uid

from bench import load, machine, observations, processes
from bench.figures import NotMeasured
from bench.reports import IDENTITY, REPORTS, read_and_map, read_lean, timed
from bench.servers import OURS, Server, running
from sr.mapping import map_report
from testdata.cad_report import cad_report
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.measurement_report import measurement_report
from testdata.vascular_report import vascular_report
from testdata.written_report import heart_report

INSTANCES, SERIES = 5_000, 10
READS = 20
CONNECTIONS, SECONDS = 4, 10
PATHS = 5_000
RIVAL = Path(__file__).with_name("rival.py")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks-fhir.md"
HEADINGS = ("what", "Diafana", "dicom2fhir 0.1.25", "target", "met")

_TEXT = """\
# Studies and reports as FHIR

This page is written by `python -m bench.fhir`; do not edit it.

{busy}

{facts}

{table}

## How to read this

- The ImagingStudy is asked for over HTTP from the running service, the median of {reads} times, with all of
  its instances. What dicom2fhir takes is the processor's time to read the files and make its Bundle: it
  keeps nothing, and does so each time. Ours read them when they were stored, which is not in the figure.
- Memory is that of all processes of the service, shared pages counted once, after the last reading less that
  after the first; of dicom2fhir it is the most that its process had.
- Reports are measured in seconds of one core: read from their bytes, mapped, written as JSON.
- Numbers are those that pydicom reads in NUM items, once for each that is a value of an Observation or of
  a component of one. dicom2fhir maps no content of reports; what it makes of them is an ImagingStudy.
  Of our own reports two numbers are of marks that their program says are not for presentation.
- Observations are searched over HTTP, over {connections} connections from the same machine, each time of
  another patient and code; each answer is a page of the two or three that there are, with its total.

## How to repeat

`python -m bench.fhir --rival PYTHON --reports FOLDER`: the interpreter of an environment that has
`dicom2fhir==0.1.25` and `fhir.resources==8.0.0` (it fails with newer ones), and a folder of reports of
others, if there is one. Making a million Observations takes some minutes.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table.  met: whether the target was reached; None where there is none."""

    what: str
    ours: str
    rival: str = "cannot"
    target: str = "-"
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of HEADINGS."""
        return self.what, self.ours, self.rival, self.target, {True: "yes", False: "NO", None: "-"}[self.met]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        facts = machine.describe(folder)
        lines = [*_reports(folder, options.rival, options.reports)]
        print(*map(_row, lines), sep="\n", flush=True)
        lines += _imaging_study(folder, options.rival)
        print(*map(_row, lines[-2:]), sep="\n", flush=True)
        lines.append(_observations(options.data or folder / "observations", options.observations))
        print(_row(lines[-1]))
    PAGE.write_text(_page(lines, facts, options.note), encoding="utf-8")
    return 0


def _page(lines: Sequence[Line], facts: Mapping[str, str], note: str) -> str:
    rows = (HEADINGS, ["---"] * len(HEADINGS), *(line.cells for line in lines))
    return _TEXT.format(
        busy=note,
        facts="\n".join(f"- {name}: {value}" for name, value in facts.items()),
        table="\n".join(f"| {' | '.join(row)} |" for row in rows),
        reads=READS,
        connections=CONNECTIONS,
    )


def _reports(folder: Path, rival: Path | None, others: Path | None) -> Iterator[Line]:
    report = part10(measurement_report(ct_series(slices=20, rows=128, columns=128)))
    rate = REPORTS / timed(lambda: [read_and_map(report) for _ in range(REPORTS)])
    yield Line("TID 1500 reports a second of one core", f"{rate:,.0f}", target="≥ 200", met=rate >= 200)
    recipes = (dose_report(), cad_report(), vascular_report(), heart_report())
    files = [report, *(part10(recipe) for recipe in recipes)]
    yield _recall("Numbers of our own reports", files, rival, folder / "own")
    if others is not None:
        files = [path.read_bytes() for path in sorted(others.rglob("*.dcm")) if path.stat().st_size < 1 << 20]
        yield _recall(f"Numbers of {len(files)} reports of others", files, rival, folder / "others")


def _recall(what: str, files: Sequence[bytes], rival: Path | None, folder: Path) -> Line:
    """How many of the numbers in reports come out, and of how many reports nothing does."""
    held = told = of_rival = failed = 0
    for number, file in enumerate(files):
        numbers = Counter(_numbers(dcmread(BytesIO(file), force=True)))
        mapped = map_report(read_lean(file), IDENTITY, with_events=True).resources
        elements = [element for one in mapped for element in (one, *one.get("component", []))]
        ours = Counter(one["valueQuantity"]["value"] for one in elements if "valueQuantity" in one)
        held, told = held + numbers.total(), told + (numbers & ours).total()
        if rival is not None:
            answer = _ask_rival(rival, folder / str(number), [file])
            failed += answer is None
            theirs = Counter(Decimal(str(one)) for one in (answer or {}).get("numbers", []))
            of_rival += (numbers & theirs).total()
    said = f"{of_rival} of {held}; {failed} of {len(files)} reports fail" if rival else "not asked"
    return Line(what, f"{told} of {held}", said)


def _numbers(item: Dataset) -> Iterator[Decimal]:
    for measured in item.get("MeasuredValueSequence") or []:
        value = measured.get("NumericValue")
        for one in value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]:
            if isinstance(one, str | float | Decimal):
                with suppress(InvalidOperation):  # such as 10.50/ 15.00, which is told as text
                    yield Decimal(str(getattr(one, "original_string", one)).strip())
    for child in item.get("ContentSequence") or []:
        yield from _numbers(child)


def _imaging_study(folder: Path, rival: Path | None) -> Iterator[Line]:
    files = list(_study())
    uid = dcmread(BytesIO(files[0])).StudyInstanceUID
    answer = _ask_rival(rival, folder / "study", files) if rival else None
    if rival is None:
        _lay(folder / "study", files)
    data = folder / "data"
    command = [sys.executable, "-m", "diafana", "import", "--data", str(data), str(folder / "study")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with running(OURS, data) as server:
        url = f"{_fhir(server)}/ImagingStudy/{uid}"
        times = [_read(url) for _ in range(READS)]  # until all processes have what they keep
        before = processes.proportional_megabytes(server.session)
        times += [_read(url) for _ in range(READS)]
        grown = processes.proportional_megabytes(server.session) - before
    milliseconds = 1000 * median(times)
    of_rival = f"{1000 * answer['seconds']:,.0f} ms" if answer else "not asked"
    most = f"{answer['megabytes']:,.0f} MB at most" if answer else "not asked"
    what = f"ImagingStudy of {INSTANCES:,} instances"
    yield Line(what, f"{milliseconds:.0f} ms", of_rival, "< 50 ms", milliseconds < 50)
    yield Line("the same: memory", f"{grown:+.1f} MB in {READS} readings", most, "flat", grown < 10)


def _study() -> Iterator[bytes]:
    """The files of a CT study: small pictures, whole headers."""
    [dataset] = ct_series(slices=1, rows=16, columns=16)
    series = [generate_uid() for _ in range(SERIES)]
    for number in range(INSTANCES):
        dataset.SeriesInstanceUID = series[number % SERIES]
        dataset.SeriesNumber, dataset.InstanceNumber = number % SERIES + 1, number // SERIES + 1
        dataset.SOPInstanceUID = generate_uid()
        yield part10(dataset)


def _read(url: str) -> float:
    answer = load.get(url, {"Accept": "application/fhir+json"})
    if answer.status != 200 or answer.body.count(b'"sopClass"') != INSTANCES:
        raise NotMeasured(f"the ImagingStudy was answered with {answer.status}, or not whole")
    return answer.seconds


def _observations(folder: Path, count: int) -> Line:
    database = folder / "derived" / "fhir.sqlite"
    if not database.exists():
        database.parent.mkdir(parents=True)
        observations.fill(f"sqlite:///{database}", count)
    paths = folder / "paths"
    asked = (number * 48_271 % count for number in range(PATHS))
    searches = (f"patient={observations.patient(n)}&code={observations.code(n)}" for n in asked)
    paths.write_text("".join(f"/fhir/Observation?{search}\n" for search in searches))
    with running(OURS, folder) as server:
        base = _fhir(server).removesuffix("/fhir")
        first = json.loads(load.get(base + paths.read_text().split()[0], {}).body)
        if not first["total"]:
            raise NotMeasured("an Observation was not found")
        headers = {"Accept": "application/fhir+json"}
        report = load.wrk(base, paths, headers, connections=CONNECTIONS, seconds=SECONDS)
    found = report.rate * count / (observations.PATIENTS * observations.CODES)
    what = f"Observations found a second, by patient and code among {count:,}"
    said = f"{found:,.0f}, in {report.rate:,.0f} searches"
    return Line(what, said, target="≥ 1,000", met=found >= 1_000)


def _fhir(server: Server) -> str:
    return server.dicomweb.removesuffix(OURS.root) + "/fhir"


def _lay(folder: Path, files: Sequence[bytes]) -> None:
    folder.mkdir(parents=True)
    for number, file in enumerate(files):
        (folder / f"{number}.dcm").write_bytes(file)


def _ask_rival(python: Path, folder: Path, files: Sequence[bytes]) -> dict[str, Any] | None:
    """What it tells, see `bench.rival`; None where it fails."""
    _lay(folder, files)
    done = subprocess.run(
        [python, "-P", RIVAL, folder], capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode != 0:
        return None
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _row(line: Line) -> str:
    return f"| {' | '.join(line.cells)} |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fhir", description=__doc__)
    parser.add_argument("--rival", type=Path, help="the interpreter that dicom2fhir is installed for")
    parser.add_argument("--reports", type=Path, help="a folder of reports of others")
    parser.add_argument(
        "--observations", type=int, default=observations.OBSERVATIONS, help="how many to search"
    )
    parser.add_argument("--data", type=Path, help="a data folder that has them already")
    parser.add_argument("--note", default="", help="what the page says of the machine")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
