"""The table of what is measured, with its targets."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bench import reading, references, retrieving, searching, storing
from bench.figures import Below, Target, TimesPeer, Unit
from bench.processes import proportional_megabytes, resident_megabytes
from bench.servers import Server
from bench.stage import Stage


class Phase(Enum):
    """Which services a row is measured on."""

    START = "newly started in each round, empty"
    STORE = "started once, filled by the rows themselves"
    READ = "started once, holding the library"
    MILLION = "started once, without a peer, on an index with a million studies"


@dataclass(frozen=True, slots=True)
class Reference:
    """A bound that no service is expected to reach."""

    name: str
    title: str
    unit: Unit
    measure: Callable[[Stage], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `measure` raises NotMeasured when anything failed.

    name: as it is given on the command line.  target: None where the figure is told for knowledge only.
    limit: the name of the reference it is held against.
    """

    name: str
    title: str
    unit: Unit
    phase: Phase
    measure: Callable[[Server, Stage], float]
    target: Target | None
    limit: str | None = None


def _start_up(server: Server, _stage: Stage) -> float:
    return server.start_seconds


def _idle_memory(server: Server, _stage: Stage) -> float:
    return resident_megabytes(server.session)


def _idle_memory_shared_once(server: Server, _stage: Stage) -> float:
    return proportional_megabytes(server.session)


_INSTANCES = Unit.INSTANCES_PER_SECOND
_REQUESTS = Unit.REQUESTS_PER_SECOND
_TIME = Unit.MILLISECONDS

REFERENCES = (
    Reference("storescp-ct", "storescp", _INSTANCES, references.storescp_ct),
    Reference("storescp-mr", "storescp", _INSTANCES, references.storescp_mr),
    Reference("loop-ct", "the loop", _INSTANCES, references.bare_loop_ct),
    Reference("loop-mr", "the loop", _INSTANCES, references.bare_loop_mr),
)

# fmt: off
ROWS = (
    Row("start-up", "Start-up", Unit.SECONDS, Phase.START, _start_up, Below(2, Unit.SECONDS)),
    Row("memory", "RSS of the idle service, sum of all processes", Unit.MEGABYTES, Phase.START,
        _idle_memory, Below(200, Unit.MEGABYTES)),
    Row("memory-once", "the same, shared pages counted once (PSS)", Unit.MEGABYTES, Phase.START,
        _idle_memory_shared_once, None),
    Row("store-ct", "C-STORE CT 512x512x16, 1 association", _INSTANCES, Phase.STORE,
        storing.ct_over_one_association, TimesPeer(1.5), "storescp-ct"),
    Row("store-mr", "C-STORE MR 128x128, 1 association", _INSTANCES, Phase.STORE,
        storing.mr_over_one_association, TimesPeer(1.5), "storescp-mr"),
    Row("store-ct-4", "C-STORE CT, 4 associations at once", _INSTANCES, Phase.STORE,
        storing.ct_over_four_associations, TimesPeer(2, later=3), "loop-ct"),
    Row("store-mr-4", "C-STORE MR, 4 associations at once", _INSTANCES, Phase.STORE,
        storing.mr_over_four_associations, TimesPeer(2, later=3), "loop-mr"),
    Row("stow", "STOW-RS, 60 CT in one request", _INSTANCES, Phase.STORE,
        storing.stow_of_ct, TimesPeer(5), "loop-ct"),
    Row("metadata-new", "WADO-RS metadata, 200 instances, first request after storing", _TIME, Phase.STORE,
        storing.metadata_of_a_new_series, TimesPeer(10)),
    Row("qido-studies", "QIDO-RS, 50 studies", _REQUESTS, Phase.READ, reading.qido_studies, TimesPeer(30)),
    Row("qido-patient", "QIDO-RS, by PatientID", _REQUESTS, Phase.READ, reading.qido_patient, TimesPeer(5)),
    Row("qido-instances", "QIDO-RS, 200 instances of a series", _REQUESTS, Phase.READ,
        reading.qido_instances, TimesPeer(100)),
    Row("metadata-gzip", "WADO-RS metadata, 200 instances at rest, gzip", _TIME, Phase.READ,
        reading.metadata_packed, TimesPeer(10)),
    Row("metadata-plain", "WADO-RS metadata, 200 instances at rest, not packed", _TIME, Phase.READ,
        reading.metadata_plain, TimesPeer(10)),
    Row("c-get", "C-GET of 200 CT", _INSTANCES, Phase.READ, retrieving.c_get, TimesPeer(1)),
    Row("c-move", "C-MOVE of 200 CT to storescp", _INSTANCES, Phase.READ,
        retrieving.c_move, TimesPeer(1), "storescp-ct"),
    Row("frames", "WADO-RS frame 512x512x16", _REQUESTS, Phase.READ, reading.frames, TimesPeer(5)),
    Row("rendered-new", "WADO-RS rendered JPEG 512x512, not cached", _REQUESTS, Phase.READ,
        reading.rendered_new, TimesPeer(2)),
    Row("rendered-again", "WADO-RS rendered JPEG 512x512, cached", _REQUESTS, Phase.READ,
        reading.rendered_again, TimesPeer(10)),
    *(
        Row(f"{name}-{question.name}", f"{title} among 1,000,000 studies {question.title}, p95", _TIME,
            Phase.MILLION, measure(question), Below(question.below, _TIME))
        for name, title, measure in (
            ("qido", "QIDO-RS", searching.over_the_web),
            ("find", "C-FIND", searching.over_dimse),
            ("postgresql", "PostgreSQL", searching.in_postgresql),
        )
        for question in searching.QUESTIONS
    ),
)
# fmt: on
