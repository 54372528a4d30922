"""Command sets are coded as pynetdicom codes them (PS3.7 6.3)."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.tag import Tag
from pynetdicom.dsutils import decode, encode

from pacs.dimse.command import ELEMENTS, Command, decode_command, encode_command
from pacs.errors import ArchiveError, MalformedObject

VALUES = {
    "US": st.integers(0, 0xFFFF),
    "UI": st.from_regex(r"[1-9][0-9]{0,8}(\.[1-9][0-9]{0,8}){0,5}", fullmatch=True),
    "AE": st.text(st.characters(min_codepoint=33, max_codepoint=90), min_size=1, max_size=16),
    "LO": st.text(st.characters(min_codepoint=33, max_codepoint=90), min_size=1, max_size=64),
    "AT": st.integers(0, 0xFFFFFFFF),
}
TAGS = {"AttributeIdentifierList": st.lists(VALUES["AT"], min_size=2, max_size=9).map(tuple)}
COMMANDS = st.fixed_dictionaries(
    {}, optional={keyword: TAGS.get(keyword, VALUES[vr]) for keyword, vr in ELEMENTS.values()}
)


def as_dataset(command: Command) -> Dataset:
    dataset = Dataset()
    for number, (keyword, vr) in ELEMENTS.items():
        if keyword in command:
            value = command[keyword]
            dataset.add_new(Tag(0, number), vr, list(value) if isinstance(value, tuple) else value)
    return dataset


@given(COMMANDS)
def test_we_write_what_pynetdicom_writes(command: Command) -> None:
    theirs = encode(as_dataset(command), is_implicit_vr=True, is_little_endian=True) or b""
    assert encode_command(command)[12:] == theirs


@given(COMMANDS)
def test_we_read_what_we_write_and_so_does_pynetdicom(command: Command) -> None:
    written = encode_command(command)
    assert decode_command(written) == command
    theirs = decode(BytesIO(written), is_implicit_vr=True, is_little_endian=True)
    assert theirs.CommandGroupLength == len(written) - 12
    del theirs.CommandGroupLength
    assert theirs == as_dataset(command)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        assert isinstance(decode_command(data), dict)
    except ArchiveError as error:
        assert "command set" in str(error)


def test_a_length_beyond_the_end_is_refused() -> None:
    with pytest.raises(MalformedObject):
        decode_command(b"\0\0\x02\0\xff\0\0\0" + b"1.2")
