"""Sections 5.4 and 5.6: File-sets, and what services have to do with each other."""

from collections.abc import Iterator, Mapping

from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from dicomweb.media_types import ZIP
from pacs.dataset.dicomdir import RECORD_KEYS


def _creating() -> Iterator[str]:
    yield paragraph(
        f"Who accepts `{ZIP}` is given a study, a series or an instance as a File-set (PS3.18 8.6.1.3, "
        "PS3.12 Annex V): a DICOMDIR in Explicit VR Little Endian, and the stored files as they are. It "
        f"is streamed, its length known. Directory records: {link('A.A.5', 'Basic Directory IOD')}. "
        "Instances of no patient are in none."
    )


def _reading() -> Iterator[str]:
    yield paragraph(
        "`diafana import` takes the files that a DICOMDIR names, none of them outside its folder, and "
        "files, folders and zip archives without one. Broken off, the same command goes on where it was."
    )


def directory_records() -> Iterator[str]:
    """The keys of each type of directory record."""
    return table(
        ("Directory Record Type", "keys"),
        ((kind, listed(keys.split())) for kind, keys in RECORD_KEYS.items()),
    )


def _across() -> Iterator[str]:
    yield from table(
        ("when", "then"),
        (
            ("an object is stored, by whatever service", "every service finds it at once"),
            ("a report is stored", f"its FHIR resources are there soon after ({link('A.F', 'annex')})"),
            (
                "a series has come to rest",
                "its metadata and thumbnail are made ahead, rules of `diafana forward` are followed",
            ),
            (
                "all was sent to a system that commits",
                f"it is asked to ({link('5.2.6.1', 'storage commitment')})",
            ),
            ("a rejection note is stored", f"what it names is deleted ({link('5.2.5.2', 'storage')})"),
            ("a performed step ends", "the scheduled steps that it names leave the worklist"),
            ("an order in HL7 v2 is taken", f"the worklist has its steps ({link('A.D.2', 'mapping')})"),
            ("something is deleted", "no service gives it out any more, and what was made of it goes"),
            ("a performed step changes", "the systems of `mpps_forward` are told"),
        ),
    )


SECTIONS: Mapping[str, Content] = {"5.4.1": _creating, "5.4.2": _reading, "5.6": _across}
