"""The modality worklist on both databases (PS3.4 K.6)."""

from collections.abc import Mapping
from typing import Any

import pytest

from pacs.errors import InvalidStep, NotFound, StepConflict
from pacs.index import Index
from pacs.keys import parse_criteria
from pacs.procedure_steps.scheduled import ScheduledSteps
from pacs.procedure_steps.scheduled_attributes import KEYS, SEQUENCE
from pacs.query import Semantics
from testdata.procedure_steps import STUDY, code, elements, scheduled_step, without

BY_NAME = {".".join(key.path): key for key in KEYS}
STEPS = "00400100"


@pytest.fixture
def steps(index: Index) -> ScheduledSteps:
    return ScheduledSteps(index.worklist)


@pytest.fixture
def planned(steps: ScheduledSteps) -> ScheduledSteps:
    """Three days of two scanners."""
    of_days: dict[str, dict[str, Any]] = {
        "A": {"date": "20261130", "time": "0830"},
        "B": {"date": "20261130", "time": "1700", "station": "MR1", "modality": "MR", "name": "山田^太郎"},
        "C": {"date": "20261201", "time": "0900", "name": "Παπαδοπούλου^Ελένη", "patient_id": "P2"},
        "D": {"date": "20261202", "time": "1100", "name": "Ròssi^Màrio", "patient_id": "P3"},
    }
    for step_id, others in of_days.items():
        steps.create(scheduled_step(step_id, **others))
    return steps


def ids(found: Any) -> list[str]:
    return [one[STEPS]["Value"][0]["00400009"]["Value"][0] for one in found]


def search(steps: ScheduledSteps, keys: Mapping[str, list[str]]) -> list[str]:
    of_step = {key.keyword: key for key in KEYS if key.path[0] == SEQUENCE and len(key.path) == 2}
    named = {BY_NAME.get(name) or of_step[name]: values for name, values in keys.items()}
    return ids(steps.search(parse_criteria(named, Semantics(combined_datetime=True))))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "ABCD"),
        ({"ScheduledStationAETitle": ["CT1"]}, "ACD"),
        ({"Modality": ["MR"]}, "B"),
        ({"ScheduledProcedureStepStartDate": ["20261130"]}, "AB"),
        ({"ScheduledProcedureStepStartDate": ["20261201-"]}, "CD"),
        ({"ScheduledProcedureStepStartTime": ["0800-0900"]}, "AC"),
        (  # one range, from the first moment to the last
            {
                "ScheduledProcedureStepStartDate": ["20261130-20261202"],
                "ScheduledProcedureStepStartTime": ["1000-1000"],
            },
            "BC",
        ),
        (
            {
                "ScheduledProcedureStepStartDate": ["20261130"],
                "ScheduledProcedureStepStartTime": ["0800-1200"],
            },
            "A",
        ),
        ({"PatientName": ["rossi*"]}, "AD"),
        ({"PatientName": ["παπαδοπουλου*"]}, "C"),
        ({"PatientName": ["山田*"]}, "B"),
        ({"PatientID": ["P2"], "Modality": ["CT"]}, "C"),
        ({"PatientID": ["P2"], "Modality": ["MR"]}, ""),
        ({"StudyInstanceUID": [STUDY, "1.2.3"]}, "ABCD"),
        ({"ScheduledProcedureStepID": ["D"]}, "D"),
        ({"ScheduledPerformingPhysicianName": ["bianchi*"]}, "ABCD"),
    ],
    ids=str,
)
def test_keys_match(planned: ScheduledSteps, keys: dict[str, list[str]], expected: str) -> None:
    assert search(planned, keys) == list(expected)


def test_pages_are_in_a_stable_order(planned: ScheduledSteps) -> None:
    assert [ids(planned.search([], 2, offset)) for offset in (0, 2, 4)] == [["A", "B"], ["C", "D"], []]


def test_what_names_a_step_is_made_where_it_is_absent(steps: ScheduledSteps) -> None:
    study, step = steps.create(without(scheduled_step(None, study=None), "RequestedProcedureID"))
    made = steps.get(study, step)
    assert made["0020000D"]["Value"] == [study]
    assert made["00401001"]["Value"] == [step]
    assert made[STEPS]["Value"][0]["00400020"]["Value"] == ["SCHEDULED"]
    assert len(step) == 16
    assert steps.create(scheduled_step(None, study=study)) != (study, step)


@pytest.mark.parametrize(
    "absent",
    ["PatientName", "PatientID", "ScheduledStationAETitle", "Modality", "ScheduledProcedureStepStartTime"],
)
def test_what_is_required_is_named(steps: ScheduledSteps, absent: str) -> None:
    given = scheduled_step()
    (tag,) = elements(**{absent: None})
    (given if tag in given else given[STEPS]["Value"][0]).pop(tag)
    with pytest.raises(InvalidStep, match=f"{absent} is missing"):
        steps.create(given)
    assert ids(steps.search([])) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"date": "soon"}, "StartDate is no date"),
        ({"time": "noon"}, "StartTime is no time"),
        ({"study": "abc"}, "StudyInstanceUID is no uid"),
        ({"ScheduledProcedureStepSequence": []}, "0 items, not one"),
        ({"ScheduledProcedureStepSequence": [{}, {}]}, "2 items, not one"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(steps: ScheduledSteps, changed: dict[str, Any], message: str) -> None:
    sequence = {"ScheduledProcedureStepSequence"} & changed.keys()
    given = scheduled_step() if sequence else scheduled_step(**changed)
    for keyword in sequence:
        given[STEPS]["Value"] = changed[keyword]
    with pytest.raises(InvalidStep, match=message):
        steps.create(given)


DESCRIPTIONS = {
    "ScheduledProcedureStepDescription": "ScheduledProtocolCodeSequence",
    "RequestedProcedureDescription": "RequestedProcedureCodeSequence",
}


@pytest.mark.parametrize(("description", "codes"), DESCRIPTIONS.items(), ids=list(DESCRIPTIONS.values()))
def test_words_or_codes_tell_what_to_do(steps: ScheduledSteps, description: str, codes: str) -> None:
    """Return Key Type 1C: one of both. Codes need no meaning (Table 8-2a)."""
    given = scheduled_step()
    (tag,) = elements(**{description: None})
    holder = given if tag in given else given[STEPS]["Value"][0]
    del holder[tag]
    with pytest.raises(InvalidStep, match=f"{description} is missing.*{codes} is missing"):
        steps.create(given)
    holder |= elements(**{codes: [code("TC1", None)]})
    with pytest.raises(InvalidStep, match=f"{codes} has an item without coding scheme designator"):
        steps.create(given)
    holder |= elements(**{codes: [code("TC1")]})
    steps.create(given)
    assert ids(steps.search([])) == ["SPS1"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"ValueType": "TEXT", "TextValue": "80 ml"}, ""),
        ({"ValueType": "TEXT"}, "TextValue is missing"),
        ({"ValueType": "NUMERIC", "NumericValue": "80"}, "MeasurementUnitsCodeSequence is missing"),
        ({"TextValue": "80 ml"}, "ValueType is missing"),
    ],
    ids=["text", "no text", "no unit", "no type"],
)
def test_the_context_of_a_protocol_has_its_value(
    steps: ScheduledSteps, value: dict[str, Any], problem: str
) -> None:
    name = code("122083", "DCM", "Drug administered")
    protocol = code("TC1") | elements(
        ProtocolContextSequence=[elements(ConceptNameCodeSequence=[name], **value)]
    )
    given = scheduled_step(step={"ScheduledProtocolCodeSequence": [protocol]})
    if problem:
        with pytest.raises(InvalidStep, match=f"ProtocolContextSequence.{problem}"):
            steps.create(given)
    else:
        steps.create(given)
        assert ids(steps.search([])) == ["SPS1"]


def test_what_nobody_knows_is_answered_without_a_value(steps: ScheduledSteps) -> None:
    """Return Key Type 2, in items too; 2C and 3 are left out."""
    document = elements(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", ReferencedSOPInstanceUID="1.2")
    given = scheduled_step(PertinentDocumentsSequence=[document])
    before = len(given), len(given[STEPS]["Value"][0])
    steps.create(given)
    (found,) = steps.search([])
    (item,) = found[STEPS]["Value"]
    expected = elements(RequestingPhysician=None, PatientWeight=None, PregnancyStatus=None)
    assert {tag: found.get(tag) for tag in expected} == expected
    assert item["00400010"] == {"vr": "SH"}
    assert found["00380100"]["Value"] == [
        document | elements(PurposeOfReferenceCodeSequence=None, DocumentTitle=None)
    ]
    assert not {"00101020", "22000005"} & found.keys()
    assert not {"00400012", "00321070"} & item.keys()
    assert list(found) == sorted(found)
    assert list(item) == sorted(item)
    assert (len(given), len(given[STEPS]["Value"][0])) == before, "what was given is left as it was"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ScheduledSpecimenSequence.ContainerIdentifier", "S1"),
        ("ScheduledSpecimenSequence.SpecimenDescriptionSequence.SpecimenUID", "2.999.5"),
        ("BarcodeValue", "S1"),
        ("RequestedLateralityCodeSequence.CodeValue", "7771000"),
        ("PatientPrimaryLanguageCodeSequence.CodeValue", "it"),
        ("PatientPrimaryLanguageCodeSequence.PatientPrimaryLanguageModifierCodeSequence.CodeValue", "CH"),
    ],
)
def test_keys_inside_sequences_match(steps: ScheduledSteps, name: str, value: str) -> None:
    specimen = elements(SpecimenIdentifier="S1-A", SpecimenUID="2.999.5")
    container = elements(ContainerIdentifier="S1", SpecimenDescriptionSequence=[specimen])
    language = code("it", "RFC5646", "italiano") | elements(
        PatientPrimaryLanguageModifierCodeSequence=[code("CH", "ISO3166_1", "Svizzera")]
    )
    steps.create(
        scheduled_step(
            ScheduledSpecimenSequence=[container],
            BarcodeValue="S1",
            RequestedLateralityCodeSequence=[code("7771000", "SCT")],
            PatientPrimaryLanguageCodeSequence=[language],
        )
    )
    assert search(steps, {name: [value]}) == ["SPS1"]
    assert search(steps, {name: ["9.9"]}) == []


def test_what_is_marked_so_is_no_key() -> None:
    """Matching Key Type -, and universal matching only."""
    unmatched = ("ProtocolContextSequence", "PertinentDocumentsSequence", "ContainerTypeCodeSequence")
    assert not [name for name in BY_NAME if any(keyword in name for keyword in unmatched)]
    assert not {"SpecificCharacterSet", "TimezoneOffsetFromUTC"} & BY_NAME.keys()


def test_one_name_is_given_once(steps: ScheduledSteps) -> None:
    steps.create(scheduled_step())
    with pytest.raises(StepConflict, match="already"):
        steps.create(scheduled_step(name="Verdi^Ugo"))
    assert steps.get(STUDY, "SPS1")["00100010"]["Value"] == [{"Alphabetic": "Rossi^Maria"}]


def test_putting_makes_or_replaces(steps: ScheduledSteps) -> None:
    assert steps.put(STUDY, "SPS9", scheduled_step(None, study=None))
    assert not steps.put(STUDY, "SPS9", scheduled_step("SPS9", station="CT2"))
    assert search(steps, {"ScheduledStationAETitle": ["CT2"]}) == ["SPS9"]
    assert search(steps, {"ScheduledStationAETitle": ["CT1"]}) == []
    for other in (scheduled_step("SPS1"), scheduled_step("SPS9", study="1.2.3")):
        with pytest.raises(InvalidStep, match="not that of the request"):
            steps.put(STUDY, "SPS9", other)


def test_what_is_deleted_is_gone(planned: ScheduledSteps) -> None:
    planned.delete(STUDY, "B")
    assert search(planned, {}) == ["A", "C", "D"]
    with pytest.raises(NotFound):
        planned.delete(STUDY, "B")
    with pytest.raises(NotFound):
        planned.get(STUDY, "B")


def test_what_was_performed_is_found_only_by_its_status(planned: ScheduledSteps) -> None:
    planned.put(STUDY, "A", scheduled_step("A", step={"ScheduledProcedureStepStatus": "COMPLETED"}))
    assert search(planned, {}) == ["B", "C", "D"]
    assert search(planned, {"ScheduledProcedureStepStatus": ["COMPLETED"]}) == ["A"]
