"""What a catheterisation laboratory wrote down as it happened: Procedure Log (after PS3.16 TID 3001)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ProcedureLogStorage

from testdata.content_items import ACQ_CONTEXT, NO_UNITS, OBS_CONTEXT, PROPERTIES, code, number, person, text
from testdata.structured_report import structured_report
from testdata.studies import HEART_US, Study

_MILLIMETRE_OF_MERCURY = Code("mm[Hg]", "UCUM", "mmHg")
_NURSE, _CARDIOLOGIST = "Fornasier^Giosuè", "Cantù^Noè"


def procedure_log(study: Study = HEART_US, *, series_number: int = 101) -> Dataset:
    """Entries a minute apart: staff, equipment, stock, the patient, a drug, a stent, a pressure, notes.

    A nurse writes it; the drug is told by who gave it.
    """
    context = [
        person(codes.DCM.PersonObserverName, _NURSE, OBS_CONTEXT),
        text(codes.DCM.RoomIdentification, "Sala 2", ACQ_CONTEXT),
    ]
    entries = _entries()
    for minute, entry in enumerate(entries):
        entry.ObservationDateTime = f"{study.date}10{minute:02d}00{study.timezone}"
    return structured_report(
        study,
        ProcedureLogStorage,
        codes.DCM.CathLabProcedureLog,
        [*context, *entries],
        template="3001",
        series_number=series_number,
    )


def _entries() -> list[Dataset]:
    pressure = Code("271649006", "SCT", "Systolic blood pressure")
    return [
        person(codes.DCM.PersonnelArrived, _CARDIOLOGIST),
        text(codes.DCM.EquipmentReady, "Angiografo 2"),
        code(codes.DCM.PatientStatusOrEvent, codes.DCM.PatientAdmittedToProcedureRoom),
        code(codes.DCM.PatientStatusOrEvent, codes.DCM.PatientSedated),
        _consumable(),
        _drug(),
        _device(),
        number(pressure, "128", _MILLIMETRE_OF_MERCURY),
        text(codes.DCM.TechNote, "Introduttore 6F in arteria radiale destra."),
        code(codes.SCT.ComplicationOfProcedure, codes.SCT.AVFistula),
    ]


def _consumable() -> Dataset:
    """TID 3104: for stock and billing; that it was used is said elsewhere."""
    return code(
        codes.DCM.ConsumableTakenFromInventory,
        Code("0451", "99PROVA", "Stent 3,0 x 18"),
        number(codes.DCM.QuantityOfMaterial, "1", NO_UNITS, relationship=PROPERTIES),
    )


def _drug() -> Dataset:
    """TID 3106, with the qualifiers of TID 3010."""
    return code(
        codes.DCM.DrugAdministered,
        Code("EPA", "99PROVA", "Eparina"),
        code(codes.SCT.RouteOfAdministration, codes.SCT.IntravenousRoute, relationship=PROPERTIES),
        number(
            codes.DCM.UndilutedDoseAdministered,
            "5000",
            Code("[iU]", "UCUM", "international unit"),
            relationship=PROPERTIES,
        ),
        person(codes.DCM.PersonObserverName, _CARDIOLOGIST, OBS_CONTEXT),
        text(codes.DCM.Comment, "Bolo.", PROPERTIES),
    )


def _device() -> Dataset:
    """TID 3107."""
    site = Code("41801008", "SCT", "Coronary artery")
    return code(
        Code("373062004", "SCT", "Device used"),
        Code("0451", "99PROVA", "Stent 3,0 x 18"),
        code(Code("363704007", "SCT", "Procedure site"), site, relationship=PROPERTIES),
        number(codes.SCT.Diameter, "3.0", codes.UCUM.Millimeter, relationship=PROPERTIES),
    )
