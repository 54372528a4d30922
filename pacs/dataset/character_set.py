"""Text in the character sets of DICOM: out of bytes into Unicode, and back (PS3.3 C.12.1.1.2, PS3.5 6.1.2).

Reading is liberal: misspelt terms, sets that are used but not named, and escapes that were left out. Writing
is strict: what a set does not hold is not written in it.

The backslash and the tilde of ISO_IR 13 are read as those of ASCII, which a yen sign and an overline take
the places of: an identifier is the same, whoever sends it.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

_ESCAPE = b"\x1b"


class _Set(NamedTuple):
    """A coded character set that is designated as G0 or G1 (ISO 2022).

    codec: of Python, which has ASCII below and the set above.  escape: what follows the escape character.
    width: bytes of a character.  in_g0: whether it takes the place of ASCII.
    lead: what the codec writes before each character.
    exact: a codec that has no other characters, where the first has more, for what others have sent.
    """

    codec: str
    escape: bytes
    width: int = 1
    in_g0: bool = False
    lead: bytes = b""
    exact: str = ""

    def encoded(self, character: str) -> bytes:
        """The bytes of a character; none where the set does not hold it."""
        whole = character.encode(self.codec, "ignore")
        code = whole[len(self.lead) :]
        first = 0xA0 if self.width == 1 else 0xA1  # of a set of 96 characters, or of 94 by 94 (ISO 2022)
        if not whole.startswith(self.lead) or len(code) != self.width or min(code) < first:
            return b""
        if self.exact and not whole.decode(self.exact, "ignore"):
            return b""
        return bytes(byte & 0x7F for byte in code) if self.in_g0 else code

    def decoded_pairs(self, pairs: bytes) -> str:
        """Text of a set in G0, of two bytes each."""
        codes = (bytes((pairs[at] | 0x80, pairs[at + 1] | 0x80)) for at in range(0, len(pairs), 2))
        return "".join((self.lead + code).decode(self.codec, "ignore") or "\ufffd" for code in codes)


# PS3.3 Tables C.12-2 to C.12-4, by the number of their registration. ISO-IR 6 is ASCII, always there in G0.
_SETS: dict[int, _Set] = {
    100: _Set("latin_1", b"-A"),
    101: _Set("iso8859_2", b"-B"),
    109: _Set("iso8859_3", b"-C"),
    110: _Set("iso8859_4", b"-D"),
    144: _Set("iso8859_5", b"-L"),
    127: _Set("iso8859_6", b"-G"),
    126: _Set("iso8859_7", b"-F"),
    138: _Set("iso8859_8", b"-H"),
    148: _Set("iso8859_9", b"-M"),
    203: _Set("iso8859_15", b"-b"),
    166: _Set("tis_620", b"-T"),
    13: _Set("shift_jis", b")I"),
    87: _Set("euc_jp", b"$B", width=2, in_g0=True),
    159: _Set("euc_jp", b"$(D", width=2, in_g0=True, lead=b"\x8f"),
    149: _Set("cp949", b"$)C", width=2),
    58: _Set("gbk", b"$)A", width=2, exact="gb2312"),
}
_ASCII, _KATAKANA = 6, 13

# PS3.3 Table C.12-5: the codec to read with, which may know more, and the one to write with
_WITHOUT_EXTENSIONS = {
    "ISO_IR 192": ("utf-8", "utf-8"),
    "GB18030": ("gb18030", "gb18030"),
    "GBK": ("gb18030", "gbk"),
}

# The terms that are understood, as PS3.3 has them, for those who tell of us
DEFINED_TERMS: tuple[str, ...] = (
    *(f"ISO_IR {number}" for number, one in _SETS.items() if one.width == 1),
    *(f"ISO 2022 IR {number}" for number in (_ASCII, *_SETS)),
    *_WITHOUT_EXTENSIONS,
)

# By which other names the sets are called, in capitals, without all that is no letter and no digit
_ISO_8859 = {1: 100, 2: 101, 3: 109, 4: 110, 5: 144, 6: 127, 7: 126, 8: 138, 9: 148, 11: 166, 15: 203}
_LATIN = {1: 100, 2: 101, 3: 109, 4: 110, 5: 148, 9: 203}
_NUMBERS_BY_NAME = {
    **{f"ISO8859{part}": number for part, number in _ISO_8859.items()},
    **{f"LATIN{part}": number for part, number in _LATIN.items()},
    **dict.fromkeys(("ASCII", "USASCII"), _ASCII),
    **dict.fromkeys(("EUCKR", "KSX1001", "KSC5601"), 149),
    **dict.fromkeys(("SHIFTJIS", "SJIS"), _KATAKANA),
    "ISO2022JP": 87,
    "GB2312": 58,
    "TIS620": 166,
}
_TERMS_BY_NAME = {"UTF8": "ISO_IR 192", "GB18030": "GB18030", "GBK": "GBK", "ISO2022GBK": "GBK"}
_UNICODE_NUMBER = 192
_REGISTERED = re.compile(r"ISO(?:2022)?(?:IR)?(\d{1,3})")

_DESIGNATION = re.compile(rb"\$[()][A-Z]|\$[@B]|[-()][A-Za-z]")
# What is designated; None for the letters of ISO-IR 6 and ISO-IR 14
_DESIGNATED: dict[bytes, _Set | None] = {
    **{one.escape: one for one in _SETS.values()},
    b"$@": _SETS[87],  # of 1978, with the same places
    b"(B": None,
    b"(J": None,
}

# PS3.5 6.1.2.5.3: before and behind these the set of Value 1 is active
_CONTROLS = r"\r\n\f\t"
_DELIMITERS = {"PN": r"\\^=", **dict.fromkeys(("LO", "SH", "UC"), rf"\\{_CONTROLS}")}
_PARTED = {
    vr: re.compile(rf"([{_DELIMITERS.get(vr, _CONTROLS)}])")
    for vr in ("PN", "LO", "SH", "UC", "LT", "ST", "UT")
}
_PARTED_BYTES = {vr: re.compile(pattern.pattern.encode()) for vr, pattern in _PARTED.items()}
# Of two bytes in G0, any of which may be a delimiter's
_CONTROL_BYTES = re.compile(rf"[{_CONTROLS}]".encode())
_PAIRS = re.compile(rb"((?:[!-~][!-~])+)")


class CharacterSet:
    """What Specific Character Set names.

    terms: its Defined Terms; none for the default repertoire, and where it names nothing that is known.
    """

    def __init__(self, values: tuple[str, ...]) -> None:
        """values: of Specific Character Set, with empty ones, however they are spelt."""
        read = [_term(value) for value in values]
        first = read[0] if read else None
        self._alone = first if isinstance(first, str) else None
        numbers = [] if self._alone else list(dict.fromkeys(one for one in read if isinstance(one, int)))
        if not isinstance(first, int):
            numbers.insert(0, _ASCII)
        self._sets = [_SETS[number] for number in numbers if number in _SETS]
        self.terms = (self._alone,) if self._alone else _terms(values, numbers)
        self._return = _ESCAPE + (b"(J" if numbers[:1] == [_KATAKANA] else b"(B")
        upper = [one for one in self._sets if not one.in_g0]
        # What Value 1 designates as G1, and what is meant by bytes there where it designates none
        has_own = numbers[0] in _SETS and _SETS[numbers[0]].width == 1
        self._first = upper[0] if has_own else None
        self._assumed = upper[0] if upper else None

    def decode(self, raw: bytes, vr: str) -> str:
        """The text of a value, or of several with their backslashes; what cannot be read is replaced."""
        if self._alone is not None:
            return raw.decode(_WITHOUT_EXTENSIONS[self._alone][0], "replace")
        first, *others = raw.split(_ESCAPE)
        text = [_decoded(first, None, self._assumed)]
        initial: _State = None, self._assumed
        state = initial
        for fragment in others:
            state, rest = _designate(state, fragment)
            text += ["\x1b"] if rest is fragment else []
            pattern = _PARTED_BYTES[vr] if state[0] is None else _CONTROL_BYTES
            end = pattern.search(rest) if state != initial else None
            at = end.start() if end else len(rest)
            text.append(_decoded(rest[:at], *state))
            if end:
                state = initial
                text.append(_decoded(rest[at:], *state))
        return "".join(text)

    def encode(self, text: str, vr: str) -> bytes | None:
        """The bytes of a value, or of several with their backslashes; None where the set does not hold it."""
        if self._alone is not None:
            try:
                return text.encode(_WITHOUT_EXTENSIONS[self._alone][1])
            except UnicodeEncodeError:
                return None
        if "\x1b" in text:
            return None  # it would not be read as it was
        if text.isascii():
            return text.encode("ascii")
        parts = [self._encoded(part) for part in _PARTED[vr].split(text)]
        return None if None in parts else b"".join(filter(None, parts))

    def _encoded(self, part: str) -> bytes | None:
        """A part between delimiters. Before each, as after it, the sets of Value 1 are designated."""
        written = bytearray()
        lower: _Set | None = None
        upper = self._first
        for character in part:
            if character.isascii():
                written += self._return if lower else b""
                lower = None
                written += character.encode("ascii")
                continue
            active = [one for one in (lower, upper) if one is not None]
            held, code = _holding(character, (*active, *self._sets))
            if held is None:
                return None
            if held not in active:
                written += _ESCAPE + held.escape
            lower, upper = (held, upper) if held.in_g0 else (lower, held)
            written += code
        written += self._return if lower else b""
        if self._first is not None and upper is not self._first:
            written += _ESCAPE + self._first.escape
        return bytes(written)


@lru_cache(64)
def character_set(values: tuple[str, ...]) -> CharacterSet:
    """That of these values of Specific Character Set."""
    return CharacterSet(values)


def character_set_of(element: dict[str, Any]) -> CharacterSet:
    """That of an element of DICOM JSON; the default one where it is no Code String, or there is none."""
    values = element.get("Value", ()) if element.get("vr") == "CS" else ()
    return character_set(tuple(value if isinstance(value, str) else "" for value in values))


def _term(value: str) -> int | str | None:
    """What a value names: a registered set by its number, or one without extensions by its term."""
    name = re.sub(r"[^A-Z0-9]", "", value.upper())
    if name in _TERMS_BY_NAME:
        return _TERMS_BY_NAME[name]
    match = _REGISTERED.fullmatch(name)
    number = _NUMBERS_BY_NAME.get(name) or (int(match[1]) if match else 0)
    if number == _UNICODE_NUMBER:
        return "ISO_IR 192"
    return number if number in _SETS or number == _ASCII else None


def _terms(values: tuple[str, ...], numbers: list[int]) -> tuple[str, ...]:
    """The Defined Terms of sets with these numbers, with code extensions where there are several."""
    first, *others = numbers
    if not others and first == _ASCII:
        return ()
    if not others and _SETS[first].width == 1:
        return (f"ISO 2022 IR {first}" if "2022" in values[0] else f"ISO_IR {first}",)
    extended = tuple(f"ISO 2022 IR {number}" for number in numbers if number != _ASCII)
    # Sets of two bytes are none for Value 1, which is empty before them (Table C.12-4)
    return extended if first in _SETS and _SETS[first].width == 1 else ("", *extended)


_State = tuple[_Set | None, _Set | None]  # what is G0, None for ASCII, and what is G1


def _designate(state: _State, fragment: bytes) -> tuple[_State, bytes]:
    """What follows an escape character: the sets that are designated then, and the rest of it."""
    match = _DESIGNATION.match(fragment)
    if match is None or match[0] not in _DESIGNATED:
        return state, fragment
    designated = _DESIGNATED[match[0]]
    lower, upper = state
    if designated is None or designated.in_g0:
        return (designated, upper), fragment[match.end() :]
    return (lower, designated), fragment[match.end() :]


def _decoded(raw: bytes, lower: _Set | None, upper: _Set | None) -> str:
    if lower is None:
        return _decoded_upper(raw, upper)
    odd_are_pairs = enumerate(_PAIRS.split(raw))
    return "".join(
        lower.decoded_pairs(part) if at % 2 else _decoded_upper(part, upper) for at, part in odd_are_pairs
    )


def _decoded_upper(raw: bytes, upper: _Set | None) -> str:
    """Text with ASCII in G0. Where nobody says what is in G1, it is UTF-8 if it is that, else Latin-1."""
    if upper is not None:
        return raw.decode(upper.codec, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _holding(character: str, sets: Iterable[_Set]) -> tuple[_Set | None, bytes]:
    """The first set that holds a character, and its bytes there."""
    return next(((one, code) for one in sets if (code := one.encoded(character))), (None, b""))


DEFAULT = character_set(())
UTF_8 = character_set(("ISO_IR 192",))
