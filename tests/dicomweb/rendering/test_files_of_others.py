"""Pictures of real devices: those that come with pydicom, and the corpus where it is at hand."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread

from dicomweb.rendering.picture import Rendering, render
from dicomweb.rendering.viewport import Viewport
from pacs.errors import CannotRender
from pacs.pixels.decode import decode_frame
from tests.conftest import CORPUS
from tests.pacs.pixels.stored_frames import pictures_of_others, split

FILES = pictures_of_others()

# Files that are damaged on purpose.
UNREADABLE = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "header says",
    "MR_truncated.dcm": "less than expected",
    "SC_rgb_small_odd_big_endian.dcm": "multiple of element size",
    "badVR.dcm": "BitsAllocated",
    "nested_priv_SQ.dcm": "absent",
}

SOUND = [path for path in FILES if path.name not in UNREADABLE]

CT = "dicomImageLoader__testImages__CTImage.dcm_"
CT_FOLDER = CORPUS / "cornerstone3d"
# Mean difference in shades of 255 that the loss may make. JPEG baseline holds 8 bits of 12, and the window
# shows a tenth of the values.
LOSS = {
    "1.2.840.10008.1.2.4.50": 5.0,
    "1.2.840.10008.1.2.4.51": 1.5,
    "1.2.840.10008.1.2.4.53": 1.5,
    "1.2.840.10008.1.2.4.55": 1.5,
    "1.2.840.10008.1.2.4.81": 0.5,
    "1.2.840.10008.1.2.4.91": 0.5,
}


@cache
def ct_slices() -> dict[str, Path]:
    """The same slice, by transfer syntax UID."""
    paths = CT_FOLDER.glob(f"{CT}*.dcm")
    return {re.sub(r".*_([\d.]+)\.dcm", r"\1", path.name): path for path in paths}


def picture(path: Path, rendering: Rendering) -> NDArray[np.int64]:
    header, frames = split(dcmread(path))
    return np.asarray(Image.open(BytesIO(render(header, frames[0], 1, rendering))), np.int64)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[-60:])
def test_every_picture_can_be_drawn(path: Path) -> None:
    dataset = dcmread(path)
    try:
        header, frames = split(dataset)
    except ValueError:
        pytest.skip("the size of its frames cannot be read")
    rendering = Rendering(viewport=Viewport(64, 64))
    middle = len(frames) // 2
    if path.name in UNREADABLE:
        with pytest.raises(CannotRender, match=UNREADABLE[path.name]):
            render(header, frames[middle], middle + 1, rendering)
    else:
        image = Image.open(BytesIO(render(header, frames[middle], middle + 1, rendering)))
        assert max(image.size) == 64


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name[-60:])
def test_every_frame_is_decoded_as_by_pydicom(path: Path) -> None:
    dataset = dcmread(path)
    try:
        expected = dataset.pixel_array
        header, frames = split(dataset)
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        pytest.skip("pydicom cannot decode it")
    expected = expected if len(frames) > 1 else expected[np.newaxis]
    index = len(frames) // 2
    decoded = decode_frame(header, frames[index])
    assert decoded.dtype.isnative
    # Pillow and pydicom round the conversion from YCbCr differently.
    tolerance = 1 if dataset.PhotometricInterpretation.startswith("YBR_FULL") else 0
    assert np.abs(decoded.astype(np.float64) - expected[index]).max() <= tolerance


@pytest.mark.skipif(not CT_FOLDER.is_dir(), reason="the corpus is not at hand")
def test_one_slice_looks_the_same_in_all_transfer_syntaxes() -> None:
    slices = ct_slices()
    assert len(slices) >= 14
    reference = picture(slices["1.2.840.10008.1.2.1"], Rendering("image/png"))
    assert reference.std() > 30
    for uid, path in slices.items():
        difference = np.abs(picture(path, Rendering("image/png")) - reference)
        assert difference.mean() <= LOSS.get(uid, 0), uid
