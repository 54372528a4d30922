"""DICOM JSON by pydicom, and what may differ from it."""

from typing import Any

from pydicom import Dataset

from pacs.dataset.dicom_json import INLINE_LIMIT
from pacs.dataset.elements import Encoding
from pacs.model import DicomJson

# Values that are no numbers, over which pydicom gives up the whole data set; ours come as they stand.
NOT_FOR_PYDICOM = {"badVR.dcm", "CT-RDSR-Toshiba_MultiValSD.dcm"}

# PixelPaddingValue of VR UN beside signed pixels: test_dicom_json has a test of it.
UN_BESIDE_SIGNED_PIXELS = "00280120"


def by_pydicom(dataset: Dataset) -> DicomJson:
    """What pydicom writes, with bulk data where ours are."""
    return dataset.to_json_dict(bulk_data_threshold=INLINE_LIMIT, bulk_data_element_handler=lambda _: "")


def assert_same(ours: DicomJson, theirs: DicomJson, encoding: Encoding) -> None:
    """See that they are equal, but for what is ours to say.

    Group lengths and padding are left out, a private element that came as UN stays UN, and bulk data begin
    where we say. Words of a big endian data set, which pydicom leaves as they lie, have a test of their own.
    """
    passed_over = {key for key in theirs if key.endswith("0000") or key == "FFFCFFFC"}
    assert ours.keys() == theirs.keys() - passed_over
    for key, mine in ours.items():
        theirs_here = theirs[key]
        if mine["vr"] == "UN" and int(key, 16) & 0x10000:
            continue
        if key == UN_BESIDE_SIGNED_PIXELS and (mine["vr"], theirs_here["vr"]) == ("US", "SS"):
            continue
        assert mine["vr"] == theirs_here["vr"], key
        if mine["vr"] == "SQ":
            for inner, other in zip(mine.get("Value", []), theirs_here.get("Value", []), strict=True):
                assert_same(inner, other, encoding)
        elif "BulkDataURI" in mine or "BulkDataURI" in theirs_here:
            assert "Value" not in mine
        elif "InlineBinary" in theirs_here and not encoding.little_endian:
            assert "InlineBinary" in mine
        else:
            assert trimmed(mine) == trimmed(theirs_here), key


def trimmed(element: dict[str, Any]) -> dict[str, Any]:
    """An element without what does not count: blanks around a value, and how emptiness is written."""
    values = [_trimmed(value) for value in element.get("Value", [])]
    rest = {key: value for key, value in element.items() if key != "Value"}
    return rest | ({"Value": values} if any(value is not None for value in values) else {})


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        groups = {group: name.strip() for group, name in value.items()}
        return {group: name for group, name in groups.items() if name} or None
    return (value.strip(" \0") or None) if isinstance(value, str) else value
