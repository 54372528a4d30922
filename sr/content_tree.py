"""A structured report as a frozen tree of content items (PS3.3 C.17.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sr.codes import Code, Key


@dataclass(frozen=True, slots=True)
class Number:
    """What a NUM item measured.

    decimals: the values with the digits that the file has; usually one, none when there is no value.
    text: what stands in place of a number that cannot be read as one.
    qualifier: why the value is absent, or what is wrong with it (PS3.16 CID 42).
    """

    decimals: tuple[Decimal, ...] = ()
    text: str = ""
    unit: Code | None = None
    qualifier: Code | None = None


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """What an IMAGE, COMPOSITE or WAVEFORM item refers to. frames and segments: 1-based; empty for all."""

    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Coordinates:
    """What a SCOORD, SCOORD3D or TCOORD item marks.

    kind: Graphic Type or Temporal Range Type.
    data: Graphic Data as column/row pairs of pixels, or x/y/z triplets of mm in the frame of reference;
        for TCOORD the time offsets in seconds.
    """

    kind: str
    data: tuple[float, ...] = ()
    frame_of_reference_uid: str = ""


# TEXT, DATE, TIME, DATETIME, UIDREF and PNAME items have a str, as the file has it.
Value = Number | Code | ObjectReference | Coordinates | str


class Item(NamedTuple):
    """One content item.

    position: such as "1.2.3": the third child of the second child of the root, which is "1".
    value_type: of PS3.3 Table C.17.3-7; "" when it cannot be told.
    relationship: to the item above; "" for the root, and when the file has none.
    value: None for a container, and for an item without a value.
    target: position of the item that stands here by reference; such an item has nothing of its own.
    observed: Observation DateTime, a DT value.  template: identifier such as "1500".
    """

    position: str
    value_type: str
    relationship: str
    concept: Code | None
    value: Value | None
    children: tuple["Item", ...] = ()
    target: str = ""
    observed: str = ""
    observation_uid: str = ""
    template: str = ""

    @property
    def key(self) -> Key:
        """The concept to compare by; ("", "") where there is none."""
        return self.concept.key if self.concept is not None else ("", "")

    def walk(self) -> Iterator["Item"]:
        """This item and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.children))


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of the file at one item; `reason` holds no patient data. lost: something was left unread."""

    position: str
    reason: str
    lost: bool = False


@dataclass(frozen=True, slots=True)
class ContentTree:
    """A document: its root container, and what was wrong with its items."""

    root: Item
    problems: tuple[Problem, ...]
