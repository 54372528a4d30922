import io
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.events import Event
from pynetdicom.transport import ThreadedAssociationServer
from rich.console import Console
from rich.progress import Progress

from testdata import demo
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.us import us_cine

AE_TITLE = "DIAFANA"


@pytest.fixture(scope="module")
def few() -> list[Dataset]:
    ct = ct_series(slices=3, rows=64, columns=64)
    return [*ct, measurement_report(ct), us_cine(frames=1, rows=64, columns=64)]


@pytest.fixture
def received() -> list[Dataset]:
    return []


@pytest.fixture
def port(received: list[Dataset]) -> Iterator[int]:
    """A service that keeps what it gets, and says no to every object of a patient called REFUSED."""

    def handle(event: Event) -> int:
        if event.dataset.PatientID == "REFUSED":
            return 0xA700
        received.append(event.dataset)
        return 0x0000

    ae = AE(AE_TITLE)
    ae.require_called_aet = True
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(
            context.abstract_syntax or "", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"]
        )
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, handle)])
    assert isinstance(server, ThreadedAssociationServer)
    yield server.server_address[1]
    server.shutdown()


def quiet() -> Progress:
    return Progress(console=Console(file=io.StringIO()))


def test_all_objects_arrive(few: list[Dataset], port: int, received: list[Dataset]) -> None:
    with quiet() as progress:
        demo.send(few, "127.0.0.1", port, AE_TITLE, progress)
    assert [each.SOPInstanceUID for each in received] == [each.SOPInstanceUID for each in few]


def test_a_refused_object_is_told_with_its_status(few: list[Dataset], port: int) -> None:
    refused = few[0].copy()
    refused.PatientID = "REFUSED"
    refused.file_meta = few[0].file_meta
    with pytest.raises(demo.NotSent, match="A700"), quiet() as progress:
        demo.send([refused], "127.0.0.1", port, AE_TITLE, progress)


def test_a_wrong_ae_title_is_told(few: list[Dataset], port: int) -> None:
    with pytest.raises(demo.NotSent, match="AE title WRONG"), quiet() as progress:
        demo.send(few, "127.0.0.1", port, "WRONG", progress)


def test_nobody_listening_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert demo.main(["--port", str(port)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said == f"Nothing answers at 127.0.0.1:{port}. Start the service with `make serve` first."


def test_the_whole_demo_goes_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--folder", str(tmp_path)]) == 0
    paths = list(tmp_path.rglob("*.dcm"))
    assert len(paths) == 148
    assert len(list(tmp_path.iterdir())) == 4
    assert "148 objects" in capsys.readouterr().out


def test_it_goes_where_the_service_was_told_to_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAFANA_DIMSE_PORT", "11999")
    monkeypatch.setenv("DIAFANA_AET", "OTHER")
    options = demo._parser().parse_args([])
    assert (options.port, options.aet) == (11999, "OTHER")
    assert demo._parser().parse_args(["--port", "12000"]).port == 12000
