"""Items of SR content trees, as plain data sets (PS3.3 C.17.3)."""

from pydicom import Dataset
from pydicom.sr.coding import Code

# Relationship Type (PS3.3 Table C.17.3-8)
CONTAINS = "CONTAINS"
PROPERTIES = "HAS PROPERTIES"
OBS_CONTEXT = "HAS OBS CONTEXT"
ACQ_CONTEXT = "HAS ACQ CONTEXT"
CONCEPT_MOD = "HAS CONCEPT MOD"
INFERRED = "INFERRED FROM"
SELECTED = "SELECTED FROM"

# The unit of what has none (PS3.16 CID 82)
NO_UNITS = Code("1", "UCUM", "no units")


def coded(code: Code) -> Dataset:
    """The item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def container(concept: Code, *content: Dataset, relationship: str = CONTAINS) -> Dataset:
    """A CONTAINER, each heading separate from what follows it."""
    item = _item("CONTAINER", concept, relationship)
    item.ContinuityOfContent = "SEPARATE"
    if content:
        item.ContentSequence = list(content)
    return item


def text(concept: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """A TEXT."""
    item = _item("TEXT", concept, relationship)
    item.TextValue = value
    return item


def code(concept: Code, value: Code, *content: Dataset, relationship: str = CONTAINS) -> Dataset:
    """A CODE."""
    item = _item("CODE", concept, relationship)
    item.ConceptCodeSequence = [coded(value)]
    if content:
        item.ContentSequence = list(content)
    return item


def modifier(concept: Code, value: Code, *content: Dataset) -> Dataset:
    """A CODE that modifies what the item above is named."""
    return code(concept, value, *content, relationship=CONCEPT_MOD)


def number(
    concept: Code, value: str | None, unit: Code, *content: Dataset, relationship: str = CONTAINS
) -> Dataset:
    """A NUM; without a value it is qualified as unknown, as PS3.3 C.18.1 wants."""
    item = _item("NUM", concept, relationship)
    item.MeasuredValueSequence = []
    if value is None:
        item.NumericValueQualifierCodeSequence = [coded(Code("114010", "DCM", "Value unknown"))]
    else:
        measured = Dataset()
        measured.NumericValue = value
        measured.MeasurementUnitsCodeSequence = [coded(unit)]
        item.MeasuredValueSequence = [measured]
    if content:
        item.ContentSequence = list(content)
    return item


def uid_reference(concept: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """A UIDREF."""
    item = _item("UIDREF", concept, relationship)
    item.UID = value
    return item


def date(concept: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """A DATE."""
    item = _item("DATE", concept, relationship)
    item.Date = value
    return item


def time(concept: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """A TIME."""
    item = _item("TIME", concept, relationship)
    item.Time = value
    return item


def date_time(concept: Code, value: str, relationship: str = CONTAINS) -> Dataset:
    """A DATETIME."""
    item = _item("DATETIME", concept, relationship)
    item.DateTime = value
    return item


def person(concept: Code, name: str, relationship: str = CONTAINS) -> Dataset:
    """A PNAME."""
    item = _item("PNAME", concept, relationship)
    item.PersonName = name
    return item


def image(source: Dataset, relationship: str = CONTAINS) -> Dataset:
    """An IMAGE, without a concept name of its own."""
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = "IMAGE"
    item.ReferencedSOPSequence = [referenced(source)]
    return item


def entry(source: Dataset, *content: Dataset) -> Dataset:
    """An IMAGE, or a COMPOSITE where it has no pixels, with what is said of it."""
    item = image(source)
    item.ValueType = "IMAGE" if "Rows" in source else "COMPOSITE"
    if content:
        item.ContentSequence = list(content)
    return item


def referenced(source: Dataset) -> Dataset:
    """The item that names an instance (PS3.3 10.8)."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item


def evidence(sources: list[Dataset]) -> list[Dataset]:
    """The items of Current Requested Procedure Evidence Sequence: studies, their series, their instances."""
    series: dict[tuple[str, str], list[Dataset]] = {}
    for source in sources:
        series.setdefault((source.StudyInstanceUID, source.SeriesInstanceUID), []).append(source)
    studies: dict[str, Dataset] = {}
    for (study_uid, series_uid), instances in series.items():
        study = studies.setdefault(study_uid, Dataset())
        study.StudyInstanceUID = study_uid
        item = Dataset()
        item.SeriesInstanceUID = series_uid
        item.ReferencedSOPSequence = [referenced(instance) for instance in instances]
        study.ReferencedSeriesSequence = [*study.get("ReferencedSeriesSequence", []), item]
    return list(studies.values())


def _item(value_type: str, concept: Code, relationship: str) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [coded(concept)]
    return item
