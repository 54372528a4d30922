"""Rejection notes written byte by byte, also such as no library would write."""

from collections.abc import Mapping

from testdata.raw_bytes import PIXEL_DATA, element, item, padded
from testdata.studies import uid
from tests.pacs.objects import Changes, picture

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
TITLE, EVIDENCE = 0x0040A043, 0x0040A375
STUDY, SERIES = uid("raw study"), uid("raw series")


def ui(tag: int, value: str) -> bytes:
    return element(tag, "UI", padded("UI", value.encode()))


def title(code: str, scheme: str = "DCM") -> bytes:
    """The value of a Concept Name Code Sequence."""
    return item(
        element(0x00080100, "SH", padded("SH", code.encode()))
        + element(0x00080102, "SH", padded("SH", scheme.encode()))
    )


def evidence(series: Mapping[str, list[str]], study: str = STUDY) -> bytes:
    """An item of a Current Requested Procedure Evidence Sequence: SOP Instance UIDs by series."""
    return item(
        element(
            0x00081115,
            "SQ",
            b"".join(
                item(
                    element(0x00081199, "SQ", b"".join(item(ui(0x00081155, one)) for one in uids))
                    + ui(0x0020000E, name)
                )
                for name, uids in series.items()
            ),
        )
        + ui(0x0020000D, study)
    )


def note(name: str, code: str, uids: list[str], changes: Changes | None = None) -> bytes:
    """A file of a note in the study and series of `picture`, on instances of these."""
    said: Changes = {
        0x00080016: ("UI", KEY_OBJECTS.encode()),
        0x00080060: ("CS", b"KO"),
        TITLE: ("SQ", title(code)),
        EVIDENCE: ("SQ", evidence({SERIES: uids})),
        0x00280002: None,
        0x00280004: None,
        0x00280010: None,
        0x00280011: None,
        0x00280100: None,
        0x00280101: None,
        0x00280102: None,
        0x00280103: None,
        PIXEL_DATA: None,
    }
    return picture(name, {**said, **(changes or {})}, sop_class_uid=KEY_OBJECTS)
