"""Attributes, levels and UIDs as tables name them."""

from collections.abc import Iterable

from pydicom.uid import UID

from diafana.conformance.markdown import listed
from pacs.attributes import Key
from pacs.dimse.identifier import LEVELS

LEVEL_NAMES = {level: name for name, level in LEVELS.items()}


def tag(key: Key) -> str:
    """The tag of a key, as the standard writes it."""
    number = key.tags[-1]
    return f"({number >> 16:04X},{number & 0xFFFF:04X})"


def path(key: Key) -> str:
    """The keywords of a key, from the outermost on."""
    return ".".join(key.path)


def names(uids: Iterable[str]) -> str:
    """Several UIDs, by their names."""
    return listed(UID(uid).name for uid in uids)
