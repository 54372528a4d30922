"""Containers that no template is known for: what holds values becomes a group of Observations."""

from sr.body_structure import tracking_identifiers
from sr.content_tree import Item
from sr.context import Context
from sr.observation import observation, refer, tell_values
from sr.roles import Role, parts_of
from sr.walker import Walker

# What would be lost with a container that holds nothing else.
_OF_ITS_OWN = (Role.SITE, Role.QUALIFIER, Role.METHOD, Role.TRACKING, Role.ALGORITHM)


def container(walker: Walker, item: Item, context: Context) -> list[str]:
    """A container and all below. Returns the reference of its group, or else those of its members.

    A group is made when the container holds values itself, and not only further containers.
    What modifies the container is told by its group, and again by all that it holds.
    """
    return _container(walker, item, context, is_root=False)


def document(walker: Walker, root: Item, context: Context) -> list[str]:
    """The root container. What modifies the report as a whole is told once, by the group of the root."""
    return _container(walker, root, context, is_root=True)


def _container(walker: Walker, item: Item, context: Context, is_root: bool) -> list[str]:
    parts = parts_of(item)
    own = walker.narrow(item, parts, context)
    subject, components = walker.subject(item, parts), walker.components(item, parts)
    code = walker.report.schemes.concept(item.concept)
    inner = own.below(code, subject if is_root else [*subject, *components])
    members = [(child, walker.content(child, inner)) for child in parts[Role.CONTENT]]
    references = [reference for _, below in members for reference in below]
    holds_values = any(below for child, below in members if child.value_type != "CONTAINER")
    says_more = not references and any(parts[role] for role in _OF_ITS_OWN)
    if not (holds_values or subject or components or says_more):
        return references
    resource = observation(
        walker.report, item, own, code, identifiers=tracking_identifiers(parts[Role.TRACKING])
    )
    tell_values(resource, [], [*own.components, *subject, *components])
    refer(resource, "hasMember", references)
    walker.derive(resource, parts, own)
    walker.ledger.tell([item], walker.reference(item))
    return [walker.emit(resource)]
