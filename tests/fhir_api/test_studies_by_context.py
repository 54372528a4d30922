"""Studies found by persons, reasons, visits and last changes, and put in order."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_api import archive_search, resources
from fhir_api.answers import Addresses
from fhir_api.conditions import Condition, Order, Span, Token, Window
from fhir_api.imaging_studies import ImagingStudies
from fhir_api.persons import begun_names, whole_names
from fhir_api.search_table import parameter_of
from pacs.archive import Archive
from testdata.dx import chest_xray
from testdata.visit import REASON_BEFORE, let_be_performed
from tests.fhir_api.client import BASE
from tests.fhir_api.conftest import World, put

HERE = Addresses("", "")
STRICT = {"Prefer": "handling=strict"}


def practitioners(world: World, **asked: str) -> list[str]:
    return sorted(world.client.found("Practitioner", **asked))


def test_a_person_told_by_name_is_found_by_the_practitioners_who_bear_it(world: World) -> None:
    both = {world.report.StudyInstanceUID, world.radiograph.StudyInstanceUID}
    referrers = practitioners(world, family="cantu")
    assert referrers
    for who in referrers:
        for name, value in (
            ("referrer", who),
            ("referrer", f"Practitioner/{who}"),
            ("referrer", f"{BASE}/Practitioner/{who}"),
            ("referrer:Practitioner", who),
            ("referrer._id", who),
        ):
            assert world.client.found("ImagingStudy", (name, value)) == both, name
    assert world.client.found("ImagingStudy", ("referrer:identifier", "0005")) == both
    assert world.client.found("ImagingStudy", ("referrer.identifier", "0005")) == both
    (reader,) = practitioners(world, family="zanella")
    assert world.client.found("ImagingStudy", referrer=reader) == set()
    assert world.client.found("ImagingStudy", referrer=f"nobody,{referrers[0]}") == both
    assert world.client.found("ImagingStudy", ("referrer:identifier", "nobody")) == set()


@pytest.mark.parametrize(
    ("name", "value", "is_found"),
    [
        ("referrer.name", "cantu", True),
        ("referrer.name", "Noè", True),
        ("referrer.name", "noè can", True),
        ("referrer.name", "antu", False),
        ("referrer.name", "cantu nobody", False),
        ("referrer.name", "nobody,can", True),
        ("referrer.name", "*", False),
        ("referrer.name", "%", False),
        ("referrer.family", "cantu", True),
        ("referrer.family", "noe", False),
        ("referrer.given", "noe", True),
        ("referrer.given", "cantu", False),
        ("referrer:Practitioner.name", "cantu", True),
        ("interpreter.name", "sartor", True),
        ("interpreter.name", "ivo", True),
        ("interpreter.family", "de nardi", True),
        ("interpreter.name", "cantu", False),
        ("performer.name", "russo", True),
        ("performer.name", "vida", True),
        ("performer.given", "ugo", True),
        ("performer.family", "ugo", False),
        ("performer.name", "sartor", False),
    ],
)
def test_persons_are_found_by_their_names_whether_a_report_names_them_or_not(
    world: World, name: str, value: str, is_found: bool
) -> None:
    uid = world.radiograph.StudyInstanceUID
    asked = (name, value), ("identifier", uid)
    assert world.client.found("ImagingStudy", *asked) == ({uid} if is_found else set())


@pytest.mark.parametrize(
    "query", ["referrer.nothing=x", "referrer=a/b/c", "_include=ImagingStudy:referrer", "referrer:Patient=x"]
)
def test_what_names_cannot_tell_is_refused(world: World, query: str) -> None:
    answer = world.client.request("GET", f"/fhir/ImagingStudy?{query}", headers=STRICT)
    assert answer.status_code == 400


def test_too_many_persons_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MAX_PERSONS", 1)
    answer = world.client.get("/fhir/ImagingStudy?referrer=a,b")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "too-costly"


def test_names_are_put_together_as_the_index_has_them() -> None:
    name = {"family": "De Nàrdi", "given": ["Ìvo", "B."], "prefix": ["Dr."], "text": "Dr. Ìvo B. De Nàrdi"}
    (whole,) = whole_names({"name": [name, {"text": "nobody"}]})
    assert whole.words == (("de nardi ivo b. dr.",),)
    assert list(begun_names("name", [])) == []


@pytest.mark.parametrize(
    ("value", "is_found"),
    [
        ("49727002", True),
        ("http://snomed.info/sct|49727002", True),
        ("http://example.org|49727002", False),
        ("|49727002", False),
        ("F-24100", False),
        ("http://snomed.info/sct|", False),
        ("tosse", False),
    ],
)
def test_a_study_is_found_by_the_code_of_its_reason(world: World, value: str, is_found: bool) -> None:
    expected = {world.radiograph.StudyInstanceUID} if is_found else set()
    assert world.client.found("ImagingStudy", reason=value) == expected


def test_a_reason_in_snomed_rt_is_found_by_the_code_of_today(archive: Archive) -> None:
    radiograph = chest_xray(rows=32, columns=32)
    let_be_performed(radiograph, REASON_BEFORE)
    put(archive, radiograph)
    assert found(archive, "reason", Token("http://snomed.info/sct", "49727002")) == [
        radiograph.StudyInstanceUID
    ]
    assert found(archive, "reason", Token(None, "F-24100")) == [radiograph.StudyInstanceUID]


def test_a_study_is_found_by_its_visit(world: World) -> None:
    uid = world.radiograph.StudyInstanceUID
    study = world.client.get(f"/fhir/ImagingStudy/{uid}").json()
    assert study["encounter"]["identifier"]["value"] == "V0001"
    for value, expected in (
        ("V0001", {uid}),
        (f"{study['encounter']['identifier']['system']}|V0001", {uid}),
        ("urn:oid:2.999|V0001", set()),
        ("V0002", set()),
    ):
        assert world.client.found("ImagingStudy", ("encounter:identifier", value)) == expected
    assert world.client.found("ImagingStudy", encounter="Encounter/V0001") == set()
    reports = world.client.found("DiagnosticReport", ("encounter:identifier", "V0001"))
    assert reports == {one["id"] for one in world.resources("DiagnosticReport")}


def found(archive: Archive, name: str, *values: Any, order: str = "") -> list[str]:
    parameter = parameter_of("ImagingStudy", name)
    assert parameter is not None
    by = parameter_of("ImagingStudy", order.removeprefix("-"))
    orders = () if by is None else (Order(by, order.startswith("-")),)
    conditions = [Condition(parameter, values)] if values else []
    page = ImagingStudies(archive).page(conditions, Window(0, 10, orders), HERE)
    return [answer.resource_id for answer in page.answers]


def changed(archive: Archive, uid: str) -> float:
    answer = ImagingStudies(archive).read(uid, HERE)
    assert answer.last_updated is not None
    return answer.last_updated


def test_a_study_changes_with_each_image_that_comes_and_goes(archive: Archive) -> None:
    first, second, other = (chest_xray(rows=32, columns=32) for _ in range(3))
    for number, dataset in enumerate((second, other), 2):
        dataset.SOPInstanceUID = f"2.999.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    second.SeriesInstanceUID, other.StudyInstanceUID = "2.999.20", "2.999.30"
    uid = first.StudyInstanceUID
    before = datetime.datetime.now(datetime.UTC).timestamp()
    put(archive, first)
    moments = [before, changed(archive, uid)]
    put(archive, other)
    assert changed(archive, uid) == moments[-1]
    put(archive, second)
    moments.append(changed(archive, uid))
    archive.deletion.delete(uid, second.SeriesInstanceUID, None, requester="test")
    moments.append(changed(archive, uid))
    assert moments == sorted(set(moments))
    since = Span("gt", moments[-2], moments[-2])
    assert found(archive, "_lastUpdated", since) == [uid]
    assert found(archive, "_lastUpdated", Span("lt", moments[-2], moments[-2])) == ["2.999.30"]
    assert found(archive, "_lastUpdated", Span("ge", before, before)) == [uid, "2.999.30"]
    assert found(archive, "_lastUpdated", order="_lastUpdated") == ["2.999.30", uid]
    assert found(archive, "_lastUpdated", order="-_lastUpdated") == [uid, "2.999.30"]


def test_last_changes_are_compared_by_each_prefix(world: World) -> None:
    for resource_type in ("ImagingStudy", "Patient"):
        entries = world.client.search(resource_type, _sort="-_lastUpdated")["entry"]
        newest, oldest = (one["resource"]["meta"]["lastUpdated"] for one in entries)
        ids = [one["resource"]["id"] for one in entries]
        assert oldest < newest
        for value, expected in (
            (newest, ids[:1]),
            (f"ge{newest}", ids[:1]),
            (f"gt{oldest}", ids[:1]),
            (f"sa{oldest}", ids[:1]),
            (f"lt{newest}", ids[1:]),
            (f"eb{newest}", ids[1:]),
            (f"le{oldest}", ids[1:]),
            (f"ne{oldest}", ids[:1]),
            (f"{oldest},{newest}", ids),
            (oldest[:4], ids),
            (f"ap{newest}", ids[:1]),
            (f"gt{newest}", []),
        ):
            assert world.client.found(resource_type, _lastUpdated=value) == set(expected), value
        both = ("_lastUpdated", f"ge{newest}"), ("_lastUpdated", f"le{oldest}")
        assert world.client.found(resource_type, *both) == set()
        answer = world.client.get(f"/fhir/{resource_type}/{ids[0]}")
        assert "last-modified" in answer.headers


@pytest.mark.parametrize("asked", [{}, {"modality": "DX,CT"}, {"patient.birthdate": "ge1900"}])
def test_studies_are_put_in_order(world: World, asked: dict[str, str]) -> None:
    ct, radiograph = world.report.StudyInstanceUID, world.radiograph.StudyInstanceUID
    by_id = sorted((ct, radiograph))
    for order, expected in (
        ("started", [ct, radiograph]),
        ("-started", [radiograph, ct]),
        ("_lastUpdated", changes(world)),
        ("-_lastUpdated", changes(world)[::-1]),
        ("_id", by_id),
        ("-_id", by_id[::-1]),
        ("-started,_id", [radiograph, ct]),
    ):
        assert list(ids(world, {**asked, "_sort": order})) == expected, order
        second = list(ids(world, {**asked, "_sort": order, "_count": "1", "_offset": "1"}))
        assert second == expected[1:]


def changes(world: World) -> list[str]:
    """The studies in the order of their last changes."""
    told = {one["id"]: one["meta"]["lastUpdated"] for one in world.resources("ImagingStudy")}
    return sorted(told, key=lambda uid: told[uid])


def ids(world: World, asked: dict[str, str]) -> Iterator[str]:
    answer = world.client.request("GET", "/fhir/ImagingStudy", params=asked, headers=STRICT)
    assert answer.status_code == 200, answer.text
    return (entry["resource"]["id"] for entry in answer.json()["entry"])


def test_too_much_to_be_sorted_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_search, "MAX_COUNTED", 1)
    answer = world.client.get("/fhir/ImagingStudy?modality=CT,DX&patient.birthdate=ge1900&_sort=started")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["location"] == ["http._sort"]


@pytest.mark.parametrize("order", ["modality", "-identifier", "started,patient"])
def test_an_order_that_the_index_does_not_have_is_refused(world: World, order: str) -> None:
    answer = world.client.request("GET", "/fhir/ImagingStudy", params={"_sort": order}, headers=STRICT)
    assert answer.status_code == 400
