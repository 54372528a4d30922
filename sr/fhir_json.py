"""FHIR resources as JSON text and back, with decimals kept to the digit (FHIR 2.24.0.1, decimal).

A resource is a plain dict; its decimals are decimal.Decimal, never float.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

_INT_DIGITS = 18


def dumps(resource: dict[str, Any], is_pretty: bool = False) -> bytes:
    """The resource as UTF-8 JSON. A Decimal shows all its digits, trailing zeros too: 1.50 stays 1.50.

    is_pretty: with lines and margins, for people.

    Raises TypeError when the resource holds what JSON cannot.
    """
    return orjson.dumps(resource, default=_decimal, option=orjson.OPT_INDENT_2 if is_pretty else None)


def loads(text: bytes | str) -> dict[str, Any]:
    """The resource that dumps wrote. Raises ValueError for what is no JSON object, or no Decimal can hold."""
    try:
        resource = json.loads(text, parse_float=Decimal, parse_int=_integer, parse_constant=_refuse)
    except InvalidOperation as error:
        raise ValueError("a decimal has an exponent beyond all bounds") from error
    if not isinstance(resource, dict):
        raise ValueError("a FHIR resource is a JSON object")
    return resource


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _integer(text: str) -> int | Decimal:
    """A whole number; one of more digits than orjson writes as int is a Decimal."""
    return int(text) if len(text) <= _INT_DIGITS else Decimal(text)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")
