"""Whatever arrives: a picture, or a refusal with a reason; no other error, and no end of the process."""

import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicomweb.rendering.picture import Rendering, render
from dicomweb.rendering.viewport import Viewport
from pacs.errors import CannotRender
from testdata.compressed import compressed
from testdata.secondary_capture import secondary_capture
from tests.pacs.pixels.stored_frames import split

SYNTAXES = (
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    RLELossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEG2000Lossless,
)
# Decoded by GDCM, which has ended the process over such things.
DANGEROUS = (JPEGLossless, JPEGLosslessSV1)

VALUES: dict[str, tuple[object, ...]] = {
    "Rows": (None, 0, 1, 39, 65535),
    "Columns": (None, 0, 33, 65535),
    "SamplesPerPixel": (None, 0, 1, 3, 4),
    "BitsAllocated": (None, 1, 8, 12, 16, 32, 64),
    "BitsStored": (None, 0, 1, 7, 12, 16, 64),
    "PixelRepresentation": (None, 0, 1, 2),
    "PlanarConfiguration": (None, 0, 1, 2),
    "PhotometricInterpretation": (
        None,
        "MONOCHROME1",
        "PALETTE COLOR",
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "?",
    ),
    "RescaleSlope": (0, -1, "1e308", "1e-308"),
    "WindowWidth": (0, 1, "1e308", [5, 6]),
    "PixelAspectRatio": (["0", "1"], ["1", "1000000"], ["1"]),
    "PixelPaddingValue": (0, 65535),
}


@cache
def sound(syntax: UID, colour: bool) -> tuple[Dataset, bytes]:
    across, down = np.meshgrid(np.arange(34), np.arange(40))
    pixels = (across * 3 + down * 2).astype(np.uint8)
    if colour:
        pixels = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
    dataset = secondary_capture(pixels, "RGB" if colour else "MONOCHROME2")
    dataset.WindowCenter, dataset.WindowWidth = 100, 100
    header, frames = split(compressed(dataset, syntax))
    return header, frames[0]


def damaged(syntax: UID, seed: int) -> tuple[Dataset, bytes]:
    chance = random.Random(seed)
    header, frame = sound(syntax, colour=chance.random() < 0.5)
    header, stream = deepcopy(header), bytearray(frame)
    for keyword in chance.sample(sorted(VALUES), chance.choice((0, 1, 1, 2))):
        setattr(header, keyword, chance.choice(VALUES[keyword]))
    for _ in range(chance.choice((0, 1, 1, 3, 8))):
        reach = min(len(stream), chance.choice((30, 200, 10_000)))
        stream[chance.randrange(reach)] = chance.randrange(256)
    if chance.random() < 0.2:
        del stream[chance.randrange(len(stream)) :]
    return header, bytes(stream)


def draw_damaged(syntax: UID, seeds: range) -> int:
    """How many of the damaged frames gave a picture all the same."""
    drawn = 0
    for seed in seeds:
        header, frame = damaged(syntax, seed)
        try:
            render(header, frame, 1, Rendering(viewport=Viewport(32, 32)))
        except CannotRender as refusal:
            assert str(refusal), seed
        else:
            drawn += 1
    return drawn


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_damage_is_drawn_or_refused(syntax: UID) -> None:
    assert 0 < draw_damaged(syntax, range(200)) < 200


@pytest.mark.parametrize("syntax", DANGEROUS, ids=lambda syntax: syntax.name)
def test_damage_does_not_end_the_process(syntax: UID) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        assert 0 < apart.submit(draw_damaged, syntax, range(300)).result() < 300
