"""A manifest of a study: a key object selection with an image library (IHE RAD.MADO, DICOM KOS Manifest)."""

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import KeyObjectSelectionDocumentStorage

from testdata.content_items import (
    ACQ_CONTEXT,
    code,
    coded,
    container,
    date,
    entry,
    modifier,
    number,
    text,
    time,
    uid_reference,
)
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study

RETRIEVE_URL = "https://archivio.example.org/dicom-web"
LOCATION_UID = "1.2.826.0.1.3680043.10.1421.7"
VIEWER = "https://archivio.example.org/viewer?studio=1"

_CHEST = Code("51185008", "SCT", "Thoracic structure")
_LUNG = Code("39607008", "SCT", "Lung structure")
_SERIES = Code("{series}", "UCUM", "series")
_INSTANCES = Code("{instances}", "UCUM", "instances")
_FRAMES = Code("{frames}", "UCUM", "frames")


def manifest(images: list[Dataset], study: Study = CHEST_CT) -> Dataset:
    """The manifest of these objects of one study, images or key object selections."""
    series: dict[str, list[Dataset]] = {}
    for image in images:
        series.setdefault(image.SeriesInstanceUID, []).append(image)
    modalities = dict.fromkeys(image.Modality for image in images)
    library = container(
        _dcm("111028", "Image Library"),
        *(_modality(modality) for modality in modalities),
        code(_dcm("123014", "Target Region"), _CHEST, relationship=ACQ_CONTEXT),
        number(
            _dcm("131565", "Number of Study Related Series"),
            str(len(series)),
            _SERIES,
            relationship=ACQ_CONTEXT,
        ),
        *(_group(instances) for instances in series.values()),
    )
    procedure = modifier(_dcm("121023", "Procedure Code"), Code("169069000", "SCT", "CT of chest"))
    made = structured_report(
        study,
        KeyObjectSelectionDocumentStorage,
        codes.DCM.Manifest,
        [text(codes.DCM.KeyObjectDescription, "Tutto lo studio."), procedure, library],
        sources=images,
        template="2010",
        modality="KO",
        series_number=72,
    )
    made.InstitutionName = "Ospedale di Prova^^4711^^^PROVA&1.2.826.0.1.3680043.10.1421&ISO"
    made.ReferencedRequestSequence = [_request(study)]
    for one in made.CurrentRequestedProcedureEvidenceSequence:
        one.add_new(0x0040E012, "UR", VIEWER)
        for item in one.ReferencedSeriesSequence:
            item.RetrieveURL = RETRIEVE_URL
            item.RetrieveLocationUID = LOCATION_UID
    return made


def _group(instances: list[Dataset]) -> Dataset:
    first = instances[0]
    return container(
        _dcm("126200", "Image Library Group"),
        _modality(first.Modality),
        uid_reference(_dcm("112002", "Series Instance UID"), first.SeriesInstanceUID, ACQ_CONTEXT),
        text(_dcm("113607", "Series Number"), str(first.SeriesNumber), ACQ_CONTEXT),
        text(_dcm("131563", "Series Description"), first.SeriesDescription, ACQ_CONTEXT),
        date(_dcm("131561", "Series Date"), first.StudyDate, ACQ_CONTEXT),
        time(_dcm("131562", "Series Time"), first.StudyTime, ACQ_CONTEXT),
        number(
            _dcm("131564", "Number of Series Related Instances"),
            str(len(instances)),
            _INSTANCES,
            relationship=ACQ_CONTEXT,
        ),
        code(_dcm("123014", "Target Region"), _LUNG, relationship=ACQ_CONTEXT),
        code(_dcm("111027", "Image Laterality"), Code("7771000", "SCT", "Left"), relationship=ACQ_CONTEXT),
        *(entry(instance, *_told(instance)) for instance in instances),
    )


def _told(instance: Dataset) -> Iterator[Dataset]:
    yield text(_dcm("113609", "Instance Number"), str(instance.InstanceNumber), ACQ_CONTEXT)
    if "NumberOfFrames" in instance:
        frames = str(instance.NumberOfFrames)
        yield number(_dcm("121140", "Number of Frames"), frames, _FRAMES, relationship=ACQ_CONTEXT)
    if instance.SOPClassUID == KeyObjectSelectionDocumentStorage:
        title = instance.ConceptNameCodeSequence[0]
        meant = Code(title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning)
        yield code(_dcm("121144", "Document Title"), meant, relationship=ACQ_CONTEXT)
        remark = instance.ContentSequence[0].TextValue
        yield text(codes.DCM.KeyObjectDescription, remark, ACQ_CONTEXT)


def _modality(name: str) -> Dataset:
    return code(_dcm("121139", "Modality"), _dcm(name, name), relationship=ACQ_CONTEXT)


def _request(study: Study) -> Dataset:
    request = Dataset()
    request.StudyInstanceUID = study.uid
    request.AccessionNumber = study.accession_number
    request.PlacerOrderNumberImagingServiceRequest = f"RICHIESTA{study.seed}"
    placer = Dataset()
    placer.UniversalEntityID, placer.UniversalEntityIDType = "1.2.826.0.1.3680043.10.1421.1", "ISO"
    request.OrderPlacerIdentifierSequence = [placer]
    request.RequestedProcedureCodeSequence = [coded(Code("169069000", "SCT", "CT of chest"))]
    return request


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)
