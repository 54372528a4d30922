"""Measurements of vessels (PS3.16 TID 5104, 5025 and 5026): the heading that they stand under is their site.

Such a container is named after the vessel, and the section around it may tell the side. Without both, a
velocity says nothing.
"""

from sr.content_tree import Item
from sr.context import Context
from sr.context_groups import concepts_of
from sr.templates import generic
from sr.walker import Walker

# The context groups whose concepts name such containers: vessels of head, neck, limbs, abdomen and pelvis,
# of the kidney, and of the fetus
CONTEXT_GROUPS = frozenset({*range(12104, 12116), 12140, 12141})
VESSELS = concepts_of(*CONTEXT_GROUPS)


def vessel(walker: Walker, item: Item, context: Context) -> list[str]:
    """A group as any other, whose site is the vessel that it is named after, on the side of its section."""
    if item.concept is None:
        return generic.container(walker, item, context)
    return generic.container(walker, item, walker.at(item, item.concept, context))
