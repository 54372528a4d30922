"""Rows that search among a million studies: how long 19 of 20 searches take at most."""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlencode, urlsplit

from bench import load, million
from bench.answers import DICOM_JSON
from bench.figures import NotMeasured
from bench.finder import Finder
from bench.servers import Server
from bench.stage import Stage
from dicomweb.search_parameters import parse_search
from pacs.index import Index
from pacs.index.rows import dump
from pacs.model import Level

LIMIT = "1000"  # more than any of the questions has answers, so that all are given
STRIDE = 48_271  # from one study that is asked for to the next: coprime to their number, and in no order

Measure = Callable[[Server, Stage], float]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    keys: from the number of a study to attributes that it has.  below: the target, milliseconds.
    """

    name: str
    title: str
    keys: Callable[[int], Mapping[str, str]]
    below: float


QUESTIONS = (
    Question("id", "by Patient ID", lambda number: {"PatientID": million.patient_id(number)}, 50),
    Question("uid", "by UID", lambda number: {"StudyInstanceUID": million.study_instance_uid(number)}, 50),
    Question("accession", "by accession", lambda n: {"AccessionNumber": million.accession_number(n)}, 50),
    Question("dates", "by a range of dates", lambda number: {"StudyDate": _a_day(number)}, 50),
    Question("prefix", "by the beginning of a name", lambda n: {"PatientName": _beginning(n)}, 50),
    Question("infix", "by the middle of a name", lambda number: {"PatientName": _middle(number)}, 200),
)


def over_the_web(question: Question) -> Measure:
    """Searching with QIDO-RS, on a connection that stays open."""

    def measure(server: Server, stage: Stage) -> float:
        host, root = urlsplit(server.dicomweb).netloc, urlsplit(server.dicomweb).path
        connection = http.client.HTTPConnection(host, timeout=load.PATIENCE_SECONDS)

        def ask(number: int) -> bytes:
            query = urlencode({**question.keys(number), "limit": LIMIT})
            connection.request("GET", f"{root}/studies?{query}", headers=DICOM_JSON)
            response = connection.getresponse()
            if response.status != 200:
                raise NotMeasured(f"a search was answered with {response.status}")
            return response.read()

        try:
            return _slowest(ask, stage)
        finally:
            connection.close()

    return measure


def over_dimse(question: Question) -> Measure:
    """Searching with C-FIND, in an association that stays open."""

    def measure(server: Server, stage: Stage) -> float:
        with Finder(server) as finder:
            return _slowest(lambda number: finder.find(question.keys(number)), stage)

    return measure


def in_postgresql(question: Question) -> Measure:
    """Searching an index in PostgreSQL, from within this process."""

    def measure(_server: Server, stage: Stage) -> float:
        index = Index(stage.postgresql)

        def ask(number: int) -> bytes:
            parameters = [*question.keys(number).items(), ("limit", LIMIT)]
            query = parse_search(Level.STUDY, parameters).query
            return b"".join(dump(found.attributes) for found in index.search(query))

        try:
            return _slowest(ask, stage)
        finally:
            index.close()

    return measure


def _slowest(ask: Callable[[int], bytes], stage: Stage) -> float:
    """Milliseconds that 19 of 20 searches take at most. Raises NotMeasured when one misses its study."""
    times = []
    ask(0)  # which opens connections
    for _ in range(stage.amounts.searches):
        number = stage.number() * STRIDE % million.STUDIES
        start = time.perf_counter()
        found = ask(number)
        times.append(time.perf_counter() - start)
        if million.study_instance_uid(number).encode() not in found:
            raise NotMeasured(f"study {number} was not found")
    return 1000 * quantiles(times, n=20)[-1]


def _a_day(number: int) -> str:
    day = million.study_date(number)
    return f"{day}-{day}"


def _beginning(number: int) -> str:
    return f"{_family(number)}*"


def _middle(number: int) -> str:
    return f"*{_family(number)[1:]}*"


def _family(number: int) -> str:
    return million.patient_name(number).partition("^")[0]
