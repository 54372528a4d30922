"""Other archives, asked by commands and over HTTP, with the real service."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testdata.ct import ct_series
from tests.diafana.commands import diafana
from tests.diafana.sending import command, here, know, send, uids
from tests.pacs.dimse.scp import free_port
from tests.service import Service

CT = ct_series(slices=4, rows=16, columns=16)
STUDY = str(CT[0].StudyInstanceUID)

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("other") / "data", "--workers", "1", "--aet", "OTHER") as service:
        send(service, CT)
        yield service


@pytest.fixture
def data(tmp_path: Path, other: Service) -> Path:
    know(tmp_path / "data", "OTHER", other.dimse_port)
    return tmp_path / "data"


def test_it_is_asked_and_gives_what_it_has_by_commands(data: Path) -> None:
    found = command(data, "remote", "find", "OTHER", f"PatientID={CT[0].PatientID}")
    assert (found.code, f"StudyInstanceUID={STUDY}" in found.out) == (0, True)
    told = command(
        data, "remote", "find", "OTHER", "--level", "series", f"StudyInstanceUID={STUDY}", "--json"
    )
    assert json.loads(told.out)["0020000E"]["Value"] == [CT[0].SeriesInstanceUID]
    for _ in range(2):  # the second time there is nothing left to get
        done = command(data, "remote", "get", "OTHER", f"StudyInstanceUID={STUDY}")
        assert (done.code, done.out) == (0, "4 of 4 instances are here.\n")
    with Service(data, "--workers", "1") as service:
        assert here(service) == uids(CT)


def test_it_sends_to_us_when_it_is_asked_to(data: Path, other: Service) -> None:
    with Service(data, "--workers", "1", "--aet", "MINE") as service:
        know(other.data, "MINE", service.dimse_port)
        arguments = ("remote", "get", "OTHER", f"StudyInstanceUID={STUDY}", "--move", "--data", str(data))
        done = diafana(*arguments, DIAFANA_AET="MINE")
        assert (done.code, done.out) == (0, "4 of 4 instances are here.\n"), done.err
        assert here(service) == uids(CT)
    # Nobody listens there any more
    (lost := data.parent / "lost").mkdir()
    know(lost, "OTHER", other.dimse_port)
    arguments = ("remote", "get", "OTHER", f"StudyInstanceUID={STUDY}", "--move", "--data", str(lost))
    done = diafana(*arguments, DIAFANA_AET="MINE")
    assert (done.code, done.out) == (1, "0 of 4 instances are here.\n")


def test_it_is_asked_over_http_where_that_is_allowed(data: Path) -> None:
    with Service(data, "--workers", "1") as service:
        assert service.get("/remote/OTHER/studies").status_code == 404
    with Service(data, "--workers", "1", DIAFANA_REMOTE_OVER_HTTP="true") as service:
        answer = service.get(f"/remote/OTHER/studies?PatientID={CT[0].PatientID}")
        assert answer.headers["content-type"] == "application/dicom+json"
        assert [one["0020000D"]["Value"] for one in answer.json()] == [[STUDY]]
        got = httpx.post(f"{service.url}/remote/OTHER/retrieve", params={"StudyInstanceUID": STUDY})
        lines = [json.loads(line) for line in got.text.splitlines()]
        assert (lines[0], lines[-1]) == ({"here": 0, "all": 4}, {"here": 4, "all": 4})
        assert here(service) == uids(CT)
        know(data, "NOBODY", free_port())
        for method, path, status, said in (
            ("GET", "/remote/STRANGER/studies", 404, "AE title"),
            ("GET", "/remote/OTHER/pictures", 404, "studies"),
            ("GET", "/remote/OTHER/studies?Color=red", 400, "Color"),
            ("GET", "/remote/NOBODY/studies", 502, "refused"),
            ("POST", "/remote/OTHER/retrieve", 400, "StudyInstanceUID"),
            ("POST", "/remote/OTHER/retrieve?StudyInstanceUID=1.2.3", 404, "OTHER has no such"),
            ("POST", f"/remote/NOBODY/retrieve?StudyInstanceUID={STUDY}", 502, "refused"),
        ):
            refused = httpx.request(method, service.url + path)
            assert (refused.status_code, said in refused.text) == (status, True), refused.text


def test_what_is_wrong_is_named(data: Path) -> None:
    for arguments, code, said in (
        (("find", "STRANGER"), 1, "peer add STRANGER"),
        (("find", "OTHER", "Color=red"), 2, "Color"),
        (("find", "OTHER", "--level", "frame"), 2, "frame is no level"),
        (("get", "OTHER", "StudyInstanceUID=1.2.3"), 1, "OTHER has no such study"),
        (("get", "OTHER", "PatientID=1"), 2, "PatientID"),
        (("get", "OTHER"), 2, "StudyInstanceUID"),
    ):
        done = command(data, "remote", *arguments)
        assert (done.code, said in done.err) == (code, True), done.err
