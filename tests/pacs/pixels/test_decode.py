import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pacs.errors import CannotRender
from pacs.pixels.decode import decode_frame
from testdata.compressed import compressed
from testdata.secondary_capture import palette_colour, secondary_capture
from tests.pacs.pixels.stored_frames import DEFLATED_FRAMES, split

LOSSLESS = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
)
LOSSY = (JPEGBaseline8Bit, JPEGLSNearLossless, JPEG2000)


def name(syntax: UID) -> str:
    return syntax.name


def gradient(kind: str, rows: int = 40, columns: int = 34) -> NDArray[Any]:
    """Two smooth frames that differ."""
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    frame = across * 3 + down * 2
    if kind == "colour":
        frame = np.stack([frame, 255 - frame, across * 7], axis=-1)
        return np.stack([frame, frame[::-1]]).astype(np.uint8)
    offset = -100 if kind.startswith("int") else 0
    return np.stack([frame + offset, frame[::-1] + offset]).astype(kind)


def described(pixels: NDArray[Any], **options: Any) -> Dataset:
    return secondary_capture(pixels, "RGB" if pixels.ndim == 4 else "MONOCHROME2", **options)


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "colour"])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=name)
def test_without_loss_each_frame_comes_back(syntax: UID, kind: str) -> None:
    pixels = gradient(kind)
    header, frames = split(compressed(described(pixels), syntax))
    for frame, expected in zip(frames, pixels, strict=True):
        decoded = decode_frame(header, frame)
        assert decoded.dtype == pixels.dtype
        assert np.array_equal(decoded, expected)


@pytest.mark.parametrize("kind", ["uint8", "colour"])
@pytest.mark.parametrize("syntax", LOSSY, ids=name)
def test_with_loss_each_frame_is_close(syntax: UID, kind: str) -> None:
    pixels = gradient(kind)
    header, frames = split(compressed(described(pixels), syntax))
    for frame, expected in zip(frames, pixels, strict=True):
        decoded = decode_frame(header, frame)
        assert decoded.dtype == np.uint8
        assert np.abs(decoded.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLSLossless], ids=name)
def test_planes_of_colour_become_pixels(syntax: UID) -> None:
    pixels = gradient("colour")
    header, frames = split(compressed(described(pixels, planar=True), syntax))
    assert np.array_equal(decode_frame(header, frames[1]), pixels[1])


def test_pixels_of_one_bit() -> None:
    pixels = gradient("uint8", 8, 8) % 3 == 0
    header, frames = split(described(pixels))
    assert np.array_equal(decode_frame(header, frames[1]), pixels[1])


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_floating_point_pixels(kind: str) -> None:
    pixels = gradient("uint8")[0] / 7
    header, _ = split(described(gradient("uint8")[0]))
    del header.BitsStored, header.HighBit, header.PixelRepresentation
    header.BitsAllocated = np.dtype(kind).itemsize * 8
    decoded = decode_frame(header, pixels.astype(kind).tobytes())
    assert np.array_equal(decoded, pixels.astype(kind))


def test_bits_that_are_not_stored_are_dropped() -> None:
    header, _ = split(described(np.zeros((1, 2), np.int16), bits_stored=12))
    assert decode_frame(header, struct.pack("<2H", 0xF001, 0x0FFF)).tolist() == [[1, -1]]


@pytest.mark.parametrize("stored", [1, 7, 8, 10, 12, 16])
@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int16"])
def test_native_gray_is_decoded_as_pydicom_does(kind: str, stored: int) -> None:
    pixels = np.random.default_rng(7).integers(0, 256, (12, 10 * np.dtype(kind).itemsize), np.uint8)
    allocated = np.dtype(kind).itemsize * 8
    dataset = described(pixels.view(kind), bits_stored=min(stored, allocated))
    header, (frame,) = split(dataset)
    decoded = decode_frame(header, frame)
    assert decoded.dtype == np.dtype(kind)
    assert np.array_equal(decoded, dataset.pixel_array)


def test_full_range_ybr_becomes_rgb() -> None:
    header, _ = split(described(np.zeros((1, 1, 2, 3), np.uint8)))
    header.PhotometricInterpretation = "YBR_FULL"
    decoded = decode_frame(header, bytes([76, 85, 255, 255, 128, 128]))
    assert np.abs(decoded.astype(int) - [[[255, 0, 0], [255, 255, 255]]]).max() <= 1
    header.PhotometricInterpretation = "YBR_FULL_422"
    decoded = decode_frame(header, bytes([76, 76, 85, 255]))
    assert np.abs(decoded.astype(int) - [[[255, 0, 0], [255, 0, 0]]]).max() <= 1


def test_unpacked_frames_have_all_samples_whatever_the_header_says() -> None:
    header, frames = split(compressed(described(gradient("colour")), RLELossless))
    header.PhotometricInterpretation = "YBR_FULL"
    full = decode_frame(header, frames[0])
    header.PhotometricInterpretation = "YBR_FULL_422"
    assert np.array_equal(decode_frame(header, frames[0]), full)


def test_ybr_of_more_than_8_bits_is_refused() -> None:
    header, _ = split(described(np.zeros((1, 1, 2, 3), np.uint16)))
    header.PhotometricInterpretation = "YBR_FULL"
    with pytest.raises(CannotRender, match="YBR_FULL"):
        decode_frame(header, bytes(12))


def test_bytes_written_as_big_endian_words_are_put_in_order() -> None:
    header, _ = split(described(np.zeros((1, 4), np.uint8)))
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    header["PixelData"].VR = "OW"
    assert decode_frame(header, bytes([2, 1, 4, 3])).tolist() == [[1, 2, 3, 4]]
    header["PixelData"].VR = "OB"
    assert decode_frame(header, bytes([2, 1, 4, 3])).tolist() == [[2, 1, 4, 3]]


def test_palette_indices_stay_indices() -> None:
    indices = gradient("uint8")[0]
    header, frames = split(palette_colour(indices, np.zeros((256, 3), np.uint16)))
    assert np.array_equal(decode_frame(header, frames[0]), indices)


def deflated(native: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(native) + packer.flush()


def test_deflated_frames() -> None:
    pixels = gradient("uint16")
    header, frames = split(described(pixels))
    header.file_meta.TransferSyntaxUID = DEFLATED_FRAMES
    assert np.array_equal(decode_frame(header, deflated(frames[1])), pixels[1])
    with pytest.raises(CannotRender, match="deflated"):
        decode_frame(header, b"\xff" * 20)
    with pytest.raises(CannotRender):
        decode_frame(header, deflated(frames[0][:-2]))


def test_a_deflated_frame_is_not_unpacked_beyond_its_size() -> None:
    header, frames = split(described(gradient("uint8")[0]))
    header.file_meta.TransferSyntaxUID = DEFLATED_FRAMES
    bomb = deflated(frames[0] + bytes(50_000_000))
    assert decode_frame(header, bomb).shape == (40, 34)


@pytest.mark.parametrize("syntax", (*LOSSLESS, *LOSSY), ids=name)
def test_a_frame_that_is_cut_off_or_empty_is_refused(syntax: UID) -> None:
    header, frames = split(compressed(described(gradient("uint8")), syntax))
    for damaged in (b"", frames[0][: len(frames[0]) // 10], b"\0" * 50):
        with pytest.raises(CannotRender):
            decode_frame(header, damaged)


@pytest.mark.parametrize(
    "syntax", [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless], ids=name
)
@pytest.mark.parametrize(("keyword", "value"), [("Rows", 41), ("Columns", 20), ("SamplesPerPixel", 3)])
def test_a_code_stream_of_another_size_is_refused(syntax: UID, keyword: str, value: int) -> None:
    header, frames = split(compressed(described(gradient("uint8")), syntax))
    setattr(header, keyword, value)
    with pytest.raises(CannotRender, match="the header says"):
        decode_frame(header, frames[0])


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.100", "1.2.3.4"])
def test_other_transfer_syntaxes_are_refused(uid: str) -> None:
    header, frames = split(described(gradient("uint8")))
    header.file_meta.TransferSyntaxUID = UID(uid)
    with pytest.raises(CannotRender, match="transfer syntax"):
        decode_frame(header, frames[0])
