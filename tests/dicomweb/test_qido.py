from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dicomweb import qido
from dicomweb.native_xml import native_xml
from testdata.ct import ct_series
from testdata.studies import Study
from tests.dicomweb.conftest import Library, Part, Service

JSON = {"Accept": "application/dicom+json"}
XML = {"Accept": 'multipart/related; type="application/dicom+xml"'}


def values(results: list[dict[str, Any]], tag: str) -> list[Any]:
    return [result[tag]["Value"][0] for result in results]


def test_studies_come_with_what_viewers_list(library: Library) -> None:
    response = library.http.get("/studies", headers=JSON)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/dicom+json")
    study = next(s for s in response.json() if s["0020000D"]["Value"] == [library.ct[0].StudyInstanceUID])
    assert study["00100010"]["Value"][0]["Alphabetic"] == str(library.ct[0].PatientName)
    assert study["00080061"]["Value"] == ["CT", "DOC", "SR"]
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([3], [6])
    assert study["00081190"]["Value"] == [f"{library.service.url}/studies/{library.ct[0].StudyInstanceUID}"]


def test_every_level_has_its_retrieve_url(library: Library) -> None:
    dataset = library.ct[0]
    study = f"/studies/{dataset.StudyInstanceUID}"
    series = f"{study}/series/{dataset.SeriesInstanceUID}"
    found = library.http.get(f"{series}/instances", headers=JSON).json()
    assert values(found, "00081190") == [f"{library.service.url}{library.path(d)}" for d in library.ct]
    found = library.http.get(f"{study}/series", headers=JSON).json()
    assert f"{library.service.url}{series}" in values(found, "00081190")


def test_instances_of_a_study_are_of_all_its_series(library: Library) -> None:
    found = library.http.get(f"/studies/{library.ct[0].StudyInstanceUID}/instances", headers=JSON).json()
    expected = {d.SOPInstanceUID for d in (*library.ct, library.pdf, library.report)}
    assert set(values(found, "00080018")) == expected


def test_relational_searches_tell_of_the_levels_above(library: Library) -> None:
    dataset = library.ct[1]
    (series,) = library.http.get(f"/series?0020000E={dataset.SeriesInstanceUID}", headers=JSON).json()
    assert series["00100020"]["Value"] == [dataset.PatientID]
    (instance,) = library.http.get(f"/instances?00080018={dataset.SOPInstanceUID}", headers=JSON).json()
    assert instance["0020000D"]["Value"] == [dataset.StudyInstanceUID]
    assert instance["00080050"]["Value"] == [dataset.AccessionNumber]
    assert instance["00081190"]["Value"] == [f"{library.service.url}{library.path(dataset)}"]


@pytest.mark.parametrize(
    ("parameters", "modalities"),
    [
        ({"ModalitiesInStudy": "MR,US"}, ["MR", "US"]),
        ({"PatientName": "*cosm*"}, ["US"]),
        ({"00080020": "20261019-20261019"}, ["MR"]),
        ({"StudyDescription": "*TORACE*"}, ["CT"]),
    ],
)
def test_keys_match(library: Library, parameters: dict[str, str], modalities: list[str]) -> None:
    found = library.http.get("/studies", params=parameters, headers=JSON).json()
    assert set(modalities) <= {m for study in found for m in study["00080061"]["Value"]}


def test_only_what_is_asked_or_usual_is_answered(library: Library) -> None:
    path = f"/studies/{library.ct[0].StudyInstanceUID}/series"
    found = library.http.get(path, headers=JSON).json()
    assert all("00081030" not in series and "00100020" not in series for series in found)
    found = library.http.get(path, params={"includefield": "00081030,PatientID"}, headers=JSON).json()
    assert set(values(found, "00081030")) == {library.ct[0].StudyDescription}
    assert set(values(found, "00100020")) == {library.ct[0].PatientID}


def test_nothing_found_is_an_empty_list(library: Library) -> None:
    response = library.http.get("/studies", params={"PatientID": "NOBODY"}, headers=JSON)
    assert (response.status_code, response.json()) == (200, [])
    assert library.http.get("/studies/1.2.3/series", headers=JSON).json() == []


def test_pages_join_without_gap_and_tell_of_more(library: Library) -> None:
    whole = values(library.http.get("/instances", headers=JSON).json(), "00080018")
    pages: list[str] = []
    while True:
        parameters = {"limit": 4, "offset": len(pages)}
        response = library.http.get("/instances", params=parameters, headers=JSON)
        pages += values(response.json(), "00080018")
        if "warning" not in response.headers:
            break
        warning = "There are additional results that can be requested."
        assert response.headers["warning"] == f"299 {library.service.url}: {warning}"
    assert pages == whole


def test_what_is_passed_over_is_warned_of(library: Library) -> None:
    parameters = {"PatientComments": "x", "Colour": "red"}
    response = library.http.get("/studies", params=parameters, headers=JSON)
    assert response.status_code == 200
    agent = f"299 {library.service.url}: "
    warnings = response.headers.get_list("warning")
    assert all(warning.startswith(agent) for warning in warnings)
    assert [warning.removeprefix(agent).split()[0] for warning in warnings] == ["PatientComments", "Colour"]


def test_a_search_of_everything_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qido, "MAX_RESULTS", 2)
    for seed in range(3):
        service.keep(*ct_series(Study(100 + seed), slices=3, rows=8, columns=8))
    response = service.http.get("/studies", headers=JSON)
    assert len(response.json()) == 2
    assert "additional results" in response.headers["warning"]
    assert len(service.http.get("/studies?limit=5", headers=JSON).json()) == 2
    study = Study(100)
    inside = service.http.get(f"/studies/{study.uid}/instances", headers=JSON)
    assert len(inside.json()) == 3
    assert "warning" not in inside.headers


@pytest.mark.parametrize(
    "query",
    ["StudyDate=yesterday", "limit=-1", "offset=x", "StudyInstanceUID=1.2/3", "StudyDate=20240102-20240101"],
)
def test_wrong_values_are_named(library: Library, query: str) -> None:
    response = library.http.get(f"/studies?{query}", headers=JSON)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(query.partition("=")[0])


def test_a_path_that_holds_no_uid_is_a_bad_request(library: Library) -> None:
    for path in ("/studies/x/series", "/studies/1.2/series/y/instances", "/studies/x/instances"):
        response = library.http.get(path, headers=JSON)
        assert (response.status_code, response.json()["error"]) == (400, "InvalidIdentifier")


def test_a_flood_of_parameters_is_refused(library: Library) -> None:
    assert library.http.get("/studies?" + "&".join(["a=1"] * 2000), headers=JSON).status_code == 400


def test_octets_that_are_no_text_are_answered(library: Library) -> None:
    for query in ("PatientName=%FF%FE", "%FF=1", "PatientName=%00", "&&&=&;", "PatientID=%u1234"):
        response = library.http.get(f"/studies?{query}", headers=JSON)
        assert response.status_code in (200, 400), query


def test_answers_in_xml_are_a_part_each(
    library: Library, parts_of: Callable[[httpx.Response], list[Part]]
) -> None:
    path = f"/studies/{library.ct[0].StudyInstanceUID}/series"
    json = library.http.get(path, headers=JSON).json()
    parts = parts_of(library.http.get(path, headers=XML))
    assert len(json) == 3
    assert parts == [({"content-type": "application/dicom+xml"}, native_xml(found)) for found in json]


def test_no_answers_in_xml_are_no_content(library: Library) -> None:
    response = library.http.get("/studies?PatientID=nobody", headers=XML)
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


def test_another_form_than_those_on_offer_is_not_acceptable(library: Library) -> None:
    assert library.http.get("/studies", headers={"Accept": "text/csv"}).status_code == 406


def test_the_url_is_that_by_which_the_client_came(library: Library) -> None:
    headers = JSON | {"Host": "pacs.example.org"}
    (study, *_) = httpx.get(f"{library.service.url}/studies", headers=headers).json()
    assert study["00081190"]["Value"][0].startswith("http://pacs.example.org/dicom-web/studies/")


def test_the_total_is_told_on_request(library: Library) -> None:
    whole = library.http.get("/instances?count=true", headers=JSON)
    total = int(whole.headers["x-total-count"])
    assert total == len(whole.json())
    page = library.http.get("/instances?count=true&limit=2&offset=3", headers=JSON)
    assert (len(page.json()), page.headers["x-total-count"]) == (2, str(total))
    assert f"There are {total - 5} additional results" in page.headers["warning"]
    assert "x-total-count" not in library.http.get("/instances?limit=2", headers=JSON).headers
    assert library.http.get("/studies?count=true&PatientID=x", headers=JSON).headers["x-total-count"] == "0"


def test_patients_are_found_with_what_they_have(library: Library) -> None:
    response = library.http.get("/patients", params={"PatientID": library.ct[0].PatientID}, headers=JSON)
    (patient,) = response.json()
    assert patient["00100010"]["Value"][0]["Alphabetic"] == str(library.ct[0].PatientName)
    assert [patient[tag]["Value"][0] for tag in ("00201200", "00201202", "00201204")] == [1, 3, 6]
    assert "00081190" not in patient
    assert "0020000D" not in patient


def test_fields_that_the_index_does_not_keep_are_of_the_object(library: Library) -> None:
    dataset = library.ct[2]
    path = f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances"
    found = library.http.get(f"{path}?includefield=SliceLocation,7FE00010", headers=JSON).json()
    assert values(found, "00201041") == [float(one.SliceLocation) for one in library.ct]
    assert found[2]["7FE00010"]["BulkDataURI"].endswith(f"{library.path(dataset)}/bulkdata/7FE00010")
    query = f"/series?SeriesInstanceUID={dataset.SeriesInstanceUID}&includefield=KVP"
    assert values(library.http.get(query, headers=JSON).json(), "00180060") == [float(dataset.KVP)]


@pytest.mark.parametrize("more", ["", ",InstanceCreationTime"])
def test_dates_that_are_read_from_the_object_are_told_in_the_zone_too(service: Service, more: str) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    dataset.TimezoneOffsetFromUTC = "+0100"
    dataset.ContentDate = dataset.InstanceCreationDate = "20240101"
    dataset.ContentTime = dataset.InstanceCreationTime = "0130"
    dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = "20240102", "0030"
    dataset.InstanceCoercionDateTime = "20240101013000"
    service.keep(dataset)
    fields = f"ContentDate,ContentTime,InstanceCreationDate,DateOfSecondaryCapture,00080015{more}"
    query = f"/instances?TimezoneOffsetFromUTC=-0500&includefield={fields}"
    (found,) = service.http.get(query, headers=JSON).json()
    assert found["00080201"]["Value"] == ["-0500"]
    assert (found["00080023"]["Value"], found["00080033"]["Value"]) == (["20231231"], ["1930"])
    assert found["00080012"]["Value"] == ["20231231"]
    assert found.get("00080013", {}).get("Value") == (["1930"] if more else None)
    assert found["00181012"]["Value"] == ["20240101"]
    assert found["00080015"]["Value"] == ["20240101013000+0100"]


def test_private_fields_come_with_their_owner(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    dataset.private_block(0x0009, "DIAFANA TEST", create=True).add_new(0x01, "LO", "of our own")
    service.keep(dataset)
    (found,) = service.http.get("/instances?includefield=00091001", headers=JSON).json()
    assert found["00091001"] == {"vr": "LO", "Value": ["of our own"]}
    assert found["00090010"] == {"vr": "LO", "Value": ["DIAFANA TEST"]}


def test_objects_are_read_for_a_bounded_number_of_answers(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qido, "MAX_READ", 1)
    dataset = library.ct[0]
    path = f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}/instances"
    response = library.http.get(f"{path}?includefield=SliceLocation", headers=JSON)
    assert ["00201041" in found for found in response.json()] == [True, False, False, False]
    assert "first 1 results" in response.headers["warning"]


def test_names_are_found_by_their_sound_when_that_is_asked(library: Library) -> None:
    surname = str(library.ct[0].PatientName).partition("^")[0]
    misspelt = surname.replace("Z", "S").replace("b", "bb")
    assert misspelt != surname
    path = f"/studies?PatientName={misspelt}"
    assert library.http.get(path, headers=JSON).json() == []
    found = library.http.get(f"{path}&fuzzymatching=true", headers=JSON).json()
    assert library.ct[0].StudyInstanceUID in values(found, "0020000D")
