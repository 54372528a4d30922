"""Permissions as they are written in settings, on the command line and in JSON."""

from typing import Annotated

from pydantic import BeforeValidator

from pacs.model import EVERYTHING, Permission

EVERYBODY_MAY = " ".join(sorted(EVERYTHING))
NOTHING = "nothing"


def _permissions(value: object) -> object:
    """From words parted by blanks or commas. Raises ValueError."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple | set | frozenset):
        raise ValueError(f"expected {EVERYBODY_MAY}, some of these, or {NOTHING}")
    if list(words) == [NOTHING]:
        return frozenset()
    unknown = set(words) - EVERYTHING
    if unknown or not words:
        named = ", ".join(sorted(map(str, unknown))) or "nothing at all"
        raise ValueError(f"{named} is said; expected {EVERYBODY_MAY}, some of these, or {NOTHING}")
    return frozenset(map(Permission, words))


Permissions = Annotated[frozenset[Permission], BeforeValidator(_permissions)]


def told(permissions: frozenset[Permission]) -> str:
    """As it is written."""
    return " ".join(sorted(permissions)) or NOTHING
