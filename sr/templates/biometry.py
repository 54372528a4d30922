"""Biometry of a fetus (PS3.16 TID 5008): a gestational age and a growth rank are of one measurement.

They stand beside it in a group, and do not name it: 20 weeks by the femur are not 20 weeks by the head.
"""

from dataclasses import replace

from sr.codes import Key
from sr.content_tree import Item, Number
from sr.context import Context
from sr.templates import generic
from sr.walker import Walker

BIOMETRY_GROUP: Key = ("DCM", "125005")

# What is computed from the measurement: Gestational Age, and the ranks of PS3.16 CID 12017
_COMPUTED = frozenset({("LN", "18185-9"), ("DCM", "125012"), ("DCM", "125013")})


def biometry_group(walker: Walker, item: Item, context: Context) -> list[str]:
    """A group as any other, whose members all name the measurement that the group is about."""
    schemes = walker.report.schemes
    measured = {
        child.key: child.concept
        for child in item.children
        if isinstance(child.value, Number) and child.key not in _COMPUTED
    }
    named = (
        {"code": schemes.concept(item.concept), "valueCodeableConcept": schemes.concept(concept)}
        for concept in measured.values()
    )
    return generic.container(walker, item, replace(context, components=(*context.components, *named)))
