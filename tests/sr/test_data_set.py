"""The lean data set: values by keyword, as pydicom gives them, without its cost."""

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from sr.codes import Code, first_code
from sr.data_set import DataSet, read_data_set
from sr.element_values import MAX_VALUES
from tests.sr.builders import LENGTH, LUNG, SITE, code, report
from tests.sr.files import lean, written
from tests.sr.test_structure import CONTENT, item, long, one, short


def _of(content: bytes) -> DataSet:
    return read_data_set(content, ExplicitVRLittleEndian)


def test_values_by_keyword() -> None:
    dataset = Dataset()
    dataset.NumericValue = ["1.50", "2"]
    dataset.UID = "1.2.3"
    dataset.TextValue = "a\\b "
    dataset.FloatingPointValue = 1.5
    dataset.GraphicData = [1.0, 2.5]
    source = lean(written(dataset))
    assert list(source.texts("NumericValue")) == ["1.50", "2"]
    assert list(source.texts("UID")) == ["1.2.3"]
    assert list(source.texts("TextValue")) == ["a\\b"]
    assert list(source.texts("FloatingPointValue")) == ["1.5"]
    assert source.numbers("GraphicData", 2) == (1.0, 2.5)
    assert source.numbers("GraphicData", 1) is None
    assert "UID" in source


def test_what_is_absent() -> None:
    source = _of(b"")
    assert list(source.texts("TextValue")) == []
    assert list(source.items("ContentSequence")) == []
    assert source.numbers("GraphicData", 1) == ()
    assert source.of_first("ContentSequence", lambda first: first) is None
    assert "TextValue" not in source
    assert source.faults == ()


def test_a_keyword_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(LookupError):
        _of(b"").texts("TextValues")


def test_what_is_no_sequence_has_no_items_and_a_sequence_no_texts() -> None:
    source = _of(short(CONTENT, b"LO", b"text") + long(0x0040A160, b"SQ", item(one(b"TEXT"))))
    assert list(source.items("ContentSequence")) == []
    assert list(source.texts("TextValue")) == []


def test_a_sequence_of_unknown_vr_is_read_whatever_its_length() -> None:
    content = b"".join(item(one(b"TEXT")) for _ in range(5000))
    assert len(content) > 0xFFFF
    source = _of(long(CONTENT, b"UN", content))
    assert sum(1 for _ in source.items("ContentSequence")) == 5000


def test_bytes_of_a_wrong_length_are_no_numbers() -> None:
    source = _of(short(0x0040A161, b"FD", b"1234") + short(0x00700022, b"FL", b"12345678ab"))
    assert list(source.texts("FloatingPointValue")) == []
    assert source.numbers("GraphicData", 9) == ()


def test_numbers_may_be_written_as_text() -> None:
    source = _of(short(0x00700022, b"DS", b"1.5\\2"))
    assert source.numbers("GraphicData", 9) == (1.5, 2.0)
    assert _of(short(0x00700022, b"DS", b"1.5\\x")).numbers("GraphicData", 9) == ()


def test_codes_that_are_alike_are_one() -> None:
    source = lean(written(report(code(SITE, LUNG), code(SITE, LUNG), code(LENGTH, LUNG))))
    one, two, other = source.items("ContentSequence")
    site, again = first_code(one, "ConceptNameCodeSequence"), first_code(two, "ConceptNameCodeSequence")
    assert site is not None
    assert site is again
    assert site != first_code(other, "ConceptNameCodeSequence")


def test_codes_of_documents_that_are_alike_are_one_but_not_in_other_character_sets() -> None:
    def meaning(character_set: bytes) -> Code | None:
        code_item = item(short(0x00080100, b"SH", b"1") + short(0x00080104, b"LO", b"\xc3\xb6"))
        content = short(0x00080005, b"CS", character_set) + long(0x0040A043, b"SQ", code_item)
        return first_code(_of(content), "ConceptNameCodeSequence")

    latin, utf_8 = meaning(b"ISO_IR 100"), meaning(b"ISO_IR 192")
    assert latin is meaning(b"ISO_IR 100")
    assert (latin, utf_8) == (Code("1", "", "\xc3\xb6"), Code("1", "", "ö"))


def test_each_document_tells_what_its_codes_hide() -> None:
    cut = item(short(0x00080100, b"SH", b"12") + short(0x00080104, b"LO", b"Lung")[:-2], length=20)
    content = long(0x0040A043, b"SQ", cut)
    for _ in range(2):
        source = _of(content)
        told = [source.faults]
        for _ in range(2):
            assert first_code(source, "ConceptNameCodeSequence") == Code("12", "", "")
            told.append(source.faults)
        assert told == [(), *[("the bytes end within an element",)] * 2]


def _in(character_set: bytes, text: bytes, inner: bytes | None = None) -> list[list[str]]:
    """What a text says in the outer data set and in an item, which may have a character set of its own."""
    own = b"" if inner is None else short(0x00080005, b"CS", inner)
    value = long(0x0040A160, b"UT", text)
    content = short(0x00080005, b"CS", character_set) + value + long(CONTENT, b"SQ", item(own + value))
    source = _of(content)
    return [list(each.texts("TextValue")) for each in (source, *source.items("ContentSequence"))]


@pytest.mark.parametrize(
    ("character_set", "text", "read"),
    [
        (b"ISO_IR 100", b"gr\xf6\xdfer", "größer"),
        (b"ISO_IR 192", "größer".encode(), "größer"),
        (b"ISO-IR 192", "größer".encode(), "größer"),
        (b"\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田"),
        (b"ISO 2022 IR 6 \\ISO 2022 IR 149", b"\x1b$)C\xb1\xe8", "김"),
        (b"GB18030", "张\\".encode("gb18030"), "张\\"),
        (b"GB18030", b"\x81\x5c", b"\x81\x5c".decode("gb18030")),
        (b"utf-8", "größer".encode(), "größer"),
        (b"ISO_IR 203", b"\xbduvre \xa4", "œuvre €"),
        (b"ISO 2022 IR 203\\ISO 2022 IR 87", b"\xbduvre \x1b$B;3\x1b(B", "œuvre 山"),
        (b"unicode_escape", rb"\xf6\u0041", r"\xf6\u0041"),
        (b"no such thing", b"gr\xf6\xdfer", "größer"),
        (b"a\x00b", b"gr\xf6\xdfer", "größer"),
    ],
)
def test_character_sets(character_set: bytes, text: bytes, read: str) -> None:
    assert _in(character_set, text) == [[read], [read]]


def test_an_item_may_have_a_character_set_of_its_own() -> None:
    assert _in(b"ISO_IR 100", b"\xc3\xb6", b"ISO_IR 192") == [["\xc3\xb6"], ["ö"]]
    assert _in(b"ISO_IR 192", b"\xc3\xb6", b"") == [["ö"], ["\xc3\xb6"]]


def test_a_backslash_within_a_character_parts_no_values() -> None:
    value = short(0x00080070, b"LO", b"\x81\x5c\\B")
    source = _of(short(0x00080005, b"CS", b"GB18030") + value)
    assert list(source.texts("Manufacturer")) == [b"\x81\x5c".decode("gb18030"), "B"]


def test_names_lose_empty_groups_only() -> None:
    source = _of(short(0x0040A123, b"PN", b"Doe^J==\\A=B= "))
    assert list(source.texts("PersonName")) == ["Doe^J", "A=B"]


def test_more_values_than_anyone_means_are_absent() -> None:
    source = _of(long(0x00080070, b"UC", b"a" + b"\\" * (MAX_VALUES + 1)))
    assert list(source.texts("Manufacturer")) == []
