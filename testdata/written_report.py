"""Reports under headings: prose (Basic Text SR) and numbers that no template governs (Enhanced SR)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import BasicTextSRStorage, EnhancedSRStorage

from testdata.content_items import (
    INFERRED,
    OBS_CONTEXT,
    code,
    container,
    image,
    modifier,
    number,
    person,
    text,
)
from testdata.structured_report import structured_report
from testdata.studies import CHEST_XRAY, HEART_US, Study

_READER = "Zanella^Ilària"

# A hospital's own headings and concepts, as laboratories of ultrasound have them.
_VENTRICLE = Code("VS", "99PROVA", "Ventricolo sinistro")
_VALVES = Code("VALV", "99PROVA", "Apparati valvolari")
_SEPTUM = Code("SIV", "99PROVA", "Setto interventricolare, diastole")
_MILLILITRE = Code("mL", "UCUM", "mL")
_METRES_PER_SECOND = Code("m/s", "UCUM", "m/s")


def text_report(
    study: Study = CHEST_XRAY, images: list[Dataset] | None = None, *, series_number: int = 80
) -> Dataset:
    """A radiology report in prose: Basic Text SR Storage, verified, with history, findings and impression."""
    sources = images or []
    content = [
        person(codes.DCM.PersonObserverName, _READER, OBS_CONTEXT),
        _section(codes.DCM.History, codes.DCM.History, "Tosse persistente da tre settimane; ex fumatore."),
        _section(
            codes.DCM.Findings,
            codes.DCM.Finding,
            "Non addensamenti parenchimali in atto. Nodulo di circa 16 mm al campo superiore destro.\r\n"
            "Ombra cardiaca nei limiti. Seni costofrenici liberi.",
            *(image(source) for source in sources),
        ),
        _section(
            codes.DCM.Impressions,
            codes.DCM.Impression,
            "Nodulo polmonare destro: è opportuna una TC del torace.",
        ),
    ]
    return structured_report(
        study,
        BasicTextSRStorage,
        Code("18748-4", "LN", "Diagnostic imaging report"),
        content,
        sources=sources,
        template="2000",
        verified_by=_READER,
        series_number=series_number,
    )


def heart_report(study: Study = HEART_US, cine: Dataset | None = None, *, series_number: int = 81) -> Dataset:
    """Numbers of an echocardiogram under headings of the laboratory's own: Enhanced SR Storage, unverified.

    Among them one value with its mode as a modifier, one that was tried and is unknown, one of a
    private concept, and one finding that is absent.
    """
    sources = [cine] if cine is not None else []
    ventricle = container(
        _VENTRICLE,
        number(
            Code("29436-3", "LN", "Left Ventricle Internal End Diastolic Dimension"),
            "48.5",
            codes.UCUM.Millimeter,
            modifier(Code("399264008", "SCT", "Image Mode"), Code("399064001", "SCT", "2D mode")),
            *(image(source, INFERRED) for source in sources),
        ),
        number(_SEPTUM, "9", codes.UCUM.Millimeter),
        number(Code("18043-0", "LN", "Left Ventricular Ejection Fraction by US"), "61", codes.UCUM.Percent),
        number(Code("18026-5", "LN", "Left Ventricular End Diastolic Volume"), None, _MILLILITRE),
    )
    valves = container(
        _VALVES,
        number(Code("18037-2", "LN", "Mitral Valve E-Wave Peak Velocity"), "0.82", _METRES_PER_SECOND),
        number(Code("17978-8", "LN", "Mitral Valve A-Wave Peak Velocity"), "0.64", _METRES_PER_SECOND),
        code(codes.SCT.MitralRegurgitation, codes.SCT.Absent),
    )
    return structured_report(
        study,
        EnhancedSRStorage,
        Code("42148-7", "LN", "Echocardiography Report"),
        [person(codes.DCM.PersonObserverName, _READER, OBS_CONTEXT), ventricle, valves],
        sources=sources,
        series_number=series_number,
    )


def _section(heading: Code, item: Code, prose: str, *others: Dataset) -> Dataset:
    return container(heading, text(item, prose), *others)
