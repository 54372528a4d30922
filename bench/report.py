"""The results as a table for the terminal and as a page of documentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.figures import Comparison, Readings, compare
from bench.rounds import Results
from bench.rows import REFERENCES, Phase, Row
from bench.servers import OURS, PEER

HEADINGS = ("what", OURS.name, PEER.name, "times better (by round)", "target", "met", "how near the limit")
_BESIDE_THE_PEER = """\
# Benchmarks

{ours} beside {peer}: the same studies, the same clients, the same machine, in one run.
This page is written by `make bench`; do not edit it.

{facts}

Each figure is the median of {rounds} rounds. In every round each row is measured on the one and then on the
other, in changing order, after both are at rest and the disk has what was written. "Times better" is the
ratio of the medians, and behind it the lowest and the highest ratio of a round.

{table}

{failures}## How to read this

- Shared machines are noisy: single figures may differ by half from one day to the next. Trust the ratios of
  one run, and of those only the ones whose rounds agree.
- The stores do not promise the same. Ours answers when file and index are synced to the disk. The index of
  the peer is not, as it comes (SQLite with `synchronous=NORMAL`): a power cut may take what it acknowledged.
- What a service does after it has answered (ours: metadata and thumbnails of a series at rest) is not in the
  figures of storing; the bench waits for it before it measures the next row.
- A row counts only when every store was kept and every answer right; otherwise its failure is shown.
- Where a service has several processes, the sum of their RSS counts what they share once for each of them.
- The limits are no services: `storescp` writes without fsync and keeps no index; the loop writes, fsyncs and
  commits one instance after the other, and has no network. Several associations share syncs and may pass it.
- The peer runs with the settings it comes with, its DICOMweb plugin, and `TCP_NODELAY=1`, as do the clients:
  without that each C-STORE waits 40 ms for a delayed acknowledgement, which would flatter us.
- `storescu` sends with what it proposes by itself, not with `-R`: for that it reads each file twice, and four
  of them share the processor with the archive. It made our figure of MR over four associations a fifth less.

## How to repeat

`make bench`, on Debian 12 with DCMTK, wrk, curl, `orthanc` and `orthanc-dicomweb`; as root they are installed
where they are missing. It took {minutes} minutes. `python -m bench --quick` looks at everything for a moment,
`--rows NAME ...` at some rows only; neither writes this page. `TMPDIR` chooses the disk that is measured;
the clients read from memory (`/dev/shm`) where there is room.
"""

_AMONG_A_MILLION = """\
# Searching among a million studies

{ours} alone: a peer would have to store them, which takes it hours. This page is written by `make bench`; do
not edit it.

{facts}

Each figure is the median of {rounds} rounds, and in each round what 19 of 20 searches take at most (p95),
from the question to the last answer. Each search asks for another study, in no order, and must find it.

{table}

{failures}## How to read this

- The index holds 1,000,000 studies of 666,667 patients. A patient has one or two, a day about 270, a family
  name about 100, and the middle of a name 200 to 700. All answers are given, and none is left out.
- The studies are written as rows of the index, without files: no search at the level of studies reads one.
- QIDO-RS is asked on a connection that stays open, C-FIND in an association that stays open, by clients that
  read all answers and look into none, but for whether the study is among them.
- PostgreSQL is asked from within the bench, as our service does not come with it yet: the index alone, with
  no protocol around it. It was analysed, as its own vacuum does.

## How to repeat

`python -m bench --million`, or `make bench` for all. It took {minutes} minutes, most of them for making the
studies.
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One row with all that was measured of it. met: None when that cannot be said."""

    row: Row
    ours: Readings
    peer: Readings | None
    comparison: Comparison | None
    met: bool | None
    nearness: str

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of HEADINGS."""
        return (
            self.row.title,
            _figure(self.row, self.ours),
            _figure(self.row, self.peer) if self.peer else "no peer",
            _comparison(self.comparison),
            self.row.target.text if self.row.target else "-",
            {True: "yes", False: "NO", None: "-"}[self.met],
            self.nearness,
        )


def lines(rows: Sequence[Row], results: Results) -> list[Line]:
    """The results row by row."""
    return [_line(row, results) for row in rows]


def terminal_table(of: Sequence[Line]) -> Table:
    """For rich to print."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in HEADINGS[1:4] else "left")
    for line in of:
        style = {True: "green", False: "red", None: "yellow"}[line.met]
        table.add_row(*line.cells[:5], f"[{style}]{line.cells[5]}[/]", line.cells[6])
    return table


def missed(of: Sequence[Line]) -> list[str]:
    """The titles of the rows that did not reach their target."""
    return [line.row.title for line in of if line.met is False]


def unjudged(of: Sequence[Line]) -> int:
    """How many targets could not be judged, for want of a peer or of a figure."""
    return sum(line.met is None and line.row.target is not None for line in of)


def failures(of: Sequence[Line]) -> list[str]:
    """What could not be measured, and why."""
    sides = [
        (line, name, side) for line in of for name, side in ((OURS.name, line.ours), (PEER.name, line.peer))
    ]
    return [
        f"{line.row.title}, {name}: {side.failure}" for line, name, side in sides if side and side.failure
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """What a page tells of the run that it is from."""

    versions: Mapping[str, str]
    facts: Mapping[str, str]
    rounds: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documentation in Markdown.  phases: whose rows it has."""

    name: str
    template: str
    phases: frozenset[Phase]
    needs_peer: bool

    def has(self, row: Row) -> bool:
        """Whether the row is on this page."""
        return row.phase in self.phases

    def text(self, of: Sequence[Line], run: Run) -> str:
        """The page with these lines."""
        rows = (HEADINGS, ["---"] * len(HEADINGS), *(line.cells for line in of))
        failed = "".join(f"- Not measured: {failure}\n" for failure in failures(of))
        return self.template.format(
            ours=run.versions[OURS.name],
            peer=run.versions.get(PEER.name, "no peer"),
            facts="\n".join(f"- {name}: {value}" for name, value in run.facts.items()),
            rounds=run.rounds,
            table="\n".join(map(_markdown, rows)),
            failures=f"{failed}\n" if failed else "",
            minutes=run.minutes,
        )


PAGES = (
    Page("benchmarks.md", _BESIDE_THE_PEER, frozenset(Phase) - {Phase.MILLION}, needs_peer=True),
    Page("benchmarks-million.md", _AMONG_A_MILLION, frozenset({Phase.MILLION}), needs_peer=False),
)


def _line(row: Row, results: Results) -> Line:
    ours, peer = results.of[row.name, OURS.name], results.of.get((row.name, PEER.name))
    comparison = compare(row.unit, ours, peer)
    ratio = comparison.of_medians if comparison else None
    met = None if ours.median is None or row.target is None else row.target.is_met(ours.median, ratio)
    return Line(row, ours, peer, comparison, met, _nearness(row, ours, results))


def _figure(row: Row, readings: Readings) -> str:
    if readings.median is None:
        return "failed"
    digits = 0 if readings.median >= 100 else 1 if readings.median >= 10 else 2
    return f"{readings.median:,.{digits}f} {row.unit.value}"


def _comparison(comparison: Comparison | None) -> str:
    if comparison is None:
        return "-"
    return f"{comparison.of_medians:.1f}x ({comparison.lowest:.1f}-{comparison.highest:.1f})"


def _nearness(row: Row, ours: Readings, results: Results) -> str:
    """Such as "0.8 of storescp's 251 inst/s"."""
    limit = next((each for each in REFERENCES if each.name == row.limit), None)
    if limit is None or ours.median is None:
        return ""
    reached = results.references[limit.name].median
    if reached is None:
        return f"{limit.title}: {results.references[limit.name].failure}"
    return f"{ours.median / reached:.1f} of {limit.title}'s {reached:.0f} {limit.unit.value}"


def _markdown(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
