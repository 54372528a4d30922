"""Transfer syntaxes, and how far a deflated data set may grow."""

import zlib

import pytest
from pydicom.uid import UID, AllTransferSyntaxes, DeflatedExplicitVRLittleEndian

from pacs.dataset import transfer_syntax
from pacs.dataset.transfer_syntax import encoding_of, inflate, is_deflated
from pacs.errors import MalformedObject, UnsupportedObject


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


# Streams of video and sound (PS3.22) are never files of elements.
OF_FILES = [uid for uid in AllTransferSyntaxes if not uid.startswith("1.2.840.10008.1.2.7.")]


@pytest.mark.parametrize("uid", OF_FILES, ids=lambda uid: uid.name)
def test_every_transfer_syntax_is_written_as_pydicom_says(uid: UID) -> None:
    encoding = encoding_of(uid)
    assert encoding.explicit is not uid.is_implicit_VR
    assert encoding.little_endian is uid.is_little_endian
    assert is_deflated(uid) is uid.is_deflated


@pytest.mark.parametrize(
    "uid",
    [
        "",
        "1.2.3",
        "1.2.840.10008.1.2.",
        "1.2.840.10008.1.1",
        "1.2.840.10008.1.2.6.2",
        "1.2.840.10008.1.2.7.1",
    ],
)
def test_what_is_no_file_of_elements_is_not_supported(uid: str) -> None:
    with pytest.raises(UnsupportedObject) as refused:
        encoding_of(uid)
    assert refused.value.tag == 0x00020010


@pytest.mark.parametrize("behind", [b"", b"\0", b"whatever follows"])
def test_a_deflated_data_set_is_inflated_up_to_its_end(behind: bytes) -> None:
    assert is_deflated(DeflatedExplicitVRLittleEndian)
    assert inflate(deflated(b"data set" * 1000) + behind) == b"data set" * 1000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends too early"),
        (deflated(b"data set" * 1000)[:-3], "ends too early"),
        (b"\xff" * 20, "cannot be inflated"),
        (zlib.compress(b"data set"), "cannot be inflated"),
    ],
    ids=["nothing", "broken off", "no deflate", "with the head of zlib"],
)
def test_what_cannot_be_inflated_is_malformed(data: bytes, words: str) -> None:
    with pytest.raises(MalformedObject, match=words):
        inflate(data)


def test_nothing_inflates_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_syntax, "INFLATED_LIMIT", 1 << 20)
    assert len(inflate(deflated(bytes(1 << 20)))) == 1 << 20
    with pytest.raises(MalformedObject, match="beyond 1 MB"):
        inflate(deflated(bytes((1 << 20) + 1)))
    with pytest.raises(MalformedObject, match="beyond 1 MB"):
        inflate(deflated(bytes(64 << 20)))


def test_the_limit_is_one_that_memory_bears() -> None:
    assert 1 << 26 <= transfer_syntax.INFLATED_LIMIT <= 1 << 28
