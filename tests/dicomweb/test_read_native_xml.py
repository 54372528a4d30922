"""The Native DICOM Model as senders write it (PS3.19 A.1)."""

import subprocess
from pathlib import Path

import pytest

from dicomweb.read_native_xml import read_native_xml
from pacs.errors import MalformedObject
from pacs.model import DicomJson
from testdata.ct import ct_series
from testdata.files import part10
from testdata.key_objects import key_objects


def read(
    *attributes: str, namespace: str = ' xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM"'
) -> DicomJson:
    return read_native_xml(f"<NativeDicomModel{namespace}>{''.join(attributes)}</NativeDicomModel>".encode())


@pytest.mark.needs("dcm2xml")
def test_documents_of_dcmtk_are_read(tmp_path: Path) -> None:
    dataset = key_objects(ct_series(slices=2, rows=8, columns=8))
    file = tmp_path / "one.dcm"
    file.write_bytes(part10(dataset))
    command = ["dcm2xml", "--native-format", "--use-xml-namespace", "--convert-to-utf8", str(file)]
    found = read_native_xml(subprocess.run(command, capture_output=True, check=True).stdout)
    wanted = dataset.to_json_dict()
    assert {key for key in found if key[:4] != "0002"} == wanted.keys()
    for key in ("00080018", "00100010", "0020000D"):
        assert found[key] == wanted[key]
    assert found["0040A730"]["Value"][0].keys() == wanted["0040A730"]["Value"][0].keys()


def test_the_namespace_may_be_left_out() -> None:
    attribute = '<DicomAttribute tag="00100020" vr="LO"><Value number="1">x</Value></DicomAttribute>'
    assert read(attribute, namespace="") == read(attribute) == {"00100020": {"vr": "LO", "Value": ["x"]}}


def test_numbers_of_values_leave_room_for_those_that_are_not_there() -> None:
    values = '<Value number="2">b</Value><Value number="4">d</Value>'
    assert read(f'<DicomAttribute tag="00080008" vr="CS">{values}</DicomAttribute>') == {
        "00080008": {"vr": "CS", "Value": [None, "b", None, "d"]}
    }


@pytest.mark.parametrize("number", ["999999999", "0"])
def test_numbers_that_lead_nowhere_are_refused(number: str) -> None:
    with pytest.raises(MalformedObject, match="numbered"):
        read(f'<DicomAttribute tag="00080008" vr="CS"><Value number="{number}">b</Value></DicomAttribute>')


def test_private_attributes_go_into_the_block_of_their_owner() -> None:
    reserved = '<DicomAttribute tag="00290011" vr="LO"><Value number="1">OURS</Value></DicomAttribute>'
    private = '<DicomAttribute tag="00290001" vr="CS" privateCreator="{}"/>'
    found = read(private.format("OURS"), private.format("NEW"), reserved)
    assert found.keys() == {"00290010", "00290011", "00291001", "00291101"}
    assert found["00290010"]["Value"] == ["NEW"]


def test_a_group_without_a_free_block_is_refused() -> None:
    reserved = "".join(
        f'<DicomAttribute tag="002900{block:02X}" vr="LO"><Value number="1">A</Value></DicomAttribute>'
        for block in range(0x10, 0x100)
    )
    with pytest.raises(MalformedObject, match="free block"):
        read(reserved, '<DicomAttribute tag="00290001" vr="CS" privateCreator="B"/>')


def test_bulk_data_and_names() -> None:
    name = "<PersonName number='1'><Alphabetic><GivenName>Given</GivenName><FamilyName>Family</FamilyName>"
    name += "<NameSuffix>MD</NameSuffix></Alphabetic></PersonName>"
    assert read(
        f'<DicomAttribute tag="00100010" vr="PN">{name}</DicomAttribute>',
        '<DicomAttribute tag="7FE00010" vr="OW"><BulkData uri="x"/></DicomAttribute>',
        '<DicomAttribute tag="00282000" vr="OB"><InlineBinary>AA\nEC</InlineBinary></DicomAttribute>',
    ) == {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Family^Given^^^MD"}]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "x"},
        "00282000": {"vr": "OB", "InlineBinary": "AAEC"},
    }


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(MalformedObject, match="no value"):
        read('<DicomAttribute tag="00100010" vr="PN"><Script/></DicomAttribute>')


def test_sequences_have_an_end() -> None:
    inner = "x"
    for _ in range(80):
        inner = f'<DicomAttribute tag="00081140" vr="SQ"><Item number="1">{inner}</Item></DicomAttribute>'
    with pytest.raises(MalformedObject, match="nested"):
        read(inner)
