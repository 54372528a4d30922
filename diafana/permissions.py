"""Permissions as they are written in settings, on the command line and in JSON."""

from typing import Annotated

from pydantic import BeforeValidator

from pacs.model import EVERYTHING, Permission

EVERYBODY_MAY = " ".join(sorted(EVERYTHING))
NOTHING = "nothing"


def _permissions(value: object) -> object:
    """From a list, or words parted by blanks or commas. Raises ValueError."""
    if isinstance(value, str):
        words = value.replace(",", " ").split()
        value = [] if words == [NOTHING] else words or [""]
    if not isinstance(value, list | tuple | frozenset) or not all(word in EVERYTHING for word in value):
        raise ValueError(f"expected {EVERYBODY_MAY}, some of these, or {NOTHING}")
    return frozenset(map(Permission, value))


Permissions = Annotated[frozenset[Permission], BeforeValidator(_permissions)]


def told(permissions: frozenset[Permission]) -> str:
    """As it is written."""
    return " ".join(sorted(permissions)) or NOTHING
