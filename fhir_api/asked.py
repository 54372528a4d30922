"""Parameters of a query, and those that operations and histories share: how many, since when."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from fhir_api.outcome import RequestFault, invalid
from fhir_api.search_request import DEFAULT_COUNT, MAX_COUNT
from fhir_api.spans import Stretch, of_moment

MOST_PAIRS = 256

_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_PRESENTABLE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def pairs_of(query: str, whose: str = "") -> list[tuple[str, str]]:
    """The names and values of a query string. whose: the header that holds it.

    Raises RequestFault (400) for more than MOST_PAIRS.
    """
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PAIRS)
    except ValueError as error:
        raise RequestFault(400, "too-costly", f"more than {MOST_PAIRS} parameters", whose) from error


def named(parameters: Sequence[tuple[str, str]], known: frozenset[str], strict: bool) -> dict[str, str]:
    """The values of known parameters by their names, each given once; empty ones are as good as absent.

    strict: refuse others, which are ignored otherwise.  Raises RequestFault (400), naming the parameter.
    """
    found: dict[str, str] = {}
    for name, value in parameters:
        if name not in known:
            if strict and name != "_format":
                shown = name if _PRESENTABLE.fullmatch(name) else ""
                raise RequestFault(
                    400, "not-supported", f"{shown or 'a parameter'} is not heeded here; leave it out", shown
                )
        elif name in found:
            raise invalid(name, "it may be given once only")
        elif value:
            found[name] = value
    return found


def count_of(values: Mapping[str, str]) -> int:
    """How many entries of a page are wanted by `_count`: from 1 to MAX_COUNT. Raises RequestFault (400)."""
    text = values.get("_count", str(DEFAULT_COUNT))
    if not _WHOLE_NUMBER.fullmatch(text) or not int(text):
        raise invalid("_count", "expected a whole number from 1 on, of at most nine digits")
    return min(int(text), MAX_COUNT)


def moment_of(values: Mapping[str, str], name: str) -> Stretch | None:
    """All that a date or moment may mean; None where there is none. Raises RequestFault (400)."""
    text = values.get(name)
    if text is None:
        return None
    stretch = of_moment(text.replace(" ", "+"))  # a plus that was not encoded has become a blank
    if stretch is None:
        raise invalid(name, "expected a date or a moment of FHIR")
    return stretch
