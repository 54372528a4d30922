"""An object that tells all it can: every attribute of the data dictionary (PS3.6), with a value of its VR."""

from copy import deepcopy
from typing import Any

from pydicom import DataElement, Dataset
from pydicom._dicom_dict import DicomDictionary
from pydicom.tag import Tag

NAME = "Segreto^Nome"
TEXT = "SEGRETO"
PRIVATE_CREATOR = "SEGRETO PRIVATO"

_VALUES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"), TEXT),
    "AS": "077Y",
    "DA": "19770707",
    "TM": "070707",
    "DT": "19770707070707",
    "PN": NAME,
    "UI": "1.2.77.7",
    "UR": "http://segreto.example.org/77",
    "DS": "77",
    "IS": "77",
    **dict.fromkeys(("US", "SS", "UL", "SL", "UV", "SV"), 77),
    **dict.fromkeys(("FL", "FD"), 77.0),
    **dict.fromkeys(("OB", "OW", "OF", "OD", "OL", "OV", "UN"), b"SEGRETO."),
}

_FIRST_GROUP = 0x0008
_CHARACTER_SET = 0x00080005
_PIXEL_DATA_GROUP = 0x7FE0
# What pixels are read by: of this group only what is text or UIDs may be added
_IMAGE_GROUP, _NO_NUMBERS = 0x0028, ("LO", "LT", "SH", "ST", "UI")


def identified(image: Dataset) -> Dataset:
    """A copy of an image with every attribute that it lacks, in itself and in an item, and private ones.

    Each sequence has one item, with a name, a UID and a code. The item that has all is that of
    ContrastBolusAgentSequence.
    """
    copy = deepcopy(image)
    within = Dataset()
    for tag, (vr, *_) in DicomDictionary.items():
        for dataset in (copy, within):
            if _may_be_added(tag, vr) and tag not in dataset:
                dataset.add(_element(tag, vr))
    for dataset in (copy, within):
        dataset.private_block(0x0029, PRIVATE_CREATOR, create=True).add_new(1, "LO", TEXT)
    copy.ContrastBolusAgentSequence = [within]
    _overlay(copy)
    return copy


def _may_be_added(tag: int, vr: str) -> bool:
    group = tag >> 16
    if group < _FIRST_GROUP or group == _PIXEL_DATA_GROUP or tag == _CHARACTER_SET:
        return False
    return vr in _NO_NUMBERS if group == _IMAGE_GROUP else vr in (*_VALUES, "SQ")


def _element(tag: int, vr: str) -> DataElement:
    return DataElement(Tag(tag), vr, [_item()] if vr == "SQ" else _VALUES[vr])


def _item() -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    item.ReferencedSOPInstanceUID = "1.2.77.7"
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = TEXT, "DCM", TEXT
    item.PersonName = NAME
    return item


def _overlay(dataset: Dataset) -> None:
    """PS3.3 C.9.2, with a curve beside it as they once were."""
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"SEGRETO.")
    dataset.add_new(0x60004000, "LT", TEXT)
    dataset.add_new(0x50003000, "OW", b"SEGRETO.")
