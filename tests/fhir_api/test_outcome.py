"""Errors as OperationOutcomes."""

import json
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from fhir_api.outcome import STATUS, RequestFault, invalid, outcome_of
from pacs.errors import ArchiveError, StorageFailed


def leaves(kind: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
    below = [one for one in kind.__subclasses__() if one.__module__ == kind.__module__]
    if not below:
        yield kind
    for one in below:
        yield from leaves(one)


@pytest.mark.parametrize("kind", sorted(leaves(ArchiveError), key=str))
def test_every_error_of_the_archive_has_a_status_and_a_code(kind: type[ArchiveError]) -> None:
    status, code = STATUS[kind]
    response = outcome_of(kind("what happened"))
    assert response.status_code == status
    assert json.loads(bytes(response.body))["issue"][0]["code"] == code


def test_of_a_failure_inside_nothing_particular_is_told() -> None:
    with capture_logs() as logs:
        response = outcome_of(StorageFailed("/srv/data: disk on fire"))
    assert response.status_code == 500
    assert b"fire" not in response.body
    assert [(entry["error"], entry["message"]) for entry in logs] == [
        ("StorageFailed", "/srv/data: disk on fire")
    ]


def test_of_a_defect_its_place_is_logged_and_not_its_text() -> None:
    try:
        int("Doe^Jane")
    except ValueError as error:
        with capture_logs() as logs:
            response = outcome_of(error)
    assert response.status_code == 500
    (entry,) = logs
    assert entry["error"] == "ValueError"
    assert "test_outcome.py:" in entry["at"]
    assert "Doe" not in f"{logs} {bytes(response.body)!r}"


def test_a_fault_of_the_request_names_the_parameter() -> None:
    response = outcome_of(invalid("started", "expected a date"))
    assert json.loads(bytes(response.body)) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "invalid",
                "diagnostics": "started: expected a date",
                "location": ["http.started"],
            }
        ],
    }


def test_a_fault_without_a_parameter_has_no_location() -> None:
    response = outcome_of(RequestFault(404, "not-found", "nothing"))
    assert "location" not in json.loads(bytes(response.body))["issue"][0]
