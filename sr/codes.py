"""Coded entries (PS3.3 8.8), made comparable across the coding schemes that renamed each other."""

from dataclasses import dataclass, field
from functools import cache, lru_cache

from pydicom.sr._snomed_dict import mapping

from sr import lenient

# A coded concept by scheme and value, as Code.key gives it.
Key = tuple[str, str]

# Designators of SNOMED before SNOMED CT, PS3.16 Table 8-1; their codes are looked up as SRT.
SNOMED_RT = frozenset({"SRT", "SNM3", "99SDM"})

# Designators that files misspell.
_SPELT_WRONG = {"UCM": "UCUM", "SNOMED-CT": "SCT", "SNOMEDCT": "SCT", "LOINC": "LN"}

# What pydicom's table of SNOMED RT lacks: codes that PS3.16 CID 10006 and 10016 replaced by the bare metal,
# TID 10022's agent, and DICOM codes that devices send under SRT.
_SUPPLEMENT: dict[str, Key] = {
    "C-127F9": ("SCT", "66925006"),
    "C-132F9": ("SCT", "88488004"),
    "C-137F9": ("SCT", "41967008"),
    "C-139F9": ("SCT", "12597001"),
    "C-150F9": ("SCT", "71128006"),
    "C-156F9": ("SCT", "45215009"),
    "C-164F9": ("SCT", "26194003"),
    "C-167F9": ("SCT", "59801003"),
    "F-61FDB": ("SCT", "349358000"),
    "111642": ("DCM", "111642"),
    "121006": ("DCM", "121006"),
}


LONGEST_CODE_VALUE = 16  # characters; what is longer, is a Long Code Value (PS3.3 8.1)


@dataclass(frozen=True, slots=True)
class Code:
    """One coded entry as the file has it.

    value: Code Value, Long Code Value or URN Code Value.  scheme: Coding Scheme Designator, "" when absent.
    key: scheme and value to compare by: SNOMED RT as SNOMED CT where that is known, names spelt right.
    """

    value: str
    scheme: str
    meaning: str
    key: Key = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _key(self.scheme, self.value))  # asked for hundreds of times

    @property
    def label(self) -> str:
        """What to show a person."""
        return self.meaning or self.value


@lru_cache(4096)
def _key(written: str, value: str) -> Key:
    scheme = _SPELT_WRONG.get(written.upper(), written)
    if scheme not in SNOMED_RT:
        return scheme, value
    if value in mapping["SRT"]:
        return "SCT", mapping["SRT"][value]
    return _SUPPLEMENT.get(value, (scheme, value))


def spellings(value: str) -> tuple[str, ...]:
    """The values by which files may write a code: itself, and those of SNOMED RT that mean the same."""
    return value, *(older for older, newer in _older() if newer == value)


@cache
def _older() -> tuple[tuple[str, str], ...]:
    """Values of SNOMED RT with those that they are told by today."""
    supplement = ((older, newer) for older, (_, newer) in _SUPPLEMENT.items() if newer != older)
    return (*mapping["SRT"].items(), *supplement)


def read_code(dataset: lenient.Source | None) -> Code | None:
    """The coded entry in an item of a code sequence; None when it says nothing."""
    value = (
        lenient.text(dataset, "CodeValue")
        or lenient.text(dataset, "LongCodeValue")
        or lenient.text(dataset, "URNCodeValue")
    )
    meaning = lenient.text(dataset, "CodeMeaning")
    if not value and not meaning:
        return None
    return Code(value, lenient.text(dataset, "CodingSchemeDesignator"), meaning)


def first_code(dataset: lenient.Source | None, keyword: str) -> Code | None:
    """The coded entry in the first item of a code sequence."""
    return lenient.of_first(dataset, keyword, read_code)
