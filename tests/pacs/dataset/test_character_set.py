"""Text of all Defined Terms, liberally read and strictly written; pydicom as the reference."""

import re
import warnings

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.valuerep import PersonName

from pacs.dataset.character_set import DEFINED_TERMS, UTF_8, CharacterSet, character_set
from testdata.defined_terms import ROWS, Named

# pydicom 3.0 has no Latin-9, and does not take away the escapes to GB 2312
KNOWN_TO_PYDICOM = [row for row in ROWS if not row.terms.endswith(("203", "58"))]
NAME_DELIMITERS = {ord("\\"), ord("^"), ord("=")}


def of(terms: str) -> CharacterSet:
    return character_set(tuple(terms.split("\\")))


def test_there_is_a_name_for_each_defined_term() -> None:
    assert {term for row in ROWS for term in row.terms.split("\\")} - {"", "ISO_IR 6"} == set(DEFINED_TERMS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_a_name_is_read(row: Named) -> None:
    assert of(row.terms).decode(row.stored, "PN") == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_a_name_is_written_so_that_it_is_read(row: Named) -> None:
    encoded = of(row.terms).encode(row.name, "PN")
    assert encoded is not None
    assert of(row.terms).decode(encoded, "PN") == row.name
    assert not row.example or encoded == row.stored


@pytest.mark.parametrize("row", KNOWN_TO_PYDICOM, ids=lambda row: row.terms)
def test_what_is_written_is_read_by_pydicom(row: Named) -> None:
    encoded = of(row.terms).encode(row.name, "PN")
    assert encoded is not None
    groups = PersonName(encoded, convert_encodings(row.terms.split("\\"))).decode()
    assert str(groups) == row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.terms)
def test_what_is_answered_is_told_in_defined_terms(row: Named) -> None:
    told = "\\".join(of(row.terms).terms)
    assert told == {"ISO_IR 6": "", "ISO 2022 IR 6\\ISO 2022 IR 149": "\\ISO 2022 IR 149"}.get(
        row.terms, row.terms
    )


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("ISO-IR 100", "ISO_IR 100"),
        ("ISO_IR_100", "ISO_IR 100"),
        ("ISO IR 100", "ISO_IR 100"),
        ("iso_ir 100", "ISO_IR 100"),
        ("latin1", "ISO_IR 100"),
        ("ISO8859-1", "ISO_IR 100"),
        ("iso-8859-15", "ISO_IR 203"),
        ("ISO2022 IR 100", "ISO 2022 IR 100"),
        ("ISO_2022_IR_101", "ISO 2022 IR 101"),
        ("UTF-8", "ISO_IR 192"),
        ("utf8", "ISO_IR 192"),
        ("ISO IR 192", "ISO_IR 192"),
        ("ISO 2022 IR 192", "ISO_IR 192"),
        ("ISO 2022 GBK", "GBK"),
        ("\\ISO2022 IR 87", "\\ISO 2022 IR 87"),
        ("\\ISO-2022-IR-149", "\\ISO 2022 IR 149"),
        ("\\ISO 2022 58", "\\ISO 2022 IR 58"),
        ("ISO_IR 149", "\\ISO 2022 IR 149"),
        ("ISO 2022 IR 87", "\\ISO 2022 IR 87"),
        ("ISO 2022 IR 87\\ISO 2022 IR 13", "\\ISO 2022 IR 87\\ISO 2022 IR 13"),
        ("ISO 2022 IR 149\\ISO 2022 IR 100", "\\ISO 2022 IR 149\\ISO 2022 IR 100"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87"),
        ("ISO_IR 100\\ISO_IR 144", "ISO 2022 IR 100\\ISO 2022 IR 144"),
        ("ISO_IR 100\\ISO_IR 192", "ISO_IR 100"),
        ("GB18030\\ISO 2022 IR 58", "GB18030"),
        ("NONESUCH\\ISO 2022 IR 149", "\\ISO 2022 IR 149"),
        ("NONESUCH", ""),
        ("unicode_escape", ""),
        ("\\", ""),
    ],
)
def test_misspelt_terms_are_understood(spelt: str, meant: str) -> None:
    assert "\\".join(of(spelt).terms) == meant


@pytest.mark.parametrize(
    ("terms", "vr", "raw", "text"),
    [
        # The set of Value 1 is active again behind each delimiter (PS3.5 6.1.2.5.3)
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "PN", b"\x1b-L\xbf^\xe9", "П^é"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "LO", b"\x1b-L\xbf\\\xe9", "П\\é"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "LT", b"\x1b-L\xbf\r\n\xe9", "П\r\né"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "LT", b"\x1b-L\xbf\\\xbf", "П\\П"),
        # Kanji of which a byte is that of a delimiter
        ("\\ISO 2022 IR 87", "PN", b"\x1b$B0\\^==\\\x1b(B", "移渊旬"),
        ("\\ISO 2022 IR 87", "LO", b"\x1b$B0\\\x1b(B\\X", "移\\X"),
        ("ISO_IR 13", "LO", "ソ表".encode("shift_jis"), "ソ表"),
        ("GB18030", "LO", b"\x81\x5c\\B", b"\x81\x5c".decode("gb18030") + "\\B"),
        ("GBK", "PN", b"\x81\x5e^B", b"\x81\x5e".decode("gbk") + "^B"),
        # G0 is not G1: to return to ASCII leaves Hangul where they are
        ("\\ISO 2022 IR 149", "LO", b"\x1b$)C\xb1\xe8\x1b(B \xb1\xe8", "김 김"),
        ("\\ISO 2022 IR 149", "LT", b"\x1b$)Ca \xc7\xd1\r\n\x1b$)C\xb1\xdb", "a 한\r\n글"),
        # Escapes that were left out, and sets that were not named
        ("\\ISO 2022 IR 149", "PN", b"\xb1\xe8^\xc8\xf1", "김^희"),
        ("ISO_IR 149", "PN", b"\xb1\xe8^\xc8\xf1", "김^희"),
        ("ISO_IR 100", "LO", b"\x1b$B;3ED\x1b(B", "山田"),
        ("", "LO", b"\x1b$B;3ED\x1b(B", "山田"),
        ("\\ISO 2022 IR 87", "LO", b"\x1b$@;3ED\x1b(B", "山田"),
        ("\\ISO 2022 IR 58", "LO", b"\x1b$)A\xd4\xbc\xba\xb2\xa1\xa4\xca\xb7", "约翰·史"),
        ("", "LO", "Niccolò".encode(), "Niccolò"),
        ("", "LO", b"Niccol\xf2", "Niccolò"),
        # What cannot be read is replaced, and what is no escape is left
        ("ISO_IR 192", "LO", b"a\xffb", "a\ufffdb"),
        ("\\ISO 2022 IR 87", "LO", b"\x1b$B;3~~\x1b(B.", "山\ufffd."),
        ("\\ISO 2022 IR 87", "LO", b"\x1b$B;3E", "山E"),
        ("ISO_IR 100", "LO", b"a\x1bzb", "a\x1bzb"),
        ("ISO_IR 13", "LO", b"A~1\\B", "A~1\\B"),
    ],
)
def test_text_is_read(terms: str, vr: str, raw: bytes, text: str) -> None:
    assert of(terms).decode(raw, vr) == text


@pytest.mark.parametrize(
    ("terms", "vr", "text", "raw"),
    [
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "PN", "П^é", b"\x1b-L\xbf\x1b-A^\xe9"),
        ("ISO 2022 IR 100\\ISO 2022 IR 144", "LT", "П\r\né", b"\x1b-L\xbf\x1b-A\r\n\xe9"),
        ("\\ISO 2022 IR 58", "LT", "2.第\r\n", b"2.\x1b$)A\xb5\xda\r\n"),
        ("\\ISO 2022 IR 149", "LO", "김 김\\김", b"\x1b$)C\xb1\xe8 \xb1\xe8\\\x1b$)C\xb1\xe8"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "LO", "ｱ山A", b"\xb1\x1b$B;3\x1b(JA"),
        ("ISO_IR 13", "LO", "A~1", b"A~1"),
    ],
)
def test_text_is_written(terms: str, vr: str, text: str, raw: bytes) -> None:
    assert of(terms).encode(text, vr) == raw


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ("", "é"),
        ("ISO_IR 100", "Ł"),
        ("ISO_IR 100", "€"),
        ("ISO_IR 13", "山"),
        ("ISO_IR 13", "¥"),
        ("ISO_IR 13", "‾"),
        ("\\ISO 2022 IR 149", "똠"),
        ("\\ISO 2022 IR 149", "좤"),
        ("\\ISO 2022 IR 58", "東"),
        ("\\ISO 2022 IR 87", "ｱ"),
        ("GBK", "😀"),
        ("ISO_IR 100", "a\x1b-Fb"),
    ],
)
def test_what_a_set_does_not_hold_is_not_written_in_it(terms: str, text: str) -> None:
    assert of(terms).encode(text, "LO") is None
    assert UTF_8.encode(text, "LO") == text.encode()


@pytest.mark.parametrize(
    ("registered", "escape"),
    [(87, b"\x1b$B"), (159, b"\x1b$(D"), (149, b"\x1b$)C"), (58, b"\x1b$)A")],
)
def test_no_byte_of_two_is_out_of_its_plane(registered: int, escape: bytes) -> None:
    """Of 94 by 94 characters (ISO 2022): what other bytes there are, belongs to others than DICOM names."""
    written = (of(f"\\ISO 2022 IR {registered}").encode(chr(code), "LO") for code in range(0x80, 0xD800))
    pairs = [one.removeprefix(escape)[:2] for one in written if one]
    assert len(pairs) > 6000
    assert all(0x21 <= byte & 0x7F <= 0x7E for pair in pairs for byte in pair)


TERMS = st.sampled_from(sorted({row.terms for row in ROWS} | {"", "ISO_IR 100\\ISO 2022 IR 87", "NONESUCH"}))
VRS = st.sampled_from(["PN", "LO", "SH", "UC", "LT", "ST", "UT"])
PIECES = st.sampled_from(
    [
        b"\x1b",
        b"\x1b$B",
        b"\x1b(B",
        b"\x1b$)C",
        b"\x1b-F",
        b"\\",
        b"^",
        b"=",
        b"\r\n",
        b";3",
        b"\xb1\xe8",
        b"a",
    ]
)


@given(TERMS, VRS, st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=12).map(b"".join))
def test_whatever_lies_there_is_read(terms: str, vr: str, raw: bytes) -> None:
    assert isinstance(of(terms).decode(raw, vr), str)


@given(TERMS, VRS, st.text(max_size=12))
def test_what_is_written_is_read_as_it_was(terms: str, vr: str, text: str) -> None:
    encoded = of(terms).encode(text, vr)
    assert encoded is None or of(terms).decode(encoded, vr) == text


_DESIGNATED = re.compile(rb"\x1b(\$B|\$\(D|\([BJ])")  # into G0


def returns(component: bytes) -> bool:
    """Whether it ends as it must (PS3.5 6.1.2.5.3): pydicom forgets so between kanji and katakana."""
    designated = _DESIGNATED.findall(component)
    return not designated or designated[-1] in (b"(B", b"(J")


@given(st.data())
def test_what_pydicom_writes_is_read_as_pydicom_reads_it(data: st.DataObject) -> None:
    """Of the characters that the set holds, as names are written: a component at a time."""
    row = data.draw(st.sampled_from(KNOWN_TO_PYDICOM))
    letters = st.text(sorted(set(row.name) - set("^=")), max_size=4)
    components = data.draw(st.lists(letters, min_size=1, max_size=5))
    encodings = convert_encodings(row.terms.split("\\"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written = [encode_string(component, encodings) for component in components]
        assume(all(map(returns, written)))
        raw = b"^".join(written)
        theirs = decode_bytes(raw, encodings, NAME_DELIMITERS)
    assert of(row.terms).decode(raw, "PN") == theirs == "^".join(components)
