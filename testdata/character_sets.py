"""One small object for each character set, with names that need it (PS3.3 C.12.1.1.2, PS3.5 6.1)."""

from dataclasses import dataclass, replace

import numpy as np
from pydicom import Dataset

from testdata.patients import NICCOLO
from testdata.secondary_capture import secondary_capture
from testdata.studies import CHEST_XRAY, uid


@dataclass(frozen=True)
class Written:
    """Names as read, and one as it must be stored.

    terms: values of Specific Character Set.  name: PatientName.  description: StudyDescription.
    stored: the bytes of the name, written down here by hand or from the standard, not by what is tested.
    """

    terms: tuple[str, ...]
    name: str
    description: str
    stored: bytes


# By the terms, joined as the element joins them. The Japanese, Korean and Chinese names are the examples of
# PS3.5 H.3, I.2 and J.3; the others are made up.
CHARACTER_SETS: dict[str, Written] = {
    "\\".join(written.terms): written
    for written in (
        Written(("ISO_IR 100",), "Pètrini^Niccolò", "Età: già nota", b"P\xe8trini^Niccol\xf2"),
        Written(("ISO_IR 101",), "Żuk^Łucja", "Płuca", b"\xafuk^\xa3ucja"),
        Written(("ISO_IR 144",), "Лунин^Пётр", "Грудь", b"\xbb\xe3\xdd\xd8\xdd^\xbf\xf1\xe2\xe0"),
        Written(("ISO_IR 127",), "نور^ليلى", "صدر", b"\xe6\xe8\xd1^\xe4\xea\xe4\xe9"),
        Written(
            ("ISO_IR 126",), "Λάμπρου^Ελένη", "Θώρακας", b"\xcb\xdc\xec\xf0\xf1\xef\xf5^\xc5\xeb\xdd\xed\xe7"
        ),
        Written(("ISO_IR 138",), "לוי^נעמי", "חזה", b"\xec\xe5\xe9^\xf0\xf2\xee\xe9"),
        Written(("ISO_IR 166",), "ใจดี^สมชาย", "ทรวงอก", b"\xe3\xa8\xb4\xd5^\xca\xc1\xaa\xd2\xc2"),
        Written(
            ("ISO_IR 192",),
            "Pètrini^Niccolò=王^小東",
            "Età: già nota — 胸部",
            b"P\xc3\xa8trini^Niccol\xc3\xb2=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1",
        ),
        Written(("GB18030",), "Wang^XiaoDong=王^小东", "胸部", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab"),
        Written(
            ("", "ISO 2022 IR 87"),
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            "胸部",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        ),
        Written(
            ("ISO 2022 IR 13", "ISO 2022 IR 87"),
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
            "胸部",
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
        ),
        Written(
            ("", "ISO 2022 IR 149"),
            "Hong^Gildong=洪^吉洞=홍^길동",
            "흉부",
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        ),
    )
}


def in_character_set(terms: str) -> Dataset:
    """A tiny picture whose patient and study are named in the character set; terms: a key of CHARACTER_SETS.

    Each set has a patient and a study of its own.
    """
    written = CHARACTER_SETS[terms]
    number = 100 + list(CHARACTER_SETS).index(terms)
    patient = replace(NICCOLO, identifier=f"{NICCOLO.identifier}-{number}")
    study = replace(CHEST_XRAY, seed=number, patient=patient)
    dataset = secondary_capture(np.arange(64, dtype=np.uint8).reshape(8, 8), study=study)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid("character set", terms)
    dataset.SpecificCharacterSet = list(written.terms) if len(written.terms) > 1 else written.terms[0]
    # What the defaults write in Latin-1 does not exist in the other sets.
    dataset.ReferringPhysicianName = "Cantu^Noe"
    dataset.PatientName = written.name
    dataset.StudyDescription = written.description
    return dataset
