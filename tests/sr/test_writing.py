"""What is written as a report is mapped back to what was posted: property tests of the way and back."""

import datetime
import io
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from sr.coding_schemes import NAMED
from sr.mapping import Mapped, map_report
from sr.writing.coded import read_concept
from sr.writing.element import Element, Unusable
from sr.writing.posted_observation import read_posted
from sr.writing.report import (
    SERIES_DESCRIPTION,
    SERIES_NUMBER,
    TEMPLATE_ID,
    WRITTEN_CLASS,
    Writing,
    write_report,
)
from testdata.character_sets import CHARACTER_SETS, in_character_set
from testdata.ct import ct_series
from testdata.posted import concept, imaging, left_lung, length
from tests.sr.builders import IDENTITY
from tests.sr.files import lean, written

CT = ct_series(slices=2, rows=32, columns=32)
WRITING = Writing("one", "1.0", datetime.datetime(2026, 11, 28, 1, 2, 3, tzinfo=datetime.UTC))


def report_of(resource: dict[str, Any], instance: Dataset = CT[1]) -> Dataset:
    images = {CT[0].SOPInstanceUID: CT[0]}
    report = write_report(read_posted(resource), (), instance, images, WRITING)
    return pydicom.dcmread(io.BytesIO(written(report)))


def mapped_back(resource: dict[str, Any]) -> tuple[dict[str, Any], Mapped]:
    """The Observation that the only value of a report becomes."""
    images = {CT[0].SOPInstanceUID: CT[0]}
    report = write_report(read_posted(resource), (), CT[1], images, WRITING)
    mapped = map_report(lean(written(report)), IDENTITY)
    (group,) = (one for one in mapped.resources if "hasMember" in one)
    ((member,)) = group["hasMember"]
    (told,) = (one for one in mapped.resources if f"{one['resourceType']}/{one['id']}" == member["reference"])
    return told, mapped


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\\^="),
    min_size=1,
    max_size=30,
)
CODES = st.from_regex(r"[A-Za-z0-9.-]{1,30}", fullmatch=True)
CONCEPTS = st.builds(
    concept, CODES, TEXTS, st.sampled_from([NAMED[one] for one in ("SCT", "LN", "DCM", "RADLEX", "NCIt")])
)
DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4
).map(lambda number: number.quantize(Decimal("0.01")) if len(str(number)) > 16 else number)
UIDS = st.integers(1, 10**30).map(lambda number: f"2.25.{number}")
UNITS = st.sampled_from(["mm", "cm2", "[hnsf'U]", "%", "1", "m/s", "mL/min"])


@settings(max_examples=60, deadline=None)
@given(
    code=CONCEPTS,
    value=DECIMALS,
    unit=UNITS,
    method=st.none() | CONCEPTS,
    has_site=st.booleans(),
    tracking_uid=st.none() | UIDS,
    note=st.none() | TEXTS,
    name=st.none() | TEXTS,
)
def test_a_number_comes_back_with_its_meaning(
    code: dict[str, Any],
    value: Decimal,
    unit: str,
    method: dict[str, Any] | None,
    has_site: bool,
    tracking_uid: str | None,
    note: str | None,
    name: str | None,
) -> None:
    tracking = {
        "type": {"coding": [{"system": NAMED["DCM"], "code": "112040"}]},
        "system": "urn:dicom:uid",
        "value": f"urn:oid:{tracking_uid}",
    }
    posted = length(
        CT[0],
        code=code,
        valueQuantity={"value": value, "system": NAMED["UCUM"], "code": unit},
        method=method,
        note=[{"text": note}] if note else None,
        performer=[{"display": name}] if name else None,
        status="final" if name else "preliminary",
        identifier=[tracking] if tracking_uid else None,
        **(left_lung() if has_site else {}),
    )
    told, mapped = mapped_back(posted)
    assert told["code"]["coding"] == code["coding"]
    quantity = told["valueQuantity"]
    assert (quantity["value"], quantity["value"].as_tuple().exponent) == (value, value.as_tuple().exponent)
    assert (quantity["system"], quantity["code"]) == (NAMED["UCUM"], unit)
    assert told.get("method", {}).get("coding") == (method or {}).get("coding")
    assert told.get("bodySite", {}).get("text") == ("Lung, Left" if has_site else None)
    assert told.get("note") == posted.get("note")
    assert told["status"] == posted["status"]
    assert [one["display"] for one in told.get("performer", [])] == ([name] if name else [])
    uids = [one["value"] for one in told["identifier"] if "112040" in str(one.get("type"))]
    assert uids == ([f"urn:oid:{tracking_uid}"] if tracking_uid else [])
    assert mapped.problems == ()


@settings(max_examples=20, deadline=None)
@given(code=CONCEPTS, value=CONCEPTS)
def test_a_coded_value_comes_back(code: dict[str, Any], value: dict[str, Any]) -> None:
    told, _ = mapped_back(length(CT[0], code=code, valueQuantity=None, valueCodeableConcept=value))
    assert told["code"]["coding"] == code["coding"]
    assert told["valueCodeableConcept"]["coding"] == value["coding"]


def test_an_algorithm_and_its_version_come_back() -> None:
    device = {
        "resourceType": "Device",
        "id": "program",
        "deviceName": [{"name": "Segmenter", "type": "user-friendly-name"}],
        "version": [{"value": "2.1"}],
    }
    told, mapped = mapped_back(length(CT[0], contained=[device], device={"reference": "#program"}))
    (made,) = (one for one in mapped.resources if f"Device/{one['id']}" == told["device"]["reference"])
    assert made["deviceName"] == device["deviceName"]
    assert made["version"] == device["version"]


@pytest.mark.parametrize(
    ("written_as", "told"),
    [
        ("2026", "2026"),
        ("2026-02-03", "2026-02-03"),
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06+00:00"),
        ("2026-02-03T04:05:06.123-05:30", "2026-02-03T04:05:06.123-05:30"),
    ],
)
def test_the_time_comes_back(written_as: str, told: str) -> None:
    assert mapped_back(length(CT[0], effectiveDateTime=written_as))[0]["effectiveDateTime"] == told


@pytest.mark.parametrize(
    "written_as", ["2026-02-03T04:05:0655Z", "2026-02-03T04:05:06.Z", "2026-02-03T04:05Z"]
)
def test_what_is_no_time_of_fhir_is_refused(written_as: str) -> None:
    with pytest.raises(Unusable, match="no date and time"):
        read_posted(length(CT[0], effectiveDateTime=written_as))


def test_identifiers_come_back() -> None:
    identifiers = [
        {"system": "http://ehr.example", "value": "a|b"},
        {"system": "http://ehr.example", "value": "1.2.3"},
        {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"},
    ]
    told, _ = mapped_back(length(CT[0], identifier=identifiers))
    bare = [{"system": one["system"], "value": one["value"]} for one in told["identifier"]]
    assert [one for one in bare if one in identifiers] == identifiers


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("point", ("3", "4")),
        ("polyline", ("1", "2", "3", "4", "5.5", "6")),
        ("circle", ("10", "10", "12", "10")),
        ("ellipse", ("5", "10", "15", "10", "10", "8", "10", "12")),
    ],
)
def test_regions_are_in_the_report(kind: str, coordinates: tuple[str, ...]) -> None:
    report = report_of(length(CT[0], derivedFrom=[imaging(CT[0], kind, coordinates)]))
    (region,) = (item for item in _items(report) if item.ValueType == "SCOORD")
    assert region.GraphicType == kind.upper()
    assert list(region.GraphicData) == [float(number) for number in coordinates]
    (image,) = region.ContentSequence
    assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == CT[0].SOPInstanceUID


EVALUATED = {"valueQuantity": None, "valueCodeableConcept": concept("27925004", "Nodule")}
NUMBERS = st.decimals(-(10**5), 10**5, places=2, allow_nan=False, allow_infinity=False).map(str)
LINES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40).map(lambda line: sum(line, ()))


@settings(max_examples=40, deadline=None)
@given(
    region=st.one_of(
        st.just(("", ())),
        st.tuples(st.just("point"), st.tuples(NUMBERS, NUMBERS)),
        st.tuples(st.just("polyline"), LINES),
        st.tuples(st.just("circle"), st.tuples(*[NUMBERS] * 4)),
        st.tuples(st.just("ellipse"), st.tuples(*[NUMBERS] * 8)),
    ),
    frame=st.integers(0, 300),
    is_measured=st.booleans(),
)
def test_where_it_was_seen_comes_back(
    region: tuple[str, tuple[str, ...]], frame: int, is_measured: bool
) -> None:
    posted = imaging(CT[0], *region, frame=frame)
    value = {} if is_measured else EVALUATED
    told, mapped = mapped_back(length(CT[0], derivedFrom=[posted], **value))
    selected, source = told["derivedFrom"]
    assert {name: selected[name] for name in posted} == posted
    assert source["type"] == "DocumentReference"
    # Source, Source of Measurement, Image Region
    left = {one.concept.value for one in mapped.unmapped if one.concept}
    assert left.isdisjoint({"260753009", "121112", "111030"})


def test_an_evaluated_region_is_a_planar_group() -> None:
    report = report_of(length(CT[0], derivedFrom=[imaging(CT[0], "point", ("3", "4"))], **EVALUATED))
    (region,) = (item for item in _items(report) if item.ValueType == "SCOORD")
    assert region.ConceptNameCodeSequence[0].CodeValue == "111030"
    assert region.RelationshipType == "CONTAINS"


def test_a_report_is_what_the_conformance_statement_says() -> None:
    report = report_of(length(CT[0]))
    assert report.SOPClassUID == WRITTEN_CLASS
    assert report.ContentTemplateSequence[0].TemplateIdentifier == TEMPLATE_ID
    assert (report.SeriesDescription, report.SeriesNumber) == (SERIES_DESCRIPTION, SERIES_NUMBER)
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert report.PreliminaryFlag == "PRELIMINARY"
    final = length(CT[0], status="final", performer=[{"display": "Rossi"}])
    assert report_of(final).PreliminaryFlag == "FINAL"


def test_a_study_as_a_whole_needs_no_evidence() -> None:
    resource = length(CT[0], derivedFrom=[{"reference": f"ImagingStudy/{CT[0].StudyInstanceUID}"}])
    report = write_report(read_posted(resource), (), CT[0], {}, WRITING)
    assert "CurrentRequestedProcedureEvidenceSequence" not in report
    assert "PertinentOtherEvidenceSequence" not in report


def test_an_object_that_lacks_patient_and_study_attributes_will_do() -> None:
    bare = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(bare, keyword, CT[0][keyword].value)
    bare.PatientSex, bare.TimezoneOffsetFromUTC = "X", "+0930"
    report = report_of(length(CT[0]), bare)
    assert (report.PatientID, report.PatientSex, report.StudyDate) == ("", "X", "")
    assert (report.ContentDate, str(report.ContentTime)) == ("20261128", "103203")


@pytest.mark.parametrize("terms", CHARACTER_SETS)
def test_names_in_any_character_set_are_copied(terms: str) -> None:
    stored = pydicom.dcmread(io.BytesIO(written(in_character_set(terms))))
    resource = length(stored, derivedFrom=[{"reference": f"ImagingStudy/{stored.StudyInstanceUID}"}])
    report = write_report(read_posted(resource), (), stored, {}, WRITING)
    read = pydicom.dcmread(io.BytesIO(written(report)))
    assert read.SpecificCharacterSet == "ISO_IR 192"
    assert read.PatientName == CHARACTER_SETS[terms].name
    assert read.StudyDescription == CHARACTER_SETS[terms].description


def test_dcmtk_reads_the_report(tmp_path: Path) -> None:
    if shutil.which("dsrdump") is None:
        pytest.skip("DCMTK is not installed")
    path = tmp_path / "report.dcm"
    path.write_bytes(written(report_of(length(CT[0], **left_lung()))))
    dump = subprocess.run(["dsrdump", path], capture_output=True, text=True, check=True)
    assert re.search(r'NUM:\(,,"Length"\)="10.50" \(mm,UCUM,"millimeter"\)', dump.stdout), dump.stdout
    assert '(7771000,SCT,"Left")' in dump.stdout
    assert "E:" not in dump.stderr, dump.stderr


def test_concepts_take_the_first_system_that_dicom_names() -> None:
    both = concept("1", "local", "http://hospital.example")
    both["coding"] += concept("410668003", "Length")["coding"]
    code = read_concept(Element(both, "code"))
    assert code is not None
    assert (code.scheme, code.value) == ("SCT", "410668003")


def _items(dataset: Dataset) -> list[Dataset]:
    return [below for item in dataset.get("ContentSequence", []) for below in (item, *_items(item))]
