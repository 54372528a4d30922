from decimal import Decimal

import pytest

from sr import units
from sr.codes import Code
from sr.ucum import is_ucum
from sr.units import quantity, ucum_code

UCUM = "http://unitsofmeasure.org"
ONE = Decimal("1.50")


def test_every_repair_is_a_valid_unit_for_what_is_none() -> None:
    for wrong, right in units.REPAIRED.items():
        assert not is_ucum(wrong), wrong
        assert is_ucum(right), right


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("mm", "mm"),
        ("mGycm", "mGy.cm"),
        ("{X-Ray sources}", "{X-Ray_sources}"),
        ("m^2", "m2"),
        ("%tile", ""),
        ("", ""),
    ],
)
def test_ucum_codes(written: str, code: str) -> None:
    assert ucum_code(written) == code


def test_a_valid_unit_has_system_and_code() -> None:
    assert quantity(ONE, Code("mm", "UCUM", "millimeter")) == {
        "value": ONE, "unit": "millimeter", "system": UCUM, "code": "mm",
    }  # fmt: skip


def test_no_units_is_one() -> None:
    assert quantity(ONE, Code("1", "UCUM", "no units"))["code"] == "1"


def test_a_repaired_unit_shows_what_the_file_has() -> None:
    assert quantity(ONE, Code("Gym2", "UCUM", "Gray square meter")) == {
        "value": ONE, "unit": "Gym2", "system": UCUM, "code": "Gy.m2",
    }  # fmt: skip


def test_a_misspelt_scheme_is_ucum() -> None:
    assert quantity(ONE, Code("Gy", "UCM", "Gy"))["system"] == UCUM


def test_what_cannot_be_repaired_is_text_alone() -> None:
    assert quantity(ONE, Code("%tile", "UCUM", "percentile")) == {"value": ONE, "unit": "percentile"}


def test_a_unit_of_another_scheme_claims_no_ucum() -> None:
    assert quantity(ONE, Code("cm", "99OWN", "Length Unit")) == {"value": ONE, "unit": "cm"}
    assert quantity(ONE, Code("U_7", "99OWN", "furlong")) == {"value": ONE, "unit": "furlong"}
    assert quantity(ONE, Code("mm", "", "")) == {"value": ONE, "unit": "mm"}


def test_no_unit_is_a_bare_number() -> None:
    assert quantity(Decimal(0), None) == {"value": Decimal(0)}
