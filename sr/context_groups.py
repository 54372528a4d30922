"""The concepts of the context groups of PS3.16 Annex B."""

from pydicom.sr._concepts_dict import concepts

from sr.codes import Key


def concepts_of(*groups: int) -> frozenset[Key]:
    """All concepts that are in one of the context groups with these numbers (CID)."""
    return frozenset(
        (scheme, value)
        for scheme, names in concepts.items()
        for named in names.values()
        if isinstance(named, dict)
        for value, (_, members) in named.items()
        if not set(groups).isdisjoint(members)
    )
