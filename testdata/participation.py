"""Who had a part in a report, and the orders that it fulfils (PS3.3 C.17.2, C.7.2.1 and C.7.2.2)."""

from pydicom import Dataset
from pydicom.sr.coding import Code

from testdata.content_items import coded
from testdata.patients import HOSPITAL_OID
from testdata.studies import uid

AUTHOR = "Bonòmi^Tèa"
TYPIST = "Dall'Òrto^Ùgo"
ATTESTER = "Zorzàn^Ìsa"
REQUESTER = "Fàvero^Lìa"
OF_RECORD = "Merlìn^Òrso"
STATION = "STAZIONE1"

_HOSPITAL = Code("OP1", "99PROVA", "Ospedale di Prova")


def let_take_part(report: Dataset, source: Dataset) -> None:
    """Give a report an author, a typist, an attester, a device that it used, physicians, and two orders.

    The orders are two procedures of one accession number.  source: of the study of both.
    """
    time = source.StudyDate + source.StudyTime
    report.AuthorObserverSequence = [
        _person(AUTHOR, "0002", Code("158965000", "SCT", "Medical practitioner"))
    ]
    report.ParticipantSequence = [
        _participant(_person(TYPIST, "0003"), "ENT", time),
        _participant(_person(ATTESTER, "0004"), "ATTEST", time),
        _participant(_station(), "SOURCE", time),
    ]
    report.ReferringPhysicianIdentificationSequence = [_identification("0005", "Medico inviante")]
    report.PhysiciansOfRecord = OF_RECORD
    report.PhysiciansOfRecordIdentificationSequence = [_identification("0006", "Medico curante")]
    report.ReferencedRequestSequence = [
        _request(source, "1", Code("24627-2", "LN", "CT Chest")),
        _request(source, "2", Code("30621-7", "LN", "CT Abdomen and Pelvis")),
    ]


def _identification(number: str, meaning: str) -> Dataset:
    """An item of the Person Identification Macro (PS3.3 10.1)."""
    item = Dataset()
    item.PersonIdentificationCodeSequence = [coded(Code(number, "99PROVA", meaning))]
    item.InstitutionName = _HOSPITAL.meaning
    item.InstitutionCodeSequence = [coded(_HOSPITAL)]
    return item


def _person(name: str, number: str, role: Code | None = None) -> Dataset:
    item = _identification(number, name)
    item.ObserverType = "PSN"
    item.PersonName = name
    if role is not None:
        item.OrganizationalRoleCodeSequence = [coded(role)]
    return item


def _station() -> Dataset:
    item = Dataset()
    item.ObserverType = "DEV"
    item.StationName = STATION
    item.DeviceUID = uid("device", "measuring station")
    item.Manufacturer = "Officina di Prova"
    item.ManufacturerModelName = "Fantoccio di misura"
    item.InstitutionName = ""
    item.InstitutionCodeSequence = []
    return item


def _participant(item: Dataset, kind: str, time: str) -> Dataset:
    item.ParticipationType = kind
    item.ParticipationDateTime = time
    return item


def _request(source: Dataset, procedure: str, code: Code) -> Dataset:
    """An item of Referenced Request Sequence (0040,A370)."""
    item = Dataset()
    item.StudyInstanceUID = source.StudyInstanceUID
    item.ReferencedStudySequence = []
    item.AccessionNumber = source.AccessionNumber
    item.IssuerOfAccessionNumberSequence = source.IssuerOfAccessionNumberSequence
    item.PlacerOrderNumberImagingServiceRequest = f"P{source.StudyID}"
    item.OrderPlacerIdentifierSequence = [_issuer(HOSPITAL_OID + ".3")]
    item.FillerOrderNumberImagingServiceRequest = f"F{source.StudyID}.{procedure}"
    item.OrderFillerIdentifierSequence = [_issuer(HOSPITAL_OID + ".4")]
    item.RequestedProcedureID = procedure
    item.RequestedProcedureDescription = code.meaning
    item.RequestedProcedureCodeSequence = [coded(code)]
    item.ReasonForTheRequestedProcedure = "Nodulo polmonare"
    item.RequestingPhysician = REQUESTER
    return item


def _issuer(oid: str) -> Dataset:
    item = Dataset()
    item.UniversalEntityID = oid
    item.UniversalEntityIDType = "ISO"
    return item
