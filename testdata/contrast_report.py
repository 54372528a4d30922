"""Contrast medium for a CT, as it was planned and as it was given (PS3.16 TID 11001 and 11020)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    UID,
    PerformedImagingAgentAdministrationSRStorage,
    PlannedImagingAgentAdministrationSRStorage,
)

from testdata.content_items import NO_UNITS, code, container, number, text
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study

_MILLILITRE = Code("mL", "UCUM", "mL")
_RATE = Code("mL/s", "UCUM", "mL/s")


def planned_contrast(study: Study = CHEST_CT, *, series_number: int = 105) -> Dataset:
    """100 mL at 3.5 mL/s."""
    steps = _steps("100", "3.5")
    title = codes.DCM.PlannedImagingAgentAdministration
    return _report(study, PlannedImagingAgentAdministrationSRStorage, title, "11001", steps, series_number)


def performed_contrast(study: Study = CHEST_CT, *, series_number: int = 106) -> Dataset:
    """62 mL at 3.1 mL/s, when it was stopped."""
    steps = _steps("62", "3.1")
    title = codes.DCM.PerformedImagingAgentAdministration
    return _report(study, PerformedImagingAgentAdministrationSRStorage, title, "11020", steps, series_number)


def _report(
    study: Study, sop_class_uid: UID, title: Code, template: str, steps: Dataset, series_number: int
) -> Dataset:
    content = [_patient(), _agent(), _consumable(), steps]
    return structured_report(
        study, sop_class_uid, title, content, template=template, series_number=series_number
    )


def _patient() -> Dataset:
    """TID 10024."""
    weight = number(Code("29463-7", "LN", "Body Weight"), "58", Code("kg", "UCUM", "kg"))
    return container(codes.DCM.PatientCharacteristics, weight)


def _agent() -> Dataset:
    """TID 11002."""
    return container(
        codes.DCM.ImagingAgentInformation,
        text(codes.DCM.ImagingAgentIdentifier, "A"),
        text(codes.DCM.BrandName, "Contrasto di prova 300"),
    )


def _consumable() -> Dataset:
    """TID 11005."""
    return container(
        codes.DCM.ImagingAgentAdministrationConsumable,
        code(codes.DCM.ImagingAgentAdministrationConsumableType, Code("SIR", "99PROVA", "Siringa")),
        number(codes.DCM.QuantityOfMaterial, "2", NO_UNITS),
    )


def _steps(volume: str, rate: str) -> Dataset:
    """TID 11006 and those below it."""
    return container(
        codes.DCM.ImagingAgentAdministrationSteps,
        container(
            codes.DCM.ImagingAgentAdministrationStep,
            number(codes.DCM.VolumeAdministered, volume, _MILLILITRE),
            number(codes.DCM.RateOfAdministration, rate, _RATE),
        ),
    )
