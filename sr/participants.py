"""Who had a part in a report, as its header tells (PS3.3 C.17.2.4 and C.17.2.5), and the physicians."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

from sr import lenient
from sr.codes import Code, first_code, read_code
from sr.device import device, is_same_device
from sr.lenient import Source
from sr.people import People, Person

MOST = 100  # items of a sequence; no report has near as many who had a part in it

AUTHOR, VERIFIER, ATTESTER = "author", "verifier", "attester"
# PS3.3 Table C.17-2, Participation Type (0040,A080), as codes of HL7's provenance-participant-type
_KINDS = {"ATTEST": ATTESTER, "ENT": "enterer"}


@dataclass(frozen=True, slots=True)
class Participant:
    """A person or a device that had a part in a report.

    kind: AUTHOR, VERIFIER, ATTESTER, or what else the part is called.  who: reference.
    person: if it is one.  device: the Device, if it is one.  time: of the participation, a DT value.
    """

    kind: str
    who: dict[str, Any]
    person: Person = field(default_factory=Person)
    device: dict[str, Any] | None = None
    time: str = ""


def read_participants(dataset: Source, people: People) -> tuple[Participant, ...]:
    """Verifiers, authors and participants of a data set. Who says nothing of who they are is left out."""
    found = (
        *_verifiers(dataset, people),
        *(
            _observer(one, dataset, people, AUTHOR, lenient.text(dataset, "ObservationDateTime"))
            for one in _few(dataset, "AuthorObserverSequence")
        ),
        *(
            _observer(one, dataset, people, _kind(one), lenient.text(one, "ParticipationDateTime"))
            for one in _few(dataset, "ParticipantSequence")
        ),
    )
    return tuple(participant for participant in found if participant.who)


def physicians(source: Source | None, names: str, identifications: str) -> list[Person]:
    """The persons of a person name element, and of the sequence that identifies each (PS3.3 10.1).

    names, identifications: keywords.
    """
    named = lenient.texts(source, names)[:MOST]
    identified = _few(source, identifications)
    if named and identified and len(named) != len(identified):
        identified = []
    pairs = zip_longest(named, identified)
    return [_identified(item, name or "") for name, item in pairs]


def _verifiers(dataset: Source, people: People) -> Iterator[Participant]:
    for item in _few(dataset, "VerifyingObserverSequence"):
        person = Person(
            name=lenient.text(item, "VerifyingObserverName"),
            codes=_codes(item, "VerifyingObserverIdentificationCodeSequence"),
            organization=lenient.text(item, "VerifyingOrganization"),
        )
        time = lenient.text(item, "VerificationDateTime")
        yield Participant(VERIFIER, people.refer(person), person, time=time)


def _observer(item: Source, dataset: Source, people: People, kind: str, time: str) -> Participant:
    """Of an item of the Identified Person or Device Macro (PS3.3 Table C.17-3b)."""
    if lenient.text(item, "ObserverType").upper() == "DEV":
        made = device(dataset if is_same_device(item, dataset) else item)
        who = {"reference": f"Device/{made['id']}"} if made is not None else {}
        return Participant(kind, who, device=made, time=time)
    person = _identified(item, lenient.text(item, "PersonName"))
    return Participant(kind, people.refer(person), person, time=time)


def _identified(item: Source | None, name: str) -> Person:
    return Person(
        name=name,
        codes=_codes(item, "PersonIdentificationCodeSequence"),
        organization=lenient.text(item, "InstitutionName"),
        organization_code=first_code(item, "InstitutionCodeSequence"),
        roles=_codes(item, "OrganizationalRoleCodeSequence"),
    )


def _kind(item: Source) -> str:
    written = lenient.text(item, "ParticipationType").upper()
    return _KINDS.get(written, written)


def _codes(item: Source | None, keyword: str) -> tuple[Code, ...]:
    return tuple(code for one in _few(item, keyword) if (code := read_code(one)) is not None)


def _few(source: Source | None, keyword: str) -> list[Source]:
    return list(islice(lenient.each(source, keyword), MOST))
