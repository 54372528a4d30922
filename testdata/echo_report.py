"""What was measured of a heart by ultrasound: after PS3.16 TID 5200 to 5204, and TID 5300 to 5302."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage, SimplifiedAdultEchoSRStorage

from testdata.content_items import (
    ACQ_CONTEXT,
    CONCEPT_MOD,
    NO_UNITS,
    PROPERTIES,
    code,
    container,
    modifier,
    number,
    text,
)
from testdata.structured_report import structured_report
from testdata.studies import HEART_US, Study

_FINDINGS = Code("59776-5", "LN", "Findings")
_METRES_PER_SECOND = Code("m/s", "UCUM", "m/s")
_MILLILITRE = Code("mL", "UCUM", "mL")

_IMAGE_MODE = Code("399264008", "SCT", "Image Mode")
_2D_MODE = Code("399064001", "SCT", "2D mode")
_CYCLE_POINT = Code("272518008", "SCT", "Cardiac Cycle Point")
_FLOW_DIRECTION = Code("260674002", "SCT", "Flow Direction")
_VENTRICLE = Code("87878005", "SCT", "Left Ventricle")
_VALVE = Code("91134007", "SCT", "Mitral Valve")
_SEGMENT = Code("264850008", "SCT", "left ventricle basal anterior segment")
_VOLUME = Code("118565006", "SCT", "Volume")
_VELOCITY = Code("20355-4", "LN", "Peak Blood Velocity")
_SCORE = Code("246262008", "SCT", "Score")
_NORMAL = Code("373122000", "SCT", "Normal wall motion")
_AKINESIS = Code("195675009", "SCT", "Akinesis")


def echo_report(study: Study = HEART_US, *, series_number: int = 99) -> Dataset:
    """Volumes of the ventricle, velocities at the valve of which the mean is chosen, a wall at two stages."""
    content = [
        _section(
            _VENTRICLE, _2D_MODE, _volume("120", codes.SCT.EndDiastole), _volume("48", codes.SCT.EndSystole)
        ),
        _section(
            _VALVE,
            codes.SCT.DopplerPulsed,
            _velocity("0.80"),
            _velocity("0.90"),
            _velocity(
                "0.85",
                modifier(codes.DCM.Derivation, codes.SCT.Mean),
                code(codes.DCM.SelectionStatus, codes.DCM.MeanValueChosen, relationship=PROPERTIES),
            ),
        ),
        _wall_motion("Rest", _NORMAL, "1"),
        _wall_motion("Peak stress", _AKINESIS, "3"),
    ]
    return structured_report(
        study,
        ComprehensiveSRStorage,
        codes.DCM.AdultEchocardiographyProcedureReport,
        content,
        template="5200",
        series_number=series_number,
    )


def simplified_echo_report(study: Study = HEART_US, *, series_number: int = 100) -> Dataset:
    """The end-diastolic diameter named in one concept, and a velocity named by its modifiers."""
    content = [
        container(
            codes.DCM.PreCoordinatedMeasurements,
            number(
                Code("29436-3", "LN", "Left Ventricle Internal End Diastolic Dimension"),
                "4.85",
                codes.UCUM.Centimeter,
                code(codes.DCM.SelectionStatus, codes.DCM.UserChosenValue, relationship=PROPERTIES),
            ),
        ),
        container(
            codes.DCM.PostCoordinatedMeasurements,
            number(
                _VELOCITY,
                "2.9",
                _METRES_PER_SECOND,
                text(codes.DCM.ShortLabel, "TR Vmax", CONCEPT_MOD),
                modifier(codes.DCM.MeasurementType, codes.DCM.DirectlyMeasured),
                modifier(codes.SCT.FindingSite, Code("46030003", "SCT", "Tricuspid Valve")),
                code(_FLOW_DIRECTION, codes.SCT.RegurgitantFlow, relationship=ACQ_CONTEXT),
                code(_IMAGE_MODE, codes.SCT.DopplerContinuousWave, relationship=ACQ_CONTEXT),
            ),
        ),
    ]
    return structured_report(
        study,
        SimplifiedAdultEchoSRStorage,
        codes.DCM.AdultEchocardiographyProcedureReport,
        content,
        template="5300",
        series_number=series_number,
    )


def _section(site: Code, mode: Code, *measurements: Dataset) -> Dataset:
    """TID 5202."""
    return container(
        _FINDINGS,
        modifier(codes.SCT.FindingSite, site),
        container(
            codes.DCM.MeasurementGroup, code(_IMAGE_MODE, mode, relationship=ACQ_CONTEXT), *measurements
        ),
    )


def _volume(millilitres: str, point: Code) -> Dataset:
    """TID 5203."""
    return number(
        _VOLUME,
        millilitres,
        _MILLILITRE,
        modifier(codes.SCT.MeasurementMethod, codes.DCM.MethodOfDisksBiplane),
        code(_CYCLE_POINT, point, relationship=ACQ_CONTEXT),
        code(codes.DCM.ImageView, codes.SCT.ApicalFourChamber, relationship=ACQ_CONTEXT),
    )


def _velocity(value: str, *modifiers: Dataset) -> Dataset:
    """TID 5203."""
    direction = modifier(_FLOW_DIRECTION, codes.SCT.AntegradeFlow)
    return number(_VELOCITY, value, _METRES_PER_SECOND, direction, *modifiers)


def _wall_motion(stage: str, motion: Code, score: str) -> Dataset:
    """TID 5204: the score of one segment at a stage of a stress test."""
    return container(
        _FINDINGS,
        modifier(codes.DCM.ProcedureReported, Code("40701008", "SCT", "Echocardiography")),
        code(Code("18139-6", "LN", "Stage"), Code(stage[:4], "99PROVA", stage), relationship=ACQ_CONTEXT),
        code(
            Code("18179-2", "LN", "Wall Segment"),
            _SEGMENT,
            code(Code("60797005", "SCT", "Cardiac Wall Motion"), motion, relationship=PROPERTIES),
            number(_SCORE, score, NO_UNITS, relationship=PROPERTIES),
        ),
    )
