"""Query strings, kind and hostile, as conditions."""

import datetime
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_api.conditions import Condition, Days, LogicalReference, Reference, Text, Token
from fhir_api.outcome import RequestFault
from fhir_api.search_request import MAX_COUNT, Chain, SearchRequest, parse_search
from fhir_api.search_table import PARAMETERS

BASE = "http://archive.example/fhir"
NAMES = sorted({p.name for parameters in PARAMETERS.values() for p in parameters})


def values(resource_type: str, name: str, text: str) -> tuple[object, ...]:
    (condition,) = parse_search(resource_type, [(name, text)], BASE, strict=True).conditions
    assert isinstance(condition, Condition)
    return condition.values


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a", Token(None, "a")),
        ("s|a", Token("s", "a")),
        ("|a", Token("", "a")),
        ("s|", Token("s", None)),
        (r"s\|t|a\,b\$\\", Token("s|t", "a,b$\\")),
        ("urn:ietf:rfc:3986|urn:oid:1.2", Token("urn:dicom:uid", "1.2")),
        ("urn:dicom:uid|1.2", Token("urn:dicom:uid", "1.2")),
        ("urn:oid:1.2", Token(None, "1.2")),
        ("urn:ietf:rfc:3986|urn:uuid:1", Token("urn:ietf:rfc:3986", "urn:uuid:1")),
    ],
)
def test_tokens(text: str, token: Token) -> None:
    assert values("Observation", "identifier", text) == (token,)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("patient", "1", [Reference("Patient/1")]),
        ("patient", "Patient/1,2", [Reference("Patient/1"), Reference("Patient/2")]),
        ("patient", f"{BASE}/Patient/1", [Reference("Patient/1")]),
        ("patient", "http://other.example/Patient/1", [Reference("http://other.example/Patient/1")]),
        ("derived-from:ImagingStudy", "1.2", [Reference("ImagingStudy/1.2")]),
        ("patient:identifier", "s|a", [LogicalReference(Token("s", "a"))]),
    ],
)
def test_references(name: str, text: str, expected: list[object]) -> None:
    assert values("Observation", name, text) == tuple(expected)


def test_a_reference_of_open_type_may_lead_to_each_of_its_targets() -> None:
    targets = [
        value.target for value in values("Observation", "derived-from", "1") if isinstance(value, Reference)
    ]
    assert targets == ["DocumentReference/1", "ImagingStudy/1", "Observation/1"]


def test_texts_and_days() -> None:
    assert values("Patient", "name", " ZANÒBI  L") == (Text("zanobi l"),)
    leap = Days(datetime.date(2024, 2, 1), datetime.date(2024, 2, 29))
    assert values("Patient", "birthdate", "2024-02") == (leap,)


def test_a_chain_asks_the_target() -> None:
    (chain,) = parse_search("Observation", [("patient.identifier", "s|a")], BASE, strict=True).conditions
    assert isinstance(chain, Chain)
    assert (chain.target, chain.inner.parameter.name) == ("Patient", "identifier")
    assert chain.inner.values == (Token("s", "a"),)


_pieces = st.sampled_from(
    [*NAMES, "_count", "_offset", "_summary", "_format", ":", ".", "identifier", "Patient"]
)
_names = st.lists(_pieces, min_size=1, max_size=4).map("".join) | st.text(max_size=20)
_texts = st.text(string.printable + "é\0", max_size=40) | st.from_regex(r"(ge|lt|ne)?\d{4}(-\d\d)?(-\d\d)?")


@given(st.sampled_from(sorted(PARAMETERS)), st.lists(st.tuples(_names, _texts), max_size=5), st.booleans())
def test_whatever_comes_is_understood_or_refused(
    resource_type: str, parameters: list[tuple[str, str]], strict: bool
) -> None:
    try:
        request = parse_search(resource_type, parameters, BASE, strict)
    except RequestFault as fault:
        assert fault.status == 400
        assert str(fault)
        return
    assert isinstance(request, SearchRequest)
    assert 0 <= request.window.limit <= MAX_COUNT
    assert request.window.offset >= 0
    assert set(request.used) <= set(parameters)
