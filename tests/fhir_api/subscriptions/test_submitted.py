"""What may be submitted as a Subscription."""

from typing import Any

import pytest

from fhir_api.outcome import RequestFault
from fhir_api.subscriptions.criteria import check_criteria
from fhir_api.subscriptions.model import Status
from fhir_api.subscriptions.submitted import is_allowed, read_submitted, with_kept_headers

ALLOWED = ("https://ehr.example.org/hooks", "http://10.0.0.7:8080")
CHANNEL: dict[str, Any] = {"type": "rest-hook", "endpoint": "https://ehr.example.org/hooks/a"}
SUBSCRIPTION: dict[str, Any] = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "Follow-up",
    "criteria": "Observation?status=final",
    "channel": CHANNEL,
}


def body(**changes: Any) -> dict[str, Any]:
    return {**SUBSCRIPTION, **changes}


def channel(**changes: Any) -> dict[str, Any]:
    return {"channel": {**CHANNEL, **changes}}


def test_what_is_submitted_is_kept() -> None:
    contact = [{"system": "phone", "value": "ext 4123", "use": "work"}]
    wanted = channel(payload="application/fhir+json", header=["Authorization:Bearer  x", "X-A: b c "])
    end = "2030-01-01T00:00:00Z"
    ignored = {"meta": {"tag": []}, "text": {"status": "empty"}, "error": "x", "id": "a"}
    read = read_submitted(body(contact=contact, end=end, **wanted, **ignored), ALLOWED)
    assert read.content == {
        "criteria": "Observation?status=final",
        "reason": "Follow-up",
        "contact": contact,
        "end": end,
        "channel": {**wanted["channel"], "header": ["Authorization: Bearer  x", "X-A: b c"]},
    }
    assert (read.status, read.ends, read.resource_id) == (Status.REQUESTED, 1893456000, "a")


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"resourceType": "Patient"}, "structure", "resourceType"),
        ({"status": "active"}, "value", "status"),
        ({"status": None}, "value", "status"),
        ({"reason": None}, "value", "reason"),
        ({"reason": ""}, "value", "reason"),
        ({"reason": "\ud800"}, "value", "reason"),
        ({"reason": "a\udfff"}, "value", "reason"),
        ({"contact": [{"system": "phone", "value": "\ud800"}]}, "value", "contact.value"),
        ({"criteria": ["x"]}, "value", "criteria"),
        ({"criteria": "x" * 2001}, "value", "criteria"),
        ({"end": "2030"}, "value", "end"),
        ({"end": "2030-13-01T00:00:00Z"}, "value", "end"),
        ({"contact": []}, "structure", "contact"),
        ({"contact": [{"value": "1"}]}, "invariant", "contact.system"),
        ({"contact": [{"system": "pigeon"}]}, "code-invalid", "contact.system"),
        ({"contact": ["a"]}, "structure", "contact"),
        ({"extension": [{"url": "http://example.org"}]}, "not-supported", "extension"),
        ({"_criteria": {}}, "not-supported", "_criteria"),
        ({"modifierExtension": []}, "not-supported", "modifierExtension"),
        ({"channel": None}, "structure", "channel"),
        (channel(type="websocket"), "not-supported", "channel.type"),
        (channel(type="email"), "not-supported", "channel.type"),
        (channel(extension=[]), "not-supported", "channel.extension"),
        (channel(payload="application/fhir+xml"), "not-supported", "channel.payload"),
        (channel(payload=["application/fhir+json"]), "not-supported", "channel.payload"),
        (channel(header=["no colon"]), "value", "channel.header"),
        (channel(header=["A: b\r\nC: d"]), "value", "channel.header"),
        (channel(header=["Host: inside.example.org"]), "value", "channel.header"),
        (channel(header=["A: b"] * 21), "structure", "header"),
        (channel(header="A: b"), "structure", "header"),
        (channel(endpoint=None), "value", "channel.endpoint"),
        (channel(endpoint="file:///etc/passwd"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks/../x"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks/%2E%2e/x"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks/..%2fx"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks/a#b"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks/a b"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org\\@evil.example/hooks"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org@evil.example/hooks"), "value", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/other"), "business-rule", "channel.endpoint"),
        (channel(endpoint="https://ehr.example.org/hooks2"), "business-rule", "channel.endpoint"),
        (channel(endpoint="http://10.0.0.7:80800/"), "business-rule", "channel.endpoint"),
        (
            channel(endpoint="https://ehr.example.org/hooks?a=b", payload="application/fhir+json"),
            "value",
            "channel.endpoint",
        ),
    ],
)
def test_what_would_not_be_kept_is_refused_and_named(changes: dict[str, Any], code: str, named: str) -> None:
    with pytest.raises(RequestFault) as refused:
        read_submitted(body(**changes), ALLOWED)
    assert (refused.value.status, refused.value.code) == (422, code)
    assert str(refused.value).startswith(f"Subscription.{named}: ")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://ehr.example.org/hooks",
        "https://ehr.example.org/hooks/",
        "https://ehr.example.org/hooks?a=b",
        "http://10.0.0.7:8080",
        "http://10.0.0.7:8080/any/where",
    ],
)
def test_an_address_is_allowed_up_to_the_end_of_a_segment(endpoint: str) -> None:
    assert is_allowed(endpoint, ALLOWED)
    assert not is_allowed(endpoint, ())


def test_header_values_that_were_shown_as_kept_are_kept() -> None:
    before = channel(header=["Authorization: Bearer x", "A: 1", "A: 2"])
    after = channel(header=["A: (kept)", "Authorization: (kept)", "A: (kept)", "B: c"])
    header = with_kept_headers(after, before)["channel"]["header"]
    assert header == ["A: 1", "Authorization: Bearer x", "A: 2", "B: c"]
    assert with_kept_headers(channel(), before) == channel()


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        ({"header": ["New: (kept)"]}, channel(header=["Authorization: Bearer x"])),
        ({"header": ["A: (kept)", "A: (kept)"]}, channel(header=["A: b"])),
        ({"header": ["A: (kept)"], "endpoint": "http://10.0.0.7:8080/"}, channel(header=["A: b"])),
        ({"header": ["A: (kept)"]}, None),
    ],
)
def test_what_one_server_was_told_is_not_for_another(
    changes: dict[str, Any], before: dict[str, Any] | None
) -> None:
    with pytest.raises(RequestFault, match=r"channel\.header") as refused:
        with_kept_headers(channel(**changes), before)
    assert refused.value.status == 422


@pytest.mark.parametrize(
    "criteria",
    [
        "Observation",
        "Observation?",
        "Observation?code=http://loinc.org|1975-2&status=final,amended",
        "Observation?patient.identifier=http://example.org|7&value-quantity=gt5.4|http://unitsofmeasure.org|mm",
        "ImagingStudy?based-on:identifier=A1&modality=CT",
        "DocumentReference?related:ImagingStudy.identifier=1.2.3",
    ],
)
def test_criteria_are_searches(criteria: str) -> None:
    check_criteria(criteria, "http://archive.example/fhir")


@pytest.mark.parametrize(
    ("criteria", "code", "named"),
    [
        ("Patient?name=x", "not-supported", "changes are told of"),
        ("Endpoint", "not-supported", "changes are told of"),
        ("http://example.org/topic", "not-supported", "changes are told of"),
        ("/Observation?code=x", "not-supported", "changes are told of"),
        ("Observation?colour=red", "not-supported", "colour"),
        ("Observation?_count=5", "not-supported", "_count"),
        ("Observation?_include=Observation:patient", "not-supported", "_include"),
        ("Observation?_sort=date", "not-supported", "_sort"),
        ("Observation?_summary=count", "not-supported", "_summary"),
        ("Observation?_has:Provenance:target:agent=x", "not-supported", "_has"),
        ("Observation?code=", "invalid", "code"),
        ("Observation?code:text=liver", "invalid", "code"),
        ("Observation?date=yesterday", "invalid", "date"),
        ("Observation?patient.colour=red", "invalid", "patient"),
        ("Observation?" + "&".join(["code=x"] * 33), "too-costly", "32"),
    ],
)
def test_criteria_that_cannot_be_kept_are_refused_and_the_parameter_named(
    criteria: str, code: str, named: str
) -> None:
    with pytest.raises(RequestFault) as refused:
        check_criteria(criteria, "http://archive.example/fhir")
    assert (refused.value.status, refused.value.code) == (422, code)
    assert named in str(refused.value)
