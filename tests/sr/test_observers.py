"""Person observers of content trees (PS3.16 TID 1002 and 1003)."""

from pydicom.dataset import Dataset

from sr.codes import Code
from sr.mapping import Mapped, map_report
from sr.observers import MOST, observers
from sr.people import Person
from sr.read_content import read_content
from tests.sr.builders import IDENTITY, LENGTH, code, content, num, report, reread, text
from tests.sr.fhir_rules import faults

OBS = "HAS OBS CONTEXT"
TYPE = ("121005", "DCM", "Observer Type")
PERSON = ("121006", "DCM", "Person")
DEVICE = ("121007", "DCM", "Device")
NAME = ("121008", "DCM", "Person Observer Name")
LOGIN = ("128774", "DCM", "Person Observer's Login Name")
ORGANIZATION = ("121009", "DCM", "Person Observer's Organization Name")
ROLE = ("121010", "DCM", "Person Observer's Role in the Organization")
IN_PROCEDURE = ("121011", "DCM", "Person Observer's Role in this Procedure")
NUMBER = ("128775", "DCM", "Identifier within Person Observer's Role")
RADIOLOGIST = ("66862007", "SCT", "Radiologist")
PERFORMING = ("121094", "DCM", "Performing")

ONE = (
    code(TYPE, PERSON, rel=OBS),
    content("PNAME", NAME, rel=OBS, PersonName="Doe^Jane"),
    text(LOGIN, "jdoe", rel=OBS),
    text(ORGANIZATION, "St. Anna", rel=OBS),
    code(ROLE, RADIOLOGIST, rel=OBS),
    code(IN_PROCEDURE, PERFORMING, text(NUMBER, "2", rel="HAS CONCEPT MOD"), rel=OBS),
)
OTHER = (code(TYPE, PERSON, rel=OBS), content("PNAME", NAME, rel=OBS, PersonName="Poe^Bob"))
STATION = (code(TYPE, DEVICE, rel=OBS), text(("121013", "DCM", "Device Observer Name"), "CT1", rel=OBS))


def _found(*items: Dataset) -> list[Person]:
    return [person for person, _ in observers(read_content(report(*items)).root.children)]


def _mapped(*items: Dataset) -> Mapped:
    mapped = map_report(reread(report(*items, InstitutionName="St. Anna")), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped


JANE = Person(
    name="Doe^Jane",
    login="jdoe",
    organization="St. Anna",
    roles=(Code("66862007", "SCT", "Radiologist"), Code("121094", "DCM", "Performing")),
    number="2",
)


def test_each_person_is_told_with_what_follows_the_name() -> None:
    assert _found(*ONE, *STATION, *OTHER) == [JANE, Person("Poe^Bob")]


def test_what_stands_below_the_name_is_of_that_person() -> None:
    below = content("PNAME", NAME, text(ORGANIZATION, "St. Anna"), rel=OBS, PersonName="Doe^Jane")
    assert _found(below, *OTHER) == [Person("Doe^Jane", organization="St. Anna"), Person("Poe^Bob")]


def test_an_organization_without_a_person_is_nobody() -> None:
    assert _found(text(ORGANIZATION, "St. Anna", rel=OBS)) == []
    mapped = _mapped(text(ORGANIZATION, "St. Anna", rel=OBS), num(LENGTH, "1"))
    assert [one.position for one in mapped.unmapped] == ["1.1"]
    assert not any("component" in resource for resource in mapped.resources)


def test_who_observed_performs_all_below_and_is_accounted_for() -> None:
    mapped = _mapped(*ONE, *STATION, num(LENGTH, "1"))
    (measured,) = (one for one in mapped.resources if "valueQuantity" in one)
    (whole,) = (one for one in mapped.resources if one["resourceType"] == "DiagnosticReport")
    (person,) = (one for one in mapped.resources if one["resourceType"] == "Practitioner")
    (role,) = (one for one in mapped.resources if one["resourceType"] == "PractitionerRole")
    assert measured["performer"] == whole["performer"] == [role["practitioner"]]
    assert role["practitioner"]["reference"] == f"Practitioner/{person['id']}"
    assert person["identifier"][0]["value"] == "jdoe"
    assert [one["text"] for one in role["code"]] == ["Radiologist", "Performing"]
    # the types of the observers, and the device
    assert [one.position for one in mapped.unmapped] == ["1.1", "1.7", "1.8"]


def test_a_crowd_does_not_stand_in_every_observation() -> None:
    crowd = [content("PNAME", NAME, rel=OBS, PersonName=f"Doe^{number}") for number in range(MOST + 5)]
    (measured,) = (one for one in _mapped(*crowd, num(LENGTH, "1")).resources if "valueQuantity" in one)
    assert len(measured["performer"]) == MOST
