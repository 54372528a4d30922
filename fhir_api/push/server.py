"""The FHIR server that is sent to."""

from typing import Any

import httpx

from sr.fhir_json import dumps, loads

TIMEOUT = 60.0  # seconds for each step of a request: some servers index before they answer
MOST_ISSUES = 5  # told of an OperationOutcome

_FHIR_JSON = "application/fhir+json"


class PushFailed(Exception):
    """The transaction was not carried out. The message holds codes alone, and no data of patients."""


class FhirServer:
    """One server, over connections that are kept open."""

    def __init__(self, base: str, token: str = "") -> None:
        """base: where it takes transactions.  token: for `Authorization: Bearer`; empty for none."""
        headers = {"Content-Type": _FHIR_JSON, "Accept": _FHIR_JSON, "Prefer": "return=minimal"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._base = base
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT, follow_redirects=False)

    def carry_out(self, bundle: dict[str, Any]) -> None:
        """Send a transaction: all of it is carried out, or PushFailed is raised."""
        try:
            answer = self._client.post(self._base, content=dumps(bundle))
        except httpx.HTTPError as error:
            raise PushFailed(f"no answer: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise PushFailed(f"answered with {answer.status_code}{_issues(answer.content)}")
        try:
            is_carried_out = loads(answer.content).get("type") == "transaction-response"
        except ValueError:
            is_carried_out = False
        if not is_carried_out:
            raise PushFailed("answered with something else than a transaction-response")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _issues(content: bytes) -> str:
    """The codes of an OperationOutcome; its texts may quote what was sent."""
    try:
        issues = loads(content).get("issue", [])
        codes = [issue["code"] for issue in issues[:MOST_ISSUES] if isinstance(issue.get("code"), str)]
    except (ValueError, AttributeError, TypeError, KeyError):
        return ""
    return f": {', '.join(code[:40] for code in codes)}" if codes else ""
