"""What a key object selection with an image library tells of a study (IHE RAD.MADO, PS3.16 TID 1600)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydicom.datadict import add_dict_entry

from sr import lenient
from sr.codes import Code, Key
from sr.content_tree import Item, Number, ObjectReference
from sr.primitives import is_uid, string

# Younger than the data dictionary of pydicom
add_dict_entry(0x0040E012, "UR", "DisplayURI", "Display URI")

LIBRARY: Key = ("DCM", "111028")
GROUP: Key = ("DCM", "126200")

# MADO Table 4.3-1
MODALITY: Key = ("DCM", "121139")
TARGET_REGION: Key = ("DCM", "123014")
PROCEDURE: Key = ("DCM", "121023")
NUMBER_OF_SERIES: Key = ("DCM", "131565")
SERIES_INSTANCE_UID: Key = ("DCM", "112002")
SERIES_NUMBER: Key = ("DCM", "113607")
SERIES_DESCRIPTION: Key = ("DCM", "131563")
SERIES_DATE: Key = ("DCM", "131561")
SERIES_TIME: Key = ("DCM", "131562")
NUMBER_OF_INSTANCES: Key = ("DCM", "131564")
LATERALITY: Key = ("DCM", "111027")
INSTANCE_NUMBER: Key = ("DCM", "113609")
NUMBER_OF_FRAMES: Key = ("DCM", "121140")
DOCUMENT_TITLE: Key = ("DCM", "121144")
DESCRIPTION: Key = ("DCM", "113012")

_OF_STUDY = (MODALITY, TARGET_REGION, NUMBER_OF_SERIES)
_OF_SERIES = (
    *(MODALITY, TARGET_REGION, LATERALITY, SERIES_INSTANCE_UID, SERIES_NUMBER, SERIES_DESCRIPTION),
    *(SERIES_DATE, SERIES_TIME, NUMBER_OF_INSTANCES),
)
_OF_INSTANCE = (INSTANCE_NUMBER, NUMBER_OF_FRAMES, DOCUMENT_TITLE, DESCRIPTION)


@dataclass(frozen=True, slots=True)
class Properties:
    """The items below one container or entry that have a place in the table, in their order."""

    items: tuple[Item, ...] = ()

    def codes(self, concept: Key) -> list[Code]:
        """The coded values of a concept."""
        values = (item.value for item in self._of(concept))
        return [value for value in values if isinstance(value, Code)]

    def code(self, concept: Key) -> Code | None:
        """The first of them."""
        return next(iter(self.codes(concept)), None)

    def text(self, concept: Key) -> str:
        """The first value of a concept as it is written."""
        for item in self._of(concept):
            match item.value:
                case str(text):
                    return text
                case Number(decimals=(decimal, *_)):
                    return f"{decimal.normalize():f}"
                case Code() as code:
                    return code.label
        return ""

    def count(self, concept: Key) -> int | None:
        """The first value of a concept where FHIR takes it: an unsignedInt of at most 31 bits."""
        text = self.text(concept)
        is_number = len(text) <= 10 and text.isascii() and text.isdecimal()
        return int(text) if is_number and int(text) < 2**31 else None

    def _of(self, concept: Key) -> Iterator[Item]:
        return (item for item in self.items if item.key == concept)


@dataclass(slots=True)
class LibrarySeries:
    """A series. retrieve_url, location: where its evidence says that it is had from; "" where it does not.

    instances: SOP Class UIDs by SOP Instance UID.
    """

    uid: str
    properties: Properties = field(default_factory=Properties)
    retrieve_url: str = ""
    location: str = ""
    instances: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageLibrary:
    """The study of a manifest. entries: what it tells of instances, by SOP Instance UID.

    study: of the image library.  document: of the whole document.  viewers: addresses that show the study.
    """

    document: Properties
    study: Properties
    series: tuple[LibrarySeries, ...]
    entries: Mapping[str, Properties]
    viewers: tuple[str, ...]

    @property
    def items(self) -> Iterator[Item]:
        """All content items that were understood."""
        parts = (self.document, self.study, *(one.properties for one in self.series), *self.entries.values())
        return (item for part in parts for item in part.items)


def read_image_library(dataset: lenient.Source, root: Item) -> ImageLibrary | None:
    """The study that a document lists; None when it has no image library whose groups name their series."""
    library = next((item for item in root.walk() if _is(item, LIBRARY)), None)
    groups = [item for item in library.children if _is(item, GROUP)] if library is not None else []
    told = [(group, _properties(group.children, _OF_SERIES)) for group in groups]
    named = [(group, of_it) for group, of_it in told if is_uid(of_it.text(SERIES_INSTANCE_UID))]
    if library is None or not named:
        return None
    series = {
        uid: LibrarySeries(uid, of_it) for _, of_it in named if (uid := of_it.text(SERIES_INSTANCE_UID))
    }
    _read_evidence(dataset, series)
    known = {uid for one in series.values() for uid in one.instances}
    for group, of_it in named:
        for reference, _ in _entries(group):
            if reference.sop_instance_uid not in known:
                instances = series[of_it.text(SERIES_INSTANCE_UID)].instances
                instances[reference.sop_instance_uid] = reference.sop_class_uid
    evidence = lenient.each(dataset, "CurrentRequestedProcedureEvidenceSequence")
    viewers = (_address(study, "DisplayURI") for study in evidence)
    return ImageLibrary(
        _properties(root.walk(), (PROCEDURE,)),
        _properties(library.children, _OF_STUDY),
        tuple(series.values()),
        {reference.sop_instance_uid: properties for reference, properties in _entries(root)},
        tuple(dict.fromkeys(viewer for viewer in viewers if viewer)),
    )


def _read_evidence(dataset: lenient.Source, series: dict[str, LibrarySeries]) -> None:
    """Where each series is had from, and its instances; also of series that the library does not list."""
    for study in lenient.each(dataset, "CurrentRequestedProcedureEvidenceSequence"):
        for item in lenient.each(study, "ReferencedSeriesSequence"):
            uid = lenient.text(item, "SeriesInstanceUID")
            if not is_uid(uid):
                continue
            one = series.setdefault(uid, LibrarySeries(uid))
            one.retrieve_url = _address(item, "RetrieveURL")
            one.location = lenient.text(item, "RetrieveLocationUID")
            for instance in lenient.each(item, "ReferencedSOPSequence"):
                sop_class = lenient.text(instance, "ReferencedSOPClassUID")
                one.instances[lenient.text(instance, "ReferencedSOPInstanceUID")] = sop_class


def _address(item: lenient.Source, keyword: str) -> str:
    """A URI; empty when it is none, which has no blanks."""
    text = string(lenient.text(item, keyword))
    return "" if len(text.split()) > 1 else text


def _entries(above: Item) -> Iterator[tuple[ObjectReference, Properties]]:
    """The image library entries below an item: they may stand in their group, or beside the library."""
    for item in above.walk():
        if isinstance(item.value, ObjectReference):
            yield item.value, Properties((item, *_properties(item.children, _OF_INSTANCE).items))


def _properties(items: Iterable[Item], concepts: tuple[Key, ...]) -> Properties:
    return Properties(tuple(item for item in items if item.key in concepts))


def _is(item: Item, concept: Key) -> bool:
    return item.value_type == "CONTAINER" and item.key == concept
