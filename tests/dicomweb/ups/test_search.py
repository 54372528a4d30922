"""Searching for work items over HTTP (PS3.18 11.9 and 8.3.4)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testdata.workitems import OTHER_WORKSTATION
from tests.dicomweb.ups.conftest import MEDIA_TYPE, WorklistService, serving


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorklistService]:
    """Three work items that nobody changes."""
    with serving(tmp_path_factory.mktemp("worklist")) as service:
        service.create("2.999.1", ScheduledProcedureStepStartDateTime="20261127100000")
        service.create(
            "2.999.2",
            ScheduledProcedureStepStartDateTime="20261127080000",
            ScheduledStationNameCodeSequence=OTHER_WORKSTATION,
            PatientName="Bruno^Pèppe",
        )
        service.create("2.999.3", ScheduledProcedureStepStartDateTime="20261128")
        service.change_state("2.999.3", "IN PROGRESS")
        yield service


def search(service: WorklistService, query: str) -> httpx.Response:
    return service.http.get(f"/workitems?{query}", headers={"Accept": MEDIA_TYPE})


def uids(response: httpx.Response) -> list[str]:
    return [workitem["00080018"]["Value"][0] for workitem in response.json()] if response.content else []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["2.999.2", "2.999.1", "2.999.3"]),
        ("00741000=SCHEDULED", ["2.999.2", "2.999.1"]),
        ("ProcedureStepState=IN%20PROGRESS", ["2.999.3"]),
        ("ScheduledProcedureStepStartDateTime=20261127-20261127", ["2.999.2", "2.999.1"]),
        ("ScheduledProcedureStepStartDateTime=2026112709-", ["2.999.1", "2.999.3"]),
        ("ScheduledStationNameCodeSequence.CodeValue=WS2", ["2.999.2"]),
        ("00404025.00080100=WS2&00404025.00080102=99ALTRO", ["2.999.2"]),
        ("PatientName=bruno*&ProcedureStepLabel=REFERT*", ["2.999.2"]),
        ("SOPInstanceUID=2.999.1,2.999.3", ["2.999.1", "2.999.3"]),
        ("PatientName=nessuno", []),
        ("limit=2", ["2.999.2", "2.999.1"]),
        ("limit=2&offset=2", ["2.999.3"]),
        ("offset=7", []),
        ("limit=0", []),
    ],
)
def test_keys_match(library: WorklistService, query: str, expected: list[str]) -> None:
    assert uids(search(library, query)) == expected


def test_the_status_tells_whether_all_was_found(library: WorklistService) -> None:
    whole, part, none = search(library, ""), search(library, "limit=2"), search(library, "PatientID=x")
    assert [one.status_code for one in (whole, part, none)] == [200, 206, 204]
    assert part.headers["warning"].endswith(": There are additional results that can be requested.")
    assert whole.headers["content-type"] == MEDIA_TYPE
    assert "warning" not in whole.headers


def first(response: httpx.Response) -> dict[str, Any]:
    workitem = response.json()[0]
    assert isinstance(workitem, dict)
    return workitem


def test_an_answer_has_what_the_table_returns_and_what_is_asked_for(library: WorklistService) -> None:
    usual = first(search(library, ""))
    assert {
        "00080016",
        "00080018",
        "00741000",
        "00404041",
        "00100010",
        "00404025",
        "00404005",
    } <= usual.keys()
    assert usual["00741002"] == {"vr": "SQ"}  # of type 2: there, without a value
    assert not {"00404010", "00400400", "00741216", "00081195"} & usual.keys()
    more = first(search(library, "includefield=00404010&CommentsOnTheScheduledProcedureStep="))
    assert more.keys() - usual.keys() == {"00404010", "00400400"}
    whole = first(search(library, "includefield=all"))
    assert "00741216" in whole
    assert "00081195" not in whole


def test_what_is_not_understood_is_warned_of(library: WorklistService) -> None:
    response = search(library, "Nonsense=1&PixelData=x&fuzzymatching=true")
    assert response.status_code == 200
    for text in ("Nonsense is unknown here", "PixelData is not kept for searching", "fuzzymatching"):
        assert text in response.headers["warning"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=1&limit=2",
        "offset=-1",
        "ScheduledProcedureStepStartDateTime=domani",
        "ScheduledProcedureStepStartDateTime=20261128-20261127",
        "SOPInstanceUID=../../x",
        "PatientID=" + "x" * 600,
        "PatientID=%00",
        "&".join(["PatientID=x"] * 300),
    ],
)
def test_what_cannot_be_searched_for_is_refused(library: WorklistService, query: str) -> None:
    response = search(library, query)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
