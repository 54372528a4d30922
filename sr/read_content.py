"""From a data set of any SR storage class or a key object selection to its content tree.

A fault of the file costs one item at most, never the document.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from sr import lenient
from sr.codes import first_code
from sr.content_tree import ContentTree, Coordinates, Item, Number, ObjectReference, Problem, Value
from sr.lenient import Source

# No template of PS3.16 comes near these; a document beyond them is broken, or made to do harm.
MAX_DEPTH = 64
MAX_ITEMS = 200_000
MAX_COORDINATES = 1_000_000

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_LONGEST_DECIMAL = 64
_LARGEST_EXPONENT = 308

# PS3.3 Table C.17.3-7 together with the element by which an item without a known value type is told.
_TELLTALES = (
    ("MeasuredValueSequence", "NUM"),
    ("ConceptCodeSequence", "CODE"),
    ("TextValue", "TEXT"),
    ("PersonName", "PNAME"),
    ("UID", "UIDREF"),
    ("DateTime", "DATETIME"),
    ("Date", "DATE"),
    ("Time", "TIME"),
    ("ReferencedSOPSequence", "COMPOSITE"),
    ("GraphicData", "SCOORD"),
    ("TemporalRangeType", "TCOORD"),
    ("ContinuityOfContent", "CONTAINER"),
    ("ContentSequence", "CONTAINER"),
)

# PS3.3 Table C.17.3-8
_RELATIONSHIPS = frozenset(
    {
        "CONTAINS",
        "HAS PROPERTIES",
        "HAS OBS CONTEXT",
        "HAS ACQ CONTEXT",
        "INFERRED FROM",
        "SELECTED FROM",
        "HAS CONCEPT MOD",
    }
)


def read_content(dataset: Source) -> ContentTree:
    """The content tree of a document. Never raises: what cannot be read is told as a problem."""
    reader = _Reader()
    root = reader.item(dataset, "1", 1)
    for fault in lenient.faults(dataset):
        reader.problem(root.position, fault, lost=True)
    return ContentTree(root, tuple(reader.problems))


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._items = 0

    def item(self, dataset: Source, position: str, depth: int) -> Item:
        self._items += 1
        target = ".".join(lenient.texts(dataset, "ReferencedContentItemIdentifier"))
        value_type = "" if target else self._value_type(dataset, position)
        return Item(
            position=position,
            value_type=value_type,
            relationship=self._relationship(dataset, position) if depth > 1 else "",
            concept=first_code(dataset, "ConceptNameCodeSequence"),
            value=self._value(dataset, value_type, position),
            children=self._children(dataset, position, depth),
            target=target,
            observed=lenient.text(dataset, "ObservationDateTime"),
            observation_uid=lenient.text(dataset, "ObservationUID"),
            template=lenient.of_first(dataset, "ContentTemplateSequence", _template),
        )

    def problem(self, position: str, reason: str, lost: bool = False) -> None:
        self.problems.append(Problem(position, reason, lost))

    def _children(self, dataset: Source, position: str, depth: int) -> tuple[Item, ...]:
        below = lenient.each(dataset, "ContentSequence")
        if depth == MAX_DEPTH:
            if next(below, None) is not None:
                self.problem(position, f"items below the depth of {MAX_DEPTH} are left out", lost=True)
            return ()
        children = []
        for number, item in enumerate(below, 1):
            if self._items >= MAX_ITEMS:
                self.problem(position, f"items after the first {MAX_ITEMS} are left out", lost=True)
                break
            children.append(self.item(item, f"{position}.{number}", depth + 1))
        return tuple(children)

    def _value_type(self, dataset: Source, position: str) -> str:
        written = lenient.text(dataset, "ValueType").upper()
        if written in _VALUES:
            return written
        for keyword, value_type in _TELLTALES:
            if keyword in dataset:
                self.problem(position, f"no known value type; taken for {value_type}")
                return value_type
        self.problem(position, "no known value type, and no value")
        return ""

    def _relationship(self, dataset: Source, position: str) -> str:
        written = lenient.text(dataset, "RelationshipType").upper().replace("_", " ")
        if written in _RELATIONSHIPS:
            return written
        self.problem(position, "no known relationship to the item above")
        return ""

    def _value(self, dataset: Source, value_type: str, position: str) -> Value | None:
        value = _VALUES[value_type](self, dataset, position) if value_type in _VALUES else None
        if not value and value_type not in ("", "CONTAINER", "TABLE"):
            self.problem(position, f"an item of type {value_type} without a value")
            return None
        return value


def _nothing(_reader: _Reader, _dataset: Source, _position: str) -> None:
    return None


def _table(reader: _Reader, _dataset: Source, position: str) -> None:
    reader.problem(position, "tables are not read", lost=True)


def _written(keyword: str) -> Callable[[_Reader, Source, str], str]:
    return lambda _reader, dataset, _position: lenient.text(dataset, keyword)


def _coded(_reader: _Reader, dataset: Source, _position: str) -> Value | None:
    return first_code(dataset, "ConceptCodeSequence")


def _number(reader: _Reader, dataset: Source, position: str) -> Number:
    measured = lenient.each(dataset, "MeasuredValueSequence")
    source = next(measured, dataset)
    if next(measured, None) is not None:
        reader.problem(position, "more than one measured value; the first is taken", lost=True)
    written = lenient.texts(source, "NumericValue") or lenient.texts(source, "FloatingPointValue")
    decimals = tuple(decimal for decimal in map(_decimal, written) if decimal is not None)
    text = ""
    if len(decimals) < len(written):
        reader.problem(position, "the value is not a decimal number; it is kept as text")
        decimals, text = (), "\\".join(written)
    elif not decimals:
        reader.problem(position, "an item of type NUM without a value")
    return Number(
        decimals,
        text,
        first_code(source, "MeasurementUnitsCodeSequence"),
        first_code(dataset, "NumericValueQualifierCodeSequence"),
    )


def _template(item: Source | None) -> str:
    return lenient.text(item, "TemplateIdentifier")


def _decimal(text: str) -> Decimal | None:
    if len(text) > _LONGEST_DECIMAL or not _DECIMAL.fullmatch(text):
        return None
    decimal = Decimal(text)
    return decimal if abs(decimal.adjusted()) <= _LARGEST_EXPONENT else None


def _reference(_reader: _Reader, dataset: Source, _position: str) -> Value | None:
    item = lenient.first(dataset, "ReferencedSOPSequence")
    sop_instance_uid = lenient.text(item, "ReferencedSOPInstanceUID")
    if not sop_instance_uid:
        return None
    return ObjectReference(
        lenient.text(item, "ReferencedSOPClassUID"),
        sop_instance_uid,
        _integers(item, "ReferencedFrameNumber"),
        _integers(item, "ReferencedSegmentNumber"),
    )


def _integers(dataset: Source | None, keyword: str) -> tuple[int, ...]:
    return tuple(int(text) for text in lenient.texts(dataset, keyword) if re.fullmatch(r"[0-9]{1,9}", text))


def _graphic(reader: _Reader, dataset: Source, position: str) -> Value | None:
    data = lenient.numbers(dataset, "GraphicData", MAX_COORDINATES)
    if data is None:
        reader.problem(position, f"more than {MAX_COORDINATES} coordinates are left out", lost=True)
    kind = lenient.text(dataset, "GraphicType")
    frame_of_reference = lenient.text(dataset, "ReferencedFrameOfReferenceUID")
    return Coordinates(kind, data or (), frame_of_reference) if kind else None


def _temporal(_reader: _Reader, dataset: Source, _position: str) -> Value | None:
    kind = lenient.text(dataset, "TemporalRangeType")
    offsets = lenient.texts(dataset, "ReferencedTimeOffsets")
    seconds = tuple(float(decimal) for decimal in map(_decimal, offsets) if decimal is not None)
    return Coordinates(kind, seconds) if kind else None


# PS3.3 Table C.17.3-7
_VALUES: dict[str, Callable[[_Reader, Source, str], Value | None]] = {
    "CONTAINER": _nothing,
    "NUM": _number,
    "CODE": _coded,
    "TEXT": _written("TextValue"),
    "DATE": _written("Date"),
    "TIME": _written("Time"),
    "DATETIME": _written("DateTime"),
    "UIDREF": _written("UID"),
    "PNAME": _written("PersonName"),
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "WAVEFORM": _reference,
    "SCOORD": _graphic,
    "SCOORD3D": _graphic,
    "TCOORD": _temporal,
    "TABLE": _table,
}
