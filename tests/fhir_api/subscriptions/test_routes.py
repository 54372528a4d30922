"""Subscriptions are made, read, searched, changed and ended over HTTP."""

import pytest

from fhir_api.r4.xml_writer import to_xml
from fhir_api.subscriptions import store as store_module
from tests.fhir_api.client import BASE
from tests.fhir_api.subscriptions.conftest import JSON, Office
from tests.fhir_api.subscriptions.subscriber import Subscriber


def test_one_is_made_and_read(office: Office, subscriber: Subscriber) -> None:
    made = office.submit("POST", "", f"{subscriber.url}/a", payload=JSON, header=["Authorization: Bearer x"])
    assert made.status_code == 201
    resource = made.json()
    assert made.headers["location"] == f"{BASE}/Subscription/{resource['id']}"
    assert made.headers["etag"] == 'W/"1"'
    assert resource["status"] == "requested"
    assert resource["channel"]["header"] == ["Authorization: (kept)"]
    assert office.shown(resource["id"]) == resource
    assert office.store.all()[0].headers == [("Authorization", "Bearer x")]
    assert office.rung == [True]


def test_one_is_made_as_xml(office: Office, subscriber: Subscriber) -> None:
    channel = {"type": "rest-hook", "endpoint": subscriber.url, "header": ["A: b"]}
    asked = {"status": "requested", "reason": "test", "criteria": "Observation", "channel": channel}
    xml = "application/fhir+xml"
    made = office.client.request(
        "POST",
        "/fhir/Subscription",
        content=to_xml({"resourceType": "Subscription", **asked}),
        headers={"Content-Type": xml, "Accept": xml},
    )
    assert (made.status_code, made.headers["content-type"]) == (201, xml)
    (kept,) = office.store.all()
    assert (kept.endpoint, kept.headers) == (subscriber.url, [("A", "b")])


def test_what_one_server_was_told_is_not_for_another(office: Office, subscriber: Subscriber) -> None:
    office.allowed = (subscriber.url, "http://127.0.0.1:9")
    name = office.subscribe(subscriber.url, header=["Authorization: Bearer x"])
    refused = office.submit("PUT", f"/{name}", "http://127.0.0.1:9/", header=["Authorization: (kept)"])
    assert refused.status_code == 422
    assert office.store.all()[0].endpoint == subscriber.url


def test_they_are_searched(office: Office, subscriber: Subscriber) -> None:
    first = office.subscribe(f"{subscriber.url}/a", "Observation?status=final", payload=JSON)
    second = office.subscribe(f"{subscriber.url}/b", "ImagingStudy")
    found = office.client.found
    assert found("Subscription") == {first, second}
    assert found("Subscription", status="requested", type="rest-hook") == {first, second}
    assert found("Subscription", status="active") == set()
    assert found("Subscription", criteria="observation?") == {first}
    assert found("Subscription", payload=JSON) == {first}
    assert found("Subscription", url=f"{subscriber.url}/b") == {second}
    assert found("Subscription", url=subscriber.url) == set()
    assert found("Subscription", _id=second) == {second}
    assert office.client.search("Subscription", _count="1")["total"] == 2


def test_one_is_changed_and_keeps_the_headers_that_are_not_shown(
    office: Office, subscriber: Subscriber
) -> None:
    name = office.subscribe(subscriber.url, header=["Authorization: Bearer x"])
    changed = office.submit(
        "PUT", f"/{name}", f"{subscriber.url}/b", header=["Authorization: (kept)", "A: b"]
    )
    assert changed.status_code == 200
    assert changed.headers["etag"] == 'W/"2"'
    assert changed.json()["channel"]["endpoint"] == f"{subscriber.url}/b"
    assert office.store.all()[0].headers == [("Authorization", "Bearer x"), ("A", "b")]


def test_an_older_version_is_not_changed(office: Office, subscriber: Subscriber) -> None:
    name = office.subscribe(subscriber.url)
    content = {**office.shown(name), "reason": "another"}
    for version, status in (('W/"2"', 412), ('W/"1"', 200), ('W/"1"', 412), ("*", 200)):
        answer = office.client.request(
            "PUT", f"/fhir/Subscription/{name}", json=content, headers={"If-Match": version}
        )
        assert answer.status_code == status


def test_one_is_ended(office: Office, subscriber: Subscriber) -> None:
    name = office.subscribe(subscriber.url)
    assert office.client.request("DELETE", f"/fhir/Subscription/{name}").status_code == 204
    assert office.client.get(f"/fhir/Subscription/{name}").status_code == 404
    assert office.client.request("DELETE", f"/fhir/Subscription/{name}").status_code == 404


def test_ids_are_given_by_the_server(office: Office, subscriber: Subscriber) -> None:
    assert office.submit("PUT", "/mine", subscriber.url).status_code == 405
    name = office.subscribe(subscriber.url)
    content = office.shown(name)
    del content["id"]
    for wrong in (content, {**content, "id": "another"}):  # R4 3.1.0.4: the body has the id of the address
        assert office.client.request("PUT", f"/fhir/Subscription/{name}", json=wrong).status_code == 400


def test_without_allowed_addresses_none_is_made_and_what_to_do_is_said(office: Office) -> None:
    office.allowed = ()
    refused = office.submit("POST", "", "http://127.0.0.1/")
    assert refused.status_code == 403
    (issue,) = refused.json()["issue"]
    assert issue["code"] == "forbidden"
    assert "fhir_subscription_endpoints" in issue["diagnostics"]
    types = [one["type"] for one in office.client.get("/fhir/metadata").json()["rest"][0]["resource"]]
    assert "Subscription" not in types


def test_there_is_an_end_to_how_many_may_be(
    office: Office, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MOST", 2)
    for _ in range(2):
        office.subscribe(subscriber.url)
    refused = office.submit("POST", "", subscriber.url)
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (422, "too-costly")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"<Subscription/>", "application/fhir+xml", 400),
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"[" * 50_000, JSON, 400),
        (b'{"a": 1e99999999999999999999}', JSON, 400),
        (b"{}", JSON, 422),
        (b" " * 70_000, JSON, 413),
    ],
)
def test_other_bodies_are_refused(office: Office, content: bytes, kind: str, status: int) -> None:
    answer = office.client.request(
        "POST", "/fhir/Subscription", content=content, headers={"Content-Type": kind}
    )
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
