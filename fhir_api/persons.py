"""Persons by name: how what is known of a Practitioner finds whom the archive knows by name alone."""

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_api.conditions import Named, Text
from pacs.query import fold

# Where the words of a name may begin, as pacs.query.fold_name writes names: family name first
_FIRST = ("", "*=")
_LATER = ("* ",)
_BEGINNINGS = {"name": (*_FIRST, *_LATER), "family": _FIRST, "given": _LATER}

# The other components, in their order (PS3.5 6.2.1.1)
_PARTS = ("given", "prefix", "suffix")

# Search parameters of Practitioner that names alone answer
BY_NAME = frozenset(_BEGINNINGS)


def whole_names(practitioner: dict[str, Any]) -> Iterator[Named]:
    """Whoever bears a name of this Practitioner, component group by component group."""
    for name in practitioner.get("name", ()):
        parts = (name.get("family", ""), *(part for key in _PARTS for part in name.get(key, ())))
        if folded := fold(" ".join(parts)):
            yield Named(((folded,),))


def begun_names(parameter: str, texts: Iterable[Text]) -> Iterator[Named]:
    """Whoever has names that begin so. parameter: of Practitioner, one of BY_NAME."""
    for text in texts:
        if "*" in text.beginning or "?" in text.beginning:
            continue  # no name has them, and in a pattern they stand for others
        words = [text.beginning] if parameter == "family" else text.beginning.split()
        yield Named(tuple(tuple(f"{where}{word}*" for where in _BEGINNINGS[parameter]) for word in words))
