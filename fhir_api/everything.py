"""All that is known of a patient, in pages: Patient/[id]/$everything (FHIR R4, Patient, Operations).

The patient, where images are had from, the studies by UID, what reports became in the order of being kept.
Each page begins after the last resource of the one before, whatever came or went meanwhile.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import orjson

from fhir_api.answers import Addresses, Answer
from fhir_api.asked import count_of, moment_of, named
from fhir_api.conditions import Condition, Token, Window
from fhir_api.endpoints import Endpoints
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.outcome import invalid
from fhir_api.patient_record import Care
from fhir_api.patients import Patients
from fhir_api.search_table import KEPT, PARAMETERS, is_of_patients
from fhir_api.spans import of_moment
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.model import Found, Level
from pacs.query import Query
from sr.primitives import date

_KNOWN = frozenset(("_since", "_type", "_count", "start", "end", "_after"))
_TYPES = re.compile(r"[A-Z][A-Za-z]{1,63}(,[A-Z][A-Za-z]{1,63}){0,200}")
_PLACE = re.compile(r"(Patient|Endpoint|ImagingStudy|Kept)_([0-9.]{1,64})", re.ASCII)
_STUDY_DATE, _STUDY_INSTANCE_UID = "00080020", "0020000D"
_BY_ID = next(one for one in PARAMETERS["ImagingStudy"] if one.name == "_id")

_Placed = Iterator[tuple[str, Answer]]


@dataclass(frozen=True, slots=True)
class EverythingRequest:
    """What is asked of a patient's record.

    since: of the last change, where it is known; seconds since 1970.
    stage, after: where the page before ended, "" for the first page.
    used: the parameters that were heeded, for the links of the answer, without that of the page.
    """

    patient: str
    types: frozenset[str]
    since: float
    care: Care
    count: int
    stage: str
    after: str
    used: tuple[tuple[str, str], ...]


def parse_everything(patient: str, parameters: Sequence[tuple[str, str]], strict: bool) -> EverythingRequest:
    """What the parameters mean. Raises RequestFault (400), naming the parameter."""
    values = named(parameters, _KNOWN, strict)
    since, start, end = (moment_of(values, name) for name in ("_since", "start", "end"))
    if not _TYPES.fullmatch(values.get("_type", "Any")):
        raise invalid("_type", "expected names of resource types, parted by commas")
    types = frozenset(values["_type"].split(",") if "_type" in values else PARAMETERS)
    place = _PLACE.fullmatch(values.get("_after", "Patient_0"))
    if place is None or (place[1] == "Kept" and not re.fullmatch(r"[0-9]{1,18}", place[2])):
        raise invalid("_after", "it is taken from a next link, as it stands there")
    count = count_of(values)
    used = [(name, values[name]) for name in ("_since", "_type", "start", "end") if name in values]
    return EverythingRequest(
        patient,
        types,
        since.low if since else 0.0,
        Care(start.low if start else float("-inf"), end.high if end else float("inf")),
        count,
        place[1],
        place[2],
        (*used, ("_count", str(count))),
    )


class Everything:
    """Gathers what the archive and the store have of a patient."""

    def __init__(self, archive: Archive, store: ResourceStore) -> None:
        self._archive = archive
        self._store = store
        self._patients, self._studies = Patients(archive), ImagingStudies(archive)

    def page(self, asked: EverythingRequest, addresses: Addresses) -> bytes:
        """A page as a Bundle. Raises NotFound."""
        who = self._patients.read(asked.patient, addresses)
        placed = list(islice(self._placed(asked, who, addresses), asked.count + 1))
        return _bundle(asked, placed, addresses.fhir)

    def _placed(self, asked: EverythingRequest, who: Answer, addresses: Addresses) -> _Placed:
        """Resources from the place on that is asked for, each with its own."""
        sources: dict[str, Callable[[str], _Placed]] = {
            "Patient": lambda after: _once(after, [who]),
            "Endpoint": lambda after: _once(after, Endpoints().page([], Window(0, 1), addresses).answers),
            "ImagingStudy": lambda after: self._of_archive(asked, after, addresses),
            "Kept": lambda after: self._of_store(asked, after),
        }
        stages = list(sources)
        for stage in stages[stages.index(asked.stage) :]:
            if stage == "Kept" or stage in asked.types:
                for place, answer in sources[stage](asked.after if stage == asked.stage else "0"):
                    yield f"{stage}_{place}", answer

    def _of_archive(self, asked: EverythingRequest, after: str, addresses: Addresses) -> _Placed:
        studies = self._archive.search(Query(Level.STUDY, patient_identity=asked.patient))
        recent = (one for one in studies if _is_of(one, asked.care) and _is_since(one, asked.since))
        uids = (_first(one, _STUDY_INSTANCE_UID) for one in recent)
        wanted = nsmallest(asked.count + 1, (uid for uid in uids if uid > after))
        condition = Condition(_BY_ID, tuple(Token(None, uid) for uid in wanted))
        found = self._studies.page([condition], Window(0, asked.count + 1), addresses).answers
        for answer in sorted(found, key=lambda one: one.resource_id):
            yield answer.resource_id, answer

    def _of_store(self, asked: EverythingRequest, after: str) -> _Placed:
        types = [one for one in KEPT if one in asked.types]
        found = self._store.of_patient(
            asked.patient, types, asked.since, asked.care, int(after), asked.count + 1
        )
        for key, answer in found:
            yield str(key), answer


def _once(after: str, answers: Sequence[Answer]) -> _Placed:
    for answer in answers if after == "0" else ():
        yield "1", answer


def _first(found: Found, key: str) -> str:
    return str(next(iter((found.get(key) or {}).get("Value", ())), ""))


def _is_of(study: Found, care: Care) -> bool:
    day = of_moment(date(_first(study, _STUDY_DATE)))
    return day is None or care.has(*day)


def _is_since(study: Found, since: float) -> bool:
    return study.changed is None or study.changed >= since


def _bundle(asked: EverythingRequest, placed: Sequence[tuple[str, Answer]], base: str) -> bytes:
    shown = placed[: asked.count]
    links = [{"relation": "self", "url": _url(asked, base, f"{asked.stage}_{asked.after}")}]
    if len(placed) > len(shown):
        links.append({"relation": "next", "url": _url(asked, base, shown[-1][0])})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if shown:
        bundle["entry"] = [
            {
                "fullUrl": f"{base}/{answer.resource_type}/{answer.resource_id}",
                "resource": orjson.Fragment(answer.content),
                "search": {"mode": "match" if is_of_patients(answer.resource_type) else "include"},
            }
            for _, answer in shown
        ]
    return orjson.dumps(bundle)


def _url(asked: EverythingRequest, base: str, place: str) -> str:
    page = (("_after", place),) if place != "Patient_0" else ()
    return f"{base}/Patient/{asked.patient}/$everything?{urlencode((*asked.used, *page), safe=':,')}"
