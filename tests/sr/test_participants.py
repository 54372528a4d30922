"""Authors, verifiers, participants and physicians of a report's header (PS3.3 C.17.2)."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import map_report
from sr.participants import MOST, physicians
from tests.sr.builders import IDENTITY, LENGTH, coded, content, num, report, reread
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written

NAME = ("121008", "DCM", "Person Observer Name")


def person(name: str, number: str = "", **elements: Any) -> Dataset:
    item = Dataset()
    item.ObserverType = "PSN"
    item.PersonName = name
    item.PersonIdentificationCodeSequence = [coded((number, "99HOSP", name))] if number else []
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def machine(**elements: Any) -> Dataset:
    item = Dataset()
    item.ObserverType = "DEV"
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def verifier(name: str) -> Dataset:
    item = Dataset()
    item.VerifyingObserverName = name
    item.VerifyingOrganization = "St. Anna"
    item.VerificationDateTime = "20240301080000"
    item.VerifyingObserverIdentificationCodeSequence = []
    return item


def mapped(*items: Dataset, **elements: Any) -> dict[str, list[dict[str, Any]]]:
    """By type, what a report with one measurement becomes."""
    dataset = reread(report(*items, num(LENGTH, "1"), InstitutionName="St. Anna", **elements))
    resources = map_report(dataset, IDENTITY).resources
    assert map_report(lean(written(dataset)), IDENTITY).resources == resources
    assert faults(*resources) == []
    found: dict[str, list[dict[str, Any]]] = {}
    for one in resources:
        found.setdefault(one["resourceType"], []).append(one)
    return found


def displays(references: list[dict[str, Any]]) -> list[str]:
    return [one["display"] for one in references]


def test_authors_wrote_the_document_and_observed_what_it_tells() -> None:
    made = mapped(
        AuthorObserverSequence=[person("Doe^Jane", "1")], VerifyingObserverSequence=[verifier("Poe^Bob")]
    )
    assert displays(made["DocumentReference"][0]["author"][1:]) == ["Jane Doe"]
    assert displays(made["Observation"][0]["performer"]) == ["Jane Doe"]
    assert displays(made["DiagnosticReport"][0]["performer"]) == ["Jane Doe"]


def test_the_content_says_who_observed_where_it_does() -> None:
    observer = content("PNAME", NAME, rel="HAS OBS CONTEXT", PersonName="Roe^Ann")
    made = mapped(observer, AuthorObserverSequence=[person("Doe^Jane", "1")])
    assert displays(made["DocumentReference"][0]["author"][1:]) == ["Jane Doe", "Ann Roe"]
    assert displays(made["Observation"][0]["performer"]) == ["Ann Roe"]


def test_verifiers_observed_where_nobody_else_is_named() -> None:
    made = mapped(VerifyingObserverSequence=[verifier("Poe^Bob"), verifier("Roe^Ann"), verifier("poe^bob")])
    assert displays(made["DiagnosticReport"][0]["resultsInterpreter"]) == ["Bob Poe", "Ann Roe"]
    assert displays(made["Observation"][0]["performer"]) == ["Bob Poe", "Ann Roe"]
    assert made["DocumentReference"][0]["authenticator"]["display"] == "Bob Poe"
    assert len(made["Practitioner"]) == len(made["PractitionerRole"]) == 2


def test_a_device_that_wrote_it_is_no_performer() -> None:
    author = machine(Manufacturer="Mint", ManufacturerModelName="Lesion", DeviceUID="1.2.77")
    made = mapped(AuthorObserverSequence=[author], VerifyingObserverSequence=[verifier("Poe^Bob")])
    equipment, other = made["Device"]
    assert other["identifier"][0]["value"] == "urn:oid:1.2.77"
    assert [one["reference"] for one in made["DocumentReference"][0]["author"]] == [
        f"Device/{equipment['id']}",
        f"Device/{other['id']}",
    ]
    assert "performer" not in made["Observation"][0]


def test_an_attester_stands_in_for_a_verifier() -> None:
    made = mapped(ParticipantSequence=[person("Roe^Ann", "3", ParticipationType="ATTEST")])
    assert made["DocumentReference"][0]["authenticator"]["display"] == "Ann Roe"
    assert "resultsInterpreter" not in made["DiagnosticReport"][0]


@pytest.mark.parametrize(
    ("device", "number"),
    [
        (machine(StationName="WS1", Manufacturer="Acme", ManufacturerModelName="Reader"), 1),
        (machine(StationName="WS2", Manufacturer="Acme", ManufacturerModelName="Reader"), 2),
        (machine(StationName="WS1"), 1),
        (machine(), 1),
    ],
)
def test_a_device_that_took_part_is_another_unless_it_is_the_equipment(device: Dataset, number: int) -> None:
    device.ParticipationType = "SOURCE"
    made = mapped(StationName="WS1", ParticipantSequence=[device])
    assert len(made["Device"]) == number


def test_physicians_are_related_to_the_document() -> None:
    identified = person("", "9")
    made = mapped(
        ReferringPhysicianName="Doe^Jane",
        ReferringPhysicianIdentificationSequence=[identified],
        PhysiciansOfRecord=["Poe^Bob", "Roe^Ann"],
    )
    related = [
        one for one in made["DocumentReference"][0]["context"]["related"] if one["type"] == "Practitioner"
    ]
    assert displays(related) == ["Jane Doe", "Bob Poe", "Ann Roe"]
    assert made["Practitioner"][0]["identifier"][0]["value"] == "9"


def test_physicians_are_identified_only_one_for_one() -> None:
    dataset = report(
        PhysiciansOfRecord=["Poe^Bob", "Roe^Ann"], PhysiciansOfRecordIdentificationSequence=[person("", "9")]
    )
    keywords = "PhysiciansOfRecord", "PhysiciansOfRecordIdentificationSequence"
    assert [(one.name, one.codes) for one in physicians(dataset, *keywords)] == [
        ("Poe^Bob", ()),
        ("Roe^Ann", ()),
    ]
    dataset.PhysiciansOfRecordIdentificationSequence.append(person("", "10"))
    assert [one.codes[0].value for one in physicians(dataset, *keywords)] == ["9", "10"]
    del dataset.PhysiciansOfRecord
    assert [one.codes[0].value for one in physicians(dataset, *keywords)] == ["9", "10"]


def test_a_sequence_without_end_is_not_read_to_its_end() -> None:
    made = mapped(VerifyingObserverSequence=[verifier(f"Poe^{number}") for number in range(MOST + 50)])
    assert len(made["Practitioner"]) == MOST


@pytest.mark.parametrize(
    "item",
    [
        Dataset(),
        machine(),
        person(""),
        person("^^"),
        machine(ObserverType="?"),
        person("^", ParticipationType=""),
    ],
)
def test_who_says_nothing_of_who_they_are_is_left_out(item: Dataset) -> None:
    made = mapped(AuthorObserverSequence=[item], ParticipantSequence=[item], VerifyingObserverSequence=[item])
    assert "Practitioner" not in made
    assert len(made["DocumentReference"][0]["author"]) == 1
