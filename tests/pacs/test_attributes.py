"""The attribute table against the standard's own tables and the data dictionary."""

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from pacs.attributes import (
    ATTRIBUTES,
    BY_PATH,
    BY_TAG,
    DERIVED_KEYWORDS,
    Attribute,
    Matching,
    columns,
    stored_tags,
)
from pacs.model import Level

BY_KEYWORD = {attribute.keyword: attribute for attribute in ATTRIBUTES}

# Required and unique keys, PS3.4 Tables C.6-1 to C.6-4.
REQUIRED = {
    Level.PATIENT: "PatientName PatientID",
    Level.STUDY: "StudyDate StudyTime AccessionNumber StudyID StudyInstanceUID",
    Level.SERIES: "Modality SeriesNumber SeriesInstanceUID",
    Level.INSTANCE: "InstanceNumber SOPInstanceUID",
}

# What matches, PS3.18 Table 10.6.1-5; and what is returned at least, Tables 10.6.3-3 to 10.6.3-5.
QIDO_MATCHED = {
    Level.STUDY: """StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName PatientName
        PatientID StudyInstanceUID StudyID""",
    Level.SERIES: """Modality SeriesInstanceUID SeriesNumber PerformedProcedureStepStartDate
        PerformedProcedureStepStartTime ScheduledProcedureStepID RequestedProcedureID""",
    Level.INSTANCE: "SOPClassUID SOPInstanceUID InstanceNumber",
}
QIDO_RETURNED = {
    Level.STUDY: """StudyDate StudyTime AccessionNumber InstanceAvailability ModalitiesInStudy
        ReferringPhysicianName TimezoneOffsetFromUTC PatientName PatientID PatientBirthDate PatientSex
        StudyInstanceUID StudyID NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances""",
    Level.SERIES: """Modality TimezoneOffsetFromUTC SeriesDescription SeriesInstanceUID SeriesNumber
        NumberOfSeriesRelatedInstances PerformedProcedureStepStartDate PerformedProcedureStepStartTime
        RequestAttributesSequence""",
    Level.INSTANCE: """SOPClassUID SOPInstanceUID InstanceAvailability TimezoneOffsetFromUTC InstanceNumber
        Rows Columns BitsAllocated NumberOfFrames""",
}


@pytest.mark.parametrize("level", Level)
def test_the_required_keys_of_each_level_match(level: Level) -> None:
    for keyword in REQUIRED[level].split():
        assert BY_KEYWORD[keyword].level is level
        assert BY_KEYWORD[keyword].matching not in (Matching.RETURNED, Matching.COMPUTED)


@pytest.mark.parametrize("level", QIDO_MATCHED)
def test_what_a_search_must_match_is_matched(level: Level) -> None:
    for keyword in QIDO_MATCHED[level].split():
        assert BY_KEYWORD[keyword].level <= level
        assert BY_KEYWORD[keyword].matching not in (Matching.RETURNED, Matching.COMPUTED)


@pytest.mark.parametrize("level", QIDO_RETURNED)
def test_what_a_search_must_return_is_returned_without_being_asked_for(level: Level) -> None:
    assert {keyword for keyword in QIDO_RETURNED[level].split() if not BY_KEYWORD[keyword].default} == set()


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: ".".join(attribute.path))
def test_every_row_speaks_of_the_dictionary(attribute: Attribute) -> None:
    assert attribute.tags == tuple(tag_for_keyword(keyword) for keyword in attribute.path)
    assert attribute.vr == dictionary_VR(attribute.tags[-1])
    assert int(attribute.json_key, 16) == attribute.tags[0]
    assert [dictionary_VR(tag) for tag in attribute.tags[:-1]] == ["SQ"] * (len(attribute.path) - 1)
    assert BY_PATH[attribute.tags] is attribute
    assert (BY_TAG.get(attribute.tags[0]) is attribute) is (len(attribute.path) == 1)


# PS3.5 Table 6.2-1: which kinds of matching a VR bears (PS3.4 C.2.2.2)
KINDS = {
    Matching.UID: {"UI"},
    Matching.DATE: {"DA"},
    Matching.TIME: {"TM"},
    Matching.NAME: {"PN"},
    Matching.NUMBER: {"IS"},
    Matching.EXACT: {"CS", "SH", "LO", "UT"},
    Matching.TEXT: {"LO"},
}


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: ".".join(attribute.path))
def test_every_row_is_matched_as_its_vr_may_be(attribute: Attribute) -> None:
    if attribute.matching not in (Matching.RETURNED, Matching.COMPUTED):
        assert attribute.vr in KINDS[attribute.matching]


def test_no_row_is_there_twice() -> None:
    assert len(BY_PATH) == len(ATTRIBUTES)


@pytest.mark.parametrize("level", Level)
def test_columns_have_names_of_their_own(level: Level) -> None:
    names = [attribute.column for attribute in columns(level)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert not {attribute.keyword for attribute in columns(level)} & DERIVED_KEYWORDS


@pytest.mark.parametrize(
    ("keyword", "column"),
    [
        ("PatientID", "patient_id"),
        ("IssuerOfPatientID", "issuer_of_patient_id"),
        ("SOPInstanceUID", "sop_instance_uid"),
        ("StudyInstanceUID", "study_instance_uid"),
        ("PerformedProcedureStepStartDate", "performed_procedure_step_start_date"),
    ],
)
def test_a_column_is_named_after_its_keyword(keyword: str, column: str) -> None:
    assert BY_KEYWORD[keyword].column == column


def test_each_element_is_kept_at_one_level() -> None:
    kept = [stored_tags(level) for level in Level]
    assert sum(map(len, kept)) == len(frozenset().union(*kept))
    computed = {a.tags[0] for a in ATTRIBUTES if a.matching is Matching.COMPUTED}
    assert not computed & frozenset().union(*kept)
