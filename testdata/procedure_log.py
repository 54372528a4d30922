"""What a catheterisation laboratory wrote down as it happened: Procedure Log (after PS3.16 TID 3001)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ProcedureLogStorage

from testdata.content_items import code, number, text
from testdata.structured_report import structured_report
from testdata.studies import HEART_US, Study

_MILLIMETRE_OF_MERCURY = Code("mm[Hg]", "UCUM", "mmHg")


def procedure_log(study: Study = HEART_US, *, series_number: int = 101) -> Dataset:
    """Four entries, a minute apart: the patient comes in, is sedated, a pressure, and a note."""
    entries = [
        code(codes.DCM.PatientStatusOrEvent, codes.DCM.PatientAdmittedToProcedureRoom),
        code(codes.DCM.PatientStatusOrEvent, codes.DCM.PatientSedated),
        number(Code("271649006", "SCT", "Systolic blood pressure"), "128", _MILLIMETRE_OF_MERCURY),
        text(codes.DCM.TechNote, "Introduttore 6F in arteria radiale destra."),
    ]
    for minute, entry in enumerate(entries):
        entry.ObservationDateTime = f"{study.date}10{minute:02d}00{study.timezone}"
    return structured_report(
        study,
        ProcedureLogStorage,
        codes.DCM.CathLabProcedureLog,
        entries,
        template="3001",
        series_number=series_number,
    )
