"""What is asked of an archive, and what it must find: one table for the index, C-FIND and QIDO-RS.

`data_sets` gives the objects to store, `CASES` the questions with the labels of what they must find, and
`label_of` the label of an answer. A label is a letter for the study, with a digit for the series and a letter
for the instance, such as "A1b"; a patient has that of the first study.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    EnhancedCTImageStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

from pacs.model import DicomJson, Level
from pacs.query import PLAIN, Semantics
from testdata.composite import file_meta
from testdata.studies import uid

# By keyword, or by two keywords joined by a point where the value lies in the item of a sequence.
Values = Mapping[str, str]

_PROCEDURE_STEP = "RequestAttributesSequence.ScheduledProcedureStepID"
_PROCEDURE = "RequestAttributesSequence.RequestedProcedureID"
_ISSUER = "IssuerOfAccessionNumberSequence.LocalNamespaceEntityID"

_JOSE = {
    "PatientName": "Pérez^José",
    "PatientID": "P1",
    "IssuerOfPatientID": "NORD",
    "PatientBirthDate": "19700101",
    "PatientSex": "M",
}

# Patient and study. What is not there is left out of the objects.
STUDIES: dict[str, Values] = {
    "A": {
        **_JOSE,
        "StudyDate": "20240101",
        "StudyTime": "080000",
        "AccessionNumber": "ACC-1",
        _ISSUER: "RIS",
        "StudyID": "1",
        "StudyDescription": "TC Tòrace con mdc",
        "ReferringPhysicianName": "Cantù^Noè",
    },
    "B": {
        "PatientName": "PEREZ^MARIA",
        "PatientID": "P1",
        "IssuerOfPatientID": "SUD",
        "PatientBirthDate": "19701231",
        "PatientSex": "F",
        "StudyDate": "20240229",
        "StudyTime": "101530.5",
        "AccessionNumber": "ACC-10",
        _ISSUER: "ris",
        "StudyID": "01",
        "StudyDescription": "tc torace",
        "ReferringPhysicianName": "CANTU^NOE",
    },
    "C": {
        "PatientName": "Perez Gomez^Ana",
        "PatientID": "p1",
        "PatientBirthDate": "19800615",
        "PatientSex": "F",
        "StudyDate": "20241231",
        "StudyTime": "235959.999999",
        "AccessionNumber": "acc-1",
        "StudyDescription": "RM àddome",
    },
    "D": {
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "PatientID": "P_2",
        "PatientBirthDate": "19991231",
        "PatientSex": "O",
        "StudyDate": "20250101",
        "StudyTime": "00",
        "StudyDescription": "100% dose",
        "ReferringPhysicianName": "Hong^Gildong=洪^吉洞=홍^길동",
    },
    "E": {
        "PatientName": "O'Brien^Seán",
        "PatientID": "P%2",
        "StudyDate": "20250102",
        "StudyTime": "0915",
        "AccessionNumber": "A_1",
        "StudyDescription": "100_ dose",
    },
    "F": {
        "PatientName": "Rossi",
        "PatientID": "P-2",
        "StudyDate": "2025.01.03",
        "StudyTime": "09:15:30",
        "AccessionNumber": "AX1",
        "StudyDescription": "1000 dose",
    },
    "G": {},
    "H": {**_JOSE, "StudyDate": "20250101", "StudyTime": "120000", "AccessionNumber": "ACC-2"},
}

SERIES: dict[str, Values] = {
    "A1": {
        "SOPClassUID": CTImageStorage,
        "Modality": "CT",
        "SeriesNumber": "1",
        "SeriesDescription": "Tòrace 5 mm",
        "SeriesDate": "20240101",
        "SeriesTime": "080100",
        "BodyPartExamined": "CHEST",
        "StationName": "CT1",
        "InstitutionName": "Ospedale di Prova",
        "ProtocolName": "Torace STANDARD",
        _PROCEDURE_STEP: "SPS-1",
        _PROCEDURE: "RP-1",
        "PerformedProcedureStepStartDate": "20240101",
        "PerformedProcedureStepStartTime": "075500",
    },
    "A2": {
        "SOPClassUID": EnhancedCTImageStorage,
        "Modality": "CT",
        "SeriesNumber": "2",
        "SeriesDescription": "torace 1 mm",
        "BodyPartExamined": "chest",
        _PROCEDURE_STEP: "SPS-2",
        _PROCEDURE: "RP-1",
    },
    "A3": {"SOPClassUID": ComprehensiveSRStorage, "Modality": "SR", "SeriesNumber": "10"},
    "B1": {
        "SOPClassUID": CTImageStorage,
        "Modality": "CT",
        "SeriesNumber": "-1",
        "SeriesDate": "20240301",
        "InstitutionName": "OSPEDALE DI PRÒVA",
    },
    "C1": {"SOPClassUID": MRImageStorage, "Modality": "MR", "SeriesNumber": "1"},
    "C2": {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "MR", "SeriesNumber": "2"},
    "D1": {"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "OT"},
    "E1": {"SOPClassUID": CTImageStorage, "Modality": "CT", "SeriesNumber": "0"},
    "F1": {"SOPClassUID": MRImageStorage, "Modality": "MR", "SeriesNumber": "123456789"},
    "G1": {"SOPClassUID": SecondaryCaptureImageStorage},
    "H1": {"SOPClassUID": MRImageStorage, "Modality": "MR", "SeriesNumber": "1"},
}

INSTANCES: dict[str, Values] = {
    **{f"{series}a": {"InstanceNumber": "1"} for series in SERIES},
    "A1a": {
        "InstanceNumber": "1",
        "ContentDate": "20240101",
        "ContentTime": "080130",
        "AcquisitionDate": "20231231",
        "AcquisitionTime": "235959",
    },
    "A1b": {"InstanceNumber": "2", "ContentDate": "20240102", "ContentTime": "0802"},
    "A1c": {"InstanceNumber": "10"},
    "D1a": {},
}


def uid_of(label: str) -> str:
    """The UID of the study, series or instance of this label."""
    return uid("query case", label)


def data_sets() -> Iterator[Dataset]:
    """The objects to store, in the order of their labels."""
    for label in sorted(INSTANCES):
        dataset = Dataset()
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for values in (STUDIES[label[0]], SERIES[label[:2]], INSTANCES[label]):
            for path, value in values.items():
                _set(dataset, path, value)
        dataset.StudyInstanceUID = uid_of(label[0])
        dataset.SeriesInstanceUID = uid_of(label[:2])
        dataset.SOPInstanceUID = uid_of(label)
        dataset.file_meta = file_meta(dataset)
        yield dataset


def _set(dataset: Dataset, path: str, value: str) -> None:
    sequence, _, keyword = path.rpartition(".")
    if sequence and sequence not in dataset:
        setattr(dataset, sequence, [Dataset()])
    setattr(dataset[sequence].value[0] if sequence else dataset, keyword, value)


def label_of(level: Level, attributes: DicomJson) -> str:
    """The label of an answer. A patient needs Patient ID and its issuer in it, the others their own UID."""
    if level is Level.PATIENT:
        patient = _text(attributes, "00100020"), _text(attributes, "00100021")
        return _PATIENTS[patient]
    key = {Level.STUDY: "0020000D", Level.SERIES: "0020000E", Level.INSTANCE: "00080018"}[level]
    return _LABELS[_text(attributes, key)]


def _text(attributes: DicomJson, key: str) -> str:
    return str((attributes.get(key, {}).get("Value") or [""])[0] or "")


_LABELS = {uid_of(label): label for label in (*STUDIES, *SERIES, *INSTANCES)}
_PATIENTS = {
    (values.get("PatientID", ""), values.get("IssuerOfPatientID", "")): label
    for label, values in reversed(STUDIES.items())
}


@dataclass(frozen=True)
class Case:
    """A question: the level asked, for each key its values, and the labels of all that must be found.

    keys: by keyword or path; several values are a list, which each protocol joins with its own separator.
    """

    level: Level
    keys: Mapping[str, tuple[str, ...]]
    found: frozenset[str]
    semantics: Semantics = PLAIN

    def __str__(self) -> str:
        keys = (f"{path.rpartition('.')[2]}={','.join(values)}" for path, values in self.keys.items())
        return f"{self.level.name.lower()}: {' '.join(keys)}"


def _cases(level: Level, rows: dict[str, dict[str, str]]) -> list[Case]:
    """rows: by path, then by value, what must be found. Backslashes part the values of a list."""
    return [
        Case(level, {path: tuple(value.split("\\"))}, frozenset(found.split()))
        for path, values in rows.items()
        for value, found in values.items()
    ]


def _uids(*labels: str) -> str:
    return "\\".join(uid_of(label) for label in labels)


_EVERY = " ".join(STUDIES)
_EVERY_SERIES = " ".join(SERIES)

_STUDY_CASES = _cases(
    Level.STUDY,
    {
        # An empty key and a lone asterisk are universal matching, which finds also what has no value.
        "PatientName": {
            "": _EVERY,
            "*": _EVERY,
            "perez*": "A B C H",
            "PÉREZ*": "A B C H",
            "p?rez^*": "A B C H",  # within a name a blank and ^ are the same
            "Pérez^José": "A H",
            "perez^jose": "A H",
            "PEREZ^JOSE^^": "A H",
            "perez^j*": "A H",
            "perez^maria": "B",
            "*maria": "B",
            "*^Maria": "B",
            "*GOMEZ*": "C",
            "perez": "",
            "p??rez*": "",
            "rossi": "F",
            "rossi*": "F",
            "?os*": "F",
            "r_ssi*": "",
            "o'brien^sean": "E",
            "obrien*": "",
            "yamada^tarou": "D",
            "Yamada*": "D",
            "山田*": "D",
            "山田^太郎": "D",
            "山?^太郎": "D",
            "*太郎": "D",
            "やまだ*": "D",
            "*たろう": "D",
            "Yamada^Tarou=山田^太郎=やまだ^たろう": "D",
            "山": "",
            "%": "",
            "nobody": "",
        },
        "PatientID": {
            "P1": "A B H",
            "p1": "C",
            "P_2": "D",
            "P%2": "E",
            "P-2": "F",
            "P?2": "D E F",
            "P_*": "D",
            "P%*": "E",
            "*%*": "E",
            "P*": "A B D E F H",
            "*1": "A B C H",
            "?1": "A B C H",
            "P??": "D E F",
            "P": "",
        },
        "IssuerOfPatientID": {"NORD": "A H", "nord": "", "?UD": "B", "*": _EVERY},
        "PatientBirthDate": {"19700101": "A H", "19700101-19701231": "A B H", "19800101-": "C D"},
        "PatientSex": {"M": "A H", "F": "B C", "m": "", "?": "A B C D H"},
        "StudyDate": {
            "20240101": "A",
            "20240101-20241231": "A B C",
            "20240102-20240228": "",
            "-20240229": "A B",
            "20250101-": "D E F H",
            "20250101-20250101": "D H",
            "20250103": "F",
        },
        "StudyTime": {
            "080000": "A",
            "08": "A",
            "0800": "A",
            "00": "D",
            "1015": "B",
            "101530": "B",
            "101530.5": "B",
            "101530.4": "",
            "0915": "E F",
            "091500": "E",
            "0800-1015": "A B E F",
            "10-12": "B H",
            "-080000": "A D",
            "2359-": "C",
            "235959.999999-": "C",
        },
        "AccessionNumber": {
            "ACC-1": "A",
            "acc-1": "C",
            "ACC-1*": "A B",
            "ACC*": "A B H",
            "ACC-??": "B",
            "*-1": "A C",
            "A_1": "E",
            "A_*": "E",
            "A?1": "E F",
        },
        _ISSUER: {"RIS": "A", "ris": "B", "R*": "A"},
        "StudyID": {"1": "A", "01": "B", "?1": "B"},
        "ReferringPhysicianName": {
            "cantu*": "A B",
            "Cantù^Noè": "A B",
            "hong^gildong": "D",
            "洪^吉洞": "D",
            "홍^길동": "D",
        },
        "StudyDescription": {
            "tc torace": "B",
            "TC TÒRACE": "B",
            "tc torace*": "A B",
            "*MDC": "A",
            "*addome": "C",
            "100%*": "D",
            "100_*": "E",
            "100?*": "D E F",
            "?????dose": "D E F",
        },
        "ModalitiesInStudy": {
            "CT": "A B E",
            "MR": "C F H",
            "SR": "A",
            "ct": "",
            "CT\\MR": "A B C E F H",
            "SR\\OT": "A D",
            "?R": "A C F H",
            "M*": "C F H",
        },
        "SOPClassesInStudy": {
            CTImageStorage: "A B E",
            EnhancedCTImageStorage: "A",
            SecondaryCaptureImageStorage: "C D G",
            f"{MRImageStorage}\\{EnhancedCTImageStorage}": "A C F H",
            "1.2.840.10008.5.1.4.1.1": "",
        },
        "StudyInstanceUID": {_uids("A"): "A", _uids("A", "G", "Z"): "A G", _uids("A1"): "", "1.2.3": ""},
    },
)

_SERIES_CASES = _cases(
    Level.SERIES,
    {
        "PatientID": {"P1": "A1 A2 A3 B1 H1", "*": _EVERY_SERIES},
        "StudyDate": {"20240101": "A1 A2 A3"},
        "ModalitiesInStudy": {"SR": "A1 A2 A3", "MR": "C1 C2 F1 H1"},
        "StudyInstanceUID": {_uids("A", "C"): "A1 A2 A3 C1 C2"},
        "SeriesInstanceUID": {_uids("A1", "C2"): "A1 C2"},
        "Modality": {"CT": "A1 A2 B1 E1", "CT\\SR": "A1 A2 A3 B1 E1", "?R": "A3 C1 C2 F1 H1", "ct": ""},
        "SeriesNumber": {
            "1": "A1 C1 H1",
            "+1": "A1 C1 H1",
            "-1": "B1",
            "0": "E1",
            "123456789": "F1",
            "7": "",
        },
        "SeriesDescription": {"torace*": "A1 A2", "TORACE 5 MM": "A1", "*1*": "A2"},
        "SeriesDate": {"20240101": "A1", "20240101-20240331": "A1 B1"},
        "SeriesTime": {"0801": "A1", "09-": ""},
        "PerformedProcedureStepStartDate": {"20240101": "A1", "-20231231": ""},
        "PerformedProcedureStepStartTime": {"0750-0800": "A1"},
        "BodyPartExamined": {"CHEST": "A1", "chest": "A2", "*": _EVERY_SERIES},
        "StationName": {"CT?": "A1"},
        "InstitutionName": {"ospedale di prova": "A1 B1"},
        "ProtocolName": {"torace*": "A1"},
        _PROCEDURE_STEP: {"SPS-1": "A1", "SPS-*": "A1 A2", "sps-1": "", "*": _EVERY_SERIES},
        _PROCEDURE: {"RP-1": "A1 A2"},
    },
)

_INSTANCE_CASES = _cases(
    Level.INSTANCE,
    {
        "PatientName": {"perez^maria": "B1a"},
        "SeriesInstanceUID": {_uids("A1"): "A1a A1b A1c"},
        "SOPInstanceUID": {_uids("A1b", "D1a"): "A1b D1a"},
        "SOPClassUID": {
            ComprehensiveSRStorage: "A3a",
            f"{ComprehensiveSRStorage}\\{CTImageStorage}": "A1a A1b A1c A3a B1a E1a",
        },
        "InstanceNumber": {"2": "A1b", "10": "A1c"},
        "ContentDate": {"20240101-20240102": "A1a A1b", "-20240101": "A1a"},
        "ContentTime": {"0802": "A1b", "0801": "A1a"},
        "AcquisitionDate": {"20231231": "A1a"},
        "AcquisitionTime": {"235959": "A1a", "23": "A1a"},
        _PROCEDURE_STEP: {"SPS-1": "A1a A1b A1c"},
    },
)

_PATIENT_CASES = _cases(
    Level.PATIENT,
    {
        "PatientName": {"": "A B C D E F G", "perez*": "A B C", "Pérez^José": "A"},
        "PatientID": {"P1": "A B", "p1": "C"},
        "IssuerOfPatientID": {"SUD": "B"},
        "PatientBirthDate": {"19700101-19701231": "A B"},
        "PatientSex": {"F": "B C"},
    },
)

_TOGETHER = [
    Case(Level.STUDY, {"PatientID": ("P1",), "IssuerOfPatientID": ("SUD",)}, frozenset("B")),
    Case(Level.STUDY, {"PatientName": ("perez*",), "StudyDate": ("20240101-20240229",)}, frozenset("AB")),
    Case(Level.STUDY, {"StudyDate": ("20250101",), "StudyTime": ("-06",)}, frozenset("D")),
    Case(Level.STUDY, {"ModalitiesInStudy": ("CT",), "StudyDescription": ("*torace*",)}, frozenset("AB")),
    Case(Level.STUDY, {"PatientID": ("P1",), "PatientSex": ("F",), "StudyID": ("1",)}, frozenset()),
    Case(Level.SERIES, {"StudyInstanceUID": (uid_of("A"),), "Modality": ("SR",)}, frozenset({"A3"})),
    Case(
        Level.INSTANCE, {"SeriesInstanceUID": (uid_of("A1"),), "InstanceNumber": ("10",)}, frozenset({"A1c"})
    ),
]

CASES = [*_STUDY_CASES, *_SERIES_CASES, *_INSTANCE_CASES, *_PATIENT_CASES, *_TOGETHER]


def _extended(semantics: Semantics, level: Level, rows: dict[tuple[str, ...], str]) -> list[Case]:
    """rows: by `keyword=value` of each key, what must be found."""
    return [
        Case(
            level,
            {key.split("=", 1)[0]: tuple(key.split("=", 1)[1].split("\\")) for key in keys},
            frozenset(found.split()),
            semantics,
        )
        for keys, found in rows.items()
    ]


# PS3.4 C.2.2.2.7, .8, .5 and .1.1: what a client must ask for
EXTENDED_CASES: tuple[Case, ...] = (
    *_extended(
        Semantics(empty_value=True),
        Level.STUDY,
        {
            ('AccessionNumber=""',): "D G",
            ('PatientName=""',): "G",
            ('PatientName=""', "StudyDate=20240101"): "",
            ('StudyDate=""',): "G",
            ('StudyTime=""', 'ReferringPhysicianName=""'): "G",
            ('PatientBirthDate=""', "PatientID=P*"): "E F",
            ('ModalitiesInStudy=""',): "G",
            ("AccessionNumber=",): _EVERY,
        },
    ),
    *_extended(Semantics(empty_value=True), Level.SERIES, {('SeriesNumber=""',): "D1 G1"}),
    *_extended(PLAIN, Level.STUDY, {('AccessionNumber=""',): ""}),
    *_extended(
        Semantics(multiple_value=True),
        Level.STUDY,
        {
            ("ModalitiesInStudy=CT\\SR",): "A",
            ("ModalitiesInStudy=CT",): "A B E",
            ("ModalitiesInStudy=CT\\MR",): "",
            ("PatientSex=M\\F",): "A B C H",  # it has one value, so that this is a list like any other
        },
    ),
    *_extended(PLAIN, Level.STUDY, {("ModalitiesInStudy=CT\\SR",): "A B E"}),
    *_extended(
        Semantics(combined_datetime=True),
        Level.STUDY,
        {
            ("StudyDate=20240229-20241231", "StudyTime=1015-2359"): "B C",
            ("StudyDate=20240229-20241231", "StudyTime=1016-2358"): "",
            ("StudyDate=20240229-20241231", "StudyTime=2200-2100"): "",
            ("StudyDate=20231231-20240229", "StudyTime=2200-1030"): "A B",
            ("StudyDate=20240101-20250101", "StudyTime=0900-1159"): "B C D",
            ("StudyDate=20240101-20250101", "StudyTime=0800-"): "A B C D H",
            ("StudyDate=20241231-", "StudyTime=2359-"): "C D E F H",
            ("StudyDate=-20240229", "StudyTime=-09"): "A",
            ("StudyDate=20250101", "StudyTime=0000-1159"): "D",
            ("StudyDate=20250101-20250101", "StudyTime=0000-1159"): "D",
        },
    ),
    *_extended(PLAIN, Level.STUDY, {("StudyDate=20240229-20241231", "StudyTime=1015-2359"): "B C"}),
    *_extended(
        Semantics(fuzzy=True),
        Level.STUDY,
        {
            ("PatientName=Peres^Jose",): "A H",
            ("PatientName=perres*",): "A B C H",
            ("PatientName=maria perez",): "B",
            ("PatientName=Marya",): "B",
            ("PatientName=Obrien",): "E",
            ("PatientName=Rosi",): "F",
            ("PatientName=rossi^mario",): "",
            ("PatientName=Jamada",): "",
            ("PatientName=Yamata",): "D",
            ("PatientName=太郎",): "D",
            ("PatientName=r?sy",): "",
            ("ReferringPhysicianName=Kantu",): "A B",
            ("PatientName=*",): _EVERY,
        },
    ),
)
