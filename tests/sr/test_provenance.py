"""Where resources come from: one Provenance for each report whose instant is known."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import map_report
from sr.provenance import MOST_TARGETS, PARTICIPATION_TIME
from testdata.ct import ct_series
from testdata.key_objects import key_objects
from testdata.measurement_report import measurement_report
from tests.sr.builders import IDENTITY, LENGTH, SOP, num, report, reread, text
from tests.sr.fhir_rules import faults

CT = ct_series(slices=3, rows=32, columns=32)


def provenances(dataset: Dataset) -> list[dict[str, Any]]:
    resources = map_report(reread(dataset), IDENTITY).resources
    assert faults(*resources) == []
    return [one for one in resources if one["resourceType"] == "Provenance"]


def agents(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Kind and display or type of each."""
    return [
        (
            one["type"]["coding"][0]["code"] if "coding" in one["type"] else one["type"]["text"],
            one["who"].get("display") or one["who"]["reference"].partition("/")[0],
        )
        for one in provenance["agent"]
    ]


def test_it_tells_who_had_which_part_and_from_what_it_was_made() -> None:
    source = measurement_report(CT)
    (made,) = provenances(source)
    assert agents(made) == [
        ("verifier", "Ilària Zanella"),
        ("author", "Tèa Bonòmi"),
        ("enterer", "Ùgo Dall'Òrto"),
        ("attester", "Ìsa Zorzàn"),
        ("SOURCE", "Device"),
        ("assembler", "Device"),
    ]
    verifier = made["agent"][0]
    (time,) = verifier["extension"]
    assert (time["url"], time["valueDateTime"]) == (PARTICIPATION_TIME, "2026-10-12T09:15:00+02:00")
    assert verifier["onBehalfOf"]["display"] == "Ospedale di Prova"
    (entity,) = made["entity"]
    assert (entity["role"], entity["what"]["identifier"]["value"]) == (
        "source",
        f"urn:oid:{source.SOPInstanceUID}",
    )
    assert made["recorded"] == made["occurredDateTime"] == "2026-10-12T09:15:00+02:00"


def test_its_targets_are_the_report_and_the_outermost_observations() -> None:
    resources = map_report(measurement_report(CT), IDENTITY).resources
    (made,) = (one for one in resources if one["resourceType"] == "Provenance")
    (whole,) = (one for one in resources if one["resourceType"] == "DiagnosticReport")
    assert [one["reference"] for one in made["target"]] == [
        f"DiagnosticReport/{whole['id']}",
        *(one["reference"] for one in whole["result"]),
    ]


def test_of_many_resources_only_so_many_are_targets() -> None:
    many = [num(LENGTH, str(number)) for number in range(MOST_TARGETS)]
    sections = [text(("121071", "DCM", "Finding"), str(number)) for number in range(MOST_TARGETS)]
    (made,) = provenances(report(*many, *sections, TimezoneOffsetFromUTC="+0100"))
    assert len(made["target"]) <= MOST_TARGETS


def test_a_selection_of_key_objects_is_all_that_came_to_be() -> None:
    source = key_objects(CT)
    (made,) = provenances(source)
    assert [one["reference"] for one in made["target"]] == [f"DocumentReference/{source.SOPInstanceUID}"]
    assert "entity" not in made


def test_it_was_recorded_when_the_object_was_made() -> None:
    elements: dict[str, Any] = {"TimezoneOffsetFromUTC": "+0100", "InstanceCreationDate": "20240301"}
    (made,) = provenances(report(num(LENGTH, "1"), InstanceCreationTime="0800", **elements))
    assert (made["recorded"], made["occurredDateTime"]) == (
        "2024-03-01T08:00:00+01:00",
        "2024-02-29T10:15:00+01:00",
    )
    (made,) = provenances(report(num(LENGTH, "1"), **elements))
    assert made["recorded"] == "2024-02-29T10:15:00+01:00"
    assert made["target"][0]["reference"].startswith("DiagnosticReport/")
    assert made["entity"][0]["what"]["reference"] == f"DocumentReference/{SOP}"


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"TimezoneOffsetFromUTC": "+9900"},
        {"TimezoneOffsetFromUTC": "+0100", "ContentTime": None},
        {"TimezoneOffsetFromUTC": "+0100", "Manufacturer": None, "ManufacturerModelName": None},
    ],
    ids=["no zone", "no such zone", "no time", "nobody"],
)
def test_without_an_instant_or_anybody_there_is_none(elements: dict[str, Any]) -> None:
    assert provenances(report(num(LENGTH, "1"), **elements)) == []


def test_each_has_each_part_once() -> None:
    person = Dataset()
    person.ObserverType, person.PersonName = "PSN", "Doe^Jane"
    person.ParticipationType = "ATTEST"
    (made,) = provenances(
        report(
            num(LENGTH, "1"),
            TimezoneOffsetFromUTC="+0100",
            InstitutionName="St. Anna",
            AuthorObserverSequence=[person, person],
            ParticipantSequence=[person],
        )
    )
    assert agents(made) == [("author", "Jane Doe"), ("attester", "Jane Doe"), ("assembler", "Device")]
