"""Modality Performed Procedure Steps over real associations (PS3.4 F.7.2 and F.8.2)."""

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dsutils import encode

from pacs.dimse.command import (
    DATA_SET,
    N_CREATE_RQ,
    N_SET_RQ,
    NO_DATA_SET,
    Command,
    decode_command,
    encode_command,
)
from pacs.dimse.sop_classes import PERFORMED_STEP, PERFORMED_STEP_RETRIEVE
from pacs.dimse.wire import data_pdus
from pacs.index import Index
from pacs.procedure_steps.scheduled import ScheduledSteps
from testdata.procedure_steps import STUDY, begun_step, elements, ended_step, scheduled_step, without
from tests.pacs.dimse.peer import RawPeer, associated

UID = "2.999.15.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SYNTAXES: list[str] = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def as_data_set(attributes: dict[str, Any], character_set: str = "ISO_IR 100") -> Dataset:
    data_set = Dataset.from_json(attributes)
    data_set.SpecificCharacterSet = character_set
    return data_set


def create(port: int, given: dict[str, Any], uid: str | None = UID, syntax: Any = SYNTAXES) -> Dataset:
    with associated(port, (PERFORMED_STEP, syntax)) as association:
        return association.send_n_create(as_data_set(given), PERFORMED_STEP, uid)[0]


def set_(port: int, given: dict[str, Any], uid: str = UID) -> Dataset:
    with associated(port, (PERFORMED_STEP, SYNTAXES)) as association:
        return association.send_n_set(as_data_set(given), PERFORMED_STEP, uid)[0]


def get(port: int, *tags: int, uid: str = UID) -> tuple[Dataset, Dataset | None]:
    with associated(port, (PERFORMED_STEP_RETRIEVE, SYNTAXES)) as association:
        status, attributes = association.send_n_get([Tag(tag) for tag in tags], PERFORMED_STEP_RETRIEVE, uid)
    return status, attributes


SET = {
    "CommandField": N_SET_RQ,
    "RequestedSOPClassUID": PERFORMED_STEP,
    "RequestedSOPInstanceUID": UID,
}


def raw(port: int, command: Command, data_set: bytes = b"") -> Command:
    """The command of the response to a request that is sent as it is."""
    has_data = DATA_SET if data_set else NO_DATA_SET
    parts = [(True, encode_command({**command, "MessageID": 1, "CommandDataSetType": has_data}))]
    parts += [(False, data_set)] if data_set else []
    with RawPeer(port) as peer:
        peer.associate(PERFORMED_STEP)
        for is_command, content in parts:
            peer.socket.sendall(b"".join(data_pdus(1, is_command, content, 16384)))
        kind, answer = peer.read()
    assert kind == 4
    return decode_command(answer[6:])


def step_status(port: int) -> str:
    status, attributes = get(port)
    assert (status.Status, attributes is None) == (0, False)
    assert attributes is not None
    return str(attributes.PerformedProcedureStepStatus)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_a_step_is_begun_and_ended(port: int, index: Index, syntax: str, final: str) -> None:
    """It brings the scheduled step along."""
    scheduled = ScheduledSteps(index.worklist)
    scheduled.create(scheduled_step("SPS1"))
    assert create(port, begun_step(PatientName="D'Alò^Niccolò"), syntax=syntax).Status == 0
    assert step_status(port) == "IN PROGRESS"
    assert _status_of(scheduled) == "STARTED"
    assert set_(port, ended_step(final)).Status == 0
    assert step_status(port) == final
    assert _status_of(scheduled) == final
    _, attributes = get(port)
    assert attributes is not None
    attributes.decode()
    assert str(attributes.PatientName) == "D'Alò^Niccolò"
    assert attributes.SpecificCharacterSet == "ISO_IR 192"
    assert attributes.SOPInstanceUID == UID
    assert attributes.PerformedSeriesSequence[0].SeriesInstanceUID == f"{STUDY}.1"


def _status_of(scheduled: ScheduledSteps) -> str:
    item = scheduled.get(STUDY, "SPS1")["00400100"]["Value"][0]
    return str(item["00400020"]["Value"][0])


@pytest.mark.parametrize("final", ["COMPLETED", "DISCONTINUED"])
def test_after_its_end_it_may_no_longer_be_updated(port: int, final: str) -> None:
    """F.7.2.2.4 and Table F.7.2-2: the step stays as it is."""
    create(port, begun_step())
    set_(port, ended_step(final))
    before = get(port)[1]
    for change in (elements(PerformedProcedureStepDescription="Altro"), ended_step("COMPLETED")):
        refused = set_(port, change)
        assert (refused.Status, refused.ErrorID) == (0x0110, 0xA710)
        assert refused.ErrorComment == "Performed Procedure Step Object may no longer be updated"
    assert get(port)[1] == before


@pytest.mark.parametrize(
    ("given", "status", "word"),
    [
        (without(begun_step(), "Modality"), 0x0120, "Modality is missing"),
        (begun_step(Modality=None), 0x0121, "Modality has no value"),
        (
            begun_step(PerformedProcedureStepStatus="PAUSED"),
            0x0106,
            "Status is none of",
        ),
        (begun_step(PerformedProcedureStepStatus="COMPLETED"), 0x0106, "is not IN PROGRESS"),
        (begun_step(PerformedProcedureStepStartDate="oggi"), 0x0106, "PerformedProcedureStepStartDate"),
        (begun_step(SOPInstanceUID="2.999.7"), 0x0106, "SOPInstanceUID is not that of the request"),
    ],
)
def test_what_is_wrong_at_the_beginning_is_named(
    port: int, given: dict[str, Any], status: int, word: str
) -> None:
    refused = create(port, given)
    assert refused.Status == status
    assert word in refused.ErrorComment
    assert get(port)[0].Status == 0x0112


def test_there_is_one_step_of_a_name(port: int) -> None:
    assert create(port, begun_step()).Status == 0
    again = create(port, begun_step(PerformedProcedureStepID="PPS2"))
    assert again.Status == 0x0111
    _, attributes = get(port)
    assert attributes is not None
    assert attributes.PerformedProcedureStepID == "PPS1"


def test_a_step_that_nobody_knows_is_told(port: int) -> None:
    assert set_(port, ended_step()).Status == 0x0112
    assert get(port)[0].Status == 0x0112


@pytest.mark.parametrize("uid", ["", "1.2.x"])
def test_a_name_that_is_none_is_told(port: int, uid: str) -> None:
    """PS3.7 C.5.6."""
    assert raw(port, SET | {"RequestedSOPInstanceUID": uid})["Status"] == 0x0117


def test_a_step_without_a_name_is_given_one(port: int) -> None:
    """PS3.7 10.1.5.1.4."""
    data_set = encode(as_data_set(begun_step()), False, True) or b""
    answer = raw(port, {"CommandField": N_CREATE_RQ, "AffectedSOPClassUID": PERFORMED_STEP}, data_set)
    assert answer["Status"] == 0
    assert get(port, uid=answer["AffectedSOPInstanceUID"])[0].Status == 0


def test_what_may_not_be_set_and_what_lacks_at_the_end(port: int) -> None:
    create(port, begun_step())
    refused = set_(port, elements(PatientName="Verdi^Ugo"))
    assert (refused.Status, "PatientName is not allowed" in refused.ErrorComment) == (0x0106, True)
    refused = set_(port, elements(PerformedProcedureStepDiscontinuationReasonCodeSequence=None))
    assert refused.Status == 0x0105
    refused = set_(port, elements(PerformedProcedureStepStatus="COMPLETED"))
    assert refused.Status == 0x0121
    assert step_status(port) == "IN PROGRESS"


def test_of_a_step_is_given_what_is_asked_for(port: int) -> None:
    """F.8.2.1.2 and Table F.8.2-2."""
    create(port, begun_step())
    status, attributes = get(port, 0x00100010, 0x00400252)
    assert status.Status == 0
    assert attributes is not None
    assert [element.keyword for element in attributes] == [
        "SpecificCharacterSet",
        "PatientName",
        "PerformedProcedureStepStatus",
    ]
    status, attributes = get(port, 0x00100010, 0x00102180)
    assert status.Status == 0x0001
    assert attributes is not None
    assert "PatientName" in attributes


@pytest.mark.parametrize("data_set", [b"\x10\0\x10\0PN\xff\xffRossi", b"\x10\0\x10\0" * 9])
def test_a_data_set_that_cannot_be_read_is_refused(port: int, data_set: bytes) -> None:
    create(port, begun_step())
    assert raw(port, SET, data_set)["Status"] == 0x0110
    assert step_status(port) == "IN PROGRESS"


def test_a_step_can_name_thousands_of_instances(port: int) -> None:
    references = [
        elements(
            ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=f"{STUDY}.1.{number}"
        )
        for number in range(5000)
    ]
    create(port, begun_step())
    ended = ended_step()
    ended["00400340"]["Value"][0]["00081140"]["Value"] = references
    assert set_(port, ended).Status == 0
    _, attributes = get(port, 0x00400340)
    assert attributes is not None
    assert len(attributes.PerformedSeriesSequence[0].ReferencedImageSequence) == 5000
