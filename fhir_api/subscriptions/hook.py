"""Calling a subscriber: rest-hook of FHIR R4 (http://hl7.org/fhir/subscription-channel-type)."""

import asyncio

import httpx

from fhir_api.answers import Answer
from fhir_api.subscriptions.model import Subscription

TIMEOUT = 10.0  # seconds for each step of a call
DEADLINE = 30.0  # seconds for all of it

# What the resource itself was refused with; with anything else the next one would fare no better.
_REFUSALS = (400, 406, 409, 410, 412, 413, 415, 422)


class CallFailed(Exception):
    """The subscriber did not take it. The message holds no address, header or data of patients.

    is_refused: it was the resource that was not taken.
    """

    def __init__(self, reason: str, is_refused: bool = False) -> None:
        super().__init__(reason)
        self.is_refused = is_refused


class RestHook:
    """Calls subscribers, one at a time, over connections that are kept open. Used by one thread."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    def greet(self, subscription: Subscription) -> None:
        """See whether somebody is there. Raises CallFailed.

        Who takes no payload is called as with any notification; a FHIR base is asked what can be done there,
        and whatever it answers will do.
        """
        if subscription.payload:
            self._call("OPTIONS", subscription.endpoint, subscription, b"")
        else:
            self._succeed("POST", subscription.endpoint, subscription, b"")

    def notify(self, subscription: Subscription, changed: Answer) -> None:
        """Tell of a resource. Raises CallFailed."""
        if subscription.payload:
            base = subscription.endpoint.rstrip("/")
            url = f"{base}/{changed.resource_type}/{changed.resource_id}"
            self._succeed("PUT", url, subscription, changed.content)
        else:
            self._succeed("POST", subscription.endpoint, subscription, b"")

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.aclose())
        self._runner.close()

    def _succeed(self, method: str, url: str, subscription: Subscription, content: bytes) -> None:
        status = self._call(method, url, subscription, content)
        if not httpx.codes.is_success(status):
            raise CallFailed(f"answered with {status}", status in _REFUSALS and bool(content))

    def _call(self, method: str, url: str, subscription: Subscription, content: bytes) -> int:
        headers = list(subscription.headers)
        if content:
            headers.append(("Content-Type", subscription.payload))
        try:
            return self._runner.run(self._status(method, url, headers, content))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise CallFailed(f"no answer: {type(error).__name__}") from error

    async def _status(self, method: str, url: str, headers: list[tuple[str, str]], content: bytes) -> int:
        """The status of the answer; what else it says is not read."""
        async with (
            asyncio.timeout(DEADLINE),
            self._client.stream(method, url, headers=headers, content=content) as answer,
        ):
            if answer.status_code == httpx.codes.NO_CONTENT or answer.headers.get("content-length") == "0":
                await answer.aread()  # nothing: so the connection can be used again
            return answer.status_code
