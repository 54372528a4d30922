"""A name in the bytes of each Defined Term of Specific Character Set (PS3.3 Tables C.12-2 to C.12-5).

The bytes are written down here, from the annexes of PS3.5 where these have an example, by no library.
"""

from dataclasses import dataclass

from pydicom.uid import SecondaryCaptureImageStorage

from testdata.raw_bytes import fields, written
from testdata.studies import uid


@dataclass(frozen=True)
class Named:
    """A name as it is read, and as it is stored.

    terms: the value of Specific Character Set, as the element has it.  example: of PS3.5, or empty.
    """

    terms: str
    name: str
    stored: bytes
    example: str = ""

    @property
    def study(self) -> str:
        """The UID of the study of its object."""
        return uid("defined term", self.terms)

    @property
    def instance(self) -> str:
        """The UID of its object, whose class is in SOP_CLASS."""
        return uid("defined term", self.terms, "instance")

    def data_set(self) -> bytes:
        """A little picture of its own patient and study, in Explicit VR Little Endian."""
        return written(
            fields(self.terms)
            | {
                0x00080005: ("CS", self.terms.encode()),
                0x00080018: ("UI", self.instance.encode()),
                0x00100010: ("PN", self.stored),
                0x00100020: ("LO", f"TERM{ROWS.index(self)}".encode()),
                0x0020000D: ("UI", self.study.encode()),
                0x0020000E: ("UI", uid("defined term", self.terms, "series").encode()),
            }
        )


SOP_CLASS = SecondaryCaptureImageStorage

_JAPANESE = b"\x1b$B;3ED%s^\x1b$BB@O:%s=\x1b$B$d$^$@%s^\x1b$B$?$m$&%s"
_KOREAN = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
_CHINESE = b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"

# Tables C.12-2 and C.12-3: by the number of its registration what designates the set as G1, and a name in it
_SINGLE_BYTE: dict[int, tuple[bytes, str, bytes]] = {
    100: (b"-A", "Günther^Jörg", b"G\xfcnther^J\xf6rg"),
    101: (b"-B", "Żuk^Łucja", b"\xafuk^\xa3ucja"),
    109: (b"-C", "Ħaż^Ġorġ", b"\xa1a\xbf^\xd5or\xf5"),
    110: (b"-D", "Bērziņš^Jānis", b"B\xbarzi\xf1\xb9^J\xe0nis"),
    144: (b"-L", "Лунин^Пётр", b"\xbb\xe3\xdd\xd8\xdd^\xbf\xf1\xe2\xe0"),
    127: (b"-G", "نور^ليلى", b"\xe6\xe8\xd1^\xe4\xea\xe4\xe9"),
    126: (b"-F", "Λάμπρου^Ελένη", b"\xcb\xdc\xec\xf0\xf1\xef\xf5^\xc5\xeb\xdd\xed\xe7"),
    138: (b"-H", "לוי^נעמי", b"\xec\xe5\xe9^\xf0\xf2\xee\xe9"),
    148: (b"-M", "Çağ^Işıl", b"\xc7a\xf0^I\xfe\xfdl"),
    203: (b"-b", "Lefœuvre^Zoë", b"Lef\xbduvre^Zo\xeb"),
    166: (b"-T", "ใจดี^สมชาย", b"\xe3\xa8\xb4\xd5^\xca\xc1\xaa\xd2\xc2"),
    13: (b")I", "ﾔﾏﾀﾞ^ﾀﾛｳ", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
}

ROWS: tuple[Named, ...] = (
    Named("ISO_IR 6", "Smith^John", b"Smith^John"),
    *(Named(f"ISO_IR {number}", name, stored) for number, (_, name, stored) in _SINGLE_BYTE.items()),
    *(  # each component begins with the default repertoire again (PS3.5 6.1.2.5.3)
        Named(
            f"\\ISO 2022 IR {number}",
            name,
            b"^".join(b"\x1b" + designation + component for component in stored.split(b"^")),
        )
        for number, (designation, name, stored) in _SINGLE_BYTE.items()
    ),
    Named(
        "\\ISO 2022 IR 87",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        b"Yamada^Tarou=" + _JAPANESE % ((b"\x1b(B",) * 4),
        "H.3.1",
    ),
    Named(
        "ISO 2022 IR 13\\ISO 2022 IR 87",
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=" + _JAPANESE % ((b"\x1b(J",) * 4),
        "H.3.2",
    ),
    Named(
        "\\ISO 2022 IR 87\\ISO 2022 IR 159",
        "Mori^Ogai=森^鷗外",
        b"Mori^Ogai=\x1b$B?9\x1b(B^\x1b$(Dl?\x1b$B30\x1b(B",
    ),
    Named("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", _KOREAN, "I.2"),
    Named("ISO 2022 IR 6\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", _KOREAN),
    Named(
        "\\ISO 2022 IR 58",
        "Zhang^XiaoDong=张^小东",
        b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab",
        "K.2",
    ),
    Named(
        "ISO_IR 192",
        "Wang^XiaoDong=王^小東",
        b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
        "J.1",
    ),
    Named("GB18030", "Wang^XiaoDong=王^小东", _CHINESE, "J.3"),
    Named("GBK", "Wang^XiaoDong=王^小东", _CHINESE, "J.3"),
)
