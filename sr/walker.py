"""The way through a content tree: each item with a value becomes an Observation, or a component of one.

The walker knows no template. A template is a function that turns one container into Observations with the
walker's help; containers that have none are treated by the function given as generic.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sr.body_structure import Site, located, site_of, tracking_identifiers
from sr.codes import Code, Key
from sr.content_tree import Item
from sr.context import Context, image_studies, is_other_subject
from sr.device import algorithm
from sr.identifiers import study_reference
from sr.imaging_selection import Selection, selections, study_of_regions
from sr.ledger import OBJECT_REASON, Ledger
from sr.normality import normality
from sr.observation import Component, observation, refer, tell_values
from sr.observers import observers
from sr.primitives import compact, is_uid, string
from sr.roles import (
    IMAGE_LATERALITY,
    NOT_FOUND_NOW,
    Parts,
    Role,
    aside_reason,
    parts_of,
    role_of,
)
from sr.source_report import Report
from sr.values import absent, value_members

# From a container and its context to the references of what a container around it has as members.
Template = Callable[["Walker", Item, Context], list[str]]

MOST_SELECTED = 500_000  # values (coordinates, frames) of the images and regions of a report
MOST_SHARED = 200_000  # and of those that members of groups tell again

_NO_SELECTION = "FHIR has no selection of this kind, or it marks nothing, or too much"
_OF_PATIENT = "it tells of the patient, not of a finding"
_TAKEN_AS_COMPONENTS = (
    Role.COMPONENT,
    Role.SITE,
    Role.QUALIFIER,
    Role.METHOD,
    Role.TRACKING,
    Role.ALGORITHM,
    Role.OBSERVER,
)


class Walker:
    """Maps one report. Collects resources; its ledger knows what they tell."""

    def __init__(
        self,
        report: Report,
        root: Item,
        templates: Mapping[Key, Template],
        generic: Template,
        with_events: bool = False,
    ) -> None:
        """with_events: whether single irradiation events are told, too."""
        self.report = report
        self._items = {item.position: item for item in root.walk()}
        self.with_events = with_events
        self.ledger = Ledger()
        self._templates = templates
        self._generic = generic
        self._resources: dict[str, dict[str, Any]] = {}
        self._inferred: list[tuple[dict[str, Any], Item]] = []
        self._study_of_regions = study_of_regions(report.header)
        self._to_select, self._to_share = MOST_SELECTED, MOST_SHARED

    def reference(self, item: Item) -> str:
        """The reference of the Observation that an item becomes, if it becomes one."""
        return f"Observation/{self.report.resource_id(item.position)}"

    def emit(self, resource: dict[str, Any]) -> str:
        """Take a finished resource; returns its reference."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        self._resources[reference] = resource
        return reference

    def content(self, item: Item, context: Context) -> list[str]:
        """Map a container, or an item with a value, with all below. Returns references for hasMember."""
        if reason := NOT_FOUND_NOW.get(item.key):
            self.ledger.pass_over(item, reason)
            return []
        if item.value_type != "CONTAINER":
            return self.observe(item, context)
        return self._templates.get(item.key, self._generic)(self, item, context)

    def observe(
        self,
        item: Item,
        context: Context,
        categories: Sequence[dict[str, Any]] = (),
        values: list[dict[str, Any]] | None = None,
    ) -> list[str]:
        """Map an item with a value, and what is below it. Returns its reference, or nothing.

        values: to tell instead of what the item's value naturally becomes.
        """
        if values is None:
            values = value_members(item, self.report.schemes, self.report.header.zone)
        if not values and not item.children:
            return []
        parts = parts_of(item)
        own = self.narrow(item, parts, context)
        code = self.report.schemes.concept(item.concept)
        resource = observation(
            self.report, item, own, code, categories, tracking_identifiers(parts[Role.TRACKING])
        )
        reference = self.emit(resource)
        values = self._with_normality(item, values or [absent(self.report.schemes)], reference)
        components = [*self.subject(item, parts), *self.components(item, parts)]
        tell_values(resource, values, [*own.components, *components])
        self.ledger.tell([item], reference)
        self.derive(resource, parts, own)
        for child in parts[Role.CONTENT]:
            name = "derivedFrom" if child.relationship == "INFERRED FROM" else "hasMember"
            refer(resource, name, self.content(child, context))
        return [reference]

    def derive(self, resource: dict[str, Any], parts: Parts, context: Context) -> None:
        """Note from what the resource's item was inferred: items elsewhere in the report, and images.

        context: its own.
        """
        self._inferred.extend((resource, item) for item in parts[Role.INFERRED])
        if self._objects(parts):
            for one in context.selections:
                self.ledger.tell(one.told, f"Observation/{resource['id']}")

    def share(self, context: Context, item: Item, inner: Context) -> Context:
        """The inner context of a group, with the images and regions of the group.

        Without them where they would be told too often: a report is not to become many times its size.
        """
        cost = sum(one.size for one in context.selections) * sum(1 for _ in item.walk())
        if cost > self._to_share:
            return inner
        self._to_share -= cost
        return replace(inner, selections=context.selections)

    def narrow(self, item: Item, parts: Parts, context: Context) -> Context:
        """The context with what the children of an item add to it. Puts aside those that are no findings."""
        for child in parts[Role.ASIDE]:
            self._put_aside(child)
        self.ledger.tell(parts[Role.REMARK], self.reference(item))
        if not any(parts.values()) and not item.observed:
            return context
        studies = image_studies(parts[Role.OBJECT], self.report.header)
        selected = self._selected(self._objects(parts))
        own = replace(
            context,
            components=context.beside(parts[Role.SUBJECT]),
            observed=item.observed or context.observed,
            performers=self._performers(item) or context.performers,
            method=self._method(item, parts) or context.method,
            device=self._algorithm(item, parts, context) or context.device,
            studies=tuple(study_reference(uid) for uid in studies if is_uid(uid)) or context.studies,
            selections=selected or context.selections,
        )
        return self._locate(item, parts, own)

    def at(self, item: Item, site: Code, context: Context) -> Context:
        """The context of an item that stands for a site, on the side that the context tells."""
        return self._with_site(context, site_of(item, site, context.site.qualifiers, [], self.report))

    def subject(self, item: Item, parts: Parts) -> list[Component]:
        """The subject of an item as components, if it is another than the patient."""
        if is_other_subject(parts[Role.SUBJECT]):
            return self.flatten(parts[Role.SUBJECT], self.reference(item))
        for child in parts[Role.SUBJECT]:
            self.ledger.pass_over(child, _OF_PATIENT)
        return []

    def components(self, item: Item, parts: Parts) -> list[Component]:
        """All else that children say of an item and that has no element of its own, as components."""
        children = (child for role in _TAKEN_AS_COMPONENTS for child in parts[role])
        return [*self.flatten(children, self.reference(item)), *self._sides(parts[Role.OBJECT])]

    def flatten(self, items: Iterable[Item], reference: str) -> list[Component]:
        """Items and all below them as components of the Observation referred to, but those told already."""
        components: list[Component] = []
        for item in items:
            role = role_of(item)
            if role is Role.ASIDE:
                self._put_aside(item)
                continue
            if not self.ledger.teller(item.position):
                code = self.report.schemes.concept(item.concept)
                values = value_members(item, self.report.schemes, self.report.header.zone)
                values = self._with_normality(item, values, reference)
                components += [{"code": code, **value} for value in values]
                self.ledger.tell([item] if values else [], reference)
            components += self.flatten(item.children, reference)
        return components

    def finish(self) -> tuple[dict[str, Any], ...]:
        """The resources, once all items are seen and references between them can be made."""
        for resource, item in self._inferred:
            reference = self.ledger.teller(item.target)
            is_itself = reference == f"Observation/{resource['id']}"
            if reference.startswith("Observation/") and reference in self._resources and not is_itself:
                refer(resource, "derivedFrom", [reference])
                self.ledger.tell([item], reference)
        return tuple(self._resources.values())

    def _with_normality(
        self, item: Item, values: list[dict[str, Any]], reference: str
    ) -> list[dict[str, Any]]:
        """The members that tell an item's value, with how normal it is; several values have no range."""
        if len(values) != 1:
            return values
        members, told = normality(item.children, self.report.schemes)
        self.ledger.tell(told, reference)
        interpretation = [*values[0].get("interpretation", []), *members.get("interpretation", [])]
        return [compact({**values[0], **members, "interpretation": interpretation})]

    def _sides(self, objects: Iterable[Item]) -> list[Component]:
        """The sides of the library's images that an item is marked in: nothing else may tell its side."""
        sides = {
            side.value: side
            for child in objects
            for below in child.walk()
            if below.target in self._items
            for side in self._items[below.target].children
            if side.key == IMAGE_LATERALITY and isinstance(side.value, Code)
        }
        schemes = self.report.schemes
        return [
            {"code": schemes.concept(side.concept), "valueCodeableConcept": schemes.concept(value)}
            for value, side in sides.items()
        ]

    def _objects(self, parts: Parts) -> list[Item]:
        """Images and regions, also those that stand elsewhere in the report and are referred to."""
        inferred = parts[Role.INFERRED]
        return [*parts[Role.OBJECT], *(one for one in inferred if self._is_object(one.target))]

    def _is_object(self, position: str) -> bool:
        return position in self._items and role_of(self._items[position]) is Role.OBJECT

    def _selected(self, objects: Sequence[Item]) -> tuple[Selection, ...]:
        """What items select; all are passed over, unless there will be an Observation that tells them."""
        selected = []
        found = selections(objects, self._items, self.report.header, self._study_of_regions)
        while self._to_select and (selection := next(found, None)) is not None:
            if selection.size > self._to_select:
                self._to_select = 0  # nor is any other made only to be too much
                break
            self._to_select -= selection.size
            selected.append(selection)
        told = {one.position for selection in selected for one in selection.told}
        for item in objects:
            self.ledger.pass_over(item, OBJECT_REASON if item.position in told else _NO_SELECTION)
        return tuple(selected)

    def _put_aside(self, item: Item) -> None:
        self.ledger.pass_over(item, aside_reason(item))

    def _performers(self, item: Item) -> tuple[dict[str, Any], ...]:
        """References to the persons who observed what the item tells."""
        references = []
        for person, told in observers(item.children):
            if reference := self.report.people.refer(person):
                references.append(reference)
                self.ledger.tell(told, reference["reference"])
        return tuple(references)

    def _method(self, item: Item, parts: Parts) -> dict[str, Any]:
        for child in parts[Role.METHOD]:
            if isinstance(child.value, Code):
                self.ledger.tell([child], self.reference(item))
                return self.report.schemes.concept(child.value)
            if isinstance(child.value, str):
                self.ledger.tell([child], self.reference(item))
                return compact({"text": string(child.value)})
        return {}

    def _algorithm(self, item: Item, parts: Parts, context: Context) -> str:
        device, told = algorithm(parts[Role.ALGORITHM], self.report.schemes, context.device)
        self.ledger.tell(told, self.reference(item))
        return self.emit(device) if device is not None else ""

    def _locate(self, item: Item, parts: Parts, context: Context) -> Context:
        """The context with the site, side and tracking identifiers that the item has."""
        found = located(item, parts, context.site, self.report)
        if found is None:
            return context
        site, told = found
        self.ledger.tell(told, self.reference(item))
        return self._with_site(context, site)

    def _with_site(self, context: Context, site: Site) -> Context:
        if site.structure:
            self.emit(site.structure)
        return replace(context, site=site)
