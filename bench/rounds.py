"""Measuring in rounds: row by row, now the one first and now the other, so that a noisy minute hits both."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench import load, million, processes
from bench.figures import NotMeasured, Readings
from bench.rows import REFERENCES, Phase, Reference, Row
from bench.servers import OURS, Contender, Server, running
from bench.stage import Stage
from pacs.index import sqlite_url

# A series counts as complete some seconds after its last instance, and only then its metadata and thumbnails
# are made. The rows of reading are about such series; no row of storing is measured while that is done.
REST_SECONDS = 6


@dataclass(slots=True)
class Results:
    """What was measured. of: by name of the row and name of the contender. references: by name."""

    of: dict[tuple[str, str], Readings] = field(default_factory=dict)
    references: dict[str, Readings] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


class Rounds:
    """Measures rows on contenders.

    step: called with a few words before each figure is taken.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        rows: Sequence[Row],
        rounds: int,
        stage: Stage,
        step: Callable[[str], None],
    ) -> None:
        self._contenders = contenders
        self._rows = rows
        self._rounds = rounds
        self._stage = stage
        self._step = step
        limits = {row.limit for row in rows}
        self._references = [reference for reference in REFERENCES if reference.name in limits]
        self.results = Results(
            {
                (row.name, contender.name): Readings()
                for row in rows
                for contender in self._contenders_of(row.phase)
            },
            {reference.name: Readings() for reference in self._references},
        )

    @property
    def steps(self) -> int:
        """How often `step` will be called."""
        filled = [phase for phase in Phase if phase is not Phase.START and self._of_phase(phase)]
        fills = sum(len(self._contenders_of(phase)) for phase in filled)
        figures = sum(len(self._contenders_of(row.phase)) for row in self._rows)
        return fills + self._rounds * (figures + len(self._references))

    def measure(self) -> Results:
        """Take all figures. Raises servers.CannotStart."""
        self._start_again_and_again(self._of_phase(Phase.START))
        for phase in (Phase.STORE, Phase.READ):
            if rows := self._of_phase(phase):
                self._on_running_services(rows, phase)
        if rows := self._of_phase(Phase.MILLION):
            self._among_a_million(rows)
        return self.results

    def _contenders_of(self, phase: Phase) -> Sequence[Contender]:
        """A peer with a million studies would have to store them, which takes it hours."""
        return [OURS] if phase is Phase.MILLION else self._contenders

    def _of_phase(self, phase: Phase) -> list[Row]:
        return [row for row in self._rows if row.phase is phase]

    def _start_again_and_again(self, rows: Sequence[Row]) -> None:
        for turn in range(self._rounds if rows else 0):
            for contender in self._contenders[:: _direction(turn)]:
                with ExitStack() as services:
                    server = self._start(services, contender)
                    processes.wait_until_quiet([server.session])
                    for row in rows:
                        self._take(row, server)

    def _on_running_services(self, rows: Sequence[Row], phase: Phase) -> None:
        with ExitStack() as services:
            servers = [self._start(services, contender) for contender in self._contenders]
            for server in servers:
                self._fill(server, phase, rows)
            time.sleep(REST_SECONDS)
            for turn in range(self._rounds):
                for place, row in enumerate(rows):
                    for server in servers[:: _direction(turn + place)]:
                        processes.wait_until_quiet([each.session for each in servers])
                        self._take(row, server)
                        if phase is Phase.STORE:
                            time.sleep(REST_SECONDS)
                self._take_references(rows)

    def _among_a_million(self, rows: Sequence[Row]) -> None:
        """Search ours, and an index in PostgreSQL, which our service does not come with."""
        self._step("a million studies into both indexes")
        folder = self._stage.folder / "million"
        folder.mkdir()
        with ExitStack() as services:
            self._stage.postgresql = services.enter_context(million.postgresql(folder / "pg"))
            million.fill(self._stage.postgresql)
            million.fill(sqlite_url(folder / "index.sqlite"))
            server = services.enter_context(running(OURS, folder))
            self.results.versions[OURS.name] = server.version
            for _ in range(self._rounds):
                for row in rows:
                    processes.wait_until_quiet([server.session])
                    self._take(row, server)

    def _start(self, services: ExitStack, contender: Contender) -> Server:
        folder = self._stage.folder / f"{contender.name.lower()}-{self._stage.number()}"
        server = services.enter_context(running(contender, folder))
        self.results.versions[contender.name] = server.version
        return server

    def _fill(self, server: Server, phase: Phase, rows: Sequence[Row]) -> None:
        """Store the library, or a little of it to warm up; when that fails, no row here has a figure."""
        self._step(f"first studies into {server.name}")
        library = self._stage.library
        try:
            for batch in library.batches if phase is Phase.READ else library.others[:1]:
                load.store([batch.folder], server.dimse_port, server.ae_title)
        except NotMeasured as error:
            for row in rows:
                failure = f"the first studies could not be stored: {error}"
                self.results.of[row.name, server.name].failure = failure

    def _take(self, row: Row, server: Server) -> None:
        self._step(f"{row.title}: {server.name}")
        _take(self.results.of[row.name, server.name], lambda: row.measure(server, self._stage))

    def _take_references(self, rows: Sequence[Row]) -> None:
        limits = {row.limit for row in rows}
        for reference in self._references:
            if reference.name in limits:
                self._take_reference(reference)

    def _take_reference(self, reference: Reference) -> None:
        self._step(reference.title)
        _take(self.results.references[reference.name], lambda: reference.measure(self._stage))


def _direction(turn: int) -> int:
    """Who comes first changes from turn to turn."""
    return 1 if turn % 2 else -1


def _take(readings: Readings, measure: Callable[[], float]) -> None:
    """One figure more, or the reason why there is none; after a failure nothing is tried again."""
    if readings.failure:
        return
    try:
        readings.figures.append(measure())
    except NotMeasured as error:
        readings.failure = str(error)
