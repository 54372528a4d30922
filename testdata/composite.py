"""The modules of every composite object: patient, study, series, equipment, SOP common (PS3.3 C.7, C.12)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, ExplicitVRLittleEndian

from testdata.patients import HOSPITAL, HOSPITAL_OID
from testdata.studies import Study, uid

_STUDY_KEYWORDS = (
    "SpecificCharacterSet",
    "TimezoneOffsetFromUTC",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "IssuerOfAccessionNumberSequence",
    "ReferringPhysicianName",
)


def composite(
    study: Study, sop_class_uid: str, modality: str, series_number: int, instance_number: int
) -> Dataset:
    """An object without content, Explicit VR Little Endian, all type 1 and 2 attributes of those modules set.

    The SOP Instance UID follows from study, modality, series number and instance number.
    """
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = UID(sop_class_uid)
    series_uid = study.series_uid(modality, series_number)
    dataset.SOPInstanceUID = uid("instance", series_uid, instance_number)
    dataset.InstanceCreationDate = study.date
    dataset.InstanceCreationTime = study.time
    dataset.TimezoneOffsetFromUTC = study.timezone
    _patient(dataset, study)
    _study(dataset, study)
    dataset.Modality = modality
    dataset.SeriesInstanceUID = series_uid
    dataset.SeriesNumber = series_number
    dataset.SeriesDate = study.date
    dataset.SeriesTime = study.time
    dataset.InstanceNumber = instance_number
    dataset.Manufacturer = "Officina di Prova"
    dataset.ManufacturerModelName = f"Fantoccio {modality}"
    dataset.DeviceSerialNumber = f"{modality}-0001"
    dataset.SoftwareVersions = "1.0"
    dataset.StationName = f"{modality}1"
    dataset.InstitutionName = "Ospedale di Prova"
    dataset.file_meta = file_meta(dataset)
    return dataset


def file_meta(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> FileMetaDataset:
    """File meta information for an object (PS3.10 7.1)."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = "PROVA"
    return meta


def set_grey_pixels(dataset: Dataset, stored: NDArray[np.unsignedinteger[Any]], bits_stored: int) -> None:
    """The image pixel module (PS3.3 C.7.6.3) for unsigned MONOCHROME2 pixels.

    stored: uint8 or uint16, shape (rows, columns) or (frames, rows, columns).
    """
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated = stored.itemsize * 8
    dataset.BitsStored = bits_stored
    dataset.HighBit = bits_stored - 1
    dataset.PixelRepresentation = 0
    set_pixel_data(dataset, stored.astype(stored.dtype.newbyteorder("<")).tobytes())


def set_pixel_data(dataset: Dataset, value: bytes) -> None:
    """Native pixel data, padded to an even length; OW wherever a pixel has more than 8 bits."""
    vr = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.add_new(0x7FE00010, vr, value + b"\x00" * (len(value) % 2))


def belong(dataset: Dataset, source: Dataset) -> None:
    """Give an object that highdicom made the patient and study of its source, and dates that do not move."""
    for element in source:
        if element.tag.group == 0x0010 or element.keyword in _STUDY_KEYWORDS:
            dataset[element.tag] = element
    dataset.InstanceCreationDate = dataset.ContentDate = dataset.SeriesDate = source.StudyDate
    dataset.InstanceCreationTime = dataset.ContentTime = dataset.SeriesTime = source.StudyTime
    for contribution in dataset.get("ContributingEquipmentSequence", []):
        contribution.ContributionDateTime = source.StudyDate + source.StudyTime


def decimal(number: float) -> str:
    """A decimal string (VR DS), of six digits."""
    return f"{number:.6g}"


def _patient(dataset: Dataset, study: Study) -> None:
    patient = study.patient
    dataset.PatientName = patient.name
    dataset.PatientID = patient.identifier
    dataset.IssuerOfPatientID = patient.issuer
    dataset.IssuerOfPatientIDQualifiersSequence = [_oid_qualifiers(patient.issuer_oid)]
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{(int(study.date) - int(patient.birth_date)) // 10000:03d}Y"
    dataset.PatientSize = patient.size
    dataset.PatientWeight = patient.weight


def _study(dataset: Dataset, study: Study) -> None:
    dataset.StudyInstanceUID = study.uid
    dataset.StudyDate = study.date
    dataset.StudyTime = study.time
    dataset.StudyID = str(study.seed)
    dataset.StudyDescription = study.description
    dataset.AccessionNumber = study.accession_number
    issuer = _oid_qualifiers(HOSPITAL_OID + ".2")
    issuer.LocalNamespaceEntityID = HOSPITAL
    dataset.IssuerOfAccessionNumberSequence = [issuer]
    dataset.ReferringPhysicianName = study.referring_physician


def _oid_qualifiers(oid: str) -> Dataset:
    item = Dataset()
    item.UniversalEntityID = oid
    item.UniversalEntityIDType = "ISO"
    return item
