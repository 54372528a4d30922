"""The dose of a long intervention: thousands of items in one document (PS3.16 TID 10001 and 10003)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import XRayRadiationDoseSRStorage

from testdata.content_items import (
    OBS_CONTEXT,
    code,
    container,
    date_time,
    modifier,
    number,
    text,
    uid_reference,
)
from testdata.structured_report import structured_report
from testdata.studies import HEART_US, Study, uid

ITEMS_AROUND = 4  # root, observer, procedure, source of the data
ITEMS_OF_EVENT = 24

_PLANE = Code("113764", "DCM", "Acquisition Plane")
_SINGLE = Code("113622", "DCM", "Single Plane")
_EVENT = Code("113706", "DCM", "Irradiation Event X-Ray Data")
_EVENT_TYPE = Code("113721", "DCM", "Irradiation Event Type")
_FLUOROSCOPY = Code("44491008", "SCT", "Fluoroscopy")
_DOSE_AREA_PRODUCT = Code("122130", "DCM", "Dose Area Product")
_REFERENCE_POINT = Code("113780", "DCM", "Reference Point Definition")
_15_CM = Code("113860", "DCM", "15cm from Isocenter toward Source")
_FILTER = Code("113771", "DCM", "X-Ray Filters")
_MATERIAL = Code("113757", "DCM", "X-Ray Filter Material")
_COPPER = Code("66925006", "SCT", "Copper")

# Concept, value of the first event, unit: so that each event has others, the index is added to the value.
_NUMBERS = (
    (Code("112011", "DCM", "Positioner Primary Angle"), -30.5, Code("deg", "UCUM", "deg")),
    (Code("112012", "DCM", "Positioner Secondary Angle"), 12.25, Code("deg", "UCUM", "deg")),
    (Code("113751", "DCM", "Table Longitudinal Position"), 401.0, Code("mm", "UCUM", "mm")),
    (Code("113752", "DCM", "Table Lateral Position"), -12.5, Code("mm", "UCUM", "mm")),
    (Code("113753", "DCM", "Table Height Position"), 88.0, Code("mm", "UCUM", "mm")),
    (Code("113733", "DCM", "KVP"), 70.0, Code("kV", "UCUM", "kV")),
    (Code("113734", "DCM", "X-Ray Tube Current"), 110.0, Code("mA", "UCUM", "mA")),
    (Code("113793", "DCM", "Pulse Width"), 8.5, Code("ms", "UCUM", "ms")),
    (Code("113791", "DCM", "Pulse Rate"), 7.5, Code("{pulse}/s", "UCUM", "pulse/s")),
    (Code("113768", "DCM", "Number of Pulses"), 42.0, Code("1", "UCUM", "no units")),
    (Code("113742", "DCM", "Irradiation Duration"), 5.5, Code("s", "UCUM", "s")),
    (Code("113748", "DCM", "Distance Source to Isocenter"), 785.0, Code("mm", "UCUM", "mm")),
    (Code("113750", "DCM", "Distance Source to Detector"), 1090.0, Code("mm", "UCUM", "mm")),
)


def long_dose_report(events: int, study: Study = HEART_US, *, series_number: int = 91) -> Dataset:
    """A report of `events` times ITEMS_OF_EVENT and ITEMS_AROUND items; of 600 events about 3 MB."""
    content = [
        modifier(codes.DCM.ProcedureReported, Code("113704", "DCM", "Projection X-Ray")),
        code(codes.DCM.ObserverType, codes.DCM.Device, relationship=OBS_CONTEXT),
        *(_event(study, index) for index in range(events)),
        code(codes.DCM.SourceOfDoseInformation, codes.DCM.AutomatedDataCollection),
    ]
    title = codes.DCM.XRayRadiationDoseReport
    return structured_report(
        study, XRayRadiationDoseSRStorage, title, content, template="10001", series_number=series_number
    )


def _event(study: Study, index: int) -> Dataset:
    moment = f"{study.date}{8 + index // 3600 % 12:02}{index // 60 % 60:02}{index % 60:02}.250"
    return container(
        _EVENT,
        modifier(_PLANE, _SINGLE),
        uid_reference(codes.DCM.IrradiationEventUID, uid("fluoroscopy", study.seed, index)),
        date_time(Code("111526", "DCM", "DateTime Started"), moment),
        code(_EVENT_TYPE, _FLUOROSCOPY),
        text(codes.DCM.AcquisitionProtocol, "Coronarografia 7,5 imp/s"),
        number(_DOSE_AREA_PRODUCT, f"0.0000{index + 1}", Code("Gy.m2", "UCUM", "Gy.m2")),
        number(Code("113738", "DCM", "Dose (RP)"), f"0.00{index + 1}", Code("Gy", "UCUM", "Gy")),
        code(_REFERENCE_POINT, _15_CM),
        container(_FILTER, code(_MATERIAL, _COPPER)),
        *(number(concept, f"{first + index % 100}", unit) for concept, first, unit in _NUMBERS),
    )
