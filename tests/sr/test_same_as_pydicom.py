"""The lean data set says of a report what pydicom says: of every recipe and of every file at hand."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom.data.data_manager import DATA_ROOT
from pydicom.dataset import Dataset
from pydicom.uid import UID

from pacs.errors import ArchiveError
from sr import lenient
from sr.coding_schemes import read_coding_schemes
from sr.data_set import read_data_set
from sr.device import device
from sr.read_content import read_content
from sr.report_header import read_header
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.key_objects import key_objects
from testdata.long_dose_report import ITEMS_AROUND, ITEMS_OF_EVENT, long_dose_report
from testdata.measurement_report import measurement_report
from testdata.written_report import heart_report, text_report
from tests.conftest import CORPUS
from tests.sr.builders import (
    GROUP,
    LENGTH,
    LUNG,
    SECTION,
    SITE,
    code,
    container,
    content,
    evidence,
    image,
    measurements,
    num,
    text,
)
from tests.sr.files import SYNTAXES, lean, undefined, written

RECIPES: dict[str, Callable[[], Dataset]] = {
    "measurement report": lambda: measurement_report(ct_series(slices=3, rows=32, columns=32)),
    "text report": text_report,
    "heart report": heart_report,
    "dose report": dose_report,
    "long dose report": lambda: long_dose_report(3),
    "key objects": lambda: key_objects(ct_series(slices=3, rows=32, columns=32)),
}

# Read by pydicom in two and in ten seconds; the others are always compared.
SLOW = {"RF-RDSR-Philips_Azurion.dcm": 6582, "RF-Pat-Orientation-Modifier-Missing.dcm": 14737}
# pydicom.data.get_testdata_files would fetch more of them from the network.
OTHERS = [
    path
    for folder in (Path(DATA_ROOT, "test_files"), CORPUS)
    for path in sorted(folder.rglob("*.dcm"))
    if path.name not in SLOW
]


# Cut off within their pixels: pydicom forgets all that it had read.
LOST_BY_PYDICOM = {"emri_small_jpeg_2k_lossless_too_short.dcm"}


def _said(source: lenient.Source) -> list[Any]:
    tree = read_content(source)
    problems = [problem for problem in tree.problems if problem.reason not in lenient.faults(source)]
    return [tree.root, problems, read_header(source), device(source), read_coding_schemes(source)]


def _compare(file: bytes) -> None:
    assert _said(lean(file)) == _said(pydicom.dcmread(BytesIO(file)))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
def test_every_recipe_in_every_encoding(recipe: str, syntax: UID) -> None:
    dataset = RECIPES[recipe]()
    _compare(written(dataset, syntax))
    for sequences, items in ((True, True), (True, False), (False, True)):
        _compare(written(undefined(dataset, sequences, items), syntax))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_every_file_of_others(path: Path) -> None:
    file = path.read_bytes()
    try:
        source = lean(file)
    except (ArchiveError, AssertionError):
        pytest.skip("it is refused by its head")
    try:
        dataset = pydicom.dcmread(BytesIO(file))
    except Exception:  # noqa: BLE001 - whatever pydicom raises
        pytest.skip("pydicom does not read it")
    if path.name in LOST_BY_PYDICOM:
        assert read_header(source).sop_class_uid
        assert not read_header(dataset).sop_class_uid
    else:
        assert _said(source) == _said(dataset)


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real reports is not at hand")
def test_the_longest_reports(name: str) -> None:
    """All of them are compared with pydicom where DIAFANA_SLOW is set; else what dsrdump counts."""
    file = (CORPUS / "dose-sr" / name).read_bytes()
    tree = read_content(lean(file))
    assert sum(1 for _ in tree.root.walk()) == SLOW[name]
    if os.environ.get("DIAFANA_SLOW"):
        _compare(file)


def test_the_long_recipe_has_the_items_that_it_announces() -> None:
    tree = read_content(lean(written(long_dose_report(5))))
    assert sum(1 for _ in tree.root.walk()) == ITEMS_AROUND + 5 * ITEMS_OF_EVENT
    assert tree.problems == ()


def _small(syntax: UID, open_ended: bool) -> bytes:
    dataset = measurements(
        container(
            GROUP,
            code(SITE, LUNG, code(("272741003", "SCT", "Laterality"), LUNG, rel="HAS CONCEPT MOD")),
            num(LENGTH, "10.5"),
            content("PNAME", SECTION, PersonName="Müller^Jörg=X"),
            content("SCOORD", SECTION, image(), GraphicType="POINT", GraphicData=[1.0, 2.0]),
            text(SECTION, "gesehen: größer"),
        ),
        SpecificCharacterSet="ISO_IR 100",
        CurrentRequestedProcedureEvidenceSequence=[evidence("1.2", "1.2.3", "1.2.4")],
    )
    return written(undefined(dataset) if open_ended else dataset, syntax)


WHOLE = {
    (syntax, open_ended): _small(syntax, open_ended)
    for syntax in SYNTAXES[:3]
    for open_ended in (False, True)
}
START = 400  # behind the file meta information of all of them
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=12)


def _broken(whole: bytes, changes: list[tuple[int, int]], kept: float) -> bytes:
    broken = bytearray(whole)
    for position, value in changes:
        broken[START + position % (len(whole) - START)] = value
    return bytes(broken[: START + int((len(whole) - START) * kept)])


@settings(max_examples=400)
@given(st.sampled_from(sorted(WHOLE)), CHANGES, st.floats(0, 1))
def test_whatever_the_bytes_are_nothing_is_raised(
    kind: tuple[UID, bool], changes: list[tuple[int, int]], kept: float
) -> None:
    _said(lean(_broken(WHOLE[kind], changes, kept)))


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from(SYNTAXES[:3]))
def test_noise_raises_nothing(noise: bytes, syntax: UID) -> None:
    _said(read_data_set(noise, syntax))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.sampled_from(sorted(WHOLE)), CHANGES)
def test_what_pydicom_reads_without_a_fault_is_read_the_same(
    kind: tuple[UID, bool], changes: list[tuple[int, int]]
) -> None:
    broken = _broken(WHOLE[kind], changes, 1.0)
    source = lean(broken)
    said = _said(source)
    try:
        dataset = pydicom.dcmread(BytesIO(broken))
        for _ in dataset.iterall():
            pass
    except Exception:  # noqa: BLE001 - whatever pydicom raises, it does not read this
        assume(False)
    assume(not source.faults)
    assert said == _said(dataset)
