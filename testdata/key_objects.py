"""Images set aside for the referring physician: Key Object Selection Document Storage (PS3.16 TID 2010)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import KeyObjectSelectionDocumentStorage

from testdata.content_items import image, text
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study


def key_objects(images: list[Dataset], study: Study = CHEST_CT, *, series_number: int = 70) -> Dataset:
    """A selection of these images, which belong to the study, with a remark."""
    remark = text(codes.DCM.KeyObjectDescription, "Nodulo del lobo superiore destro: è da rivalutare.")
    return structured_report(
        study,
        KeyObjectSelectionDocumentStorage,
        codes.DCM.OfInterest,
        [remark, *(image(source) for source in images)],
        sources=images,
        template="2010",
        modality="KO",
        series_number=series_number,
    )
