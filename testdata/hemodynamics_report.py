"""What was measured in a catheterisation laboratory: after PS3.16 TID 3500, 3501 and 3504 to 3530."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from testdata.content_items import ACQ_CONTEXT, OBS_CONTEXT, code, container, number
from testdata.structured_report import structured_report
from testdata.studies import HEART_US, Study

_MILLIMETRE_OF_MERCURY = Code("mm[Hg]", "UCUM", "mmHg")
_ARTERIAL = Code("73002000", "SCT", "Arterial pressure measurements")
_SYSTOLIC = Code("8480-6", "LN", "Systolic pressure")
_DIASTOLIC = Code("8462-4", "LN", "Diastolic pressure")
_END_DIASTOLIC = Code("122191", "DCM", "Ventricular End Diastolic pressure")
_AORTA = Code("15825003", "SCT", "Aorta")
_LEFT_VENTRICLE = Code("87878005", "SCT", "Left ventricle")


def hemodynamics_report(study: Study = HEART_US, *, series_number: int = 104) -> Dataset:
    """Pressures of aorta and ventricle at rest, of the aorta under exercise; the patient; the room."""
    content = [
        _patient(),
        _room(),
        _phase(
            codes.SCT.CardiacCatheterizationBaselinePhase,
            codes.SCT.RestingState,
            _pressures(_ARTERIAL, _AORTA, (_SYSTOLIC, "128"), (_DIASTOLIC, "74")),
            _pressures(codes.DCM.VentricularPressureMeasurements, _LEFT_VENTRICLE, (_END_DIASTOLIC, "14")),
        ),
        _phase(
            Code("128967005", "SCT", "Exercise challenge"),
            Code("128976003", "SCT", "Exercise state"),
            _pressures(_ARTERIAL, _AORTA, (_SYSTOLIC, "171")),
        ),
    ]
    return structured_report(
        study,
        ComprehensiveSRStorage,
        codes.DCM.HemodynamicsReport,
        content,
        template="3500",
        series_number=series_number,
    )


def _patient() -> Dataset:
    """TID 3602."""
    weight = number(Code("29463-7", "LN", "Body Weight"), "81", Code("kg", "UCUM", "kg"))
    return container(codes.DCM.PatientCharacteristics, weight, relationship=OBS_CONTEXT)


def _room() -> Dataset:
    """TID 3603."""
    temperature = number(codes.DCM.RoomTemperature, "21", Code("Cel", "UCUM", "C"))
    return container(codes.DCM.ProcedureEnvironmentalCharacteristics, temperature, relationship=ACQ_CONTEXT)


def _phase(phase: Code, state: Code, *measurements: Dataset) -> Dataset:
    """TID 3501, with the clinical context of TID 3520."""
    return container(
        codes.DCM.Findings,
        code(codes.DCM.CatheterizationProcedurePhase, phase, relationship=ACQ_CONTEXT),
        container(
            codes.DCM.ClinicalContext,
            code(Code("109054", "DCM", "Patient State"), state),
            relationship=ACQ_CONTEXT,
        ),
        *measurements,
    )


def _pressures(heading: Code, site: Code, *pressures: tuple[Code, str]) -> Dataset:
    """TID 3504 or 3507: measured at a site that is told as context."""
    return container(
        heading,
        code(codes.SCT.FindingSite, site, relationship=ACQ_CONTEXT),
        *(number(*one, _MILLIMETRE_OF_MERCURY) for one in pressures),
    )
