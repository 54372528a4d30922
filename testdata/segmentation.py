"""The nodule of the chest CT outlined: Segmentation Storage, one bit for each pixel (PS3.3 A.51)."""

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes

from testdata.composite import belong
from testdata.nodule import find_nodule
from testdata.studies import uid


def nodule_segmentation(series: list[Dataset], *, series_number: int = 50) -> Dataset:
    """A binary segment of the nodule in a series from `ct_series`; slices without it have no frame."""
    source = series[0]
    series_uid = uid("series", source.SeriesInstanceUID, "SEG", series_number)
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Nodulo",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Nodule,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        tracking_uid=uid("nodule", source.StudyInstanceUID),
        tracking_id="Nodulo 1",
    )
    dataset = hd.seg.Segmentation(
        source_images=series,
        pixel_array=find_nodule(series).mask.astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=series_uid,
        series_number=series_number,
        sop_instance_uid=uid("instance", series_uid, 1),
        instance_number=1,
        manufacturer="Officina di Prova",
        manufacturer_model_name="Fantoccio SEG",
        software_versions="1.0",
        device_serial_number="SEG-0001",
    )
    belong(dataset, source)
    dataset.SeriesDescription = "Segmentazione del nodulo"
    for item in dataset.DimensionOrganizationSequence:
        item.DimensionOrganizationUID = uid("dimensions", series_uid)
    for item in dataset.DimensionIndexSequence:
        item.DimensionOrganizationUID = uid("dimensions", series_uid)
    return dataset
