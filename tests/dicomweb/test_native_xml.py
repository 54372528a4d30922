"""Data sets as XML (PS3.19 A.1), against what DCMTK writes of the same objects."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pydicom import Dataset

from dicomweb.native_xml import native_xml
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from testdata.measurement_report import measurement_report
from testdata.pdf import encapsulated_pdf

NAMESPACE = "{http://dicom.nema.org/PS3.19/models/NativeDICOM}"
NUMBERS = ("DS", "IS", "FL", "FD")


def xml_of(data_set: object) -> ElementTree.Element:
    assert isinstance(data_set, dict)
    return ElementTree.fromstring(native_xml(data_set))


def told(element: ElementTree.Element, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """What a document says: the place of each attribute, its VR and owner, and its values."""
    for attribute in element:
        name = attribute.tag.removeprefix(NAMESPACE)
        if name == "Item":
            yield from told(attribute, *path, attribute.get("number", ""))
        if name != "DicomAttribute":
            continue
        place = (*path, attribute.get("tag", ""), attribute.get("privateCreator", ""))
        vr = attribute.get("vr", "")
        yield (*place, vr, attribute.get("keyword", "")), None
        if vr not in ("OB", "OW", "OF", "UN"):  # whether these stand in the document is each one's own affair
            yield from ((place, value) for value in values(attribute, vr))
        yield from told(attribute, *place)


def values(attribute: ElementTree.Element, vr: str) -> Iterator[object]:
    for value in attribute:
        text = (value.text or "").strip()
        if value.tag == f"{NAMESPACE}Value" and text:
            yield value.get("number"), f"{float(text):.6g}" if vr in NUMBERS else text
        elif value.tag == f"{NAMESPACE}PersonName":
            yield value.get("number"), [(e.tag, e.text) for e in value.iter() if (e.text or "").strip()]


def private() -> Dataset:
    dataset: Dataset = ct_series(slices=1, rows=4, columns=4)[0]
    block = dataset.private_block(0x0029, "DIAFANA TEST", create=True)
    block.add_new(0x01, "LO", "a value of its own")
    block.add_new(0x02, "DS", ["1.50", "2"])
    dataset.PatientName = "Müller^Jürgen^^Dr.=ミュラー^ユルゲン"
    dataset.OtherPatientNames = ["A^B", "C"]
    dataset.PatientComments = '<b>bold</b> & "quoted"\r\nline'
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.add_new(0x00280009, "AT", [0x00181063, 0x00181065])
    return dataset


@pytest.mark.parametrize(
    "dataset",
    [private(), encapsulated_pdf(), dose_report(), measurement_report(ct_series(slices=3))],
    ids=["private", "pdf", "dose report", "measurements"],
)
def test_documents_say_what_those_of_dcmtk_say(dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "one.dcm"
    file.write_bytes(part10(dataset))
    command = ["dcm2xml", "--native-format", "--use-xml-namespace", "--convert-to-utf8", str(file)]
    theirs = ElementTree.fromstring(subprocess.run(command, capture_output=True, check=True).stdout)
    ours = xml_of(dataset.to_json_dict())
    assert comparable(ours) == comparable(theirs)


def comparable(document: ElementTree.Element) -> list[str]:
    """Without file meta information, and the character set, which DCMTK has converted."""
    return sorted(
        repr((place, value))
        for place, value in told(document)
        if not place[0].startswith("0002") and (place[0] != "00080005" or value is None)
    )


def test_bulk_data_are_named_and_short_ones_stand_in_the_document() -> None:
    document = xml_of(
        {
            "7FE00010": {"vr": "OW", "BulkDataURI": "/a?b=1&c=2"},
            "00282000": {"vr": "OB", "InlineBinary": "AAEC"},
        }
    )
    uri, inline = (attribute[0] for attribute in document)
    assert (uri.tag, uri.get("uri")) == (f"{NAMESPACE}BulkData", "/a?b=1&c=2")
    assert (inline.tag, inline.text) == (f"{NAMESPACE}InlineBinary", "AAEC")


def test_what_means_something_in_xml_is_escaped() -> None:
    owner = 'A <b> & "c"'
    document = xml_of(
        {"00290010": {"vr": "LO", "Value": [owner]}, "00291001": {"vr": "LO", "Value": ["</x> & y"]}}
    )
    assert [(attribute.get("tag"), attribute.get("privateCreator")) for attribute in document] == [
        ("00290010", None),
        ("00290001", owner),
    ]
    assert [attribute[0].text for attribute in document] == [owner, "</x> & y"]


def test_values_that_are_not_there_keep_the_numbers_of_the_others() -> None:
    (attribute,) = xml_of({"00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]}})
    assert [(value.get("number"), value.text) for value in attribute] == [("1", "ORIGINAL"), ("3", "AXIAL")]


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    document = xml_of({"00104000": {"vr": "LT", "Value": ["a\x1bb\x00c\ud800\r\n\td"]}})
    assert document[0][0].text == "a�b�c�\r\n\td"


def test_private_elements_without_a_reservation_are_named_by_their_tag() -> None:
    document = xml_of(
        {"00291001": {"vr": "LO", "Value": ["x"]}, "00110010": {"vr": "LO"}, "00111001": {"vr": "LO"}}
    )
    assert [attribute.get("tag") for attribute in document] == ["00291001", "00110010", "00111001"]
