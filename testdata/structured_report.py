"""SR documents around any content tree (PS3.3 C.17.2)."""

from pydicom import Dataset
from pydicom.sr.coding import Code

from testdata.composite import composite
from testdata.content_items import coded, container, evidence
from testdata.studies import Study


def structured_report(
    study: Study,
    sop_class_uid: str,
    title: Code,
    content: list[Dataset],
    *,
    sources: list[Dataset] | None = None,
    template: str = "",
    verified_by: str = "",
    modality: str = "SR",
    series_number: int,
) -> Dataset:
    """A complete document.

    content: the items directly below the root.  sources: instances that it names as evidence.
    template: identifier of a template of PS3.16.  verified_by: person name; unverified without.
    """
    dataset = composite(study, sop_class_uid, modality, series_number, 1)
    dataset.update(container(title, *content))
    del dataset.RelationshipType
    dataset.ContentDate, dataset.ContentTime = study.date, study.time
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.SeriesDescription = title.meaning
    if sources:
        dataset.CurrentRequestedProcedureEvidenceSequence = evidence(sources)
    if template:
        dataset.ContentTemplateSequence = [_template(template)]
    if modality == "SR":
        dataset.PerformedProcedureCodeSequence = []
        dataset.CompletionFlag = "COMPLETE"
        dataset.VerificationFlag = "VERIFIED" if verified_by else "UNVERIFIED"
    if verified_by:
        dataset.VerifyingObserverSequence = [_observer(study, verified_by)]
    return dataset


def _template(identifier: str) -> Dataset:
    item = Dataset()
    item.MappingResource = "DCMR"
    item.TemplateIdentifier = identifier
    return item


def _observer(study: Study, name: str) -> Dataset:
    item = Dataset()
    item.VerifyingOrganization = "Ospedale di Prova"
    item.VerificationDateTime = study.date + study.time
    item.VerifyingObserverName = name
    item.VerifyingObserverIdentificationCodeSequence = [coded(Code("0001", "99PROVA", "Medico di prova"))]
    return item
