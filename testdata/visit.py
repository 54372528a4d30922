"""The visit at which a study was made, why, and by whom: what a modality has from the worklist."""

from pydicom import Dataset
from pydicom.sr.coding import Code

from testdata.content_items import coded
from testdata.patients import HOSPITAL_OID

READERS = ["Sàrtor^Èva", "De Nàrdi^Ìvo"]
PERFORMER = "Rùsso^Àda"
OPERATORS = ["Còsta^Ùgo", "Vìda^Ìda"]
REASON = Code("49727002", "SCT", "Cough")
# The same in SNOMED RT
REASON_BEFORE = Code("F-24100", "SRT", "Cough")


def let_be_visited(dataset: Dataset, number: str = "V0001") -> None:
    """Give an object an Admission ID with its issuer."""
    dataset.AdmissionID = number
    issuer = Dataset()
    issuer.UniversalEntityID = f"{HOSPITAL_OID}.5"
    issuer.UniversalEntityIDType = "ISO"
    dataset.IssuerOfAdmissionIDSequence = [issuer]


def let_be_performed(dataset: Dataset, reason: Code = REASON) -> None:
    """Give an object a visit, its readers, who performed it, and the reason for it in code and in words."""
    let_be_visited(dataset)
    dataset.NameOfPhysiciansReadingStudy = READERS
    dataset.PerformingPhysicianName = PERFORMER
    dataset.OperatorsName = OPERATORS
    request = Dataset()
    request.RequestedProcedureID = "1"
    request.ScheduledProcedureStepID = "1"
    request.ReasonForTheRequestedProcedure = "tosse"
    request.ReasonForRequestedProcedureCodeSequence = [coded(reason)]
    dataset.RequestAttributesSequence = [request]
