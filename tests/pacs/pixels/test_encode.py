"""Samples into code streams: what is held, what is refused (PS3.5 8.1.1 and 8.2)."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from pacs.errors import CannotRender
from pacs.pixels.decode import decode_samples
from pacs.pixels.encode import CODINGS, encode_samples
from pacs.pixels.pixel_form import PixelForm

LOSSLESS = [uid for uid, coding in CODINGS.items() if not coding.lossy]
GREY = PixelForm(
    transfer_syntax=ExplicitVRLittleEndian,
    keyword="PixelData",
    rows=32,
    columns=40,
    samples=1,
    bits_allocated=16,
    bits_stored=12,
    signed=False,
    photometric_interpretation="MONOCHROME2",
    planar=False,
    words=True,
)
PIXELS: NDArray[Any] = np.random.default_rng(3).integers(0, 4096, (32, 40)).astype("u2")


@pytest.mark.parametrize("uid", LOSSLESS)
def test_code_streams_are_of_even_length_and_the_same_each_time(uid: str) -> None:
    stream = encode_samples(GREY, PIXELS, uid)
    assert len(stream) % 2 == 0
    assert encode_samples(GREY, PIXELS, uid) == stream


@pytest.mark.parametrize("uid", LOSSLESS)
def test_bits_above_the_stored_ones_are_not_lost_in_silence(uid: str) -> None:
    with_overlay = PIXELS | np.uint16(0x8000)
    with pytest.raises(CannotRender, match="more bits"):
        encode_samples(GREY, with_overlay, uid)


@pytest.mark.parametrize("uid", [uid for uid in LOSSLESS if CODINGS[uid].signed])
def test_signed_values_that_are_their_stored_bits_alone_get_their_sign(uid: str) -> None:
    signed = replace(GREY, signed=True)
    stream = encode_samples(signed, PIXELS.astype("i2"), uid)
    decoded, _ = decode_samples(replace(signed, transfer_syntax=UID(uid)), stream)
    assert np.array_equal(decoded, np.where(PIXELS >= 2048, PIXELS.astype(int) - 4096, PIXELS))


@pytest.mark.parametrize(
    "form",
    [
        replace(GREY, bits_allocated=32, bits_stored=32),
        replace(GREY, bits_allocated=1, bits_stored=1),
        replace(GREY, keyword="FloatPixelData", bits_allocated=32, bits_stored=32),
        replace(GREY, photometric_interpretation="ARGB"),
    ],
)
@pytest.mark.parametrize("uid", CODINGS)
def test_other_pixels_are_not_held(uid: str, form: PixelForm) -> None:
    assert not CODINGS[uid].holds(form)


def test_jpeg_baseline_holds_8_bits_without_sign_only() -> None:
    coding = CODINGS[JPEGBaseline8Bit]
    grey = replace(GREY, bits_allocated=8, bits_stored=8)
    assert coding.holds(grey)
    assert not any(
        coding.holds(form)
        for form in (
            GREY,
            replace(grey, signed=True),
            replace(grey, bits_stored=7),
            replace(grey, bits_allocated=16),
            replace(grey, photometric_interpretation="PALETTE COLOR"),
        )
    )
