"""Objects that belong to no patient: one of each category of PS3.18 12.1.1."""

from collections.abc import Callable

from pydicom import Dataset
from pydicom.sr.coding import Code
from pydicom.uid import (
    UID,
    ColorPaletteStorage,
    CTDefinedProcedureProtocolStorage,
    CTImageStorage,
    GenericImplantTemplateStorage,
    HangingProtocolStorage,
    InventoryStorage,
)

from testdata.composite import file_meta
from testdata.content_items import coded
from testdata.studies import uid

CHEST = Code("51185008", "SCT", "Thorax")
HIP = Code("24136001", "SCT", "Hip joint")
TITANIUM = Code("412151003", "SCT", "Titanium")
CT_CHEST = Code("RPID16", "RADLEX", "CT Chest")

_DATE, _TIME = "20261012", "091500"


def hanging_protocol(name: str = "Torace a due", modality: str = "CT") -> Dataset:
    """The newest study beside the one before it (PS3.3 A.44)."""
    dataset = _object(HangingProtocolStorage, "hanging protocol", name, modality)
    dataset.HangingProtocolName = name
    dataset.HangingProtocolDescription = "TC attuale accanto alla precedente"
    dataset.HangingProtocolLevel = "SITE"
    dataset.HangingProtocolCreator = "Radiologia"
    dataset.HangingProtocolCreationDateTime = _DATE + _TIME
    definition = Dataset()
    definition.Modality = modality
    definition.AnatomicRegionSequence = [coded(CHEST)]
    definition.Laterality = "U"
    definition.ProcedureCodeSequence = []
    definition.ReasonForRequestedProcedureCodeSequence = []
    dataset.HangingProtocolDefinitionSequence = [definition]
    dataset.NumberOfPriorsReferenced = 1
    dataset.HangingProtocolUserIdentificationCodeSequence = []
    dataset.HangingProtocolUserGroupName = "Toracici"
    dataset.ImageSetsSequence = [_image_set()]
    dataset.NumberOfScreens = 1
    dataset.NominalScreenDefinitionSequence = [_screen()]
    dataset.DisplaySetsSequence = [
        _display_set(1, [0.0, 1.0, 0.5, 0.0]),
        _display_set(2, [0.5, 1.0, 1.0, 0.0]),
    ]
    dataset.PartialDataDisplayHandling = "MAINTAIN_LAYOUT"
    return dataset


def color_palette(label: str = "CALDO") -> Dataset:
    """From black by way of red to white, in 256 steps of 8 bits (PS3.3 A.58)."""
    dataset = _object(ColorPaletteStorage, "color palette", label)
    dataset.ContentLabel = label
    dataset.ContentDescription = "Dal nero al bianco"
    dataset.ContentCreatorName = "Bianchi^Ada"
    for number, colour in enumerate(("Red", "Green", "Blue")):
        values = bytes(min(255, max(0, 3 * step - 255 * number)) for step in range(256))
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 8])
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", values)
    dataset.PaletteColorLookupTableUID = dataset.SOPInstanceUID
    dataset.ICCProfile = bytes(range(256)) * 6  # longer than what metadata have in line
    dataset.ColorSpace = "SRGB"
    return dataset


def implant_template(name: str = "Stelo Alfa", size: str = "M") -> Dataset:
    """A part without drawings (PS3.3 A.61)."""
    dataset = _object(GenericImplantTemplateStorage, "implant template", name, size)
    dataset.Manufacturer = "Officina di Prova"
    dataset.FrameOfReferenceUID = uid("implant frame", name)
    dataset.ImplantName = name
    dataset.ImplantSize = size
    dataset.ImplantPartNumber = f"ALFA-{size}"
    dataset.ImplantTemplateVersion = "1"
    dataset.ImplantType = "ORIGINAL"
    dataset.EffectiveDateTime = _DATE + _TIME
    target = Dataset()
    target.AnatomicRegionSequence = [coded(HIP)]
    dataset.ImplantTargetAnatomySequence = [target]
    dataset.InformationFromManufacturerSequence = []
    dataset.NotificationFromManufacturerSequence = []
    dataset.OverallTemplateSpatialTolerance = 0.1
    dataset.MaterialsCodeSequence = [coded(TITANIUM)]
    dataset.CoatingMaterialsCodeSequence = []
    dataset.HPGLDocumentSequence = []
    return dataset


def defined_procedure_protocol(name: str = "TC torace standard") -> Dataset:
    """For any scanner of one model (PS3.3 A.82.1)."""
    dataset = _object(CTDefinedProcedureProtocolStorage, "procedure protocol", name)
    dataset.Modality = "CT"
    hospital = Dataset()
    hospital.InstitutionName = "Ospedale di Prova"
    hospital.InstitutionCodeSequence = []
    dataset.CustodialOrganizationSequence = [hospital]
    dataset.ResponsibleGroupCodeSequence = []
    dataset.ProtocolName = name
    dataset.PotentialScheduledProtocolCodeSequence = [coded(CT_CHEST)]
    dataset.PotentialRequestedProcedureCodeSequence = [coded(CT_CHEST)]
    dataset.ContentCreatorName = "Bianchi^Ada"
    dataset.EquipmentModality = "CT"
    model = Dataset()
    model.Manufacturer = "Officina di Prova"
    model.ManufacturerModelName = "Fantoccio CT"
    model.SoftwareVersions = ["1.0", "1.1"]
    dataset.ModelSpecificationSequence = [model]
    dataset.AnatomicRegionSequence = [coded(CHEST)]
    return dataset


def inventory(purpose: str = "Migrazione", studies: int = 2) -> Dataset:
    """All studies of an archive, by their UIDs (PS3.3 A.88)."""
    dataset = _object(InventoryStorage, "inventory", purpose)
    dataset.Manufacturer = "Officina di Prova"
    dataset.ContentDate, dataset.ContentTime = _DATE, _TIME
    dataset.ScopeOfInventorySequence = []
    dataset.InventoryPurpose = purpose
    dataset.InventoryLevel = "STUDY"
    dataset.InventoryCompletionStatus = "COMPLETE"
    dataset.NumberOfStudyRecordsInInstance = dataset.TotalNumberOfStudyRecords = studies
    records = [Dataset() for _ in range(studies)]
    for number, record in enumerate(records):
        record.StudyInstanceUID = uid("inventoried study", purpose, number)
    dataset.InventoriedStudiesSequence = records
    return dataset


RECIPES: dict[str, Callable[[], Dataset]] = {
    "color-palettes": color_palette,
    "defined-procedure-protocols": defined_procedure_protocol,
    "hanging-protocols": hanging_protocol,
    "implant-templates": implant_template,
    "inventories": inventory,
}


def _object(sop_class_uid: str, *parts: str) -> Dataset:
    """What is common to all.  parts: which the SOP Instance UID follows from."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = _DATE, _TIME
    dataset.SOPClassUID = UID(sop_class_uid)
    dataset.SOPInstanceUID = uid(*parts)
    dataset.file_meta = file_meta(dataset)
    return dataset


def _image_set() -> Dataset:
    selector = Dataset()
    selector.ImageSetSelectorUsageFlag = "MATCH"
    selector.SelectorAttribute = 0x00080016
    selector.SelectorAttributeVR = "UI"
    selector.SelectorUIValue = CTImageStorage
    selector.SelectorValueNumber = 1
    current, prior = Dataset(), Dataset()
    current.ImageSetNumber, prior.ImageSetNumber = 1, 2
    current.ImageSetSelectorCategory = "RELATIVE_TIME"
    current.RelativeTime, current.RelativeTimeUnits = [0, 0], "SECONDS"
    prior.ImageSetSelectorCategory, prior.AbstractPriorValue = "ABSTRACT_PRIOR", [1, 1]
    current.ImageSetLabel, prior.ImageSetLabel = "Attuale", "Precedente"
    item = Dataset()
    item.ImageSetSelectorSequence = [selector]
    item.TimeBasedImageSetsSequence = [current, prior]
    return item


def _screen() -> Dataset:
    item = Dataset()
    item.NumberOfVerticalPixels, item.NumberOfHorizontalPixels = 1536, 2048
    item.DisplayEnvironmentSpatialPosition = [0.0, 1.0, 1.0, 0.0]
    item.ScreenMinimumGrayscaleBitDepth = 8
    return item


def _display_set(number: int, position: list[float]) -> Dataset:
    box = Dataset()
    box.ImageBoxNumber = 1
    box.DisplayEnvironmentSpatialPosition = position
    box.ImageBoxLayoutType = "STACK"
    item = Dataset()
    item.DisplaySetNumber = item.DisplaySetPresentationGroup = item.ImageSetNumber = number
    item.ImageBoxesSequence = [box]
    item.FilterOperationsSequence = []
    item.SortingOperationsSequence = []
    return item
