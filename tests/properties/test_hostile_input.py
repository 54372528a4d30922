"""Whatever comes is read or refused: no other error, nothing looked at again and again."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import AllTransferSyntaxes, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import read_elements
from pacs.dataset.header import read_header
from pacs.dataset.part10 import read_file_meta
from pacs.dataset.transfer_syntax import encoding_of, is_deflated
from pacs.errors import ArchiveError
from pacs.index.rows import search_columns
from pacs.model import Level
from testdata.files import part10
from tests.pacs.dataset.specimens import RECIPES
from tests.properties.generated import DAMAGE, Damage, damaged

SOUND = {
    name: part10(RECIPES[name]())
    for name in (
        "dose report",
        "enhanced ct",
        "key objects",
        "names in ISO 2022 IR 13\\ISO 2022 IR 87",
        "names in \\ISO 2022 IR 149",
        "names in GB18030",
        f"grey {ImplicitVRLittleEndian.name}",
        f"grey {ExplicitVRBigEndian.name}",
        f"grey {RLELossless.name}",
    )
}


def read_all(data: bytes) -> None:
    """What the archive reads of a file when it takes it in, and when it is asked for its metadata."""
    read = read_file_meta(data)
    if read is None:
        return
    meta, start = read
    header = read_header(data, meta.transfer_syntax_uid, start)
    for level in Level:
        assert orjson.dumps(header.level(level))
        search_columns(header.level(level), level)
    if not is_deflated(meta.transfer_syntax_uid):
        encoding = encoding_of(meta.transfer_syntax_uid)
        content = data[start:]
        written = JsonWriter(content, encoding, str).write(read_elements(content, encoding).elements)
        assert orjson.dumps(written)


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_are_read(name: str) -> None:
    read_all(SOUND[name])


@pytest.mark.parametrize("name", SOUND)
@given(damage=DAMAGE)
def test_damaged_files_are_read_or_refused(name: str, damage: list[Damage]) -> None:
    try:
        read_all(damaged(SOUND[name], damage))
    except ArchiveError as error:
        assert str(error)


@given(head=st.binary(max_size=300), rest=st.binary(max_size=300))
def test_any_bytes_behind_the_prefix_are_read_or_refused(head: bytes, rest: bytes) -> None:
    try:
        read_all(bytes(128) + b"DICM" + head + rest)
    except ArchiveError as error:
        assert str(error)


@given(data=st.binary(max_size=400), syntax=st.sampled_from(AllTransferSyntaxes))
def test_any_bytes_of_any_transfer_syntax_are_read_or_refused(data: bytes, syntax: str) -> None:
    with pytest.raises(ArchiveError):
        read_header(data, syntax)
