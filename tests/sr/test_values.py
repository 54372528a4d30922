from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts

from sr import values
from sr.codes import Code
from sr.coding_schemes import CodingSchemes
from sr.content_tree import Coordinates, Item, Number, ObjectReference, Value
from sr.primitives import AS_WRITTEN
from sr.values import value_members

SCHEMES = CodingSchemes("Acme", {})
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def _told(value_type: str, value: Value | None, zone: str = "") -> list[dict[str, Any]]:
    return value_members(Item("1.1", value_type, "CONTAINS", None, value), SCHEMES, zone)


@pytest.mark.parametrize(
    ("value_type", "value", "told"),
    [
        ("TEXT", "seen", {"valueString": "seen"}),
        ("DATE", "20240229", {"valueDateTime": "2024-02-29"}),
        ("DATE", "spring", {"valueString": "spring"}),
        ("TIME", "1015", {"valueTime": "10:15:00"}),
        ("TIME", "noon", {"valueString": "noon"}),
        ("DATETIME", "20240229101500+0100", {"valueDateTime": "2024-02-29T10:15:00+01:00"}),
        ("DATETIME", "then", {"valueString": "then"}),
        ("UIDREF", "1.2.3", {"valueString": "urn:oid:1.2.3"}),
        ("UIDREF", "none", {"valueString": "none"}),
        ("PNAME", "Doe^John", {"valueString": "John Doe"}),
        ("CODE", Code("7771000", "SCT", "Left"), {"valueCodeableConcept": SCHEMES.concept(
            Code("7771000", "SCT", "Left"))}),
    ],
)  # fmt: skip
def test_natural_types(value_type: str, value: Value, told: dict[str, Any]) -> None:
    assert _told(value_type, value) == [told]


def test_a_time_without_a_zone_is_kept_as_written() -> None:
    (told,) = _told("DATETIME", "20240229101500")
    assert told["valueDateTime"] == "2024-02-29"
    assert told["_valueDateTime"]["extension"] == [{"url": AS_WRITTEN, "valueString": "20240229101500"}]


def test_the_zone_of_the_report_completes_a_time() -> None:
    assert _told("DATETIME", "20240229101500", "+01:00") == [{"valueDateTime": "2024-02-29T10:15:00+01:00"}]


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        ("CONTAINER", None),
        ("CODE", None),
        ("TEXT", "\x07"),
        ("IMAGE", ObjectReference("1.2", "1.3")),
        ("SCOORD", Coordinates("POINT", (1.0, 2.0))),
    ],
)
def test_what_fhir_has_no_value_for_is_not_told(value_type: str, value: Value | None) -> None:
    assert _told(value_type, value) == []


def test_each_number_is_told() -> None:
    told = _told("NUM", Number((Decimal("8"), Decimal("8.0"))))
    assert [str(one["valueQuantity"]["value"]) for one in told] == ["8", "8.0"]


def test_a_number_that_is_none_is_text_with_its_unit() -> None:
    assert _told("NUM", Number((), "10.50/ 15.00", Code("mGy", "UCUM", ""))) == [
        {"valueString": "10.50/ 15.00 mGy"}
    ]


def test_a_qualified_number_says_so() -> None:
    (told,) = _told("NUM", Number((Decimal(1),), qualifier=Code("114009", "DCM", "Value out of range")))
    assert told["valueQuantity"] == {"value": Decimal(1)}
    assert told["interpretation"][0]["text"] == "Value out of range"


def test_the_table_of_absent_values_covers_the_context_group() -> None:
    table = cast(Mapping[str, Mapping[str, object]], concepts["DCM"])
    assert {code for name in cid_concepts[42]["DCM"] for code in table[name]} == set(values.ABSENT)


@pytest.mark.parametrize(
    ("qualifier", "reason"),
    [
        (Code("114010", "DCM", "Value unknown"), "unknown"),
        (Code("114007", "DCM", "Measurement not attempted"), "not-performed"),
        (Code("114006", "DCM", "Measurement failure"), "error"),
        (Code("114000", "DCM", "Not a number"), "not-a-number"),
        (Code("114007", "99OWN", "x"), "unknown"),
        (None, "unknown"),
    ],
)
def test_a_number_without_a_value_is_never_zero(qualifier: Code | None, reason: str) -> None:
    (told,) = _told("NUM", Number(qualifier=qualifier))
    assert list(told) == ["dataAbsentReason"]
    assert told["dataAbsentReason"]["coding"][0] == {"system": ABSENT, "code": reason}
    assert len(told["dataAbsentReason"]["coding"]) == (2 if qualifier else 1)
