"""Reading messages (HL7 v2 chapter 2)."""

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7v2.answer import acknowledgement, header_of
from hl7v2.message import MOST_PARTS, Code, Message, MessageRefused
from hl7v2.receiver import messages_of

HEADER = "MSH|^~\\&|RIS|RAD|PACS|OSP|20261129||ORM^O01|M1|P|2.3.1"


def message(*segments: str, header: str = HEADER) -> Message:
    return Message("\r".join((header, *segments)).encode())


def test_fields_are_counted_as_in_the_standard() -> None:
    read = message("PID|1||A1^^^OSP&1.2&ISO^PI~B2^^^MEF|x", "", "ZDS|1.2^RIS")
    assert (read.header.text(9), read.header.text(9, 2), read.header.text(10)) == ("ORM", "O01", "M1")
    pid = read.first("PID")
    assert [one.part(1) for one in pid.values(3)] == ["A1", "B2"]
    first = pid.value(3)
    assert (first.part(4), first.part(4, 2), first.part(4, 3), first.part(5)) == ("OSP", "1.2", "ISO", "PI")
    assert (first.part(9), pid.text(99), pid.text(2), pid.values(2)) == ("", "", "", [])
    assert [one.name for one in read] == ["MSH", "PID", "ZDS"]
    with pytest.raises(MessageRefused, match="OBR: the segment is missing"):
        read.first("OBR")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("D\\X27\\Al\\XF2\\", "D'Alò"),
        ("\\H\\alta\\N\\ priorità", "alta priorità"),
        ("C:\\temp", "C:\\temp"),
        ("\\Zxyz\\", "\\Zxyz\\"),
        ('""', ""),
        ("  torace ", "torace"),
    ],
)
def test_escape_sequences(written: str, meant: str) -> None:
    assert message(f"NTE|1||{written}").first("NTE").text(3) == meant


def test_other_separators_are_those_of_the_message() -> None:
    read = message("PID*1**A1:::OSP%1.2", header="MSH*:~!%*RIS")
    assert (read.first("PID").text(3), read.first("PID").value(3).part(4, 2)) == ("A1", "1.2")


@pytest.mark.parametrize(
    ("named", "codec"),
    [
        ("8859/1", "latin-1"),
        ("8859/15", "iso8859-15"),
        ("UNICODE UTF-8", "utf-8"),
        ("", "utf-8"),
        ("", "latin-1"),
        ("ASCII", "latin-1"),
    ],
)
def test_text_is_in_the_character_set_of_msh_18(named: str, codec: str) -> None:
    text = f"{HEADER}||||||{named}\rNTE|1||Niccolò è già là"
    assert Message(text.encode(codec)).first("NTE").text(3) == "Niccolò è già là"


def refusal(content: bytes) -> MessageRefused:
    with pytest.raises(MessageRefused) as refused:
        Message(content)
    return refused.value


def test_what_cannot_be_read_is_named() -> None:
    for content in (b"", b"PID|1", b"\x00\xff", b"MSH", b"GET / HTTP/1.1"):
        assert refusal(content).where == "MSH", content
    for signs in (b"^^^^", b"^\r\\&", b"^~\\&\r", b"^~\\&&"):
        assert refusal(b"MSH|" + signs + b"|RIS").where == "MSH-2", signs
    assert refusal(f"{HEADER}||||||KLINGON".encode()).where == "MSH-18"
    wrong = refusal(f"{HEADER}||||||UNICODE UTF-8\rNTE|1||".encode() + b"\xf2")
    assert (wrong.where, wrong.code) == ("MSH-18", Code.DATA_TYPE)
    assert "parts" in str(refusal(HEADER.encode() + b"\rZZZ" + b"|" * MOST_PARTS))


def test_a_second_head_without_fields_is_passed_over() -> None:
    message = Message(f"{HEADER}\rMSH\r\rNTE|1||on".encode())
    assert [segment.name for segment in message] == ["MSH", "MSH", "NTE"]
    assert message.first("NTE").text(3) == "on"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for whole in (content, b"MSH|^~\\&|" + content):
        try:
            assert Message(whole).header.name == "MSH"
        except MessageRefused as refused:
            assert str(refused)
        answer = acknowledgement(header_of(whole), None)
        assert answer.startswith(b"MSH|^~\\&|")
        assert hl7.parse(answer.decode())[1][0][0] == "MSA"


def test_a_file_holds_messages_one_after_the_other() -> None:
    one, other = f"{HEADER}\rPID|1", f"{HEADER}\nPID|2\n"
    content = f"FHS|^~\\&\rBHS|^~\\&\r\n{one}\r\n\r\n{other}BTS|2\rFTS|1".encode()
    assert [Message(each).first("PID").text(1) for each in messages_of(content)] == ["1", "2"]
    assert list(messages_of(b"\r\n")) == []


def test_an_acknowledgement_says_what_is_wrong_and_where() -> None:
    asked = header_of(f"{HEADER}||||||8859/1".encode())
    told = hl7.parse(acknowledgement(asked, None).decode())
    assert [str(told[0][number]) for number in (3, 4, 5, 6)] == ["PACS", "OSP", "RIS", "RAD"]
    assert str(told[0][9]) == "ACK^O01^ACK"
    assert (str(told[0][12]), str(told[1])) == ("2.3.1", "MSA|AA|M1")
    refused = MessageRefused(Code.MISSING, "PID-3", "the patient has no identifier | ^")
    told = hl7.parse(acknowledgement(asked, refused).decode())
    assert str(told[1]) == "MSA|AE|M1|PID-3: the patient has no identifier \\F\\ \\S\\"
    err = told[2]
    assert (str(err[2]), str(err[3]), str(err[4])) == (
        "PID^1^3",
        "101^Required field missing^HL70357",
        "E",
    )
    rejected = MessageRefused(Code.MESSAGE_TYPE, "MSH-9", "this takes ORM^O01")
    assert b"\rMSA|AR|M1|" in acknowledgement(asked, rejected)
