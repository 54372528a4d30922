"""C-FIND (PS3.4 Annex C) over real associations."""

import copy
from struct import pack

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.dsutils import encode

from pacs.dimse.command import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_FIND_RQ,
    DATA_SET,
    NO_DATA_SET,
    RESPONSE,
    decode_command,
    encode_command,
)
from pacs.dimse.wire import data_pdus
from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.ct import ct_series
from testdata.mr import mr_series
from tests.pacs.dimse.peer import PATIENT_ROOT_FIND, STUDY_ROOT_FIND, RawPeer, associated, find, store


def identifier(level: str, **keys: object) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def series(port: int) -> list[Dataset]:
    """A CT and an MR study, kept."""
    datasets = [*ct_series(slices=3, rows=32, columns=32), *mr_series(slices=2, rows=32, columns=32)]
    for dataset in datasets:
        assert store(port, dataset).Status == 0
    return datasets


def test_a_study_is_found_with_what_is_counted(port: int, series: list[Dataset]) -> None:
    ct = series[0]
    asked = identifier(
        "STUDY",
        StudyInstanceUID="",
        PatientName="",
        PatientID=ct.PatientID,
        ModalitiesInStudy="",
        NumberOfStudyRelatedSeries="",
        NumberOfStudyRelatedInstances="",
        StudyDate="",
    )
    (found,), last = find(port, asked)
    assert last.Status == 0
    assert found.StudyInstanceUID == ct.StudyInstanceUID
    assert str(found.PatientName) == str(ct.PatientName)
    assert found.ModalitiesInStudy == "CT"
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (1, 3)
    assert (found.QueryRetrieveLevel, found.RetrieveAETitle) == ("STUDY", "DIAFANA")


def test_only_asked_keys_are_returned(port: int, series: list[Dataset]) -> None:
    found, _ = find(port, identifier("STUDY", StudyInstanceUID=series[0].StudyInstanceUID))
    keywords = {element.keyword for element in found[0]}
    assert keywords == {"StudyInstanceUID", "QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability"}


@pytest.mark.parametrize("model", [STUDY_ROOT_FIND, PATIENT_ROOT_FIND])
@pytest.mark.usefixtures("series")
def test_all_levels_are_answered(model: str, port: int) -> None:
    uids = {"StudyInstanceUID": "", "SeriesInstanceUID": "", "SOPInstanceUID": ""}
    expected = {"STUDY": 2, "SERIES": 2, "IMAGE": 5} | ({"PATIENT": 2} if model == PATIENT_ROOT_FIND else {})
    for level, number in expected.items():
        keys = uids if level != "PATIENT" else {"PatientID": ""}
        answers, last = find(port, identifier(level, **keys), model)
        assert (level, len(answers), last.Status) == (level, number, 0)


def test_the_patient_level_is_not_part_of_study_root(port: int, series: list[Dataset]) -> None:
    assert series
    answers, last = find(port, identifier("PATIENT", PatientID=""))
    assert (answers, last.Status) == ([], 0xA900)
    assert "QueryRetrieveLevel" in last.ErrorComment


@pytest.mark.parametrize(
    "keys", [{"StudyDate": "yesterday"}, {"StudyInstanceUID": "1.2.*"}, {"StudyTime": "99-x"}]
)
def test_a_key_that_cannot_be_understood_is_named(keys: dict[str, str], port: int) -> None:
    answers, last = find(port, identifier("STUDY", **keys))
    assert (answers, last.Status) == ([], 0xA900)
    assert next(iter(keys)) in last.ErrorComment


def test_matching_by_wildcard_range_list_and_modality(port: int, series: list[Dataset]) -> None:
    ct, mr = series[0], series[-1]
    family = str(ct.PatientName).split("^")[0]
    cases: list[tuple[dict[str, object], set[str]]] = [
        ({"PatientName": f"{family.lower()[:3]}*"}, {ct.StudyInstanceUID}),
        (
            {"StudyInstanceUID": [ct.StudyInstanceUID, mr.StudyInstanceUID]},
            {ct.StudyInstanceUID, mr.StudyInstanceUID},
        ),
        (
            {"StudyDate": f"{ct.StudyDate}-{ct.StudyDate}"},
            {s.StudyInstanceUID for s in (ct, mr) if s.StudyDate == ct.StudyDate},
        ),
        ({"ModalitiesInStudy": "MR"}, {mr.StudyInstanceUID}),
        ({"ModalitiesInStudy": ["MR", "CT"]}, {ct.StudyInstanceUID, mr.StudyInstanceUID}),
        ({"StudyDate": "19000101-19000102"}, set()),
    ]
    for keys, expected in cases:
        asked = identifier("STUDY", **({"StudyInstanceUID": ""} | keys))
        answers, last = find(port, asked)
        assert ({a.StudyInstanceUID for a in answers}, last.Status) == (expected, 0), keys


def test_unsupported_keys_are_told_by_the_status(port: int, series: list[Dataset]) -> None:
    asked = identifier("STUDY", StudyInstanceUID=series[0].StudyInstanceUID, ImageComments="")
    with associated(port, (STUDY_ROOT_FIND, ExplicitVRLittleEndian)) as association:
        statuses = [status.Status for status, _ in association.send_c_find(asked, STUDY_ROOT_FIND)]
    assert statuses == [0xFF01, 0]


@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_names_are_answered_in_the_asked_character_set_or_in_utf_8(terms: str, port: int) -> None:
    dataset = in_character_set(terms)
    written = CHARACTER_SETS[terms]
    assert store(port, dataset).Status == 0
    asked = identifier(
        "STUDY", StudyInstanceUID=dataset.StudyInstanceUID, PatientName="", StudyDescription=""
    )
    for wanted in (None, "ISO_IR 192", "ISO_IR 100", terms.split("\\")):
        question = copy.deepcopy(asked)
        if wanted:
            question.SpecificCharacterSet = wanted
        (found,), _ = find(port, question)
        assert wanted or found.SpecificCharacterSet == "ISO_IR 192"
        found.decode()
        assert str(found.PatientName).rstrip("=") == written.name
        assert found.StudyDescription == written.description


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ("ISO_IR 144", "ISO_IR 144"),
        ("ISO_IR 100", "ISO_IR 192"),
        (None, "ISO_IR 192"),
        ("iso-ir 144", "ISO_IR 144"),
    ],
)
def test_items_are_told_in_the_character_set_of_the_answer(terms: str | None, told: str, port: int) -> None:
    """Whatever the items of the object said of themselves."""
    (dataset,) = ct_series(slices=1, rows=16, columns=16)
    item = Dataset()
    item.ScheduledProcedureStepDescription = "Грудь"
    item.SpecificCharacterSet = "ISO_IR 144"
    dataset.RequestAttributesSequence = [item]
    assert store(port, dataset).Status == 0
    asked = identifier("SERIES", SeriesInstanceUID=dataset.SeriesInstanceUID, RequestAttributesSequence=None)
    if terms:
        asked.SpecificCharacterSet = terms
    ((answer,), _) = find(port, asked)
    (found,) = answer.RequestAttributesSequence
    answer.decode()
    assert answer.SpecificCharacterSet == told
    assert "SpecificCharacterSet" not in found
    assert found.ScheduledProcedureStepDescription == "Грудь"


@pytest.mark.parametrize("terms", ["ISO_IR 100", "ISO_IR 192"])
def test_names_match_without_accents_and_case(terms: str, port: int) -> None:
    dataset = in_character_set(terms)
    assert store(port, dataset).Status == 0
    for pattern in ("PETRINI^NICCOLO*", "pètrini*", "Petrini^Niccol?*", "*NICCOLÒ*"):
        asked = identifier(
            "STUDY", StudyInstanceUID="", PatientName=pattern, SpecificCharacterSet="ISO_IR 192"
        )
        answers, _ = find(port, asked)
        assert [a.StudyInstanceUID for a in answers] == [dataset.StudyInstanceUID], pattern


def test_a_query_can_be_cancelled(port: int) -> None:
    for dataset in mr_series(slices=60, rows=16, columns=16):
        assert store(port, dataset).Status == 0
    sender = AE("SENDER")
    sender.add_requested_context(STUDY_ROOT_FIND, ExplicitVRLittleEndian)
    association = sender.associate("127.0.0.1", port)
    statuses = []
    for status, _ in association.send_c_find(
        identifier("IMAGE", SOPInstanceUID=""), STUDY_ROOT_FIND, msg_id=5
    ):
        statuses.append(status.Status)
        if len(statuses) == 1:
            association.send_c_cancel(5, query_model=STUDY_ROOT_FIND)
    association.release()
    assert statuses[-1] in (0xFE00, 0x0000)
    assert statuses[-1] == 0xFE00 or len(statuses) == 61


def test_what_came_with_a_query_is_heeded_after_it(port: int) -> None:
    """A PDU may hold the parts of several messages; more is read while the first is answered."""
    for dataset in mr_series(slices=60, rows=16, columns=16):
        assert store(port, dataset).Status == 0
    query = {"AffectedSOPClassUID": STUDY_ROOT_FIND, "CommandField": C_FIND_RQ, "MessageID": 1, "Priority": 0}
    echo = {"AffectedSOPClassUID": STUDY_ROOT_FIND, "CommandField": C_ECHO_RQ, "MessageID": 2}
    cancel = {"CommandField": C_CANCEL_RQ, "MessageIDBeingRespondedTo": 7, "CommandDataSetType": NO_DATA_SET}
    parts = [
        (True, encode_command(query | {"CommandDataSetType": DATA_SET})),
        (False, encode(identifier("IMAGE", SOPInstanceUID=""), False, True) or b""),
        (True, encode_command(echo | {"CommandDataSetType": NO_DATA_SET})),
    ]
    content = b"".join(b"".join(data_pdus(1, is_command, data, 16384))[6:] for is_command, data in parts)
    answers: list[dict[str, object]] = []
    with RawPeer(port) as peer:
        peer.associate(STUDY_ROOT_FIND)
        peer.socket.sendall(pack(">BBI", 4, 0, len(content)) + content)
        while not answers or answers[-1]["MessageIDBeingRespondedTo"] != 2:
            kind, answer = peer.read()
            assert kind == 4
            if not answers:
                peer.socket.sendall(b"".join(data_pdus(1, True, encode_command(cancel), 16384)) * 9)
            if answer[5] & 1:
                answers.append(decode_command(answer[6:]))
    assert [answer["Status"] for answer in answers[-3:]] == [0xFF00, 0x0000, 0x0000]
    assert answers[-1]["CommandField"] == C_ECHO_RQ | RESPONSE


def test_an_identifier_that_cannot_be_read_is_refused(port: int) -> None:
    with RawPeer(port) as peer:
        peer.associate(STUDY_ROOT_FIND)
        command = {
            "AffectedSOPClassUID": STUDY_ROOT_FIND,
            "CommandField": C_FIND_RQ,
            "MessageID": 1,
            "Priority": 0,
        }
        pdus = list(data_pdus(1, True, encode_command(command | {"CommandDataSetType": DATA_SET}), 16384))
        pdus += data_pdus(1, False, b"\x08\0\x52\0CS\xff\xffSTUDY", 16384)
        peer.socket.sendall(b"".join(pdus))
        kind, content = peer.read()
    assert kind == 4
    assert decode_command(content[6:])["Status"] == 0xC000
