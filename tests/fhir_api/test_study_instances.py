"""What is read of the beginning of the attributes alone, beside what is made of all of them."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_api import study_instances
from fhir_api.study_instances import LONGEST_BEGINNING, element
from pacs.attributes import ATTRIBUTES
from pacs.index.rows import search_columns
from pacs.model import DicomJson, Kept, Level
from sr.imaging_study import KIND, study_instance
from sr.json_attributes import key
from testdata.ct import ct_series

UID = key("SOPInstanceUID")
NUMBER = key("InstanceNumber")
KEYS = sorted({attribute.json_key for attribute in ATTRIBUTES if attribute.level is Level.INSTANCE} - {UID})

TEXTS = st.sampled_from(
    ["AXIAL", "", " ", "1.2.840.10008.5.1.4.1.1.2", "}", '"', f'"{UID}":{{', "\\", "Ü", "\x00"]
)
VALUES = TEXTS | st.none() | st.integers(-(2**31), 2**32) | st.just({"Alphabetic": "Poe"})
ITEMS = st.dictionaries(
    st.sampled_from([UID, NUMBER, key("CodeMeaning"), *map(key, KIND)]),
    st.builds(lambda values: {"vr": "LO", "Value": values}, st.lists(TEXTS, max_size=2)),
    max_size=3,
)
ELEMENTS = st.builds(lambda values: {"vr": "LO", "Value": values}, st.lists(VALUES | ITEMS, max_size=3))


def _kept(attributes: DicomJson, uid: str = "1.2.3") -> Kept:
    number = search_columns(attributes, Level.INSTANCE)["instance_number"]
    assert number is None or isinstance(number, int)
    return Kept("1.2", "1.2.1", uid, number, orjson.dumps(attributes))


def _slowly(kept: Kept) -> bytes:
    return orjson.dumps(study_instance(orjson.loads(kept.attributes)))


@given(
    before=st.dictionaries(st.sampled_from(KEYS), ELEMENTS, max_size=4),
    after=st.dictionaries(st.sampled_from(KEYS), ELEMENTS, max_size=4),
)
@example(before={key("ImageType"): {"vr": "CS", "Value": ["A"]}}, after={NUMBER: {"vr": "IS", "Value": [2]}})
@example(
    before={}, after={key("ImageType"): {"vr": "CS", "Value": ["A"]}, NUMBER: {"vr": "IS", "Value": [2]}}
)
@example(before={}, after={NUMBER: {"vr": "IS", "Value": [2**31]}})
@example(before={}, after={NUMBER: {"vr": "LO", "Value": ["2"]}})
def test_an_element_is_that_of_all_attributes_in_any_order(before: DicomJson, after: DicomJson) -> None:
    uid = {UID: {"vr": "UI", "Value": ["1.2.3"]}}
    kept = _kept({**before, **uid, **{k: v for k, v in after.items() if k not in before}})
    assert element(kept) == _slowly(kept)


def test_a_beginning_that_ends_within_a_sequence_is_not_taken_for_the_whole() -> None:
    nested = {key("ImageType"): {"vr": "SQ", "Value": [{UID: {"vr": "UI", "Value": ["1.9"]}}]}}
    kept = _kept({**nested, UID: {"vr": "UI", "Value": ["1.2.3"]}, NUMBER: {"vr": "IS", "Value": [1]}})
    assert element(kept) == _slowly(kept)


def test_a_long_beginning_is_read_and_not_remembered() -> None:
    image_type: dict[str, Any] = {"vr": "CS", "Value": ["A" * LONGEST_BEGINNING]}
    kept = _kept({key("ImageType"): image_type, UID: {"vr": "UI", "Value": ["1.2.3"]}})
    assert element(kept) == _slowly(kept)


@pytest.mark.parametrize("keyword", KIND)
def test_whatever_tells_a_kind_is_kept_of_an_instance(keyword: str) -> None:
    assert key(keyword) in KEYS


def test_the_images_of_a_series_are_read_once() -> None:
    study_instances._kind.cache_clear()
    for image in ct_series(slices=5, rows=8, columns=8):
        told = {"ImageType", "SOPClassUID", "SOPInstanceUID", "InstanceNumber"}
        attributes = image.to_json_dict()
        kept = _kept(
            {key(name): attributes[key(name)] for name in sorted(told, key=key)}, image.SOPInstanceUID
        )
        assert element(kept) == _slowly(kept)
    assert study_instances._kind.cache_info().misses == 1
