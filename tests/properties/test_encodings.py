"""Whatever a data set holds, it reads the same in every encoding, and as pydicom wrote it."""

from hypothesis import given
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import Encoding, read_elements
from pacs.model import DicomJson
from tests.pacs.dataset.comparison import trimmed
from tests.properties.generated import data_sets


def written(dataset: Dataset, encoding: Encoding) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR = not encoding.explicit
    stream.is_little_endian = encoding.little_endian
    write_dataset(stream, dataset)
    return stream.getvalue()


def by_us(dataset: Dataset, encoding: Encoding) -> DicomJson:
    data = written(dataset, encoding)
    return JsonWriter(data, encoding).write(read_elements(data, encoding).elements)


def comparable(json: DicomJson) -> DicomJson:
    return {key: _comparable(value) for key, value in json.items()}


def _comparable(element: DicomJson) -> DicomJson:
    if element["vr"] != "SQ":
        return trimmed(element)
    return {"vr": "SQ", "Value": [comparable(item) for item in element.get("Value", [])]}


@given(data_sets())
def test_a_data_set_reads_the_same_with_and_without_written_vrs(dataset: Dataset) -> None:
    expected = comparable(dataset.to_json_dict())
    assert comparable(by_us(dataset, Encoding(explicit=True))) == expected
    assert comparable(by_us(dataset, Encoding(explicit=False))) == expected


@given(data_sets(with_words=False))
def test_a_data_set_reads_the_same_in_big_endian(dataset: Dataset) -> None:
    expected = comparable(dataset.to_json_dict())
    assert comparable(by_us(dataset, Encoding(explicit=True, little_endian=False))) == expected
