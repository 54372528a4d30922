"""Orders from a RIS to the end of the examination, by the real service and the command."""

import socket
import time
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from hl7v2.mllp import END, START
from pacs.dimse.sop_classes import MODALITY_WORKLIST, PERFORMED_STEP
from testdata.orders import omi, orm
from testdata.procedure_steps import begun_step, ended_step
from tests.diafana.commands import diafana
from tests.pacs.dimse.peer import associated, find
from tests.pacs.dimse.scp import free_port
from tests.service import Service

PATIENCE = 60.0  # seconds for what must happen by itself


def worklist(port: int, station: str) -> list[Dataset]:
    item, asked = Dataset(), Dataset()
    item.ScheduledStationAETitle, item.ScheduledProcedureStepID = station, ""
    asked.ScheduledProcedureStepSequence = [item]
    asked.StudyInstanceUID = asked.PatientName = ""
    asked.SpecificCharacterSet = "ISO_IR 100"
    answers, last = find(port, asked, MODALITY_WORKLIST)
    assert last.Status == 0
    return answers


def send(port: int, message: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(START + message + END)
        received = b""
        while END not in received:
            piece = connection.recv(65536)
            assert piece, "the connection was closed"
            received += piece
    return received.split(b"\r")[1].decode()


@pytest.mark.xdist_group("service")
def test_an_order_goes_to_the_scanner_and_its_end_takes_it_off(tmp_path: Path) -> None:
    with Service(tmp_path / "data", "--workers", "2", "--hl7-port", "0") as service:
        (ready,) = [event for event in service.events() if event["event"] == "ready"]
        port = ready["hl7"]
        assert isinstance(port, int)
        assert send(port, orm()) == "MSA|AA|M1"
        ((found),) = worklist(service.dimse_port, "CT1")
        found.decode()
        assert (found.SpecificCharacterSet, str(found.PatientName)) == (
            "ISO_IR 100",
            "D'Alò^Niccolò^Maria^Dott.",
        )
        step = (found.StudyInstanceUID, found.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID)
        with associated(service.dimse_port, (PERFORMED_STEP, ExplicitVRLittleEndian)) as association:
            begun, ended = Dataset.from_json(begun_step(step)), Dataset.from_json(ended_step())
            assert association.send_n_create(begun, PERFORMED_STEP, "2.999.5")[0].Status == 0
            assert send(port, orm("CA")).startswith("MSA|AE|M1|procedure step: it has begun")
            assert association.send_n_set(ended, PERFORMED_STEP, "2.999.5")[0].Status == 0
        assert worklist(service.dimse_port, "CT1") == []
        service.kill()
    with Service(tmp_path / "data", "--workers", "1") as again:
        (ready,) = [event for event in again.events() if event["event"] == "ready"][-1:]
        assert ready["hl7"] is None
        assert worklist(again.dimse_port, "CT1") == []


@pytest.mark.xdist_group("service")
def test_what_was_performed_is_told_to_another_archive(tmp_path: Path) -> None:
    """From one service to another, which is away at first."""
    port, uid = free_port(), "2.999.6"
    step = f"/dicom-web/modality-performed-procedure-steps/{uid}"
    with Service(tmp_path / "one", "--workers", "1", DIAFANA_MPPS_FORWARD="OTHER") as one:
        made = diafana("peer", "add", "OTHER", "127.0.0.1", str(port), "--data", tmp_path / "one")
        assert made.code == 0
        with associated(one.dimse_port, (PERFORMED_STEP, ExplicitVRLittleEndian)) as association:
            begun, ended = Dataset.from_json(begun_step()), Dataset.from_json(ended_step())
            assert association.send_n_create(begun, PERFORMED_STEP, uid)[0].Status == 0
            assert association.send_n_set(ended, PERFORMED_STEP, uid)[0].Status == 0
        listed = diafana("peer", "list", "--data", tmp_path / "one").out
        assert "OTHER            messages about performed steps that wait: 2" in listed
        with Service(tmp_path / "other", "--workers", "1", "--dimse-port", str(port)) as other:
            changed = ("peer", "change", "OTHER", "--port", str(port), "--data", tmp_path / "one")
            assert diafana(*changed).code == 0  # they are due at once
            deadline = time.monotonic() + PATIENCE
            while (found := other.get(step)).status_code != 200 or b"COMPLETED" not in found.content:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert other.get(step).json()["00400252"]["Value"] == ["COMPLETED"]


def test_orders_come_out_of_files(tmp_path: Path) -> None:
    (tmp_path / "orders.hl7").write_bytes(orm() + b"\r\n" + omi().replace(b"\r", b"\r\n"))
    (tmp_path / "later.hl7").write_bytes(orm("XO") + orm("HD"))
    done = diafana("hl7", "--data", tmp_path / "data", tmp_path / "orders.hl7", tmp_path / "later.hl7")
    assert done.code == 1
    assert "3 messages taken, 1 refused." in done.out
    assert f"refused message 2 of {tmp_path}/later.hl7: ORC-1: this takes NW, XO, CA, DC, SC" in done.err
    absent = diafana("hl7", "--data", tmp_path / "data", tmp_path / "absent.hl7")
    assert (absent.code, "cannot be read" in absent.err) == (1, True)
