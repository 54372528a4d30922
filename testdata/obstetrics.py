"""What reports of obstetrics and gynaecology share (PS3.16 TID 5000, 5008, 1008): units, groups, sections."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ComprehensiveSRStorage

from testdata.content_items import INFERRED, NO_UNITS, OBS_CONTEXT, code, container, modifier, number, text
from testdata.structured_report import structured_report
from testdata.studies import Study

DAYS = Code("d", "UCUM", "days")
CENTIMETRE = Code("cm", "UCUM", "cm")
CUBIC_CENTIMETRE = Code("cm3", "UCUM", "cm3")
_AGE = Code("18185-9", "LN", "Gestational Age")


def obstetric_report(study: Study, content: list[Dataset], series_number: int) -> Dataset:
    """TID 5000."""
    return structured_report(
        study,
        ComprehensiveSRStorage,
        codes.DCM.OBGYNUltrasoundProcedureReport,
        content,
        template="5000",
        series_number=series_number,
    )


def fetus(identifier: str, count: str) -> list[Dataset]:
    """TID 1008: which of several fetuses a section is of."""
    return [
        code(codes.DCM.SubjectClass, codes.DCM.Fetus, relationship=OBS_CONTEXT),
        text(Code("11951-1", "LN", "Fetus ID"), identifier, OBS_CONTEXT),
        number(codes.DCM.FetusNumber, count, NO_UNITS, relationship=OBS_CONTEXT),
    ]


def findings(site: Code, *content: Dataset) -> Dataset:
    """A section of TID 5010, 5012 or 5013: findings of a site."""
    return container(codes.DCM.Findings, modifier(codes.SCT.FindingSite, site), *content)


def age(days: str, source: Code, *properties: Dataset, kind: Code = codes.DCM.TableOfValues) -> Dataset:
    """A gestational age (TID 5008). source: the equation or table that it was computed by; kind: which."""
    return number(_AGE, days, DAYS, computed_by(kind, source), *properties)


def computed_by(kind: Code, source: Code) -> Dataset:
    """An equation or table (CID 228) that a value was computed by."""
    return code(kind, source, relationship=INFERRED)
