"""Pixels of CT, MR, ultrasound, radiograph, enhanced CT and segmentation."""

from itertools import pairwise

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from testdata.ct import ct_series
from testdata.dx import chest_xray
from testdata.enhanced_ct import enhanced_ct
from testdata.mr import mr_series
from testdata.nodule import find_nodule, hounsfield_units, pixel_of
from testdata.segmentation import nodule_segmentation
from testdata.thorax import DESCENDING_AORTA, NODULE
from testdata.us import us_cine


@pytest.fixture(scope="module")
def ct() -> list[Dataset]:
    return ct_series(slices=5, rows=128, columns=128)


def test_ct_slices_have_the_shape_asked_for() -> None:
    series = ct_series(slices=2, rows=96, columns=80)
    assert [dataset.pixel_array.shape for dataset in series] == [(96, 80)] * 2


def test_ct_slices_are_a_stack(ct: list[Dataset]) -> None:
    heights = [float(dataset.ImagePositionPatient[2]) for dataset in ct]
    steps = {round(below - above, 3) for above, below in pairwise(heights)}
    assert steps == {-float(ct[0].SpacingBetweenSlices)}
    assert len({dataset.SeriesInstanceUID for dataset in ct}) == 1
    assert [dataset.InstanceNumber for dataset in ct] == [1, 2, 3, 4, 5]


def test_ct_has_the_hounsfield_units_of_its_tissues(ct: list[Dataset]) -> None:
    middle = ct[len(ct) // 2]
    units = hounsfield_units(middle)

    def around(x: float, y: float) -> float:
        column, row = (int(place) for place in pixel_of(middle, x, y))
        return float(units[row - 1 : row + 2, column - 1 : column + 2].mean())

    assert around(-180, -180) == pytest.approx(-1000, abs=30)
    assert around(-60, 40) == pytest.approx(-860, abs=120)
    assert around(*DESCENDING_AORTA) == pytest.approx(250, abs=30)


def test_ct_pixels_fit_twelve_bits(ct: list[Dataset]) -> None:
    assert max(int(dataset.pixel_array.max()) for dataset in ct) < 4096


def test_the_middle_slice_shows_the_nodule_however_few_there_are() -> None:
    for slices in (1, 2, 9):
        series = ct_series(slices=slices, rows=128, columns=128)
        assert slices // 2 in find_nodule(series).slices


def test_the_nodule_measures_what_was_painted(ct: list[Dataset]) -> None:
    nodule = find_nodule(ct)
    assert 13 < nodule.long_axis < 20
    assert 1200 < nodule.volume < 2600
    rows, columns = np.nonzero(nodule.mask[nodule.slices[0]])
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(pixel_of(ct[0], *NODULE[:2]), abs=0.7)


def test_pixels_too_coarse_for_the_nodule_are_said_so() -> None:
    with pytest.raises(ValueError, match="too coarse"):
        find_nodule(ct_series(slices=1, rows=4, columns=4))


def test_mr_slices_rise_along_their_common_normal() -> None:
    series = mr_series(slices=3, rows=64, columns=96)
    assert [dataset.pixel_array.shape for dataset in series] == [(64, 96)] * 3
    orientation = np.array(series[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(*orientation)
    places = [float(np.array(dataset.ImagePositionPatient, float) @ normal) for dataset in series]
    assert np.diff(places) == pytest.approx([float(series[0].SpacingBetweenSlices)] * 2, abs=1e-3)


def test_mr_shows_a_bright_brain_in_a_dark_room() -> None:
    pixels = mr_series(slices=3, rows=64, columns=64)[1].pixel_array
    assert pixels[28:36, 28:36].mean() > 5 * pixels[:6, :6].mean()


def test_us_cine_is_a_jpeg_for_each_frame() -> None:
    cine = us_cine(frames=3, rows=96, columns=128)
    assert cine.pixel_array.shape == (3, 96, 128, 3)
    assert cine.PhotometricInterpretation == "YBR_FULL_422"
    assert float(cine.FrameTime) == pytest.approx(1000 / 3, abs=0.01)
    assert cine.LossyImageCompression == "01"


@pytest.mark.parametrize("transfer_syntax_uid", [ExplicitVRLittleEndian, RLELossless])
def test_us_cine_without_loss_is_rgb(transfer_syntax_uid: str) -> None:
    cine = us_cine(frames=2, rows=96, columns=128, transfer_syntax_uid=transfer_syntax_uid)
    assert cine.PhotometricInterpretation == "RGB"
    assert cine.pixel_array.shape == (2, 96, 128, 3)
    assert cine.LossyImageCompression == "00"


def test_the_heart_moves_and_has_colour() -> None:
    pixels = us_cine(frames=4, rows=96, columns=128, transfer_syntax_uid=ExplicitVRLittleEndian).pixel_array
    assert np.abs(pixels[0].astype(int) - pixels[1]).mean() > 1
    assert any(np.ptp(frame[20:80, 40:90].astype(int), axis=-1).max() > 100 for frame in pixels)


def test_the_ultrasound_region_lies_in_the_picture_and_is_calibrated() -> None:
    cine = us_cine(frames=1, rows=96, columns=128)
    (region,) = cine.SequenceOfUltrasoundRegions
    assert 0 <= region.RegionLocationMinX0 < region.RegionLocationMaxX1 < 128
    assert 0 <= region.RegionLocationMinY0 < region.RegionLocationMaxY1 < 96
    depth = (region.RegionLocationMaxY1 - region.RegionLocationMinY0) * region.PhysicalDeltaY
    assert depth == pytest.approx(16.5, abs=0.5)


def test_a_radiograph_in_monochrome1_is_the_other_way_round() -> None:
    plain = chest_xray(rows=96, columns=80)
    film = chest_xray(rows=96, columns=80, photometric_interpretation="MONOCHROME1")
    assert plain.pixel_array.shape == (96, 80)
    assert (plain.PhotometricInterpretation, film.PhotometricInterpretation) == ("MONOCHROME2", "MONOCHROME1")
    assert (plain.PresentationLUTShape, film.PresentationLUTShape) == ("IDENTITY", "INVERSE")
    assert np.array_equal(4095 - film.pixel_array, plain.pixel_array)


def test_a_radiograph_shows_the_spine_brighter_than_the_lungs() -> None:
    pixels = chest_xray(rows=128, columns=128).pixel_array
    assert pixels[40:60, 60:68].mean() > 1.5 * pixels[40:60, 30:45].mean()


def test_enhanced_ct_has_the_pixels_and_places_of_its_slices(ct: list[Dataset]) -> None:
    enhanced = enhanced_ct(ct)
    assert enhanced.NumberOfFrames == 5
    assert np.array_equal(enhanced.pixel_array, np.stack([dataset.pixel_array for dataset in ct]))
    places = [
        groups.PlanePositionSequence[0].ImagePositionPatient
        for groups in enhanced.PerFrameFunctionalGroupsSequence
    ]
    assert places == [dataset.ImagePositionPatient for dataset in ct]


def test_the_segmentation_is_the_nodule_in_single_bits(ct: list[Dataset]) -> None:
    segmentation = nodule_segmentation(ct)
    mask = find_nodule(ct).mask
    assert segmentation.BitsAllocated == 1
    assert segmentation.pixel_array.sum() == mask.sum()
    assert segmentation.NumberOfFrames == len(find_nodule(ct).slices)
    assert segmentation.StudyInstanceUID == ct[0].StudyInstanceUID
