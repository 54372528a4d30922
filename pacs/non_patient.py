"""What belongs to no patient: its categories, and what each is found by (PS3.18 Table 12.1.1-1, PS3.4 GG)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pacs.attributes import CODE_KEYS, Key, Matching

MOST_VALUES = 1000  # of one object that it is found by; usual ones have thirty

_UID, _EXACT, _TEXT, _NAME = Matching.UID, Matching.EXACT, Matching.TEXT, Matching.NAME
_DATE, _TIME, _DATETIME = Matching.DATE, Matching.TIME, Matching.DATETIME
_NUMBER, _NONE = Matching.NUMBER, Matching.RETURNED


@dataclass(frozen=True)
class Row(Key):
    """One row of an information model.  returned: the Return Key Type."""

    returned: str


@dataclass(frozen=True)
class Category:
    """A resource category.

    npi_name: as paths have it.  sop_classes: UIDs.
    rows: of its information models; the attributes of a sequence follow it.
    """

    npi_name: str
    title: str
    sop_classes: frozenset[str]
    rows: tuple[Row, ...]

    @cached_property
    def keys(self) -> Mapping[tuple[int, ...], Key]:
        """What its objects are found by, by tags."""
        return {row.tags: row for row in self.rows if row.matching is not _NONE}

    @cached_property
    def kept(self) -> frozenset[int]:
        """The outermost tags of all that is kept for answers."""
        return frozenset(row.tags[0] for row in self.rows)

    @cached_property
    def returned(self) -> frozenset[str]:
        """Those of them, such as "00720002", that are in every answer where the object has them."""
        return frozenset(row.json_key for row in self.rows if row.returned != "3" and len(row.path) == 1)


def _row(path: str, matching: Matching, returned: str) -> tuple[Row, ...]:
    return (Row(tuple(path.split(".")), matching, returned),)


def _code(path: str, returned: str) -> tuple[Row, ...]:
    """A sequence of coded entries, each found by its code (PS3.4 Table 8-1a)."""
    keys = (_row(f"{path}.{name}", matching, "1C") for name, matching in CODE_KEYS)
    return sum(keys, _row(path, _NONE, returned))


def _reference(path: str, returned: str) -> tuple[Row, ...]:
    return (
        *_row(path, _NONE, returned),
        *_row(f"{path}.ReferencedSOPClassUID", _UID, "1"),
        *_row(f"{path}.ReferencedSOPInstanceUID", _UID, "1"),
    )


_SOP_COMMON = (*_row("SOPClassUID", _UID, "1"), *_row("SOPInstanceUID", _UID, "1"))

# PS3.4 Table X.6-1
_COLOR_PALETTE = (
    *_row("ContentLabel", _EXACT, "1"),
    *_row("ContentDescription", _NONE, "2"),
    *_row("ContentCreatorName", _NONE, "2"),
    *_row("AlternateContentDescriptionSequence", _NONE, "3"),
)

# PS3.4 Table HH.6-1
_DEFINED_PROCEDURE_PROTOCOL = (
    *_row("CustodialOrganizationSequence", _NONE, "2"),
    *_row("CustodialOrganizationSequence.InstitutionName", _TEXT, "2"),
    *_code("CustodialOrganizationSequence.InstitutionCodeSequence", "2"),
    *_code("ResponsibleGroupCodeSequence", "2"),
    *_row("ProtocolName", _TEXT, "1"),
    *_code("PotentialScheduledProtocolCodeSequence", "1"),
    *_code("PotentialRequestedProcedureCodeSequence", "1"),
    *_row("PotentialReasonsForProcedure", _NONE, "2"),
    *_code("PotentialReasonsForProcedureCodeSequence", "2"),
    *_row("PotentialDiagnosticTasks", _NONE, "2"),
    *_reference("PredecessorProtocolSequence", "2"),
    *_row("ContentCreatorName", _NAME, "1"),
    *_row("InstanceCreationDate", _DATE, "1"),
    *_row("InstanceCreationTime", _TIME, "1"),
    *_row("ClinicalTrialSponsorName", _TEXT, "1"),
    *_row("ClinicalTrialProtocolID", _EXACT, "1"),
    *_row("EquipmentModality", _EXACT, "1"),
    *_row("ModelSpecificationSequence", _NONE, "2"),
    *_row("ModelSpecificationSequence.Manufacturer", _TEXT, "1"),
    *_row("ModelSpecificationSequence.ManufacturerRelatedModelGroup", _TEXT, "2"),
    *_row("ModelSpecificationSequence.ManufacturerModelName", _TEXT, "2"),
    *_row("ModelSpecificationSequence.SoftwareVersions", _EXACT, "2"),
    *_row("ModelSpecificationSequence.DeviceSerialNumber", _NONE, "2"),
    *_code("AnatomicRegionSequence", "2"),
    *_code("PrimaryAnatomicStructureSequence", "2"),
)

# PS3.4 Table U.6-1
_HANGING_PROTOCOL = (
    *_row("HangingProtocolName", _TEXT, "1"),
    *_row("HangingProtocolDescription", _NONE, "1"),
    *_row("HangingProtocolLevel", _EXACT, "1"),
    *_row("HangingProtocolCreator", _NONE, "1"),
    *_row("HangingProtocolCreationDateTime", _NONE, "1"),
    *_row("HangingProtocolDefinitionSequence", _NONE, "1"),
    *_row("HangingProtocolDefinitionSequence.Modality", _EXACT, "2"),
    *_code("HangingProtocolDefinitionSequence.AnatomicRegionSequence", "2"),
    *_row("HangingProtocolDefinitionSequence.Laterality", _EXACT, "2"),
    *_code("HangingProtocolDefinitionSequence.ProcedureCodeSequence", "2"),
    *_code("HangingProtocolDefinitionSequence.ReasonForRequestedProcedureCodeSequence", "2"),
    *_row("NumberOfPriorsReferenced", _NUMBER, "1"),
    *_code("HangingProtocolUserIdentificationCodeSequence", "2"),
    *_row("HangingProtocolUserGroupName", _TEXT, "3"),
    *_row("NumberOfScreens", _NUMBER, "2"),
    *_row("NominalScreenDefinitionSequence", _NONE, "2"),
)

_IMPLANT_TEMPLATE = (
    # PS3.4 Table BB.6-1
    *_row("Manufacturer", _TEXT, "1"),
    *_row("ImplantName", _TEXT, "1"),
    *_row("ImplantSize", _TEXT, "2"),
    *_row("ImplantPartNumber", _EXACT, "1"),
    *_reference("ReplacedImplantTemplateSequence", "2"),
    *_reference("DerivationImplantTemplateSequence", "2"),
    *_row("EffectiveDateTime", _DATETIME, "1"),
    *_reference("OriginalImplantTemplateSequence", "2"),
    *_row("ImplantTargetAnatomySequence", _NONE, "2"),
    *_code("ImplantTargetAnatomySequence.AnatomicRegionSequence", "1"),
    *_code("ImplantRegulatoryDisapprovalCodeSequence", "2"),
    *_code("MaterialsCodeSequence", "1"),
    *_code("CoatingMaterialsCodeSequence", "1"),
    # PS3.4 Table BB.6-2
    *_row("ImplantAssemblyTemplateName", _TEXT, "1"),
    *_code("ProcedureTypeCodeSequence", "1"),
    *_reference("ReplacedImplantAssemblyTemplateSequence", "1"),
    *_reference("OriginalImplantAssemblyTemplateSequence", "1"),
    *_reference("DerivationImplantAssemblyTemplateSequence", "1"),
    *_row("SurgicalTechnique", _TEXT, "2"),
    # PS3.4 Table BB.6-3
    *_row("ImplantTemplateGroupName", _TEXT, "1"),
    *_row("ImplantTemplateGroupDescription", _NONE, "2"),
    *_row("ImplantTemplateGroupIssuer", _TEXT, "1"),
    *_reference("ReplacedImplantTemplateGroupSequence", "2"),
)

# PS3.4 JJ.2: those of the Inventory IE (PS3.3 Table C.38.1-1), but for the studies in it
_INVENTORY = (
    *_row("ContentDate", _DATE, "1"),
    *_row("ContentTime", _TIME, "1"),
    *_row("ScopeOfInventorySequence", _NONE, "2"),
    *_row("TransactionUID", _UID, "2"),
    *_row("InventoryPurpose", _TEXT, "2"),
    *_row("InventoryInstanceDescription", _TEXT, "3"),
    *_row("InventoryLevel", _EXACT, "1"),
    *_row("InventoryCompletionStatus", _EXACT, "1"),
    *_row("NumberOfStudyRecordsInInstance", _NONE, "1"),
    *_row("TotalNumberOfStudyRecords", _NONE, "1"),
)


def _category(npi_name: str, title: str, sop_classes: set[str], rows: tuple[Row, ...]) -> Category:
    return Category(npi_name, title, frozenset(sop_classes), (*_SOP_COMMON, *rows))


# PS3.18 Table 12.1.1-1 with the SOP classes of PS3.4 Table GG.3-1, of which Protocol Approval Storage is in
# no category
CATEGORIES: tuple[Category, ...] = (
    _category("color-palettes", "Color Palette", {"1.2.840.10008.5.1.4.39.1"}, _COLOR_PALETTE),
    _category(
        "defined-procedure-protocols",
        "Defined Procedure Protocol",
        {
            "1.2.840.10008.5.1.4.1.1.200.1",  # CT
            "1.2.840.10008.5.1.4.1.1.200.7",  # XA
        },
        _DEFINED_PROCEDURE_PROTOCOL,
    ),
    _category("hanging-protocols", "Hanging Protocol", {"1.2.840.10008.5.1.4.38.1"}, _HANGING_PROTOCOL),
    _category(
        "implant-templates",
        "Implant Template",
        {
            "1.2.840.10008.5.1.4.43.1",  # Generic Implant Template
            "1.2.840.10008.5.1.4.44.1",  # Implant Assembly Template
            "1.2.840.10008.5.1.4.45.1",  # Implant Template Group
        },
        _IMPLANT_TEMPLATE,
    ),
    _category("inventories", "Inventory", {"1.2.840.10008.5.1.4.1.1.201.1"}, _INVENTORY),
)

# By SOP Class UID; what is of no such class belongs to a patient
CATEGORY_OF: Mapping[str, Category] = {uid: one for one in CATEGORIES for uid in one.sop_classes}
