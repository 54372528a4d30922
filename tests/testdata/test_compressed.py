import io

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from testdata.compressed import ENCAPSULATED, LITTLE_ENDIAN, compressed
from testdata.ct import ct_series
from testdata.files import part10
from testdata.secondary_capture import secondary_capture

LOSSLESS = (
    *LITTLE_ENDIAN,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
)
LOSSY = (JPEGLSNearLossless, JPEG2000, JPEGBaseline8Bit)


@pytest.fixture(scope="module")
def grey() -> Dataset:
    return ct_series(slices=1, rows=48, columns=50)[0]


@pytest.fixture(scope="module")
def colour() -> Dataset:
    across, down = np.meshgrid(np.arange(45), np.arange(34))
    picture = np.stack([across * 5, down * 7, across + down], axis=-1).astype(np.uint8)
    return secondary_capture(np.stack([picture, 255 - picture]), "RGB")


def read_again(dataset: Dataset) -> Dataset:
    return dcmread(io.BytesIO(part10(dataset)))


def test_every_syntax_is_tried_here() -> None:
    assert set(LOSSLESS) | set(LOSSY) == {*LITTLE_ENDIAN, ExplicitVRBigEndian, *ENCAPSULATED}


@pytest.mark.parametrize("transfer_syntax_uid", LOSSLESS, ids=lambda uid: uid.name)
@pytest.mark.parametrize("which", ["grey", "colour"])
def test_without_loss_the_pixels_and_the_uid_stay(
    which: str, transfer_syntax_uid: UID, request: pytest.FixtureRequest
) -> None:
    source: Dataset = request.getfixturevalue(which)
    again = read_again(compressed(source, transfer_syntax_uid))
    assert again.file_meta.TransferSyntaxUID == transfer_syntax_uid
    assert np.array_equal(again.pixel_array, source.pixel_array)
    assert again.SOPInstanceUID == source.SOPInstanceUID
    assert again.get("LossyImageCompression", "00") == "00"


def test_with_loss_the_copy_says_so_and_is_another_instance(grey: Dataset) -> None:
    for transfer_syntax_uid, error in ((JPEGLSNearLossless, 2), (JPEG2000, 400)):
        again = read_again(compressed(grey, transfer_syntax_uid))
        difference = np.abs(again.pixel_array.astype(int) - grey.pixel_array).max()
        assert 0 < difference <= error
        assert again.LossyImageCompression == "01"
        assert again.SOPInstanceUID != grey.SOPInstanceUID
        assert again.SOPInstanceUID == again.file_meta.MediaStorageSOPInstanceUID


def test_jpeg_baseline_of_colour_is_ybr_and_near_the_original(colour: Dataset) -> None:
    copy = read_again(compressed(colour, JPEGBaseline8Bit))
    assert copy.PhotometricInterpretation == "YBR_FULL_422"
    decoded = pixel_array(copy, decoding_plugin="pillow").astype(int)
    assert np.abs(decoded - colour.pixel_array).mean() < 6


def test_the_original_stays_as_it_was(grey: Dataset) -> None:
    before = part10(grey)
    compressed(grey, JPEG2000)
    assert part10(grey) == before


def test_what_a_syntax_cannot_hold_is_said(grey: Dataset) -> None:
    with pytest.raises(ValueError, match="8 bits"):
        compressed(grey, JPEGBaseline8Bit)
    tiny = secondary_capture(np.zeros((5, 5), np.uint8))
    with pytest.raises(ValueError, match="GDCM cannot"):
        compressed(tiny, JPEGLossless)
    with pytest.raises(ValueError, match="cannot be encoded"):
        compressed(tiny, JPEG2000Lossless)
    with pytest.raises(ValueError, match="native"):
        compressed(compressed(grey, RLELossless), JPEG2000)
