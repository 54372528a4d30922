"""What is transcoded here, decoded by DCMTK: its own JPEG and RLE, and its own CharLS."""

import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import JPEGLosslessSV1, JPEGLSLossless, RLELossless

from pacs.files import DiskFiles
from pacs.retrieve import Reader
from pacs.transcode import Transcoder
from testdata.files import part10
from testdata.secondary_capture import secondary_capture
from tests.pacs.objects import kept

pytestmark = pytest.mark.needs("dcmdjpeg", "dcmdjpls", "dcmdrle")

PROGRAMS: dict[str, str] = {JPEGLosslessSV1: "dcmdjpeg", JPEGLSLossless: "dcmdjpls", RLELossless: "dcmdrle"}


def noise(kind: str, bits: int, *shape: int) -> np.ndarray:
    low = -(1 << bits - 1) if kind[0] == "i" else 0
    return np.random.default_rng(bits).integers(low, low + (1 << bits), shape).astype(kind)


PICTURES = {
    "8 bits": lambda: secondary_capture(noise("u1", 8, 33, 47)),
    "12 bits": lambda: secondary_capture(noise("u2", 12, 40, 31), bits_stored=12),
    "16 bits": lambda: secondary_capture(noise("u2", 16, 32, 32)),
    "16 bits with a sign": lambda: secondary_capture(noise("i2", 16, 32, 32)),
    "three frames": lambda: secondary_capture(noise("u2", 10, 3, 32, 32), bits_stored=10),
    "RGB": lambda: secondary_capture(noise("u1", 8, 33, 47, 3), "RGB"),
    "RGB in planes": lambda: secondary_capture(noise("u1", 8, 2, 33, 47, 3), "RGB", planar=True),
}


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("target", PROGRAMS)
def test_dcmtk_decodes_the_same_pixels(tmp_path: Path, target: str, kind: str) -> None:
    original: Dataset = PICTURES[kind]()
    files = DiskFiles(tmp_path)
    transcoder = Transcoder(Reader(lambda instance: files.open(instance.file)))
    instance = kept(files, part10(original))
    (tmp_path / "coded.dcm").write_bytes(b"".join(transcoder.content(instance, target)))
    command = [PROGRAMS[target], str(tmp_path / "coded.dcm"), str(tmp_path / "decoded.dcm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    decoded = dcmread(BytesIO((tmp_path / "decoded.dcm").read_bytes()))
    assert decoded.PhotometricInterpretation == original.PhotometricInterpretation
    assert np.array_equal(decoded.pixel_array, original.pixel_array)
