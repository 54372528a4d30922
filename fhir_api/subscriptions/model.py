"""A Subscription as it is kept."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fhir_api.answers import Addresses
from fhir_api.spans import instant

HIDDEN = "(kept)"  # stands for the value of a header field, which may be a password


class Status(StrEnum):
    """http://hl7.org/fhir/subscription-status"""

    REQUESTED = "requested"
    ACTIVE = "active"
    ERROR = "error"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a client asks for.

    content: the resource without id, meta, status and error.  ends: seconds since 1970; None for never.
    resource_id: as it says itself, "" where it does not.
    """

    content: dict[str, Any]
    status: Status
    ends: float | None
    resource_id: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A Subscription.

    addresses: by which the subscriber reaches us.
    since: the sequence of the change feed after which changes are told.
    attempts: those that failed since one succeeded.
    """

    subscription_id: str
    version: int
    last_updated: float
    status: Status
    error: str
    content: dict[str, Any]
    addresses: Addresses
    since: int
    attempts: int

    @property
    def resource_type(self) -> str:
        """What type of resource it is about."""
        return str(self.content["criteria"]).partition("?")[0]

    @property
    def endpoint(self) -> str:
        """Who is called."""
        return str(self.content["channel"]["endpoint"])

    @property
    def payload(self) -> str:
        """The media type of what is sent; "" for a call that says nothing."""
        return str(self.content["channel"].get("payload", ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values of the header fields to be sent."""
        parted = (line.partition(":") for line in self.content["channel"].get("header", ()))
        return [(name, value.strip()) for name, _, value in parted]

    def resource(self) -> dict[str, Any]:
        """The resource as others may see it: of header fields the names alone."""
        channel = dict(self.content["channel"])
        if self.headers:
            channel["header"] = [f"{name}: {HIDDEN}" for name, _ in self.headers]
        return {
            "resourceType": "Subscription",
            "id": self.subscription_id,
            "meta": {"versionId": str(self.version), "lastUpdated": instant(self.last_updated)},
            "status": self.status.value,
            **self.content,
            **({"error": self.error} if self.error else {}),
            "channel": channel,
        }
