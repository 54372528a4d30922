"""An early pregnancy, and the mother's pelvis, by ultrasound: after PS3.16 TID 5011 to 5016."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from testdata.content_items import NO_UNITS, OBS_CONTEXT, container, modifier, number, text
from testdata.obstetrics import CENTIMETRE, CUBIC_CENTIMETRE, age, findings, obstetric_report
from testdata.studies import FETAL_US, Study

_VOLUME = Code("118565006", "SCT", "Volume")
_FOLLICLE = Code("11793-7", "LN", "Follicle Diameter")


def pelvis_report(study: Study = FETAL_US, *, series_number: int = 103) -> Dataset:
    """A crown of 22 mm, the uterus, both ovaries, two follicles of the right one and one of the left."""
    crown = number(Code("11957-8", "LN", "Crown Rump Length"), "22", codes.UCUM.Millimeter)
    crown_age = age("62", Code("11910-7", "LN", "CRL, Hadlock 1992"))
    content = [
        container(codes.DCM.EarlyGestation, container(codes.DCM.BiometryGroup, crown, crown_age)),
        _uterus(),
        findings(codes.SCT.Ovary, _ovary("Left", "12164-0", "6.1"), _ovary("Right", "12165-7", "7.4")),
        _follicles(codes.SCT.Right, "11880-2", ("15", "18")),
        _follicles(codes.SCT.Left, "11879-4", ("12",)),
    ]
    return obstetric_report(study, content, series_number)


def _uterus() -> Dataset:
    """TID 5015 and 5016."""
    lengths = (
        (Code("11842-2", "LN", "Uterus Length"), "9.5"),
        (Code("11865-3", "LN", "Uterus Width"), "5.9"),
        (Code("11859-6", "LN", "Uterus Height"), "4.2"),
    )
    return container(
        codes.DCM.PelvisAndUterus,
        container(
            codes.SCT.Uterus,
            number(Code("33192-6", "LN", "Uterus Volume"), "136", CUBIC_CENTIMETRE),
            *(number(*one, CENTIMETRE) for one in lengths),
        ),
        number(Code("12145-9", "LN", "Endometrium Thickness"), "4", codes.UCUM.Millimeter),
        number(Code("11961-0", "LN", "Cervix Length"), "5.3", CENTIMETRE),
    )


def _ovary(side: str, concept: str, volume: str) -> Dataset:
    """TID 5016, in the section of TID 5012: the concept itself tells the side."""
    return container(
        codes.SCT.Ovary, number(Code(concept, "LN", f"{side} Ovary Volume"), volume, CUBIC_CENTIMETRE)
    )


def _follicles(side: Code, concept: str, diameters: tuple[str, ...]) -> Dataset:
    """TID 5013 and 5014: the follicles of one ovary, each with its number."""
    count = Code(concept, "LN", f"Number of follicles in {side.meaning.lower()} ovary")
    return findings(
        Code("24162005", "SCT", "Ovarian Follicle"),
        modifier(codes.SCT.Laterality, side),
        number(count, str(len(diameters)), NO_UNITS),
        *(
            container(
                codes.DCM.MeasurementGroup,
                text(Code("125010", "DCM", "Identifier"), f"#{place}", OBS_CONTEXT),
                number(_VOLUME, f"{place}.5", CUBIC_CENTIMETRE),
                number(_FOLLICLE, diameter, codes.UCUM.Millimeter),
            )
            for place, diameter in enumerate(diameters, 1)
        ),
    )
