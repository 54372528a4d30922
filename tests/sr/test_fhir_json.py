from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr.fhir_json import dumps, loads


@pytest.mark.parametrize(
    "digits", ["1.50", "0.00", "-119.07385253906", "100", "12345678901234567890.5", "1E+3"]
)
def test_a_decimal_is_written_with_its_digits(digits: str) -> None:
    assert dumps({"value": Decimal(digits)}) == b'{"value":' + digits.encode() + b"}"


def test_a_small_decimal_keeps_its_precision() -> None:
    assert dumps({"value": Decimal("1.070E-05")}) == b'{"value":0.00001070}'


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_what_is_written_is_read_again(value: Decimal) -> None:
    read = loads(dumps({"a": [{"value": value}], "b": "ä"}))
    assert read == {"a": [{"value": value}], "b": "ä"}
    assert dumps(read) == dumps({"a": [{"value": value}], "b": "ä"})


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), {1}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dumps({"value": value})


@pytest.mark.parametrize(
    "text",
    [b"[]", b"1", b'{"value": NaN}', b"{", b'{"value": -Infinity}', b'{"value": 1e99999999999999999999}'],
)
def test_what_is_no_resource_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        loads(text)
