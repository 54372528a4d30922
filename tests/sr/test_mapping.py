"""Of all reports: nothing is lost without a word, nothing is raised, and FHIR's rules hold."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from sr.content_tree import Number
from sr.data_set import read_data_set
from sr.fhir_json import dumps, loads
from sr.lenient import Source
from sr.lenient import text as text_of
from sr.mapping import REPORT_CLASSES, Mapped, is_report, map_report
from sr.read_content import read_content
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from tests.conftest import CORPUS
from tests.sr.builders import (
    CT_IMAGE,
    GROUP,
    IDENTITY,
    LENGTH,
    LUNG,
    MM,
    SECTION,
    SITE,
    by_reference,
    code,
    container,
    content,
    image,
    measurements,
    num,
    report,
    text,
)
from tests.sr.fhir_rules import faults, quantities
from tests.sr.files import encoded, lean, reports_of_corpus, reports_of_pydicom


def _check(dataset: Source) -> Mapped:
    mapped = map_report(dataset, IDENTITY)
    assert faults(*mapped.resources) == []
    unmapped = {item.position for item in mapped.unmapped}
    numbers = Counter(
        decimal
        for item in read_content(dataset).root.walk()
        if isinstance(item.value, Number) and item.position not in unmapped
        for decimal in item.value.decimals
    )
    if not any(resource["resourceType"] == "Bundle" for resource in mapped.resources):
        assert quantities(mapped.resources) == numbers  # a manifest counts, and measures nothing
    assert [loads(dumps(resource)) for resource in mapped.resources] == list(mapped.resources)
    return mapped


@pytest.mark.parametrize("path", reports_of_pydicom(), ids=lambda path: path.stem)
def test_reports_of_pydicom(path: Path) -> None:
    assert len(_check(lean(path.read_bytes())).resources) > 1


@pytest.mark.parametrize("path", reports_of_corpus(), ids=lambda path: path.stem)
def test_reports_of_the_corpus(path: Path) -> None:
    dataset = lean(path.read_bytes())
    mapped = _check(dataset)
    has_values = any(item.value is not None for item in read_content(dataset).root.walk())
    made = {resource["resourceType"] for resource in mapped.resources}
    is_selection = text_of(dataset, "Modality") == "KO"
    assert "DocumentReference" in made
    assert "Observation" in made or is_selection or not has_values


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real reports is not at hand")
def test_the_corpus_has_reports() -> None:
    assert len(reports_of_corpus()) > 30


def test_mapping_again_gives_the_same() -> None:
    dataset = measurements(container(GROUP, code(SITE, LUNG, rel="HAS CONCEPT MOD"), num(LENGTH, "1")))
    assert map_report(dataset, IDENTITY) == map_report(dataset, IDENTITY)


def test_without_an_identity_nothing_refers_to_a_patient() -> None:
    dataset = measurements(container(GROUP, code(SITE, LUNG, rel="HAS CONCEPT MOD"), num(LENGTH, "1")))
    mapped = map_report(dataset, "")
    assert faults(*mapped.resources) == []
    assert not any("subject" in resource or "patient" in resource for resource in mapped.resources)


def test_a_report_that_is_too_deep_says_what_it_left_out() -> None:
    item = num(LENGTH, "1")
    for _ in range(100):
        item = container(SECTION, item)
    mapped = _check(report(item))
    assert [item.reason for item in mapped.unmapped] == ["items below the depth of 64 are left out"]


def test_a_report_that_is_cut_off_says_so() -> None:
    whole = encoded(measurements(container(GROUP, num(LENGTH, "10.5"), num(LENGTH, "12.5"))))
    mapped = map_report(read_data_set(whole[:-3], ExplicitVRLittleEndian), IDENTITY)
    assert [item.reason for item in mapped.unmapped] == ["the bytes end within an element"]
    assert quantities(mapped.resources) == {Decimal("10.5"): 1}


def test_an_empty_data_set_is_a_document() -> None:
    assert [one["resourceType"] for one in _check(Dataset()).resources] == ["DocumentReference"]


def test_report_classes_are_all_that_the_standard_has() -> None:
    standard = {uid for uid in UID_dictionary if uid.startswith("1.2.840.10008.5.1.4.1.1.88.")}
    assert standard == REPORT_CLASSES
    assert all(is_report(uid) for uid in standard)
    assert not is_report(CT_IMAGE)
    assert not is_report("")


CONCEPTS = st.sampled_from(
    [
        LENGTH, GROUP, SECTION, SITE, ("272741003", "SCT", "Laterality"), ("121071", "DCM", "Finding"),
        ("112039", "DCM", "Tracking Identifier"), ("121024", "DCM", "Subject Class"),
        ("121008", "DCM", "Person Observer Name"), ("111028", "DCM", "Image Library"),
        ("C0034375", "UMLS", "Qualitative Evaluations"), ("111001", "DCM", "Algorithm Name"),
        ("276214006", "SCT", "Finding category"), ("370129005", "SCT", "Measurement Method"), ("", "", ""),
        ("128402", "DCM", "Radiation Dose Estimate"), ("128415", "DCM", "Methodology"),
        ("128457", "DCM", "X-Ray Beam Attenuator"), ("128477", "DCM", "Method Type"),
        ("113343008", "SCT", "Organ"), ("125005", "DCM", "Biometry Group"), ("121420", "DCM", "Equation"),
        ("121060", "DCM", "History"), ("121037", "DCM", "Fetus Number"),
        ("385524004", "SCT", "Normal Range Lower Limit"), ("371933006", "SCT", "Normal Range Upper Limit"),
        ("121402", "DCM", "Normality"), ("121405", "DCM", "Population description"),
        ("121407", "DCM", "Normal Range description"), ("121408", "DCM", "Normal Range Authority"),
        ("T-D0001", "SRT", ""), ("x  y", "99 A", "\x07"),
    ]
)  # fmt: skip
RELATIONSHIPS = st.sampled_from(
    [
        "CONTAINS",
        "HAS PROPERTIES",
        "HAS OBS CONTEXT",
        "HAS ACQ CONTEXT",
        "INFERRED FROM",
        "HAS CONCEPT MOD",
        "",
    ]
)
DIGITS = st.decimals(-1000, 1000, places=3).map(str)


def _build(made: tuple[Any, ...], children: list[Dataset]) -> Dataset:
    kind, concept, rel, digits = made
    builders = {
        "CONTAINER": lambda: container(concept, *children, rel=rel),
        "NUM": lambda: num(concept, digits, MM, *children, rel=rel),
        "NUMS": lambda: num(concept, [digits, "1", "1.0"], None, *children, rel=rel),
        "NONE": lambda: num(concept, None, MM, *children, rel=rel),
        "ODD": lambda: num(concept, b"10.50/ 15.00", MM, *children, rel=rel),
        "CODE": lambda: code(concept, LUNG, *children, rel=rel),
        "TEXT": lambda: text(concept, f"seen {digits}", *children, rel=rel),
        "EMPTY": lambda: content("CODE", concept, *children, rel=rel),
        "UNKNOWN": lambda: content("SOUND", concept, *children, rel=rel),
        "PNAME": lambda: content("PNAME", concept, *children, rel=rel, PersonName=f"Doe{digits}"),
        "UIDREF": lambda: content("UIDREF", concept, *children, rel=rel, UID="1.2.3"),
        "DATETIME": lambda: content("DATETIME", concept, *children, rel=rel, DateTime="20240229"),
        "IMAGE": lambda: image(rel=rel),
        "REFERENCE": lambda: by_reference(1, 1, 1),
    }
    return builders[kind]()


KINDS = (
    "CONTAINER CONTAINER NUM NUM NUMS NONE ODD CODE TEXT EMPTY UNKNOWN PNAME UIDREF DATETIME IMAGE REFERENCE"
)
NODES = st.tuples(st.sampled_from(KINDS.split()), CONCEPTS, RELATIONSHIPS, DIGITS)
ITEMS = st.recursive(
    st.builds(_build, NODES, st.just([])),
    lambda below: st.builds(_build, NODES, st.lists(below, max_size=4)),
    max_leaves=25,
)


def test_a_number_is_told_where_a_container_belongs() -> None:
    attenuator = ("128457", "DCM", "X-Ray Beam Attenuator")
    estimate, methodology = ("128402", "DCM", "Dose Estimate"), ("128415", "DCM", "Methodology")
    _check(report(container(estimate, num(attenuator, "0.5"))))
    _check(report(container(estimate, container(methodology, num(attenuator, "0.5")))))


@settings(max_examples=150)
@given(st.lists(ITEMS, max_size=5))
def test_any_tree_of_items_is_told_or_accounted_for(items: list[Dataset]) -> None:
    dataset = report(*items)
    mapped = _check(dataset)
    unmapped = {item.position for item in mapped.unmapped}
    told = "\n".join(dumps(resource).decode() for resource in mapped.resources)
    for item in read_content(dataset).root.walk():
        if isinstance(item.value, str) and item.value_type != "DATETIME" and item.position not in unmapped:
            assert item.value in told


WHOLE = encoded(
    measurements(
        container(
            GROUP,
            code(SITE, LUNG, code(("272741003", "SCT", "Laterality"), LUNG, rel="HAS CONCEPT MOD")),
            num(LENGTH, "10.5"),
            content("DATETIME", SECTION, DateTime="20240229101500"),
            content("PNAME", SECTION, PersonName="Doe^Jane"),
            content("SCOORD", SECTION, image(), GraphicType="POINT", GraphicData=[1.0, 2.0]),
            text(SECTION, "seen"),
        )
    )
)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, len(WHOLE)),
)
def test_broken_files_raise_nothing(changes: list[tuple[int, int]], length: int) -> None:
    broken = bytearray(WHOLE)
    for position, value in changes:
        broken[position] = value
    source = read_data_set(bytes(broken[:length]), ExplicitVRLittleEndian)
    for resource in map_report(source, IDENTITY).resources:
        assert loads(dumps(resource)) == resource


# A report in which all who may had a part, and its orders
SIGNED = encoded(measurement_report(ct_series(slices=3, rows=32, columns=32)))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, len(SIGNED) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_what_comes_of_a_broken_file_is_well_formed(changes: list[tuple[int, int]]) -> None:
    broken = bytearray(SIGNED)
    for position, value in changes:
        broken[position] = value
    source = read_data_set(bytes(broken), ExplicitVRLittleEndian)
    assert faults(*map_report(source, IDENTITY).resources) == []


def test_a_number_is_written_as_the_file_has_it() -> None:
    mapped = map_report(report(num(LENGTH, b"-119.0730")), IDENTITY)
    assert any(b'"value":-119.0730,' in dumps(resource) for resource in mapped.resources)
    assert quantities(mapped.resources) == {Decimal("-119.0730"): 1}
