"""Images set aside: for the referring physician, or because they are rejected (PS3.16 TID 2010).

Key Object Selection Document Storage.
"""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import KeyObjectSelectionDocumentStorage

from testdata.content_items import image, text
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study


def key_objects(
    images: list[Dataset],
    study: Study = CHEST_CT,
    *,
    series_number: int = 70,
    title: Code = codes.DCM.OfInterest,
    description: str = "Nodulo del lobo superiore destro: è da rivalutare.",
) -> Dataset:
    """A selection of these images, which belong to the study, with a remark."""
    remark = text(codes.DCM.KeyObjectDescription, description)
    return structured_report(
        study,
        KeyObjectSelectionDocumentStorage,
        title,
        [remark, *(image(source) for source in images)],
        sources=images,
        template="2010",
        modality="KO",
        series_number=series_number,
    )


def rejection_note(
    images: list[Dataset],
    reason: Code = codes.DCM.RejectedForQualityReasons,
    study: Study = CHEST_CT,
    *,
    series_number: int = 71,
) -> Dataset:
    """A note that these images are rejected (IHE RAD TF-2 4.66)."""
    return key_objects(
        images, study, series_number=series_number, title=reason, description="Da non utilizzare."
    )
