"""What those who answer for one resource type have in common."""

import email.utils
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fhir_api.conditions import Condition, Window
from fhir_api.spans import instant
from sr.fhir_json import dumps


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients reach us: the FHIR base and the DICOMweb base, absolute, without a slash at the end."""

    fhir: str
    dicomweb: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A resource ready to be sent.

    content: JSON; empty in a history, where the resource was withdrawn.  version: of the entity tag.
    last_updated: seconds since 1970; None when it is not known.
    """

    resource_type: str
    resource_id: str
    content: bytes
    version: str
    last_updated: float | None = None

    @property
    def validators(self) -> dict[str, str]:
        """The header fields by which a client knows this version again (RFC 9110 8.8)."""
        fields = {"ETag": f'W/"{self.version}"'}
        if self.last_updated is not None:
            fields["Last-Modified"] = email.utils.formatdate(self.last_updated, usegmt=True)
        return fields


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the answers to a search.

    more: whether others follow.  total: of all pages; None when they are too many to be counted at once.
    included: what accompanies the answers.
    """

    answers: Sequence[Answer]
    more: bool
    total: int | None
    included: Sequence[Answer] = ()


class Answerer(Protocol):
    """Answers for one resource type. Conditions all have to hold."""

    def read(self, resource_id: str, addresses: Addresses) -> Answer:
        """The resource with this id. Raises NotFound."""

    def page(self, conditions: Sequence[Condition], window: Window, addresses: Addresses) -> Page:
        """The matches in the window, in a stable order."""

    def count(self, conditions: Sequence[Condition], addresses: Addresses) -> int:
        """How many matches there are."""

    def ids(self, conditions: Sequence[Condition], limit: int, addresses: Addresses) -> list[str]:
        """The ids of at most `limit` matches."""


def computed(resource: dict[str, Any], changed: float | None = None) -> Answer:
    """The answer of a resource that is made anew each time: its version follows from its content.

    changed: when what it is made of changed last, in seconds since 1970.
    """
    if changed is not None:
        meta = {"lastUpdated": instant(changed), **resource.get("meta", {})}
        resource = {"resourceType": "", "id": "", "meta": {}} | resource | {"meta": meta}
    content = dumps(resource)
    version = hashlib.sha256(content).hexdigest()[:32]
    return Answer(resource["resourceType"], resource["id"], content, version, changed)
