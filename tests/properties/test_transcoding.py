"""Without loss means: the same pixels, in every transfer syntax and of every form (PS3.5 8.2, Annex A).

What is read back is read by pydicom, and decoded by another library than the one that encoded: openjpeg what
OpenJPH did, GDCM what libjpeg-turbo did, pydicom itself RLE. For JPEG XL there is but one.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from pacs.files import DiskFiles
from pacs.pixels.decode import decode_samples
from pacs.pixels.pixel_form import pixel_form
from pacs.retrieve import Reader
from pacs.transcode import Transcoder
from testdata.compressed import compressed
from testdata.files import part10
from testdata.secondary_capture import palette_colour, secondary_capture
from tests.pacs.objects import kept

JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
SIDES = [(1, 1), (1, 9), (9, 1), (3, 5), (16, 16), (31, 33), (40, 48)]
BITS = [(8, n) for n in range(2, 9)] + [(16, n) for n in range(2, 17)]
# What every encoder of the recipes can take.
SNUG = [(8, n) for n in range(2, 9)] + [(16, n) for n in range(9, 17)]
LARGE = [(32, 32), (34, 46), (40, 48)]
STORED = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
]
# With the plugin of pydicom that decodes it.
TARGETS = {
    ExplicitVRLittleEndian: "",
    JPEGLSLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    HTJ2KLossless: "pylibjpeg",
    JPEGLosslessSV1: "",
    RLELossless: "pydicom",
    JPEG_XL_LOSSLESS: "",
}


@dataclass(frozen=True)
class Workplace:
    files: DiskFiles
    transcoder: Transcoder


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    files = DiskFiles(tmp_path_factory.mktemp("transcoding"))
    return Workplace(files, Transcoder(Reader(lambda instance: files.open(instance.file))))


@dataclass(frozen=True)
class Picture:
    """frames: 0 for an object that has no Number of Frames.  flat: of two values only."""

    colours: str
    signed: bool
    bits: tuple[int, int]
    frames: int
    sides: tuple[int, int]
    planar: bool
    flat: bool

    def dataset(self) -> Dataset:
        allocated, stored = self.bits
        samples = (3,) if self.colours in ("RGB", "YBR_FULL") else ()
        shape = ((self.frames,) if self.frames else ()) + self.sides + samples
        low = -(1 << stored - 1) if self.signed else 0
        pixels = np.random.default_rng(5).integers(low, low + (2 if self.flat else 1 << stored), shape)
        typed = pixels.astype(f"{'i' if self.signed else 'u'}{allocated // 8}")
        if self.colours == "PALETTE COLOR":
            table = np.arange(96, dtype=np.uint16).reshape(32, 3)
            return palette_colour(typed, table, bits_stored=stored)
        planar = self.planar and bool(samples)
        return secondary_capture(typed, self.colours, bits_stored=stored, planar=planar)


def pictures(sides: list[tuple[int, int]], bits: list[tuple[int, int]]) -> st.SearchStrategy[Picture]:
    """Of every Photometric Interpretation, bit depth, sign, Planar Configuration and number of frames."""
    drawn = st.builds(
        Picture,
        colours=st.sampled_from(["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL"]),
        signed=st.booleans(),
        bits=st.sampled_from(bits),
        frames=st.integers(0, 3),
        sides=st.sampled_from(sides),
        planar=st.booleans(),
        flat=st.booleans(),
    )
    return drawn.filter(lambda picture: not picture.signed or picture.colours.startswith("MONOCHROME"))


def samples_of(dataset: Dataset, plugin: str) -> NDArray[Any]:
    if dataset.file_meta.TransferSyntaxUID in (JPEG_XL_LOSSLESS, JPEGLosslessSV1):
        form, count = pixel_form(dataset), int(dataset.get("NumberOfFrames", 1))
        frames = generate_frames(dataset.PixelData, number_of_frames=count)
        decoded = [decode_samples(form, frame)[0] for frame in frames]
        return np.stack(decoded) if count > 1 else decoded[0]
    dataset.pixel_array_options(raw=True, decoding_plugin=plugin)
    pixels: NDArray[Any] = dataset.pixel_array
    return pixels


def without_pixels(dataset: Dataset) -> dict[str, Any]:
    """All but what may change; nor tables of words, which pydicom does not turn for big endian."""
    left = {"PixelData", "PlanarConfiguration", "PhotometricInterpretation"}
    left |= {f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")}
    return Dataset({e.tag: e for e in dataset if e.keyword not in left}).to_json_dict()


def stored_as(dataset: Dataset, transfer_syntax_uid: str) -> Dataset:
    try:
        if dataset.get("PlanarConfiguration") and transfer_syntax_uid not in STORED[:4]:
            assume(False)
        return compressed(dataset, transfer_syntax_uid)
    except (ValueError, TypeError):
        assume(False)
        raise


def check(workplace: Workplace, original: Dataset, stored: Dataset, target: str) -> None:
    instance = kept(workplace.files, part10(stored))
    original = dcmread(BytesIO(part10(original)))
    if target not in workplace.transcoder.object_syntaxes(instance):
        assert target not in (ExplicitVRLittleEndian, RLELossless, stored.file_meta.TransferSyntaxUID)
        return
    made = dcmread(BytesIO(b"".join(workplace.transcoder.content(instance, target))))
    assert made.file_meta.TransferSyntaxUID == target
    assert without_pixels(made) == without_pixels(original)
    assert np.array_equal(samples_of(made, TARGETS[target]), samples_of(original, ""))


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=60)
@given(picture=pictures(SIDES, BITS))
def test_native_pixels_are_the_same_in_every_transfer_syntax(
    workplace: Workplace, target: str, picture: Picture
) -> None:
    if target != ExplicitVRLittleEndian:
        check(workplace, picture.dataset(), picture.dataset(), target)


@pytest.mark.parametrize("stored", [uid for uid in STORED if uid != ExplicitVRLittleEndian])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(picture=pictures(LARGE, SNUG), target=st.sampled_from(list(TARGETS)))
def test_stored_pixels_of_every_transfer_syntax_are_the_same_in_every_other(
    workplace: Workplace, stored: str, picture: Picture, target: str
) -> None:
    assume(stored != target)
    dataset = picture.dataset()
    check(workplace, dataset, stored_as(dataset, stored), target)
