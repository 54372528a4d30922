import pytest
from pydicom.dataset import Dataset
from pydicom.sr._snomed_dict import mapping

from sr import codes
from sr.codes import Code, first_code, read_code, spellings
from tests.sr.builders import coded


def test_pydicom_still_has_its_table_of_snomed_rt() -> None:
    # The table is private to pydicom; this is where its loss would show.
    assert len(mapping["SRT"]) >= 7990
    assert mapping["SRT"]["G-C0E3"] == "363698007"
    assert mapping["SRT"]["T-28000"] == "39607008"


def test_the_supplement_holds_nothing_that_the_table_has() -> None:
    assert codes._SUPPLEMENT.keys().isdisjoint(mapping["SRT"])


@pytest.mark.parametrize(
    ("value", "scheme", "key"),
    [
        ("G-C0E3", "SRT", ("SCT", "363698007")),
        ("G-C0E3", "SNM3", ("SCT", "363698007")),
        ("G-C0E3", "99SDM", ("SCT", "363698007")),
        ("C-127F9", "SRT", ("SCT", "66925006")),
        ("111642", "SRT", ("DCM", "111642")),
        ("T-D0001", "SRT", ("SRT", "T-D0001")),
        ("mm", "UCM", ("UCUM", "mm")),
        ("121071", "DCM", ("DCM", "121071")),
        ("x", "", ("", "x")),
    ],
)
def test_keys_compare_across_schemes(value: str, scheme: str, key: tuple[str, str]) -> None:
    assert Code(value, scheme, "").key == key


def test_long_and_urn_values_are_values() -> None:
    long, urn = Dataset(), Dataset()
    long.LongCodeValue, long.CodingSchemeDesignator = "621566751000087104-x", "SCT"
    urn.URNCodeValue = "urn:oid:1.2.3"
    assert read_code(long) == Code("621566751000087104-x", "SCT", "")
    assert read_code(urn) == Code("urn:oid:1.2.3", "", "")


def test_an_entry_that_says_nothing_is_none() -> None:
    assert read_code(coded(("", "DCM", ""))) is None
    assert first_code(Dataset(), "ConceptNameCodeSequence") is None


def test_a_meaning_alone_is_a_code() -> None:
    entry = read_code(coded(("", "", "CT HEAD")))
    assert entry == Code("", "", "CT HEAD")
    assert entry is not None
    assert entry.label == "CT HEAD"
    assert Code("1", "A", "").label == "1"


def test_a_code_is_written_as_today_or_as_before() -> None:
    assert set(spellings("39607008")) == {"39607008", "T-28000"}
    assert set(spellings("66925006")) >= {"66925006", "C-127F9"}
    assert spellings("121071") == ("121071",)
    assert all(Code(one, "SRT", "").key == ("SCT", "39607008") for one in spellings("39607008")[1:])
