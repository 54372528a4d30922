"""A group and its members, which become one report: what they must have in common."""

from collections.abc import Sequence

from sr.codes import Code
from sr.writing.element import Unusable
from sr.writing.posted import Posted, Quantity


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
    if member.selection.study not in ("", group.selection.study):
        raise Unusable(member.selection.path, "it is of another study than the group", "conflict")
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
