"""What is written of a data set in JSON or XML is read to the same data set (PS3.18 F.2, PS3.19 A.1)."""

import json
from collections.abc import Sized

from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicomweb.json_texts import data_set_texts, read_data_set
from dicomweb.native_xml import native_xml
from dicomweb.read_native_xml import read_native_xml
from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import Encoding, read_elements
from pacs.dataset.json_encoder import BulkValue, JsonEncoder
from pacs.errors import MalformedObject
from pacs.model import DicomJson
from tests.properties.generated import data_sets

EXPLICIT = Encoding(explicit=True)


def by_pydicom(dataset: Dataset) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, dataset)
    return stream.getvalue()


def told(content: bytes) -> DicomJson:
    return JsonWriter(content, EXPLICIT, str).write(read_elements(content, EXPLICIT).elements)


def encoded(data_set: DicomJson) -> bytes:
    pieces: list[Sized] = JsonEncoder(none_elsewhere).encode(data_set)
    assert all(isinstance(piece, bytes) for piece in pieces)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def none_elsewhere(_tag: int, _uri: str) -> BulkValue:
    raise AssertionError("all values are short")


@given(dataset=data_sets())
def test_a_data_set_in_json_is_the_data_set(dataset: Dataset) -> None:
    data_set = told(by_pydicom(dataset))
    assert told(encoded(data_set)) == data_set


@given(dataset=data_sets())
def test_a_data_set_in_xml_is_the_data_set_in_json(dataset: Dataset) -> None:
    data_set = told(by_pydicom(dataset))
    assert encoded(read_native_xml(native_xml(data_set))) == encoded(data_set)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["vr", "Value", "InlineBinary", "00100020", "00081140", "Alphabetic"])
            | st.text(max_size=3),
            inner | st.sampled_from(["SQ", "PN", "US", "LO", "OB", "DS", "AT", "FD"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(data_set=st.dictionaries(st.sampled_from(["00100010", "00081140", "00280010", "7FE00010"]), _VALUES))
def test_any_json_is_written_or_refused(data_set: DicomJson) -> None:
    try:
        content = encoded(data_set)
    except MalformedObject as error:
        assert str(error)
    else:
        read_elements(content, EXPLICIT)


@given(
    objects=st.lists(st.dictionaries(st.text(max_size=4), _VALUES, max_size=3), max_size=5),
    cut=st.integers(1, 20),
    indented=st.booleans(),
)
def test_an_array_is_parted_into_its_objects_in_whatever_pieces_it_comes(
    objects: list[DicomJson], cut: int, indented: bool
) -> None:
    text = json.dumps(objects, indent=2 if indented else None).encode()
    chunks = [text[at : at + cut] for at in range(0, len(text), cut)]
    texts = list(data_set_texts(chunks))
    assert [json.loads(one) for one in texts] == objects
    assert [json.loads(one) for one in data_set_texts([text])] == objects
    for one in texts:
        try:
            assert isinstance(read_data_set(one), dict)
        except MalformedObject as error:
            assert "JSON" in str(error)


@given(document=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_document_is_read_or_refused(document: bytes) -> None:
    for text in (document, b"<NativeDicomModel>" + document + b"</NativeDicomModel>"):
        try:
            read_native_xml(text)
        except MalformedObject as error:
            assert "XML" in str(error)
