"""The Modality Worklist (PS3.4 Annex K) over real associations; DCMTK's as the reference."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian
from pynetdicom import AE

from pacs.dataset.character_set import character_set
from pacs.dimse.sop_classes import MODALITY_WORKLIST
from pacs.index import Index
from pacs.procedure_steps.scheduled import ScheduledSteps
from testdata.defined_terms import ROWS, Named
from testdata.procedure_steps import code, elements, scheduled_step
from tests.pacs.dimse.peer import associated, find

STEPS = {
    "S1": scheduled_step("S1", date="20261130", time="0830", name="Rossi^Maria", patient_id="P1"),
    "S2": scheduled_step("S2", date="20261130", time="1645", name="Rossetti^Anna", patient_id="P2"),
    "S3": scheduled_step(
        "S3", station="MR1", modality="MR", date="20261201", time="0915", name="Bianchi^Ugo", patient_id="P3"
    ),
    "S4": scheduled_step(
        "S4",
        date="20261202",
        time="0700",
        name="D'Alò^Niccolò",
        patient_id="P4",
        study="2.999.14.4",
        RequestedProcedureCodeSequence=[code("88.38.1", "99NOM", "TC torace"), code("88.38.2", "99NOM")],
    ),
}


@pytest.fixture
def scheduled(index: Index) -> ScheduledSteps:
    steps = ScheduledSteps(index.worklist)
    for step in STEPS.values():
        steps.create(step)
    return steps


def asked(step: dict[str, Any] | None = None, **keys: Any) -> Dataset:
    """An identifier.  step: the keys of the item of the sequence."""
    item = Dataset()
    item.ScheduledProcedureStepID = ""
    for keyword, value in (step or {}).items():
        setattr(item, keyword, value)
    identifier = Dataset()
    identifier.ScheduledProcedureStepSequence = [item]
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return identifier


def found(port: int, identifier: Dataset) -> list[str]:
    answers, last = find(port, identifier, MODALITY_WORKLIST)
    assert last.Status == 0
    return [answer.ScheduledProcedureStepSequence[0].ScheduledProcedureStepID for answer in answers]


# What both must find: the required keys of Table K.6-1, alone and together
QUERIES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, ["S1", "S2", "S3", "S4"]),
    ({"ScheduledStationAETitle": "CT1"}, {}, ["S1", "S2", "S4"]),
    ({"ScheduledStationAETitle": "CT9"}, {}, []),
    ({"Modality": "MR"}, {}, ["S3"]),
    ({"ScheduledProcedureStepStartDate": "20261130"}, {}, ["S1", "S2"]),
    ({"ScheduledProcedureStepStartDate": "20261201-"}, {}, ["S3", "S4"]),
    ({"ScheduledProcedureStepStartDate": "-20261201"}, {}, ["S1", "S2", "S3"]),
    ({"ScheduledProcedureStepStartDate": "20261130-20261201", "Modality": "CT"}, {}, ["S1", "S2"]),
    ({"ScheduledProcedureStepStartTime": "0800-1000"}, {}, ["S1", "S3"]),
    ({"ScheduledPerformingPhysicianName": "Bianchi*"}, {}, ["S1", "S2", "S3", "S4"]),
    ({"ScheduledPerformingPhysicianName": "Neri*"}, {}, []),
    ({}, {"PatientName": "Ross*"}, ["S1", "S2"]),
    ({}, {"PatientName": "Rossi^Mari?"}, ["S1"]),
    ({}, {"PatientID": "P3"}, ["S3"]),
    ({"ScheduledStationAETitle": "CT1"}, {"PatientName": "*i^*"}, ["S1", "S2"]),
]


@pytest.mark.usefixtures("scheduled")
@pytest.mark.parametrize(("step", "keys", "expected"), QUERIES, ids=str)
def test_required_keys_find_what_they_should(
    port: int, step: dict[str, Any], keys: dict[str, Any], expected: list[str]
) -> None:
    assert found(port, asked(step, **keys)) == expected


@pytest.fixture(scope="module")
def their_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """DCMTK's worklist server with the same items."""
    folder = tmp_path_factory.mktemp("worklists")
    items = folder / "DIAFANA"
    items.mkdir()
    (items / "lockfile").touch()
    for name, step in STEPS.items():
        _write(items / f"{name}.wl", step)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(["wlmscpfs", "-dfr", "-dfp", folder, str(port)]) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.kill()


def _write(path: Path, step: dict[str, Any]) -> None:
    dataset = Dataset.from_json(step)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=False)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("wlmscpfs does not listen")


@pytest.mark.needs("wlmscpfs")
@pytest.mark.usefixtures("scheduled")
def test_dcmtk_finds_the_same(port: int, their_port: int) -> None:
    for step, keys, expected in QUERIES:
        assert sorted(found(their_port, asked(step, **keys))) == expected, (step, keys)
        assert found(port, asked(step, **keys)) == expected, (step, keys)


@pytest.mark.usefixtures("scheduled")
def test_dates_and_times_together_are_one_range(port: int) -> None:
    """Table K.6-1: from the first moment to the last."""
    dates = {"ScheduledProcedureStepStartDate": "20261130-20261201"}
    assert found(port, asked(dates | {"ScheduledProcedureStepStartTime": "1000-1200"})) == ["S2", "S3"]
    assert found(port, asked(dates | {"ScheduledProcedureStepStartTime": "-0900"})) == ["S1", "S2"]


@pytest.mark.usefixtures("scheduled")
def test_optional_keys_and_keys_of_sequences_find_too(port: int) -> None:
    code_key, reference = Dataset(), Dataset()
    code_key.CodeValue, code_key.CodingSchemeDesignator = "88.38.2", "99NOM"
    reference.CodeValue, reference.CodingSchemeDesignator = "88.38.2", "99ALTRO"
    assert found(port, asked(StudyInstanceUID="2.999.14.4")) == ["S4"]
    assert found(port, asked(AccessionNumber="A1", PatientSex="F", PatientID="P2")) == ["S2"]
    assert found(port, asked({"ScheduledProcedureStepID": "S3"})) == ["S3"]
    assert found(port, asked(RequestedProcedureCodeSequence=[code_key])) == ["S4"]
    assert found(port, asked(RequestedProcedureCodeSequence=[reference])) == []


@pytest.mark.usefixtures("scheduled")
def test_only_what_is_asked_for_is_answered(port: int) -> None:
    """K.4.1.1.3.2 and C.2.2.2.6: within items too; a sequence without keys is answered whole."""
    part = Dataset()
    part.CodeMeaning = ""
    wanted = asked(
        {"Modality": ""},
        PatientID="P4",
        MedicalAlerts="",
        PatientSize="",
        RequestedProcedureCodeSequence=[part],
    )
    ((answer,), last) = find(port, wanted, MODALITY_WORKLIST)
    assert last.Status == 0
    assert {element.keyword for element in answer} == {
        "PatientID",
        "MedicalAlerts",
        "PatientSize",
        "ScheduledProcedureStepSequence",
        "RequestedProcedureCodeSequence",
    }
    assert (answer.MedicalAlerts, answer.PatientSize) == ("", None)
    (step,) = answer.ScheduledProcedureStepSequence
    assert {element.keyword for element in step} == {"Modality", "ScheduledProcedureStepID"}
    assert [item.get("CodeMeaning") for item in answer.RequestedProcedureCodeSequence] == ["TC torace", ""]
    for whole in ([], [Dataset()]):
        wanted.ScheduledProcedureStepSequence = whole
        ((answer,), _) = find(port, wanted, MODALITY_WORKLIST)
        (step,) = answer.ScheduledProcedureStepSequence
        assert step.ScheduledProcedureStepStartDate == "20261202"
        assert str(step.ScheduledPerformingPhysicianName) == "Bianchi^Anna"


@pytest.mark.usefixtures("scheduled")
@pytest.mark.parametrize(
    ("terms", "answered"),
    [
        ("ISO_IR 100", "ISO_IR 100"),
        ("ISO_IR 192", "ISO_IR 192"),
        ("ISO_IR 144", "ISO_IR 192"),
        (None, "ISO_IR 192"),
    ],
)
def test_names_come_in_the_asked_character_set_or_in_utf_8(
    port: int, terms: str | None, answered: str
) -> None:
    wanted = asked(PatientID="P4", PatientName="d'alo^*")
    if terms:
        wanted.SpecificCharacterSet = terms
    ((answer,), _) = find(port, wanted, MODALITY_WORKLIST)
    assert answer.SpecificCharacterSet == answered
    answer.decode()
    assert str(answer.PatientName) == "D'Alò^Niccolò"


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.terms != "ISO_IR 6" and not row.terms.endswith(("203", "58"))],
    ids=lambda row: row.terms,
)
def test_a_step_is_found_and_told_in_any_character_set(index: Index, port: int, row: Named) -> None:
    """Also within the item of its sequence."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), row.name.split("="), strict=False)
    name = {"vr": "PN", "Value": [{group: text for group, text in groups if text}]}
    description = row.name.split("=")[-1].replace("^", " ")
    step = scheduled_step("S9", step={"CommentsOnTheScheduledProcedureStep": description})
    ScheduledSteps(index.worklist).create(step | {"00100010": name})
    for terms, told in (
        (row.terms, "\\".join(character_set(tuple(row.terms.split("\\"))).terms)),
        ("ISO_IR 192", "ISO_IR 192"),
        ("GB18030", "GB18030"),
        ("", "ISO_IR 192"),
    ):
        wanted = asked({"CommentsOnTheScheduledProcedureStep": ""}, PatientName=row.name)
        if terms:
            wanted.SpecificCharacterSet = terms.split("\\")
        else:
            wanted.PatientName = ""
        ((answer,), _) = find(port, wanted, MODALITY_WORKLIST)
        answer.decode()
        (item,) = answer.ScheduledProcedureStepSequence
        said = answer.SpecificCharacterSet
        assert (said if isinstance(said, str) else "\\".join(said)) == told
        assert str(answer.PatientName) == row.name
        assert item.CommentsOnTheScheduledProcedureStep == description
        assert "SpecificCharacterSet" not in item


@pytest.mark.usefixtures("scheduled")
def test_a_name_that_is_asked_in_another_character_set_is_found(port: int) -> None:
    assert found(port, asked(PatientName="D'Alò^NICCOLÒ", SpecificCharacterSet="ISO_IR 100")) == ["S4"]


@pytest.mark.usefixtures("scheduled")
@pytest.mark.parametrize(
    ("keys", "status"),
    [({"PatientWeight": "80"}, 0xFF01), ({"ImageComments": "x"}, 0xFF01), ({"PatientWeight": ""}, 0xFF00)],
    ids=str,
)
def test_a_key_that_nothing_is_compared_with_is_told_by_the_status(
    port: int, keys: dict[str, Any], status: int
) -> None:
    with associated(port, (MODALITY_WORKLIST, ExplicitVRLittleEndian)) as association:
        answers = association.send_c_find(asked(PatientID="P1", **keys), MODALITY_WORKLIST)
        assert [one.Status for one, _ in answers] == [status, 0]


@pytest.mark.parametrize(
    ("step", "word"),
    [
        ({"ScheduledProcedureStepStartDate": "domani"}, "ScheduledProcedureStepStartDate"),
        ({"ScheduledProcedureStepStartTime": "99-x"}, "ScheduledProcedureStepStartTime"),
    ],
)
def test_what_cannot_be_understood_is_named(port: int, step: dict[str, Any], word: str) -> None:
    answers, last = find(port, asked(step), MODALITY_WORKLIST)
    assert (answers, last.Status) == ([], 0xA900)
    assert word in last.ErrorComment


def test_a_sequence_key_has_one_item(port: int) -> None:
    wanted = asked()
    wanted.ScheduledProcedureStepSequence.append(Dataset())
    answers, last = find(port, wanted, MODALITY_WORKLIST)
    assert (answers, last.Status) == ([], 0xA900)
    assert "one item" in last.ErrorComment


def test_an_answer_can_be_cancelled(port: int, index: Index) -> None:
    steps = ScheduledSteps(index.worklist)
    for number in range(60):
        steps.create(scheduled_step(f"C{number}"))
    statuses = []
    sender = AE("SENDER")
    sender.add_requested_context(MODALITY_WORKLIST, ExplicitVRLittleEndian)
    association = sender.associate("127.0.0.1", port)
    for status, _ in association.send_c_find(asked(), MODALITY_WORKLIST, msg_id=5):
        statuses.append(status.Status)
        if len(statuses) == 1:
            association.send_c_cancel(5, query_model=MODALITY_WORKLIST)
    association.release()
    assert statuses[-1] == 0xFE00 or len(statuses) == 61


def test_what_was_performed_is_found_by_its_status_only(port: int, scheduled: ScheduledSteps) -> None:
    done = scheduled_step("S1", step={"ScheduledProcedureStepStatus": "COMPLETED"})
    scheduled.put("2.999.14.1", "S1", done)
    assert found(port, asked({"ScheduledStationAETitle": "CT1"})) == ["S2", "S4"]
    assert found(port, asked({"ScheduledProcedureStepStatus": "COMPLETED"})) == ["S1"]


@pytest.mark.usefixtures("scheduled")
def test_big_endian_is_answered(port: int) -> None:
    with associated(port, (MODALITY_WORKLIST, ExplicitVRBigEndian)) as association:
        answers = [*association.send_c_find(asked(PatientID="P1", PatientName=""), MODALITY_WORKLIST)]
    assert [status.Status for status, _ in answers] == [0xFF00, 0]
    found_first = answers[0][1]
    assert found_first is not None
    assert str(found_first.PatientName) == "Rossi^Maria"


@pytest.mark.needs("findscu")
@pytest.mark.usefixtures("scheduled")
def test_findscu_asks_for_the_worklist(port: int) -> None:
    item = "ScheduledProcedureStepSequence[0]"
    keys = (
        "PatientName=ROSS*",
        "PatientID",
        f"{item}.ScheduledStationAETitle=CT1",
        f"{item}.ScheduledProcedureStepStartDate=20261130",
        f"{item}.ScheduledProcedureStepStartTime",
        f"{item}.ScheduledProcedureStepID",
    )
    command = ["findscu", "-v", "-W", "-aec", "DIAFANA", *(word for key in keys for word in ("-k", key))]
    told = subprocess.run([*command, "127.0.0.1", str(port)], capture_output=True, text=True, check=True)
    output = (told.stdout + told.stderr).replace(" ]", "]")  # values are padded
    assert output.count("Pending") == 2, output
    for value in ("[Rossi^Maria]", "[Rossetti^Anna]", "[S1]", "[S2]", "[0830]"):
        assert value in output


def test_elements_of_the_table_are_kept_as_they_were_given(port: int, scheduled: ScheduledSteps) -> None:
    """Multiple values, and references, come back."""
    given = scheduled_step(
        "S9",
        station="X9",
        ReferencedPatientSequence=[
            elements(ReferencedSOPClassUID="1.2.840.10008.3.1.2.1.1", ReferencedSOPInstanceUID="2.999.9")
        ],
        MedicalAlerts=["Pacemaker", "Allergia allo iodio"],
        PatientWeight=71.5,
    )
    scheduled.create(given)
    wanted = asked(
        {"ScheduledStationAETitle": "X9"}, ReferencedPatientSequence=[], MedicalAlerts="", PatientWeight=""
    )
    ((answer,), _) = find(port, wanted, MODALITY_WORKLIST)
    assert answer.MedicalAlerts == ["Pacemaker", "Allergia allo iodio"]
    assert answer.PatientWeight == 71.5
    assert answer.ReferencedPatientSequence[0].ReferencedSOPInstanceUID == "2.999.9"


@pytest.mark.usefixtures("scheduled")
def test_an_element_of_another_vr_than_its_own_is_answered_as_it_is_kept(port: int) -> None:
    part = Dataset()
    part.CodeValue = ""
    wanted = asked(MedicalAlerts="", RequestedProcedureCodeSequence=[])
    wanted.add_new("PatientID", "SQ", [part])
    wanted.add_new("PatientSex", "UN", b"")
    with associated(port, (MODALITY_WORKLIST, ExplicitVRLittleEndian)) as association:
        answers = [*association.send_c_find(wanted, MODALITY_WORKLIST)]
    assert [status.Status for status, _ in answers] == [0xFF00] * 4 + [0]
    assert [answer.PatientID for _, answer in answers if answer] == ["P1", "P2", "P3", "P4"]
