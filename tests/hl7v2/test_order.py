"""Orders as steps of the worklist (IHE RAD TF-2, Table B-1), and what becomes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from hl7v2.message import Code, Message, MessageRefused
from hl7v2.order import steps_of
from hl7v2.receiver import Receiver
from pacs.errors import NotFound
from pacs.index import Index
from pacs.procedure_steps.orders import Orders
from pacs.procedure_steps.scheduled import ScheduledSteps
from testdata.orders import IPC_1, OBR, PID, ZDS, omi, orm

ORM_NAMES, OMI_NAMES = ("2.999.77.1", "SPS1001"), ("2.999.77.3", "SPS3001")


@pytest.fixture
def steps(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


@pytest.fixture
def receiver(index: Index) -> Receiver:
    return Receiver(Orders(index.worklist))


def took(receiver: Receiver, *messages: bytes) -> None:
    for message in messages:
        assert receiver.do(message, "test") is None


def refused(receiver: Receiver, message: bytes) -> tuple[Code, str, str]:
    error = receiver.do(message, "test")
    assert error is not None
    return error.code, error.where, str(error)


def status(steps: ScheduledSteps, names: tuple[str, str] = ORM_NAMES) -> str:
    return str(item(steps, names)["00400020"]["Value"][0])


def item(steps: ScheduledSteps, names: tuple[str, str] = ORM_NAMES) -> dict[str, Any]:
    found: dict[str, Any] = steps.get(*names)["00400100"]["Value"][0]
    return found


def test_an_orm_becomes_a_step(receiver: Receiver, steps: ScheduledSteps) -> None:
    """Each field of the table where it belongs."""
    took(receiver, orm())
    made = Dataset.from_json(steps.get(*ORM_NAMES))
    expected = {
        "PatientName": "D'Alò^Niccolò^Maria^Dott.",
        "PatientID": "PZ4711",
        "IssuerOfPatientID": "OSP",
        "PatientBirthDate": "19800101",
        "PatientSex": "M",
        "PregnancyStatus": 3,
        "MedicalAlerts": "Pacemaker",
        "CurrentPatientLocation": "MED 12 3",
        "ReferringPhysicianName": "Verdè^Lucìa",
        "AdmissionID": "RIC77",
        "AccessionNumber": "ACC1001",
        "PlacerOrderNumberImagingServiceRequest": "PLC1001",
        "FillerOrderNumberImagingServiceRequest": "FIL2001",
        "RequestingPhysician": "Bianchi^Ugo",
        "RequestedProcedureID": "RP1001",
        "RequestedProcedureDescription": "TC torace",
        "RequestedProcedurePriority": "STAT",
        "ReasonForTheRequestedProcedure": "Nodulo polmonare",
        "PatientTransportArrangements": "WALK",
        "StudyInstanceUID": "2.999.77.1",
    }
    assert {keyword: made[keyword].value for keyword in expected} == expected
    other = made.OtherPatientIDsSequence[0]
    assert (other.PatientID, other.IssuerOfPatientID) == ("DLANCL80A01H501X", "MEF")
    assert other.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID == "2.16.840.1.113883.2.9.4.3.2"
    assert made.OrderPlacerIdentifierSequence[0].LocalNamespaceEntityID == "CUP"
    assert made.IssuerOfAdmissionIDSequence[0].UniversalEntityID == "2.999.1"
    assert made.RequestedProcedureCodeSequence[0].CodeValue == "87.41"
    (step,) = made.ScheduledProcedureStepSequence
    scheduled = {
        "ScheduledStationAETitle": "CT1",
        "ScheduledProcedureStepStartDate": "20261130",
        "ScheduledProcedureStepStartTime": "0830",
        "Modality": "CT",
        "ScheduledPerformingPhysicianName": "Neri^Anna",
        "ScheduledProcedureStepDescription": "Torace senza mdc",
        "ScheduledProcedureStepID": "SPS1001",
        "ScheduledProcedureStepStatus": "SCHEDULED",
    }
    assert {keyword: step[keyword].value for keyword in scheduled} == scheduled
    assert step.ScheduledProtocolCodeSequence[0].CodeValue == "PTOR"


@pytest.mark.parametrize(("named", "kept"), [("ISO", "ISO"), ("x400", "X400"), ("é", ""), ("a\\E\\b", "")])
def test_the_type_of_a_universal_id_is_a_code_or_none(
    receiver: Receiver, steps: ScheduledSteps, named: str, kept: str
) -> None:
    took(receiver, orm(PID=PID.replace("OSP&2.999.1&ISO", f"OSP&2.999.1&{named}")))
    (issuer,) = Dataset.from_json(steps.get(*ORM_NAMES)).IssuerOfPatientIDQualifiersSequence
    assert (issuer.UniversalEntityID, issuer.UniversalEntityIDType or "") == ("2.999.1", kept)


def test_an_omi_becomes_a_step_for_each_ipc(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, omi())
    first, second = (Dataset.from_json(steps.get("2.999.77.3", name)) for name in ("SPS3001", "SPS3002"))
    for made in (first, second):
        assert str(made.PatientName) == "D'Alò^Niccolò^Maria^Dott."
        assert (made.AccessionNumber, made.RequestedProcedureID) == ("ACC3001", "RP3001")
        issuer = made.IssuerOfAccessionNumberSequence[0]
        assert (issuer.LocalNamespaceEntityID, issuer.UniversalEntityID) == ("RIS", "2.999.2")
        assert made.RequestedProcedurePriority == "ROUTINE"
        (step,) = made.ScheduledProcedureStepSequence
        assert (step.Modality, step.ScheduledStationAETitle) == ("MR", "RM1AE")
        assert (step.ScheduledStationName, step.ScheduledProcedureStepLocation) == ("RM1", "Sala 3")
        assert (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime) == (
            "20261201",
            "091500",
        )
    codes = [
        made.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence[0].CodeValue
        for made in (first, second)
    ]
    assert codes == ["PENC", "PENCC"]


def test_an_order_that_comes_again_is_done_once(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, orm(), orm(), omi(), omi())
    assert len(list(steps.search([]))) == 3


def test_without_names_an_order_is_known_by_its_number(receiver: Receiver, steps: ScheduledSteps) -> None:
    """No ZDS, no step ID: they are made, and stay."""
    nameless = {"OBR": OBR.replace("SPS1001", ""), "ZDS": ""}
    took(receiver, orm(**nameless), orm(**nameless))
    (made,) = steps.search([])
    took(receiver, orm("XO", **{**nameless, "OBR": nameless["OBR"].replace("ACC1001", "ACC1002")}))
    (changed,) = steps.search([])
    assert changed["00080050"]["Value"] == ["ACC1002"]
    assert changed["0020000D"] == made["0020000D"]
    took(receiver, orm("CA", **nameless))
    assert list(steps.search([])) == []


def test_a_change_is_of_what_is_known(receiver: Receiver, steps: ScheduledSteps) -> None:
    assert refused(receiver, orm("XO"))[0] is Code.UNKNOWN_KEY
    took(receiver, orm(), orm("XO", OBR=OBR.replace("CT1|", "CT2|")))
    assert item(steps)["00400001"]["Value"] == ["CT2"]
    took(receiver, orm("SC", "IP"), orm("XO"))
    assert status(steps) == "STARTED"
    took(receiver, orm("SC", "CM"))
    code, _, text = refused(receiver, orm("XO"))
    assert (code, "may no longer be updated" in text) == (Code.LOCKED, True)


@pytest.mark.parametrize("control", ["CA", "DC"])
def test_a_step_is_taken_off_the_worklist(receiver: Receiver, steps: ScheduledSteps, control: str) -> None:
    assert refused(receiver, orm(control))[0] is Code.UNKNOWN_KEY
    took(receiver, orm(), orm(control), orm(control))
    assert (status(steps), list(steps.search([]))) == ("DISCONTINUED", [])
    assert refused(receiver, orm())[0] is Code.DUPLICATE_KEY


def test_what_has_begun_is_discontinued_and_not_cancelled(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, orm(), orm("SC", "IP"))
    code, _, text = refused(receiver, orm("CA"))
    assert (code, "it has begun" in text) == (Code.LOCKED, True)
    took(receiver, orm("DC"))
    assert status(steps) == "DISCONTINUED"
    assert refused(receiver, orm("SC", "CM"))[0] is Code.LOCKED


@pytest.mark.parametrize(
    ("said", "becomes"),
    [("SC", "SCHEDULED"), ("IP", "STARTED"), ("A", "STARTED"), ("CM", "COMPLETED"), ("CA", "DISCONTINUED")],
)
def test_the_status_follows_orc_5(receiver: Receiver, steps: ScheduledSteps, said: str, becomes: str) -> None:
    took(receiver, orm(), orm("SC", said))
    assert status(steps) == becomes


def test_an_order_of_several_steps_is_cancelled_as_a_whole(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, omi(), omi("CA"))
    assert list(steps.search([])) == []


def test_all_of_a_message_is_done_or_nothing(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, omi(IPC=IPC_1))
    assert refused(receiver, omi("XO"))[0] is Code.UNKNOWN_KEY  # the second step was never made
    with pytest.raises(NotFound):
        steps.get("2.999.77.3", "SPS3002")
    assert item(steps, OMI_NAMES)["00400007"]["Value"] == ["Encefalo basale"]


def test_another_patients_step_stays_as_it_is(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, orm())
    kept = steps.get(*ORM_NAMES)
    for control in ("NW", "XO", "CA", "DC"):
        code, _, text = refused(receiver, orm(control, PID=PID.replace("PZ4711", "PZ9")))
        assert (code, "another patient" in text) == (Code.LOCKED, True)
    assert steps.get(*ORM_NAMES) == kept


@pytest.mark.parametrize(
    ("message", "where", "code"),
    [
        (orm(PID=""), "PID", Code.SEQUENCE),
        (orm(ORC=""), "ORC", Code.SEQUENCE),
        (orm(OBR=""), "OBR", Code.SEQUENCE),
        (orm(PID="PID|1||^^^OSP||Rossi^Maria"), "PID-3", Code.MISSING),
        (orm(PID="PID|1||P1||"), "PID-5", Code.MISSING),
        (orm(PID="PID|1||P1||Rossi||1980-01-01"), "PID-7", Code.DATA_TYPE),
        (orm("HD"), "ORC-1", Code.NOT_IN_TABLE),
        (orm("SC", "XX"), "ORC-5", Code.NOT_IN_TABLE),
        (orm(ORC="ORC|NW|PLC1001|FIL2001"), "ORC-7", Code.MISSING),
        (orm(ORC="ORC|NW|PLC1001|FIL2001||||^^^domani"), "ORC-7", Code.DATA_TYPE),
        (orm(OBR=OBR.replace("|CT||", "|||")), "OBR-24", Code.MISSING),
        (orm(OBR=OBR.replace("|CT||", "|ct scan||")), "OBR-24", Code.DATA_TYPE),
        (orm(OBR=OBR.replace("ACC1001", "A" * 17)), "OBR-18", Code.DATA_TYPE),
        (orm(OBR=OBR.replace("SPS1001", "S" * 17)), "OBR-20", Code.DATA_TYPE),
        (orm(ZDS="ZDS|no uid"), "ZDS-1", Code.DATA_TYPE),
        (orm(OBR="OBR|1|PLC1001|FIL2001"), "OBR-4", Code.MISSING),
        (omi(TQ1=""), "TQ1-7", Code.MISSING),
        (omi(IPC=IPC_1.replace("MR^", "^")), "IPC-5", Code.MISSING),
        (omi(IPC=IPC_1.replace("RM1AE", "R" * 17)), "IPC-9", Code.DATA_TYPE),
        (orm(MSH=ZDS), "MSH", Code.SEQUENCE),
        (orm().replace(b"ORM^O01", b"ADT^A01"), "MSH-9", Code.MESSAGE_TYPE),
    ],
)
def test_what_is_wrong_is_named(
    receiver: Receiver, steps: ScheduledSteps, message: bytes, where: str, code: Code
) -> None:
    found = refused(receiver, message)
    assert found[:2] == (code, where)
    assert list(steps.search([])) == []


def test_an_order_of_several_steps_names_each() -> None:
    both = omi().replace(b"SPS3001", b"").replace(b"SPS3002", b"")
    with pytest.raises(MessageRefused, match="IPC-4"):
        steps_of(Message(both))


def test_a_step_without_a_station_is_for_any_of_its_modality(
    receiver: Receiver, steps: ScheduledSteps
) -> None:
    took(receiver, orm(OBR=OBR.replace("CT1|", "|")))
    assert item(steps)["00400001"]["Value"] == ["CT"]


def test_a_message_needs_no_visit(receiver: Receiver, steps: ScheduledSteps) -> None:
    took(receiver, orm(PV1=""))
    assert steps.get(*ORM_NAMES)["00380300"] == {"vr": "LO"}


def test_values_that_dicom_parts_are_written_as_text(receiver: Receiver, steps: ScheduledSteps) -> None:
    """A backslash parts values, a caret the components of names."""
    took(receiver, orm(PID="PID|1||P1||O\\E\\Neil\\S\\x^Ma=ria", OBR=OBR.replace("Torace", "a\\E\\b")))
    made = Dataset.from_json(steps.get(*ORM_NAMES))
    assert str(made.PatientName) == "O Neil x^Ma ria"
    assert made.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "a b senza mdc"


def test_nothing_of_a_patient_is_in_what_is_logged(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    took(receiver, orm())
    for wrong in (orm("XO", PID=PID.replace("PZ4711", "PZ9")), orm(OBR=OBR.replace("ACC1001", "A" * 17))):
        refused(receiver, wrong)
    logged = capsys.readouterr().out
    assert "order refused" in logged
    for private in ("PZ", "DLANCL", "Niccol", "AAAA", "19800101"):
        assert private not in logged


def test_an_order_that_the_archive_fails_on_is_answered(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sent it would send it again and again, and nothing after it."""
    monkeypatch.setattr("hl7v2.receiver.steps_of", lambda message: message["none"])
    code, _, reason = refused(receiver, orm())
    assert code is Code.INTERNAL
    assert "the archive failed" in reason
    monkeypatch.undo()
    took(receiver, orm())


@given(st.data())
def test_whatever_is_written_in_an_order_is_read_or_refused(data: st.DataObject) -> None:
    """Nothing else is raised than what becomes an acknowledgement."""
    content = bytearray(data.draw(st.sampled_from([orm(), omi(), orm("SC", "IP")])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        put = st.sampled_from(
            [b"|", b"^", b"~", b"&", b"\\", b"\r", b"\xf2", b"\x00", b"MSH", b"IPC|", b"-1"]
        )
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(put)
    try:
        assert steps_of(Message(bytes(content)))
    except MessageRefused as refused:
        assert str(refused)
