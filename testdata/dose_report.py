"""The dose of the chest CT: X-Ray Radiation Dose SR Storage (PS3.16 TID 10011)."""

from datetime import datetime, timedelta

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import XRayRadiationDoseSRStorage

from testdata.content_items import (
    CONCEPT_MOD,
    OBS_CONTEXT,
    PROPERTIES,
    code,
    container,
    date_time,
    modifier,
    number,
    text,
    uid_reference,
)
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study, uid

_MILLIGRAY = Code("mGy", "UCUM", "mGy")
_MILLIGRAY_CENTIMETRE = Code("mGy.cm", "UCUM", "mGy.cm")
_SECOND = Code("s", "UCUM", "s")
_INTENT = Code("363703001", "SCT", "Has Intent")
_EVENTS = Code("{events}", "UCUM", "events")
_LOCALIZER = codes.DCM.ConstantAngleAcquisition

# Protocol, kind of acquisition, mm scanned, s, mean CTDIvol in mGy, DLP in mGy.cm.
_ACQUISITIONS = (
    ("Topogramma", _LOCALIZER, "512", "3.4", "0.14", "7.2"),
    ("Torace con mdc", codes.SCT.SpiralAcquisition, "336", "6.1", "7.85", "263.8"),
)
_TOTAL = "271.0"


def dose_report(study: Study = CHEST_CT, *, series_number: int = 90) -> Dataset:
    """Accumulated dose (total DLP 271.0 mGy.cm of two events) and both acquisitions, as the scanner says."""
    moment = study.date + study.time
    end = datetime.strptime(moment, "%Y%m%d%H%M%S") + timedelta(seconds=90)
    content = [
        modifier(
            codes.DCM.ProcedureReported,
            Code("77477000", "SCT", "Computed Tomography X-Ray"),
            code(_INTENT, codes.SCT.DiagnosticIntent, relationship=CONCEPT_MOD),
        ),
        code(codes.DCM.ObserverType, codes.DCM.Device, relationship=OBS_CONTEXT),
        uid_reference(codes.DCM.DeviceObserverUID, uid("device", "ct"), OBS_CONTEXT),
        text(codes.DCM.DeviceObserverName, "CT1", OBS_CONTEXT),
        date_time(codes.DCM.StartOfXRayIrradiation, moment, OBS_CONTEXT),
        date_time(codes.DCM.EndOfXRayIrradiation, f"{end:%Y%m%d%H%M%S}", OBS_CONTEXT),
        _scope(study),
        _accumulated(),
        *(_acquisition(study, index) for index in range(len(_ACQUISITIONS))),
        code(codes.DCM.SourceOfDoseInformation, codes.DCM.AutomatedDataCollection),
    ]
    return structured_report(
        study,
        XRayRadiationDoseSRStorage,
        codes.DCM.XRayRadiationDoseReport,
        content,
        template="10011",
        series_number=series_number,
    )


def _scope(study: Study) -> Dataset:
    which = uid_reference(codes.DCM.StudyInstanceUID, study.uid, PROPERTIES)
    return code(codes.DCM.ScopeOfAccumulation, codes.DCM.Study, which, relationship=OBS_CONTEXT)


def _accumulated() -> Dataset:
    return container(
        codes.DCM.CTAccumulatedDoseData,
        number(codes.DCM.TotalNumberOfIrradiationEvents, str(len(_ACQUISITIONS)), _EVENTS),
        number(codes.DCM.CTDoseLengthProductTotal, _TOTAL, _MILLIGRAY_CENTIMETRE),
    )


def _acquisition(study: Study, index: int) -> Dataset:
    protocol, kind, length, seconds, ctdi, dlp = _ACQUISITIONS[index]
    return container(
        codes.DCM.CTAcquisition,
        text(codes.DCM.AcquisitionProtocol, protocol),
        code(codes.DCM.TargetRegion, codes.SCT.Chest),
        code(codes.DCM.CTAcquisitionType, kind),
        uid_reference(codes.DCM.IrradiationEventUID, uid("irradiation", study.seed, index)),
        container(
            codes.DCM.CTAcquisitionParameters,
            number(codes.DCM.ExposureTime, seconds, _SECOND),
            number(codes.DCM.ScanningLength, length, codes.UCUM.Millimeter),
            number(codes.DCM.NumberOfXRaySources, "1", Code("{X-Ray sources}", "UCUM", "X-Ray sources")),
        ),
        container(
            codes.DCM.CTDose,
            number(codes.DCM.MeanCtdivol, ctdi, _MILLIGRAY),
            code(codes.DCM.CtdiwPhantomType, codes.DCM.IECBodyDosimetryPhantom),
            number(codes.DCM.DLP, dlp, _MILLIGRAY_CENTIMETRE),
        ),
    )
