"""What was measured of twins and their mother by ultrasound: after PS3.16 TID 5000, 5005 and 5008."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from testdata.content_items import NO_UNITS, PROPERTIES, code, container, modifier, number
from testdata.obstetrics import age, computed_by, fetus, findings, obstetric_report
from testdata.studies import FETAL_US, Study

_BIPARIETAL = Code("11820-8", "LN", "Biparietal Diameter")
_FEMUR = Code("11963-6", "LN", "Femur Length")
_HEAD_TABLE = Code("11902-4", "LN", "BPD, Hadlock 1984")
_FEMUR_TABLE = Code("11920-6", "LN", "FL, Hadlock 1984")
_GROWTH_TABLE = Code("33198-3", "LN", "BPD by GA, Hadlock 1984")


def fetal_report(study: Study = FETAL_US, *, series_number: int = 98) -> Dataset:
    """Twins A and B: heads of 47.1 (the mean of 46.9 and 47.3) and 44 mm, a femur, ages by each; an ovary."""
    ovary = number(Code("11840-6", "LN", "Left Ovary Length"), "32", codes.UCUM.Millimeter)
    content = [
        container(codes.DCM.PatientCharacteristics, number(Code("11996-6", "LN", "Gravida"), "2", NO_UNITS)),
        container(codes.DCM.FetalBiometry, *fetus("A", "1"), _head_of_a(), _femur("31.5", "140")),
        container(codes.DCM.FetalBiometry, *fetus("B", "2"), _head_of_b()),
        findings(codes.SCT.Ovary, container(codes.SCT.Volume, ovary)),
    ]
    return obstetric_report(study, content, series_number)


def _head_of_a() -> Dataset:
    chosen = code(codes.DCM.SelectionStatus, codes.DCM.MeanValueChosen, relationship=PROPERTIES)
    mean = modifier(codes.DCM.Derivation, codes.SCT.Mean)
    growth = computed_by(codes.DCM.TableOfValues, _GROWTH_TABLE)
    return container(
        codes.DCM.BiometryGroup,
        number(_BIPARIETAL, "46.9", codes.UCUM.Millimeter),
        number(_BIPARIETAL, "47.3", codes.UCUM.Millimeter),
        number(_BIPARIETAL, "47.1", codes.UCUM.Millimeter, mean, chosen),
        age("142", _HEAD_TABLE),
        number(codes.DCM.GrowthPercentileRank, "45", codes.UCUM.Percent, growth),
    )


def _head_of_b() -> Dataset:
    head = number(_BIPARIETAL, "44", codes.UCUM.Millimeter)
    return container(codes.DCM.BiometryGroup, head, age("135", _HEAD_TABLE))


def _femur(length: str, days: str) -> Dataset:
    femur = number(_FEMUR, length, codes.UCUM.Millimeter)
    return container(codes.DCM.BiometryGroup, femur, age(days, _FEMUR_TABLE, kind=codes.DCM.Equation))
