"""Data sets as XML: the Native DICOM Model (PS3.19 A.1), made of the DICOM JSON model (PS3.18 F)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

from pacs.model import DicomJson

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<NativeDicomModel xml:space="preserve" xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'
)
_TAIL = "</NativeDicomModel>"

# What XML 1.0 cannot hold, not even escaped
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
NAME_COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def native_xml(data_set: DicomJson) -> bytes:
    """One data set as a document in UTF-8. Characters that XML has no place for become U+FFFD."""
    return f"{_HEAD}{''.join(_attributes(data_set))}{_TAIL}".encode()


def _attributes(data_set: DicomJson) -> Iterable[str]:
    for key, element in data_set.items():
        content = "".join(_content(element))
        start = _start(key, element["vr"], _creator(data_set, key))
        yield f"{start}>{content}</DicomAttribute>" if content else f"{start}/>"


def _creator(data_set: DicomJson, key: str) -> str:
    """Who owns a private element; empty for public ones, and where nobody reserved the block."""
    if key[3] not in "13579BDF" or key[4:6] == "00":
        return ""
    reservation = data_set.get(f"{key[:4]}00{key[4:6]}", {})
    owner = (reservation.get("Value") or [None])[0]
    return owner if isinstance(owner, str) else ""


@lru_cache(8192)
def _start(key: str, vr: str, creator: str) -> str:
    """The start tag, still open. A private element is named by its owner instead of by its block."""
    if creator:
        return f'<DicomAttribute tag="{key[:4]}00{key[6:]}" vr="{vr}" privateCreator={_quoted(creator)}'
    keyword = keyword_for_tag(int(key, 16))
    return f'<DicomAttribute tag="{key}" vr="{vr}"' + (f' keyword="{keyword}"' if keyword else "")


def _content(element: dict[str, Any]) -> Iterable[str]:
    if "BulkDataURI" in element:
        yield f"<BulkData uri={_quoted(element['BulkDataURI'])}/>"
    elif "InlineBinary" in element:
        yield f"<InlineBinary>{element['InlineBinary']}</InlineBinary>"
    else:
        for number, value in enumerate(element.get("Value", ()), 1):
            if value is not None:
                yield _value(element["vr"], number, value)


def _value(vr: str, number: int, value: Any) -> str:
    if vr == "SQ":
        return f'<Item number="{number}">{"".join(_attributes(value))}</Item>'
    if vr == "PN" and isinstance(value, dict):
        return f'<PersonName number="{number}">{"".join(_name(value))}</PersonName>'
    return f'<Value number="{number}">{_escaped(str(value))}</Value>'


def _name(name: dict[str, str]) -> Iterable[str]:
    for group in NAME_GROUPS:
        parts = zip(NAME_COMPONENTS, name.get(group, "").split("^"), strict=False)
        components = "".join(f"<{part}>{_escaped(text)}</{part}>" for part, text in parts if text)
        if components:
            yield f"<{group}>{components}</{group}>"


def _escaped(text: str) -> str:
    return escape(_NO_CHARACTER.sub("�", text), {"\r": "&#13;"})


def _quoted(text: str) -> str:
    return quoteattr(_NO_CHARACTER.sub("�", text))
