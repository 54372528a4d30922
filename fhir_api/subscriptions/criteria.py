"""The criteria of a Subscription: a search, that the new value of a changed resource must fulfil."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from fhir_api.outcome import RequestFault
from fhir_api.resources import Resources
from fhir_api.search_request import parse_search
from fhir_api.search_table import KEPT, parameter_of
from fhir_api.subscriptions.model import Subscription

# Of which changes are known
TYPES = (*KEPT, "ImagingStudy")

AT_ONCE = 200  # resources that are looked at together
_MOST_PARAMETERS = 32


def check_criteria(criteria: str, base: str) -> None:
    """Pass when they can be kept. base: our own address. Raises RequestFault (422), naming the parameter."""
    resource_type, _, query = criteria.partition("?")
    if resource_type not in TYPES:
        raise _refused("not-supported", f"changes are told of {', '.join(TYPES)}")
    parameters = _parameters(query)
    for name, value in parameters:
        if parameter_of(resource_type, name.replace(":", ".").partition(".")[0]) is None:
            shown = name if name.isascii() and name.isprintable() and len(name) <= 64 else "a parameter"
            raise _refused("not-supported", f"{shown} is no search parameter of {resource_type} here")
        if not value.strip():
            raise _refused("invalid", f"{name} has no value")
    try:
        parse_search(resource_type, parameters, base, strict=True)
    except RequestFault as error:
        raise _refused(error.code, str(error)) from error


def matching(resources: Resources, subscription: Subscription, ids: Iterable[str]) -> list[str]:
    """Which of at most AT_ONCE resources of its type fulfil the criteria now, in the order of the ids.

    Raises RequestFault when too much would have to be looked at.
    """
    resource_type, _, query = str(subscription.content["criteria"]).partition("?")
    ids = list(ids)
    of_these = [("_id", ",".join(ids)), ("_count", str(AT_ONCE))]
    request = parse_search(resource_type, _parameters(query) + of_these, subscription.addresses.fhir, True)
    page = resources.search(request, subscription.addresses)
    found = {answer.resource_id for answer in page.answers}
    return [one for one in ids if one in found]


def _parameters(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise _refused("too-costly", f"more than {_MOST_PARAMETERS} parameters") from error


def _refused(code: str, message: str) -> RequestFault:
    return RequestFault(422, code, f"Subscription.criteria: {message}")
