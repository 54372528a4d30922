"""Presentation states beside DCMTK's own rendering of them (PS3.4 N.2)."""

import subprocess
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset

from dicomweb.rendering.picture import Rendering, render
from dicomweb.rendering.viewport import Viewport
from pacs.errors import CannotRender, InvalidQuery
from testdata.ct import ct_series
from testdata.files import part10
from testdata.presentation_state import presentation_state

PNG = Rendering(media_type="image/png")


@pytest.fixture(scope="module")
def images() -> list[Dataset]:
    return ct_series(slices=2, rows=64, columns=80)


def drawn(image: Dataset, state: Dataset | None, rendering: Rendering = PNG) -> NDArray[np.int64]:
    picture = render(image, image.PixelData, 1, rendering, state)
    return np.asarray(Image.open(BytesIO(picture)), np.int64)


def drawn_by_dcmtk(folder: Path, image: Dataset, state: Dataset) -> NDArray[np.int64]:
    """It draws the whole image, whatever the displayed area."""
    for name, dataset in (("image", image), ("state", state)):
        (folder / name).write_bytes(part10(dataset))
    command = ["dcmp2pgm", "-p", "state", "image", "picture.pgm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return np.asarray(Image.open(folder / "picture.pgm"), np.int64)


def table(keyword: str, *entries: int, first: int = 0) -> dict[str, Any]:
    """A lookup table of 8 bits."""
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, 8]
    item["LUTDescriptor"].VR = "US" if first >= 0 else "SS"
    item.add_new("LUTData", "US", list(entries))
    return {keyword: [item]}


@pytest.mark.needs("dcmp2pgm")
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"window": (-600.0, 1500.0)},
        {"window": None},
        {"shape": "INVERSE"},
        {"rotation": 90},
        {"rotation": 180},
        {"rotation": 270},
        {"flip": True},
        {"rotation": 90, "flip": True},
    ],
    ids=str,
)
def test_it_looks_as_with_dcmtk(tmp_path: Path, images: list[Dataset], asked: dict[str, Any]) -> None:
    state = presentation_state(images, **asked)
    ours, theirs = drawn(images[0], state), drawn_by_dcmtk(tmp_path, images[0], state)
    assert ours.shape == theirs.shape
    assert abs(ours - theirs).max() <= 1
    assert theirs.std() > 5


@pytest.mark.needs("dcmp2pgm")
def test_tables_look_as_with_dcmtk(tmp_path: Path, images: list[Dataset]) -> None:
    state = presentation_state(images, window=None)
    voi = Dataset()
    steps = [min(255, (at // 100) * 40) for at in range(1000)]
    voi.VOILUTSequence = table("VOILUTSequence", *steps, first=-400)["VOILUTSequence"]
    state.SoftcopyVOILUTSequence = [voi]
    assert abs(drawn(images[0], state) - drawn_by_dcmtk(tmp_path, images[0], state)).max() <= 1
    del state.PresentationLUTShape
    curve = [round(255 * (at / 255) ** 2) for at in range(256)]
    state.PresentationLUTSequence = table("PresentationLUTSequence", *curve)["PresentationLUTSequence"]
    assert abs(drawn(images[0], state) - drawn_by_dcmtk(tmp_path, images[0], state)).max() <= 1


def test_the_state_decides_and_not_the_image(images: list[Dataset]) -> None:
    image, state = deepcopy(images[0]), presentation_state(images)
    before = drawn(image, state)
    image.PhotometricInterpretation, image.WindowCenter, image.RescaleIntercept = "MONOCHROME1", 3000, 0
    assert (drawn(image, state) == before).all()


def test_the_displayed_area_is_cut_out_and_may_reach_beyond_the_image(images: list[Dataset]) -> None:
    whole = drawn(images[0], presentation_state(images))
    part = drawn(images[0], presentation_state(images, area=(11, 21, 40, 60)))
    assert (part == whole[20:60, 10:40]).all()
    turned = drawn(images[0], presentation_state(images, area=(40, 60, 11, 21), rotation=180))
    assert (turned == part[::-1, ::-1]).all()
    beyond = drawn(images[0], presentation_state(images, area=(-9, 1, 80, 64)))
    assert beyond.shape == (64, 90)
    assert not beyond[:, :10].any()
    assert (beyond[:, 10:] == whole).all()


def test_oblong_pixels_are_turned_with_the_picture(images: list[Dataset]) -> None:
    state = presentation_state(images, rotation=90)
    state.DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio = [2, 1]
    fitted = drawn(images[0], state, Rendering(media_type="image/png", viewport=Viewport(128, 128)))
    assert fitted.shape == (80, 128)  # 64 rows of double height, turned, beside 80 columns


def test_what_is_of_other_images_only_is_passed_over(images: list[Dataset]) -> None:
    state = presentation_state(images)
    other = deepcopy(state.SoftcopyVOILUTSequence[0])
    other.WindowCenter = 3000
    other.ReferencedImageSequence = state.ReferencedSeriesSequence[0].ReferencedImageSequence[1:]
    state.SoftcopyVOILUTSequence = [other, *state.SoftcopyVOILUTSequence]
    assert (drawn(images[0], state) == drawn(images[0], presentation_state(images))).all()
    assert drawn(images[1], state).max() < drawn(images[0], state).max()


def test_it_is_refused_where_it_does_not_belong(images: list[Dataset]) -> None:
    with pytest.raises(InvalidQuery, match="presentationUID"):
        drawn(images[1], presentation_state(images[:1]))
    state = presentation_state(images)
    references = state.ReferencedSeriesSequence[0].ReferencedImageSequence
    references[0].ReferencedFrameNumber = 2
    with pytest.raises(InvalidQuery, match="presentationUID"):
        drawn(images[0], state)
    with pytest.raises(CannotRender, match="presentationUID"):
        drawn(images[0], images[1])
    with pytest.raises(CannotRender, match="area"):
        drawn(images[0], presentation_state(images, area=(1, 1, 100_000, 10)))
