from decimal import Decimal

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from sr.mapping import map_report
from tests.sr.builders import IDENTITY, IMAGE, SOP, STUDY, reread
from tests.sr.fhir_rules import faults, observations


def test_a_report_made_by_highdicom() -> None:
    source = _ct_image()
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid="1.2.77", identifier="nodule 1"),
        referenced_region=hd.sr.ImageRegion(
            graphic_type=hd.sr.GraphicTypeValues.CIRCLE,
            graphic_data=np.array([[4.0, 4.0], [4.0, 6.0]]),
            source_image=hd.sr.SourceImageForRegion.from_source_image(source),
        ),
        finding_type=codes.SCT.Nodule,
        finding_sites=[hd.sr.FindingSite(codes.SCT.Lung, laterality=codes.SCT.Right)],
        measurements=[
            hd.sr.Measurement(codes.SCT.Diameter, 10.25, codes.UCUM.Millimeter, derivation=codes.SCT.Maximum)
        ],
    )
    person = hd.sr.PersonObserverIdentifyingAttributes(name="Doe^Jane")
    content_tree = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(hd.sr.ObserverContext(codes.DCM.Person, person)),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
    )
    dataset = hd.sr.Comprehensive3DSR(
        evidence=[source],
        content=content_tree[0],
        series_instance_uid="1.2.3.9",
        series_number=9,
        sop_instance_uid=SOP,
        instance_number=1,
        manufacturer="Acme",
        is_complete=True,
        is_final=True,
        is_verified=True,
        verifying_observer_name="Doe^Jane",
        verifying_organization="Hospital",
    )
    mapped = map_report(reread(dataset), IDENTITY)
    assert faults(*mapped.resources) == []
    made = observations(mapped.resources)
    (measured,) = (one for one in made.values() if "valueQuantity" in one)
    assert measured["valueQuantity"]["value"] == Decimal("10.25")
    assert measured["bodySite"]["text"].startswith("Lung, Right")
    assert measured["status"] == "final"
    assert [one["display"] for one in measured["performer"]] == ["Jane Doe"]
    assert [one["valueCodeableConcept"]["text"] for one in measured["component"]] == ["Maximum"]
    assert measured["derivedFrom"][0]["reference"] == f"ImagingStudy/{STUDY}"
    (group_made,) = (one for one in made.values() if "hasMember" in one)
    assert group_made["valueCodeableConcept"]["text"] == "Nodule"
    assert mapped.problems == ()


def _ct_image() -> Dataset:
    source = Dataset()
    source.SOPClassUID, source.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", IMAGE
    source.StudyInstanceUID, source.SeriesInstanceUID = STUDY, "1.2.3.4.2"
    source.FrameOfReferenceUID = "1.2.3.4.8"
    source.PatientID, source.PatientName = "1", "Doe^Jane"
    source.PatientBirthDate, source.PatientSex = "19740114", "F"
    source.StudyDate, source.StudyTime, source.StudyID = "20240229", "101500", "1"
    source.AccessionNumber, source.ReferringPhysicianName = "", ""
    source.Rows, source.Columns = 8, 8
    source.Modality = "CT"
    return source
