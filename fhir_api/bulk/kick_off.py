"""What a client asks to be exported (Bulk Data Access IG, "Bulk Data Kick-off Request")."""

import re
from collections.abc import Iterable

from fhir_api.bulk.exports import Asked
from fhir_api.bulk.source import TYPES
from fhir_api.outcome import RequestFault, invalid
from fhir_api.search_table import is_of_patients
from fhir_api.search_values import listed
from fhir_api.spans import of_instant

_FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
_ASYNC = re.compile(r"(^|[,;\s])respond-async\b", re.IGNORECASE)
_NAMES = ("_type", "_since", "_outputFormat")


def read_kick_off(
    parameters: Iterable[tuple[str, str]], prefer: str, only_of_patients: bool, url: str
) -> Asked:
    """What is to be exported.

    parameters: names and values.  prefer: the header.  only_of_patients: only what is about patients.
    url: of the request.  Raises RequestFault (400), naming the parameter.
    """
    if not _ASYNC.search(prefer):
        raise RequestFault(400, "required", "an export needs the header Prefer: respond-async", "Prefer")
    types: list[str] = []
    since = None
    for name, value in parameters:
        if name == "_type":
            types += listed(value)
        elif name == "_since":
            since = _moment(value)
        elif name == "_outputFormat":
            _check_format(value)
        elif name != "_format":
            shown = name if re.fullmatch(r"[A-Za-z_-]{1,64}", name) else "a parameter"
            message = f"{shown} is not offered; {', '.join(_NAMES)} are"
            raise RequestFault(400, "not-supported", message, shown if shown == name else "")
    offered = [one for one in TYPES if not only_of_patients or is_of_patients(one)]
    if any(one not in offered for one in types):
        message = f"_type: {', '.join(offered)} can be exported here"
        raise RequestFault(400, "not-supported", message, "_type")
    return Asked(url, tuple(one for one in offered if not types or one in types), since)


def _moment(value: str) -> float:
    stretch = of_instant(value.replace(" ", "+"))  # a plus that was not encoded has become a blank
    if stretch is None:
        raise invalid("_since", "expected an instant, such as 2027-01-31T12:00:00Z")
    return stretch.low


def _check_format(value: str) -> None:
    if value.replace(" ", "+") not in _FORMATS:
        message = f"_outputFormat: {', '.join(_FORMATS)} are offered"
        raise RequestFault(400, "not-supported", message, "_outputFormat")
