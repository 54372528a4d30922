"""The known systems by commands and over HTTP, the rules of who may what, and TLS, with the real service."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from testdata.certificates import Authority, Identity
from testdata.ct import ct_series
from testdata.files import write_folder
from tests.diafana.commands import diafana
from tests.pacs.dimse.scp import free_port, receiver, storescp
from tests.service import Service

ORIGIN = "https://viewer.example.org"

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def peer(data: Path, *arguments: str | int) -> str:
    """What `diafana peer` prints."""
    done = diafana("peer", *map(str, arguments), "--data", data)
    assert done.code == 0, done.err
    return done.out


def refused(data: Path, *arguments: str | int) -> str:
    """Why `diafana peer` fails."""
    done = diafana("peer", *map(str, arguments), "--data", data)
    assert done.code != 0
    return done.err


@pytest.mark.parametrize("name", ["outbox-bell", "commitment-bell", "step-bell", "availability-bell"])
def test_who_has_something_for_a_system_is_woken_when_it_is_known(data: Path, name: str) -> None:
    data.mkdir()
    os.mkfifo(data / name)
    bell = os.open(data / name, os.O_RDWR | os.O_NONBLOCK)
    peer(data, "add", "OTHER", "10.0.0.1", 104)
    assert os.read(bell, 1)
    os.close(bell)


def test_all_that_is_said_of_a_system_is_kept_and_changed(data: Path) -> None:
    preferred = f"JPEG2000Lossless, {ExplicitVRLittleEndian}"
    peer(data, "add", "OTHER", "other.example.org", 104, "--tls", "--may", "store query")
    peer(data, "change", "OTHER", "--move-to", "ARCHIVE 2, VIEWER", "--transfer-syntaxes", preferred)
    peer(data, "add", "PLAIN", "10.0.0.1", 11112)
    assert peer(data, "list").splitlines() == [
        "OTHER            other.example.org:104  by TLS  may query store",
        "PLAIN            10.0.0.1:11112",
    ]
    assert peer(data, "show", "OTHER").splitlines() == [
        "AE title  OTHER",
        "address   other.example.org:104",
        "TLS       yes",
        "commits   no",
        "notified  no",
        "may       query store",
        "move to   ARCHIVE 2, VIEWER",
        "prefers   JPEG2000Lossless, ExplicitVRLittleEndian",
        "duplicates set aside",
    ]
    puts_in = (
        *("--character-set", "ISO_IR 100", "--issuer-of-patient-id", "HOSPITAL A"),
        *("--patient-from-worklist", "--duplicates", "replace"),
    )
    peer(data, "change", "OTHER", *puts_in)
    assert peer(data, "show", "OTHER").splitlines()[8:] == [
        "duplicates replace",
        "puts in character set ISO_IR 100",
        "puts in issuer of patient id HOSPITAL A",
        "puts in patient from worklist",
    ]
    emptied = (
        "--character-set",
        "",
        "--issuer-of-patient-id",
        "",
        "--no-patient-from-worklist",
        "--duplicates",
        "set aside",
        "--no-tls",
        "--may",
        "nothing",
        "--move-to",
        "",
        "--transfer-syntaxes",
        "",
        "--port",
        105,
    )
    peer(data, "change", "OTHER", *emptied)
    assert peer(data, "show", "OTHER").splitlines()[1:] == [
        "address   other.example.org:105",
        "TLS       no",
        "commits   no",
        "notified  no",
        "may       nothing",
        "move to   all that are known",
        "prefers   none",
        "duplicates set aside",
    ]


def test_what_cannot_be_is_named(data: Path) -> None:
    peer(data, "add", "OTHER", "other", 104)
    for arguments, said in (
        (("add", "OTHER", "other", 0), "port"),
        (("add", "A" * 17, "other", 104), "ae_title"),
        (("add", "OTHER", "", 104), "host"),
        (("add", "OTHER", "two words", 104), "host"),
        (("change", "OTHER", "--may", "everything"), "expected query retrieve store"),
        (("change", "OTHER", "--move-to", "A" * 17), "move_to"),
        (("change", "OTHER", "--transfer-syntaxes", "1.2.3"), "transfer_syntaxes"),
        (("change", "OTHER", "--character-set", "latin1"), "ISO_IR 100"),
        (("change", "OTHER", "--issuer-of-patient-id", "A\\B"), "issuer_of_patient_id"),
        (("change", "OTHER", "--duplicates", "overwrite"), "duplicates"),
        (("change", "NOBODY", "--tls"), "peer add NOBODY"),
        (("show", "NOBODY"), "peer add NOBODY"),
    ):
        assert said in refused(data, *arguments)
    assert peer(data, "list") == "OTHER            other:104\n"


def test_known_systems_are_off_over_http_unless_they_are_wanted(data: Path) -> None:
    with Service(data, "--workers", "1") as service:
        assert service.get("/peers").status_code == 404
        assert httpx.put(f"{service.url}/peers/A", json={"host": "a", "port": 1}).status_code == 404


@pytest.fixture
def over_http(data: Path) -> Iterator[Service]:
    wanted: Any = {"DIAFANA_PEERS_OVER_HTTP": "true", "DIAFANA_CORS_ORIGINS": ORIGIN}
    with Service(data, "--workers", "1", **wanted) as service:
        yield service


def test_known_systems_over_http(over_http: Service, data: Path) -> None:
    url = f"{over_http.url}/peers"
    assert httpx.get(url).json() == []
    with receiver([CTImageStorage], [ImplicitVRLittleEndian]) as other:
        said: dict[str, Any] = {"host": "127.0.0.1", "port": other.peer.port, "may": ["store"]}
        made = httpx.put(f"{url}/OTHER", json=said)
        assert made.status_code == 201
        assert made.json() == {
            "ae_title": "OTHER",
            "commits": False,
            "notified": False,
            "tls": False,
            "move_to": [],
            "transfer_syntaxes": [],
            "character_set": "",
            "issuer_of_patient_id": "",
            "issuer_of_accession_number": "",
            "patient_from_worklist": False,
            "duplicates": "set aside",
            **said,
        }
        assert httpx.post(f"{url}/OTHER/echo").status_code == 204
    absent = httpx.post(f"{url}/OTHER/echo")
    assert (absent.status_code, "refused" in absent.json()["detail"]) == (502, True)
    more = {"tls": True, "may": [], "transfer_syntaxes": ["JPEG2000Lossless"], "move_to": ["X"]}
    more |= {"duplicates": "keep", "patient_from_worklist": True}
    changed = httpx.put(f"{url}/OTHER", json=said | more)
    assert (changed.status_code, changed.json()["transfer_syntaxes"]) == (200, [JPEG2000Lossless])
    assert (
        httpx.put(f"{url}/OTHER", json=changed.json()).json() == changed.json()
    )  # what is read can be written
    assert httpx.get(url).json() == [httpx.get(f"{url}/OTHER").json()] == [changed.json()]
    assert "may nothing" in peer(data, "list")
    assert httpx.delete(f"{url}/OTHER").status_code == 204
    for answer in (httpx.delete(f"{url}/OTHER"), httpx.get(f"{url}/OTHER"), httpx.post(f"{url}/OTHER/echo")):
        assert answer.status_code == 404


def test_what_is_wrong_over_http_is_named(over_http: Service) -> None:
    url, json = f"{over_http.url}/peers/OTHER", {"Content-Type": "application/json"}
    for body, status, said in (
        (b"{", 400, "no JSON"),
        (b"[]", 400, "expected an object"),
        (b"{}", 400, "host: Field required; port"),
        (b'{"host": "h", "port": "x"}', 400, "port"),
        (b'{"host": "h", "port": 1, "colour": 2}', 400, "colour"),
        (b'{"host": "h", "port": 1, "may": ["delete"]}', 400, "may"),
        (b'{"host": "h", "port": 1, "duplicates": "overwrite"}', 400, "duplicates"),
        (b'{"host": "h", "port": 1, "ae_title": "ANOTHER"}', 400, "ae_title"),
        (b" " * 70_000, 413, "bytes"),
    ):
        answer = httpx.put(url, content=body, headers=json)
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert httpx.put(url, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert over_http.get("/peers").json() == []


@pytest.mark.parametrize(
    "whence", [{"Origin": ORIGIN}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_no_page_reads_or_changes_them(over_http: Service, whence: dict[str, str]) -> None:
    """Not even one of an origin that may ask for all else."""
    url = f"{over_http.url}/peers"
    said = {"host": "h", "port": 1}
    assert httpx.get(url, headers=whence).status_code == 403
    assert httpx.put(f"{url}/OTHER", json=said, headers=whence).status_code == 403
    assert httpx.delete(f"{url}/OTHER", headers=whence).status_code == 403
    assert httpx.post(f"{url}/OTHER/echo", headers=whence).status_code == 403
    assert httpx.get(url).json() == []


@pytest.mark.needs("echoscu")
def test_strangers_are_kept_out_until_they_are_known(data: Path) -> None:
    rules: Any = {"DIAFANA_UNKNOWN_PEERS": "nothing", "DIAFANA_CALLED": "DIAFANA: store"}
    rules["DIAFANA_CALLED_OTHERWISE"] = "nothing"
    with Service(data, "--workers", "1", **rules) as service:
        port = service.dimse_port
        assert "Calling AE Title Not Recognized" in echoscu(port)
        peer(data, "add", "MODALITY", "127.0.0.1", 104)
        assert echoscu(port) == ""
        assert "Called AE Title Not Recognized" in echoscu(port, called="ANOTHER")


def echoscu(port: int, *options: str | Path, called: str = "DIAFANA") -> str:
    command = ["echoscu", *options, "-aet", "MODALITY", "-aec", called, "127.0.0.1", str(port)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Identity, Identity]:
    """An authority, what it has issued for this machine, and for a modality."""
    authority = Authority(tmp_path_factory.mktemp("papers"), "authority")
    return authority.certificate, authority.issue("here", "IP:127.0.0.1"), authority.issue("modality")


@pytest.mark.needs("openssl", "storescu", "storescp")
def test_a_modality_stores_and_an_archive_is_sent_to_by_tls(
    data: Path, papers: tuple[Path, Identity, Identity], tmp_path: Path
) -> None:
    authorities, here, modality = papers
    images = ct_series(slices=3, rows=64, columns=64)
    set_up: Any = {
        "DIAFANA_TLS_CERTIFICATE": str(here.certificate),
        "DIAFANA_TLS_KEY": str(here.key),
        "DIAFANA_TLS_AUTHORITIES": str(authorities),
    }
    shown = ("+tls", modality.key, modality.certificate, "+cf", authorities)
    there = ("+tls", here.key, here.certificate, "+cf", authorities)
    with (
        storescp(tmp_path / "received", *there) as other,
        Service(data, "--workers", "2", "--dimse-tls-port", "0", **set_up) as service,
    ):
        port = service.dimse_tls_port
        files = write_folder(images, tmp_path / "sent")
        command: list[str | Path] = ["storescu", *shown, "-aec", "DIAFANA", "127.0.0.1", str(port), *files]
        subprocess.run(command, check=True, capture_output=True)
        accepted = [one["tls"] for one in service.events() if one["event"] == "association accepted"]
        assert accepted == ["TLSv1.3"]
        peer(data, "add", "STORESCP", "127.0.0.1", other.port, "--tls")
        echo = diafana("peer", "echo", "STORESCP", "--data", data, **set_up)
        assert (echo.code, echo.out) == (0, "STORESCP answers.\n")
        asked = f"{service.url}/dicom-web/studies/send-requests/2.999.39"
        keys = {"destination": "STORESCP", "StudyInstanceUID": images[0].StudyInstanceUID}
        httpx.post(asked, params=keys).raise_for_status()
        while (answer := httpx.get(asked)).status_code == 202:
            time.sleep(0.05)
        assert answer.json()["00001021"]["Value"] == [3]
    untrusting = diafana("peer", "echo", "STORESCP", "--data", data)
    assert untrusting.code == 1
    assert len(list((tmp_path / "received").iterdir())) == 3


def test_certificates_that_cannot_be_used_are_named_at_the_start(data: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent.pem"
    options = ("--data", data, "--http-port", "0", "--dimse-port", "0", "--dimse-tls-port", "0")
    failed = diafana(
        "serve", *options, DIAFANA_TLS_CERTIFICATE=str(absent), DIAFANA_TLS_AUTHORITIES=str(absent)
    )
    assert failed.code == 1
    assert f"{absent} cannot be read: No such file" in failed.err
    wrong = diafana("serve", *options)
    assert (wrong.code, "needs tls_certificate" in wrong.err) == (2, True)


def test_an_absent_port_for_tls_is_told_from_one_that_speaks_none(
    data: Path, papers: tuple[Path, Identity, Identity]
) -> None:
    authorities: Any = {"DIAFANA_TLS_AUTHORITIES": str(papers[0])}
    with receiver([], [ExplicitVRLittleEndian]) as other:
        for port, said in ((free_port(), "no connection"), (other.peer.port, "no TLS")):
            peer(data, "add", "OTHER", "127.0.0.1", port, "--tls")
            done = diafana("peer", "echo", "OTHER", "--data", data, **authorities)
            assert (done.code, said in done.err) == (1, True)
