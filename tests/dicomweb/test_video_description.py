"""What videos say of themselves (PS3.18 10.5.2), in boxes and headers laid out by hand."""

import io
from pathlib import Path
from struct import pack

import pytest
from pydicom import dcmread

from dicomweb.video_description import describe_video
from pacs.files import Scratch, Stretch
from pacs.pixels.description import PixelDescription
from tests.dicomweb.conftest import Library, Service
from tests.dicomweb.metadata_bodies import JSON, metadata_of, metadata_part, store

AVC = (b"avc1", b"avcC", bytes([1, 100, 0, 41]))
AVC_42 = (b"avc1", b"avcC", bytes([1, 100, 0, 42]))
HEVC_10 = (b"hvc1", b"hvcC", bytes([1, 2]))


def box(kind: bytes, *content: bytes) -> bytes:
    inner = b"".join(content)
    return pack(">I4s", 8 + len(inner), kind) + inner


def mp4(
    codec: tuple[bytes, bytes, bytes] = AVC, columns: int = 640, rows: int = 480, frames: int = 25
) -> bytes:
    """The index stands behind the pictures, as cameras leave it; a sound track comes first."""
    kind, configuration, content = codec
    entry = box(kind, bytes(24), pack(">HH", columns, rows), bytes(50), box(configuration, content))
    table = box(b"stbl", box(b"stsd", pack(">II", 0, 1), entry), box(b"stsz", pack(">III", 0, 0, frames)))
    sound = box(
        b"trak", box(b"mdia", box(b"minf", box(b"stbl", box(b"stsd", pack(">II", 0, 1), box(b"mp4a")))))
    )
    picture = box(b"trak", box(b"mdia", box(b"minf", table)))
    return box(b"ftyp", b"mp42") + box(b"mdat", bytes(5001)) + box(b"moov", sound, picture)


def told(folder: Path, stream: bytes, media_type: str = "video/mp4") -> PixelDescription | None:
    scratch = Scratch(folder)
    scratch.write(b"before" + stream + b"after")
    try:
        return describe_video(media_type, Stretch(6, len(stream)), scratch)
    finally:
        scratch.close()


@pytest.mark.parametrize(
    ("codec", "last", "bits"), [(AVC, "102", 8), (AVC_42, "104", 8), (HEVC_10, "108", 10)]
)
def test_mp4_tells_size_frames_and_codec(
    tmp_path: Path, codec: tuple[bytes, bytes, bytes], last: str, bits: int
) -> None:
    description = told(tmp_path, mp4(codec))
    assert description is not None
    assert (description.rows, description.columns, description.frames) == (480, 640, 25)
    assert (description.transfer_syntax_uid.rpartition(".")[2], description.stored) == (last, bits)


def test_mpeg2_tells_its_size(tmp_path: Path) -> None:
    stream = b"\0\0\1\xb3" + (720 << 12 | 576).to_bytes(3, "big") + bytes(40)
    description = told(tmp_path, stream, "video/mpeg2")
    assert description is not None
    assert (description.rows, description.columns, description.frames) == (576, 720, 0)


@pytest.mark.parametrize("length", range(0, len(mp4()), 97))
def test_cut_off_videos_do_no_harm(tmp_path: Path, length: int) -> None:
    assert told(tmp_path, mp4()[:length]) is None or length > 5000


def test_what_is_no_video_says_nothing(tmp_path: Path) -> None:
    for stream in (b"", b"\0" * 100, b"\xff" * 100, pack(">I4sQ", 1, b"moov", 1) + bytes(40)):
        assert told(tmp_path, stream) is None
        assert told(tmp_path, stream, "video/mpeg2") is None


def test_a_film_is_stored_with_what_it_tells(library: Library, service: Service) -> None:
    metadata = metadata_of(library.film)
    for key in ["00080016", "00280008", *(key for key in metadata if key.startswith("002800"))]:
        metadata.pop(key, None)
    response = store(service, [*metadata_part(JSON, metadata), ("video/mp4", "bulk/pixels", mp4(frames=9))])
    assert response.status_code == 200, response.text
    given = service.http.get(Library.path(library.film), headers={"Accept": "application/dicom"})
    stored = dcmread(io.BytesIO(given.content))
    assert (stored.Rows, stored.Columns, stored.NumberOfFrames) == (480, 640, 9)
    assert stored.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.4.1"
    assert stored.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.102"
    assert mp4(frames=9) in stored.PixelData
