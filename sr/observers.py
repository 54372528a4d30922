"""The persons who observed, as content items tell of them (PS3.16 TID 1002 and 1003)."""

from collections.abc import Iterable
from typing import Any

from sr.codes import Code, Key
from sr.content_tree import Item
from sr.people import People, Person
from sr.roles import PERSON_OBSERVER_NAME

MOST = 20  # who observed together; all that they observed is told of each of them

_LOGIN: Key = ("DCM", "128774")
_ORGANIZATION: Key = ("DCM", "121009")
_ROLES: tuple[Key, ...] = (("DCM", "121010"), ("DCM", "121011"))  # in the organization, in this procedure
_NUMBER: Key = ("DCM", "128775")
_TEXTS = frozenset({PERSON_OBSERVER_NAME, _LOGIN, _ORGANIZATION, _NUMBER})


def observers(items: Iterable[Item]) -> list[tuple[Person, list[Item]]]:
    """Each person that sibling items tell of, with the items that do; at most MOST.

    These are a name and what follows it, up to the next name.
    """
    groups: list[list[Item]] = []
    for item in items:
        if item.key == PERSON_OBSERVER_NAME:
            if len(groups) == MOST:
                break
            groups.append([])
        if groups and item.key in (*_TEXTS, *_ROLES):
            groups[-1] += item.walk()
    return [_person(group) for group in groups]


def observed_by(item: Item, people: People) -> list[dict[str, Any]]:
    """References to the persons who observed what an item tells, as it says itself."""
    references = (people.refer(person) for person, _ in observers(item.children))
    return [reference for reference in references if reference]


def _person(items: Iterable[Item]) -> tuple[Person, list[Item]]:
    """The person, and those of the items that tell of it."""
    texts: dict[Key, str] = {}
    roles, told = [], []
    for item in items:
        key = item.key
        if isinstance(item.value, Code) and key in _ROLES:
            roles.append(item.value)
        elif isinstance(item.value, str) and key in _TEXTS and key not in texts:
            texts[key] = item.value
        else:
            continue
        told.append(item)
    person = Person(
        name=texts.get(PERSON_OBSERVER_NAME, ""),
        login=texts.get(_LOGIN, ""),
        organization=texts.get(_ORGANIZATION, ""),
        roles=tuple(roles),
        number=texts.get(_NUMBER, ""),
    )
    return person, told
