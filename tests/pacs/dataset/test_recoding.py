"""Values in the character set of a data set that is there: as they are meant, or not at all."""

from typing import Any

import pytest

from pacs.dataset.elements import Encoding, read_elements
from pacs.dataset.recoding import in_utf_8, is_plain, value_in
from pacs.dataset.rewrite import explicit_element, implicit_element
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
        (["", "ISO 2022 IR 87"], {"Alphabetic": "A", "Ideographic": "山"}, b"A=\x1b$B;3\x1b(B"),
        (["", "ISO 2022 IR 87"], {"Alphabetic": "Alò"}, None),
        (["latin1"], {"Alphabetic": "Alò"}, None),  # misspelt: others may not know what is meant
        (["ISO 2022 IR 6", "ISO 2022 IR 100"], {"Alphabetic": "Alò"}, b"Al\x1b-A\xf2"),
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
        ({"vr": "UI", "Value": ["2.999.1"]}, b"2.999.1\0"),
        ({"vr": "CS", "Value": ["é"]}, None),
        ({"vr": "DA", "Value": ["１９５８０３１４"]}, None),
        ({"vr": "LO", "Value": [7]}, None),
    ],
)
def test_other_values(element_: DicomJson, value: bytes | None) -> None:
    assert value_in(DESCRIPTION, element_, ["ISO_IR 100"]) == value
    assert value is not None or value_in(DESCRIPTION, element_, ["ISO_IR 192"]) is None


def test_sequences_are_in_ascii_or_utf_8() -> None:
    def issuer(text: str) -> DicomJson:
        return {"vr": "SQ", "Value": [{"00400032": {"vr": "UT", "Value": [text]}}]}

    for terms in ([], ["ISO_IR 100"], ["ISO_IR 192"]):
        assert b"2.999.1 " in (value_in(QUALIFIERS, issuer("2.999.1"), terms) or b"")
    assert value_in(QUALIFIERS, issuer("Città"), ["ISO_IR 100"]) is None
    assert "Città".encode() in (value_in(QUALIFIERS, issuer("Città"), ["ISO_IR 192"]) or b"")
    code = {"vr": "SQ", "Value": [{"00400033": {"vr": "CS", "Value": ["é"]}}]}
    assert value_in(QUALIFIERS, code, ["ISO_IR 192"]) is None
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


LATIN, GREEK = element(0x00080005, "CS", b"ISO_IR 100"), element(0x00080005, "CS", b"ISO_IR 126")
UTF_8 = element(0x00080005, "CS", b"ISO_IR 192")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            LATIN + element(DESCRIPTION, "LO", b"Citt\xe0 "),
            UTF_8 + element(DESCRIPTION, "LO", "Città".encode()),
        ),
        (
            LATIN + element(QUALIFIERS, "SQ", item(element(DESCRIPTION, "LO", b"\xe0 "))),
            UTF_8 + element(QUALIFIERS, "SQ", item(element(DESCRIPTION, "LO", "à".encode()))),
        ),
        (
            LATIN + element(QUALIFIERS, "SQ", item(GREEK + element(DESCRIPTION, "LO", b"\xe1 "))),
            UTF_8 + element(QUALIFIERS, "SQ", item(UTF_8 + element(DESCRIPTION, "LO", "α".encode()))),
        ),
        (
            GREEK + element(QUALIFIERS, "SQ", item(LATIN)) + element(NAME + 0x1000, "LO", b"\xe1 "),
            UTF_8 + element(QUALIFIERS, "SQ", item(UTF_8)) + element(NAME + 0x1000, "LO", "α".encode()),
        ),
        (
            element(0x00080005, "CS", b"latin1") + element(DESCRIPTION, "LO", b"Citt\xe0 "),
            UTF_8 + element(DESCRIPTION, "LO", "Città".encode()),
        ),
        (LATIN + element(0x00111001, "UN", b"\xe0 "), UTF_8 + element(0x00111001, "UN", b"\xe0 ")),
    ],
)
def test_a_data_set_in_utf_8(before: bytes, after: bytes) -> None:
    assert in_utf_8(before, Encoding(explicit=True), explicit_element) == after


def test_an_implicit_one_stays_implicit() -> None:
    def implicit(text: bytes, terms: bytes) -> bytes:
        return implicit_element(0x00080005, "CS", terms) + implicit_element(DESCRIPTION, "LO", text)

    before, after = implicit(b"Citt\xe0 ", b"ISO_IR 100"), implicit("Città".encode(), b"ISO_IR 192")
    assert in_utf_8(before, Encoding(explicit=False), implicit_element) == after


@pytest.mark.parametrize(
    "unsure",
    [
        element(DESCRIPTION, "LO", b"Citt\xe0 "),
        element(0x00080005, "CS", b"KLINGON ") + element(DESCRIPTION, "LO", b"Citt\xe0 "),
        UTF_8 + element(DESCRIPTION, "LO", b"Citt\xe0 "),
        LATIN + element(0x00880200, "SQ", item(element(0x7FE00010, "OB", b"\0\0"))),
        LATIN + element(QUALIFIERS, "UN", item(implicit_element(DESCRIPTION, "LO", b"\xe0 "))),
    ],
)
def test_what_is_not_sure_is_not_converted(unsure: bytes) -> None:
    with pytest.raises(UnicodeError):
        in_utf_8(unsure, Encoding(explicit=True), explicit_element)
