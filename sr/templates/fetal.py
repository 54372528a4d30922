"""Sections of a fetus (PS3.16 TID 5003 to 5011), and the groups of its biometry (TID 5008).

Of a single fetus a report need not say whose values these are, and a femur of 47 mm is not the mother's. In a
group, a gestational age and a growth rank are of one measurement, which they do not name: 20 weeks by the
femur are not 20 weeks by the head.
"""

from dataclasses import replace

from sr.codes import Code, Key
from sr.coding_schemes import CodingSchemes
from sr.content_tree import Item, Number
from sr.context import Context, tells_subject
from sr.observation import Component
from sr.roles import FETUS, SUBJECT_CLASS
from sr.templates import generic
from sr.walker import Walker

# Fetal Biometry Ratios, Fetal Biometry, Fetal Long Bones, Fetal Cranium, Biophysical Profile, Fetus Summary,
# Early Gestation
SECTIONS: tuple[Key, ...] = tuple(("DCM", f"1250{number:02}") for number in (1, 2, 3, 4, 6, 8, 9))
BIOMETRY_GROUP: Key = ("DCM", "125005")

# What is computed from the measurement: Gestational Age, and the ranks of PS3.16 CID 12017
_COMPUTED = frozenset({("LN", "18185-9"), ("DCM", "125012"), ("DCM", "125013")})


def section(walker: Walker, item: Item, context: Context) -> list[str]:
    """A group as any other, whose subject is a fetus, though the report may not say so."""
    is_told = any(child.key == SUBJECT_CLASS for child in item.children)
    if not is_told and not any(map(tells_subject, context.components)):
        context = replace(context, components=(*context.components, _fetus(walker.report.schemes)))
    return generic.container(walker, item, context)


def _fetus(schemes: CodingSchemes) -> Component:
    subject_class, fetus = Code(SUBJECT_CLASS[1], "DCM", "Subject Class"), Code(FETUS[1], "DCM", "Fetus")
    return {"code": schemes.concept(subject_class), "valueCodeableConcept": schemes.concept(fetus)}


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
