"""What was measured of twins and their mother by ultrasound: after PS3.16 TID 5000, 5005 and 5008."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from testdata.content_items import (
    INFERRED,
    NO_UNITS,
    OBS_CONTEXT,
    PROPERTIES,
    code,
    container,
    modifier,
    number,
    text,
)
from testdata.structured_report import structured_report
from testdata.studies import FETAL_US, Study

_DAYS = Code("d", "UCUM", "days")
_PERCENT = Code("%", "UCUM", "%")

_BIPARIETAL = Code("11820-8", "LN", "Biparietal Diameter")
_FEMUR = Code("11963-6", "LN", "Femur Length")
_AGE = Code("18185-9", "LN", "Gestational Age")
_HEAD_TABLE = Code("11902-4", "LN", "BPD, Hadlock 1984")
_FEMUR_TABLE = Code("11920-6", "LN", "FL, Hadlock 1984")
_GROWTH_TABLE = Code("33198-3", "LN", "BPD by GA, Hadlock 1984")


def fetal_report(study: Study = FETAL_US, *, series_number: int = 98) -> Dataset:
    """Twins A and B: heads of 47.1 (the mean of 46.9 and 47.3) and 44 mm, a femur, ages by each; an ovary."""
    content = [
        container(codes.DCM.PatientCharacteristics, number(Code("11996-6", "LN", "Gravida"), "2", NO_UNITS)),
        _fetus("A", "1", _head_of_a(), _femur("31.5", "140")),
        _fetus("B", "2", _head_of_b()),
        container(
            Code("121070", "DCM", "Findings"),
            modifier(codes.SCT.FindingSite, codes.SCT.Ovary),
            container(
                codes.SCT.Volume,
                number(Code("11840-6", "LN", "Left Ovary Length"), "32", codes.UCUM.Millimeter),
            ),
        ),
    ]
    return structured_report(
        study,
        ComprehensiveSRStorage,
        codes.DCM.OBGYNUltrasoundProcedureReport,
        content,
        template="5000",
        series_number=series_number,
    )


def _fetus(identifier: str, count: str, *groups: Dataset) -> Dataset:
    """TID 5005 with the subject context of TID 1008."""
    return container(
        codes.DCM.FetalBiometry,
        code(codes.DCM.SubjectClass, codes.DCM.Fetus, relationship=OBS_CONTEXT),
        text(Code("11951-1", "LN", "Fetus ID"), identifier, OBS_CONTEXT),
        number(codes.DCM.FetusNumber, count, NO_UNITS, relationship=OBS_CONTEXT),
        *groups,
    )


def _head_of_a() -> Dataset:
    chosen = code(codes.DCM.SelectionStatus, codes.DCM.MeanValueChosen, relationship=PROPERTIES)
    mean = modifier(codes.DCM.Derivation, codes.SCT.Mean)
    return container(
        codes.DCM.BiometryGroup,
        number(_BIPARIETAL, "46.9", codes.UCUM.Millimeter),
        number(_BIPARIETAL, "47.3", codes.UCUM.Millimeter),
        number(_BIPARIETAL, "47.1", codes.UCUM.Millimeter, mean, chosen),
        number(_AGE, "142", _DAYS, _by(codes.DCM.TableOfValues, _HEAD_TABLE)),
        number(codes.DCM.GrowthPercentileRank, "45", _PERCENT, _by(codes.DCM.TableOfValues, _GROWTH_TABLE)),
    )


def _head_of_b() -> Dataset:
    return container(
        codes.DCM.BiometryGroup,
        number(_BIPARIETAL, "44", codes.UCUM.Millimeter),
        number(_AGE, "135", _DAYS, _by(codes.DCM.TableOfValues, _HEAD_TABLE)),
    )


def _femur(length: str, days: str) -> Dataset:
    return container(
        codes.DCM.BiometryGroup,
        number(_FEMUR, length, codes.UCUM.Millimeter),
        number(_AGE, days, _DAYS, _by(codes.DCM.Equation, _FEMUR_TABLE)),
    )


def _by(kind: Code, source: Code) -> Dataset:
    """An equation or table (PS3.16 CID 228) that a value was computed by."""
    return code(kind, source, relationship=INFERRED)
