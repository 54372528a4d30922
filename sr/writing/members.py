"""A group and its members, which become one report: what they must have in common."""

from collections.abc import Sequence

from sr.codes import Code
from sr.writing.element import Unusable
from sr.writing.posted_observation import Posted, Quantity
from sr.writing.selection import Selection


def require_agreement(group: Posted, members: Sequence[Posted], path: str, paths: Sequence[str]) -> None:
    """Pass when the members can stand in one measurement group. path, paths: FHIRPaths of them.

    Raises Unusable.
    """
    if group.value is not None and not isinstance(group.value, Code):
        raise Unusable(f"{path}.value", "what a group found is a valueCodeableConcept", "not-supported")
    for member, place in zip(members, paths, strict=True):
        _require_agreement(group, member, place)


def _require_agreement(group: Posted, member: Posted, path: str) -> None:
    if member.members:
        raise Unusable(f"{path}.hasMember", "a member of a group has no members", "not-supported")
    _require_place(group.selection, member.selection)
    same = {
        "status": (member.status, group.status),
        "performer": (member.performer or group.performer, group.performer),
        "subject": (member.subject or group.subject, group.subject),
    }
    for name, (its, of_group) in same.items():
        if its != of_group:
            raise Unusable(f"{path}.{name}", "this must be as it is in the group", "conflict")
    if isinstance(member.value, Quantity):
        return
    own = {
        "derivedFrom": member.selection.instance,
        "bodySite": member.site,
        "method": member.method,
        "device": member.algorithm,
    }
    for name, value in own.items():
        if value:
            message = "an evaluation has this from its group; say it there"
            raise Unusable(f"{path}.{name}", message, "not-supported")


def _require_place(of_group: Selection, of_member: Selection) -> None:
    """A number is measured in the region of its group, or the group has none (PS3.16 TID 1410, 1501)."""
    if of_member.study not in ("", of_group.study):
        raise Unusable(of_member.path, "it is of another study than the group", "conflict")
    if of_group.region is not None and of_member.region is not None:
        message = "the group has a region already; say it there, or in its members alone"
        raise Unusable(of_member.path, message, "not-supported")
