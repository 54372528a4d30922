"""Who is the same person in several reports, and who is not (ADR 26)."""

from typing import Any

import pytest

from sr.codes import Code
from sr.coding_schemes import CodingSchemes
from sr.people import People, Person
from tests.sr.fhir_rules import faults

ANNA = "Rossi^Anna"
NUMBER = Code("0001", "99HOSP", "Rossi^Anna")
RADIOLOGIST = Code("66862007", "SCT", "Radiologist")


def people(institution: str = "St. Anna", study: str = "1.2.3", maker: str = "Acme") -> People:
    return People(CodingSchemes(maker, {"99OID": "1.2.99"}), institution, study)


def reference(person: Person, **of_report: str) -> str:
    found = people(**of_report).refer(person)
    return str(found.get("reference", ""))


def resources(known: People, kind: str) -> list[dict[str, Any]]:
    assert faults(*known.resources) == []
    return [one for one in known.resources if one["resourceType"] == kind]


def test_whom_a_code_identifies_is_the_same_in_all_reports_of_the_institution() -> None:
    one = reference(Person(ANNA, (NUMBER,)))
    assert one == reference(
        Person("ROSSI^A.", (NUMBER,), organization="elsewhere"), study="9.9", maker="Other"
    )
    assert one != reference(Person(ANNA, (NUMBER,)), institution="St. Bob")
    assert one != reference(Person(ANNA, (Code("0002", "99HOSP", ""),)))


def test_a_coding_scheme_with_a_uid_identifies_everywhere() -> None:
    code = Code("7", "99OID", "")
    assert reference(Person(ANNA, (code,))) == reference(Person(ANNA, (code,)), institution="St. Bob")
    known = people()
    known.refer(Person(ANNA, (code,)))
    (made,) = resources(known, "Practitioner")
    assert made["identifier"] == [{"system": "urn:oid:1.2.99", "value": "7"}]


def test_who_is_known_by_name_alone_is_kept_apart_for_each_institution() -> None:
    one = reference(Person(ANNA))
    assert one == reference(Person("rossi^anna^^"), study="9.9")
    assert one != reference(Person(ANNA), institution="St. Bob")
    assert one == reference(Person(ANNA, organization="St. Anna"), institution="St. Bob")
    assert one != reference(Person("Rossi^Bruna"))


def test_without_an_institution_a_name_holds_for_its_study() -> None:
    one = reference(Person(ANNA), institution="")
    assert one == reference(Person(ANNA), institution="")
    assert one != reference(Person(ANNA), institution="", study="9.9")


def test_a_login_name_tells_namesakes_apart() -> None:
    one = reference(Person(ANNA, login="arossi"))
    assert one == reference(Person("Rossi^Anna Maria", login="arossi"))
    assert one not in (reference(Person(ANNA, login="arossi2")), reference(Person(ANNA)))


def test_a_name_in_the_same_report_means_the_one_who_is_identified() -> None:
    known = people()
    identified = known.refer(Person(ANNA, (NUMBER,), organization="St. Anna"))
    assert known.refer(Person("ROSSI^ANNA", login="arossi")) == identified
    assert known.refer(Person(ANNA, organization="St. Bob")) != identified
    (made, _) = resources(known, "Practitioner")
    assert [one["value"] for one in made["identifier"]] == ["0001", "arossi"]


def test_a_name_that_two_bear_means_neither() -> None:
    known = people()
    two = [known.refer(Person(ANNA, (Code(value, "99HOSP", ""),))) for value in ("1", "2")]
    assert known.refer(Person(ANNA)) not in two
    assert len(resources(known, "Practitioner")) == 3


def test_a_practitioner_has_names_and_identifiers() -> None:
    known = people()
    found = known.refer(Person("Yamada^Tarou=山田^太郎", (NUMBER,)))
    assert found["display"] == "Tarou Yamada"
    (made,) = resources(known, "Practitioner")
    assert [name["family"] for name in made["name"]] == ["Yamada", "山田"]
    system = "urn:x-dicom:coding-scheme:St.%20Anna:99HOSP"
    assert made["identifier"] == [{"system": system, "value": "0001"}]
    assert resources(known, "PractitionerRole") == []


def test_a_person_without_a_name_is_called_as_the_code_says() -> None:
    assert people().refer(Person(codes=(NUMBER,)))["display"] == "Anna Rossi"


@pytest.mark.parametrize(
    "person",
    [Person(), Person("^^^"), Person("=^="), Person("\x00\x01"), Person(codes=(Code("", "99HOSP", ""),))],
)
def test_nobody(person: Person) -> None:
    known = people()
    assert known.refer(person) == {}
    assert known.resources == []


@pytest.mark.parametrize("name", ["Rossi", "=山田^太郎", "a^b^c^d^e^f", "x" * 5000, "<b>&amp;", "^Anna"])
def test_odd_names(name: str) -> None:
    known = people()
    found = known.refer(Person(name))
    assert 0 < len(found["display"]) <= 200
    assert len(resources(known, "Practitioner")) == 1


def test_a_role_is_told_where_organization_or_role_is() -> None:
    known = people()
    house = Code("H1", "99HOSP", "St. Anna")
    person = Person(ANNA, organization_code=house, roles=(RADIOLOGIST,), number="2")
    found = known.refer(person)
    known.refer(person)
    (role,) = resources(known, "PractitionerRole")
    assert role["practitioner"] == found
    assert role["organization"] == {
        "type": "Organization",
        "identifier": {"system": "urn:x-dicom:coding-scheme:St.%20Anna:99HOSP", "value": "H1"},
        "display": "St. Anna",
    }
    assert role["code"][0]["coding"][0]["code"] == "66862007"
    assert role["identifier"][0]["value"] == "2"
    known.refer(Person(ANNA, organization="St. Anna"))
    assert len(resources(known, "PractitionerRole")) == 2
