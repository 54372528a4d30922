"""What a program estimated that organs received: Patient Radiation Dose SR (PS3.16 TID 10030 to 10034)."""

from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import PatientRadiationDoseSRStorage

from testdata.content_items import (
    CONCEPT_MOD,
    PROPERTIES,
    code,
    coded,
    container,
    modifier,
    number,
    referenced,
    text,
)
from testdata.dose_report import dose_report
from testdata.structured_report import structured_report
from testdata.studies import CHEST_CT, Study

_MILLIGRAY = Code("mGy", "UCUM", "mGy")
_ORGAN = Code("113343008", "SCT", "Organ")
_UNCERTAINTY = Code("371884006", "SCT", "+/-, range of measurement uncertainty")

_BREAST = Code("76752008", "SCT", "Breast")

# Organ, side, mean absorbed dose and its uncertainty in mGy
_ORGANS = (
    (codes.SCT.Lung, None, "9.4", "1.9"),
    (_BREAST, codes.SCT.Right, "8.1", "1.6"),
    (_BREAST, codes.SCT.Left, "8.3", "1.7"),
)


def patient_dose_report(study: Study = CHEST_CT, *, series_number: int = 97) -> Dataset:
    """The doses to lung and breasts from the chest CT, estimated in two ways: their results differ."""
    used = dose_report(study)
    monte_carlo = Code("D009010", "MSH", "Monte Carlo Method")
    content = [
        _estimate(
            "Monte Carlo, paziente", used, monte_carlo, codes.DCM.VoxelizedRadiationTransportModel, _ORGANS
        ),
        _estimate(
            "Tabelle, adulto di riferimento",
            used,
            codes.DCM.TabularDataAlgorithm,
            codes.DCM.GeometricRadiationTransportModel,
            ((codes.SCT.Lung, None, "11.2", "4.0"),),
        ),
    ]
    return structured_report(
        study,
        PatientRadiationDoseSRStorage,
        codes.DCM.PatientRadiationDoseReport,
        content,
        sources=[used],
        template="10030",
        series_number=series_number,
    )


def _estimate(
    name: str,
    used: Dataset,
    method: Code,
    transport: Code,
    organs: tuple[tuple[Code, Code | None, str, str], ...],
) -> Dataset:
    """TID 10031."""
    return container(
        codes.DCM.RadiationDoseEstimate,
        text(codes.DCM.RadiationDoseEstimateName, name, CONCEPT_MOD),
        container(
            codes.DCM.RadiationDoseEstimateMethodology,
            _report_used(used),
            container(
                codes.DCM.PatientRadiationDoseModel,
                code(codes.DCM.PatientModelType, codes.DCM.AnthropomorphicModel),
                code(codes.DCM.RadiationTransportModelType, transport),
                container(
                    codes.DCM.PatientModelDemographics,
                    number(codes.DCM.ModelMinimumAge, "18", Code("a", "UCUM", "year")),
                    code(codes.DCM.ModelPatientSex, Code("F", "DCM", "Female")),
                ),
            ),
            *(
                _attenuator(material, millimetres)
                for material, millimetres in (("Carbonio", "2"), ("Schiuma", "40"))
            ),
            container(
                codes.DCM.RadiationDoseEstimateMethod,
                code(codes.DCM.RadiationDoseEstimateMethodType, method),
                text(codes.DCM.RadiationDoseEstimateMethodReference, "Relazione di prova 1"),
                container(
                    codes.DCM.RadiationDoseEstimateParameters,
                    number(codes.DCM.SSDEConversionFactor, "1.31", Code("{ratio}", "UCUM", "ratio")),
                ),
            ),
        ),
        *(_organ(*organ) for organ in organs),
    )


def _report_used(used: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = "COMPOSITE"
    item.ConceptNameCodeSequence = [coded(codes.DCM.SRInstanceUsed)]
    item.ReferencedSOPSequence = [referenced(used)]
    return item


def _attenuator(material: str, millimetres: str) -> Dataset:
    return container(
        codes.DCM.XRayBeamAttenuator,
        text(codes.DCM.AttenuatorDescription, material),
        number(codes.DCM.EquivalentAttenuatorThickness, millimetres, codes.UCUM.Millimeter),
    )


def _organ(organ: Code, side: Code | None, dose: str, uncertainty: str) -> Dataset:
    sides = [modifier(codes.SCT.Laterality, side)] if side else []
    return container(
        Code("113517", "DCM", "Organ Radiation Dose Information"),
        code(_ORGAN, organ, *sides),
        number(
            codes.DCM.MeanAbsorbedRadiationDose,
            dose,
            _MILLIGRAY,
            number(_UNCERTAINTY, uncertainty, _MILLIGRAY, relationship=PROPERTIES),
        ),
    )
