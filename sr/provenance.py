"""Where the resources of a report come from, as a FHIR R4 Provenance (ADR 26)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sr.participants import ATTESTER, AUTHOR, VERIFIER, Participant
from sr.primitives import compact, dated, stable_id, string
from sr.source_report import Report

# The outermost resources; what is below them is found through them.
MOST_TARGETS = 100

# When an agent did its part (PS3.3 C.17.2.5)
PARTICIPATION_TIME = "urn:x-dicom:participation-date-time"

_PARTICIPANT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_DISPLAYS = {
    AUTHOR: "Author",
    VERIFIER: "Verifier",
    ATTESTER: "Attester",
    "enterer": "Enterer",
    "assembler": "Assembler",
}
_CREATED = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
            "code": "CREATE",
            "display": "create",
        }
    ]
}


def provenance(
    report: Report, observers: Iterable[dict[str, Any]], equipment: str, results: Sequence[str]
) -> dict[str, Any] | None:
    """The Provenance of what a report became; None where instant, or who had a part in it, is not known.

    observers: references to who observed.  equipment: reference of the Device that made it, or "".
    results: references of the outermost resources; without any, the report itself is what came to be.
    """
    agents = _agents(report, observers, equipment)
    if not report.recorded or not agents:
        return None
    header = report.header
    source = {"role": "source", "what": report.source} if report.source and results else {}
    targets = results or [f"DocumentReference/{report.document_id}"]
    return compact(
        {
            "resourceType": "Provenance",
            "id": stable_id("provenance", header.sop_instance_uid),
            "target": [{"reference": reference} for reference in targets[:MOST_TARGETS]],
            **dated("occurredDateTime", header.content_time, header.zone),
            "recorded": report.recorded,
            "activity": _CREATED,
            "agent": agents,
            "entity": [source] if source else [],
        }
    )


def _agents(report: Report, observers: Iterable[dict[str, Any]], equipment: str) -> list[dict[str, Any]]:
    """Each with each of its parts once. Observers are the authors where none are named."""
    named = list(report.participants)
    if not any(one.kind == AUTHOR for one in named):
        named += [Participant(AUTHOR, who) for who in observers]
    if equipment and not any(one.who["reference"] == equipment for one in named):
        named.append(Participant("assembler", {"reference": equipment}))
    once = {(one.kind, one.who["reference"]): one for one in reversed(named)}
    return [_agent(report, one) for one in reversed(once.values())]


def _agent(report: Report, participant: Participant) -> dict[str, Any]:
    display = _DISPLAYS.get(participant.kind, "")
    coding = {"system": _PARTICIPANT_TYPE, "code": participant.kind, "display": display}
    kind = {"coding": [coding]} if display else compact({"text": string(participant.kind)})
    time = dated("valueDateTime", participant.time, report.header.zone)
    return compact(
        {
            "extension": [{"url": PARTICIPATION_TIME, **time}] if time else [],
            "type": kind,
            "role": [report.schemes.concept(role) for role in participant.person.roles],
            "who": participant.who,
            "onBehalfOf": report.people.organization(participant.person),
        }
    )
