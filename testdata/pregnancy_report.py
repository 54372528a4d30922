"""A pregnancy of 27 weeks by ultrasound: after PS3.16 TID 5002 to 5010, one fetus, so that none is named."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from testdata.content_items import PROPERTIES, code, container, date, number, text
from testdata.obstetrics import CENTIMETRE, DAYS, age, computed_by, findings, obstetric_report
from testdata.studies import FETAL_US, Study

_GRAM = Code("g", "UCUM", "g")
_BEATS = Code("{H.B.}/min", "UCUM", "BPM")
_LOWER = Code("385524004", "SCT", "Normal Range Lower Limit")
_UPPER = Code("371933006", "SCT", "Normal Range Upper Limit")
_AUTHORITY = Code("121408", "DCM", "Normal Range Authority")
_NORMAL = Code("17621005", "SCT", "Normal")

# Concept and date, CID 12003
_DATES = (
    (Code("8665-2", "LN", "LMP"), "20260501"),
    (Code("11779-6", "LN", "EDD from LMP"), "20270205"),
    (Code("11781-2", "LN", "EDD from average ultrasound age"), "20270203"),
)
# Concept, percentage, limits of the normal range and who says so, CID 12004
_RATIOS = (
    (Code("11871-1", "LN", "FL/AC"), "22", "20", "24", "Rossi, 1983"),
    (Code("11823-2", "LN", "Cephalic Index"), "82.5", "70", "86", "Rossi, 1981"),
)
# TID 5009
_SCORES = (
    (Code("11631-9", "LN", "Gross Body Movement"), "2"),
    (Code("11632-7", "LN", "Fetal Breathing"), "0"),
    (Code("11635-0", "LN", "Fetal Tone"), "2"),
    (Code("11633-5", "LN", "Fetal Heart Reactivity"), "2"),
    (Code("11630-1", "LN", "Amniotic Fluid Volume"), "2"),
)
# CID 12008; the index is the sum of the quadrants
_POCKETS = (
    (Code("11627-7", "LN", "Amniotic Fluid Index"), "13.6"),
    (Code("11624-4", "LN", "First Quadrant Diameter"), "3.1"),
    (Code("11626-9", "LN", "Second Quadrant Diameter"), "3.6"),
    (Code("11625-1", "LN", "Third Quadrant Diameter"), "2.9"),
    (Code("11623-6", "LN", "Fourth Quadrant Diameter"), "4.0"),
)


def pregnancy_report(study: Study = FETAL_US, *, series_number: int = 102) -> Dataset:
    """Dates, a summary, ratios with normal ranges, abdomen, humerus, cerebellum, well-being, amniotic sac."""
    content = [
        container(codes.DCM.Summary, *(date(*one) for one in _DATES), _fetus_summary()),
        container(codes.DCM.FetalBiometryRatios, *(_ratio(*one) for one in _RATIOS)),
        container(codes.DCM.FetalBiometry, _abdomen()),
        container(codes.DCM.FetalLongBones, _humerus()),
        container(codes.DCM.FetalCranium, _cerebellum()),
        _well_being(),
        findings(Code("70847004", "SCT", "Amniotic Sac"), *(number(*one, CENTIMETRE) for one in _POCKETS)),
    ]
    return obstetric_report(study, content, series_number)


def _fetus_summary() -> Dataset:
    """TID 5003."""
    uncertainty = Code("371884006", "SCT", "+/-, range of measurement uncertainty")
    weight_table = Code("11738-2", "LN", "EFW by AC, BPD, Hadlock 1984")
    normal = code(codes.DCM.Normality, _NORMAL, relationship=PROPERTIES)
    return container(
        codes.DCM.FetusSummary,
        number(
            Code("11727-5", "LN", "Estimated Weight"),
            "1012",
            _GRAM,
            computed_by(codes.DCM.Equation, weight_table),
            number(uncertainty, "98", _GRAM, relationship=PROPERTIES),
        ),
        number(
            Code("11948-7", "LN", "Fetal Heart Rate"), "142", _BEATS, normal, *_range("110", "160", _BEATS)
        ),
        text(codes.DCM.Comment, "Cisti dei plessi corioidei."),
    )


def _ratio(ratio: Code, value: str, lower: str, upper: str, authority: str) -> Dataset:
    """TID 5004."""
    normal = _range(lower, upper, codes.UCUM.Percent)
    return number(ratio, value, codes.UCUM.Percent, *normal, text(_AUTHORITY, authority, PROPERTIES))


def _range(lower: str, upper: str, unit: Code) -> list[Dataset]:
    """TID 312."""
    limits = ((_LOWER, lower), (_UPPER, upper))
    return [number(limit, value, unit, relationship=PROPERTIES) for limit, value in limits]


def _abdomen() -> Dataset:
    """TID 5008: the age with the percentiles of the population that it was read from."""
    percentiles = (
        (Code("371888009", "SCT", "5th Percentile Value of population"), "176"),
        (Code("371889001", "SCT", "95th Percentile Value of population"), "204"),
    )
    statistics = [number(*one, DAYS, relationship=PROPERTIES) for one in percentiles]
    abdomen = number(Code("11979-2", "LN", "Abdominal Circumference"), "24.1", CENTIMETRE)
    return container(
        codes.DCM.BiometryGroup, abdomen, age("190", Code("11892-7", "LN", "AC, Hadlock 1984"), *statistics)
    )


def _humerus() -> Dataset:
    """TID 5006."""
    humerus = number(Code("11966-9", "LN", "Humerus length"), "47", codes.UCUM.Millimeter)
    return container(
        codes.DCM.BiometryGroup, humerus, age("192", Code("11936-2", "LN", "Humerus, Jeanty 1984"))
    )


def _cerebellum() -> Dataset:
    """TID 5007."""
    diameter = Code("11863-8", "LN", "Transverse Cerebellar Diameter")
    return container(codes.DCM.BiometryGroup, number(diameter, "30.4", codes.UCUM.Millimeter))


def _well_being() -> Dataset:
    """TID 5009."""
    score, total = Code("{0:2}", "UCUM", "range 0:2"), Code("{0:10}", "UCUM", "range 0:10")
    return container(
        codes.DCM.BiophysicalProfile,
        *(number(*one, score) for one in _SCORES),
        number(Code("11634-3", "LN", "Biophysical Profile Sum Score"), "8", total),
    )
