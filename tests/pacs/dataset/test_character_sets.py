"""Values in the character set of a data set that is there: as they are meant, or not at all."""

from typing import Any

import pytest

from pacs.dataset.character_sets import is_plain, value_in
from pacs.dataset.elements import Encoding, read_elements
from pacs.model import DicomJson
from testdata.raw_bytes import element, item

NAME, DESCRIPTION, QUALIFIERS = 0x00100010, 0x00081030, 0x00100024


def name(**groups: str) -> DicomJson:
    return {"vr": "PN", "Value": [groups]}


@pytest.mark.parametrize(
    ("terms", "groups", "value"),
    [
        ([], {"Alphabetic": "Rossi^Maria"}, b"Rossi^Maria "),
        ([], {"Alphabetic": "D'Alò"}, None),
        (["ISO_IR 100"], {"Alphabetic": "D'Alò"}, "D'Alò ".encode("latin-1")),
        (["ISO_IR 100"], {"Alphabetic": "Wałęsa"}, None),
        (["ISO_IR 101"], {"Alphabetic": "Wałęsa"}, "Wałęsa".encode("iso8859-2")),
        (["ISO_IR 192"], {"Alphabetic": "Wałęsa"}, "Wałęsa".encode()),
        (["ISO_IR 192"], {"Alphabetic": "A", "Ideographic": "山^田"}, "A=山^田 ".encode()),
        (["", "ISO 2022 IR 87"], {"Alphabetic": "A", "Ideographic": "山"}, b"\x1b(BA=\x1b$B;3\x1b(B "),
        (["", "ISO 2022 IR 87"], {"Alphabetic": "Alò"}, None),
        (["latin1"], {"Alphabetic": "Alò"}, None),  # a codec of Python is no defined term
        (["ISO_IR 192"], {}, b""),
    ],
)
def test_a_name_in_a_character_set(terms: list[str], groups: dict[str, str], value: bytes | None) -> None:
    assert value_in(NAME, name(**groups), terms) == value


@pytest.mark.parametrize(
    ("element_", "value"),
    [
        ({"vr": "LO", "Value": ["Città", "due"]}, "Città\\due ".encode("latin-1")),
        ({"vr": "DA", "Value": ["19580314"]}, b"19580314"),
        ({"vr": "CS"}, b""),
        ({"vr": "LO", "Value": [None]}, b""),
    ],
)
def test_other_values(element_: DicomJson, value: bytes) -> None:
    assert value_in(DESCRIPTION, element_, ["ISO_IR 100"]) == value


def test_sequences_are_in_ascii_or_utf_8() -> None:
    def issuer(text: str) -> DicomJson:
        return {"vr": "SQ", "Value": [{"00400032": {"vr": "UT", "Value": [text]}}]}

    for terms in ([], ["ISO_IR 100"], ["ISO_IR 192"]):
        assert b"2.999.1 " in (value_in(QUALIFIERS, issuer("2.999.1"), terms) or b"")
    assert value_in(QUALIFIERS, issuer("Città"), ["ISO_IR 100"]) is None
    assert "Città".encode() in (value_in(QUALIFIERS, issuer("Città"), ["ISO_IR 192"]) or b"")
    broken: Any = {"vr": "SQ", "Value": [{"00400032": {"vr": "UT", "BulkDataURI": "https://example.org"}}]}
    assert value_in(QUALIFIERS, broken, ["ISO_IR 192"]) is None


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        (element(DESCRIPTION, "LO", b"Torace"), True),
        (element(DESCRIPTION, "LO", b"Citt\xe0 "), False),
        (element(DESCRIPTION, "LO", b"\x1b$B;3"), False),
        (element(QUALIFIERS, "SQ", item(element(DESCRIPTION, "LO", b"Citt\xe0 "))), False),
        (element(QUALIFIERS, "SQ", item(element(0x00400033, "CS", b"ISO "))), True),
        (element(0x7FE00010, "OB", b"\xff\xfe"), True),
    ],
)
def test_what_is_plain(content: bytes, plain: bool) -> None:
    assert is_plain(content, read_elements(content, Encoding(explicit=True)).elements) == plain
