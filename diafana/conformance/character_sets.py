"""Sections 1.7 and 5.7: character sets."""

from collections.abc import Iterator, Mapping

from pydicom.charset import python_encoding

from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.dimse.data_set import UTF_8


def _supported() -> Iterator[str]:
    yield paragraph(f"Read, and answered in where they are asked in ({link('5.7', 'how')}):")
    yield listed(f"`{term}`" for term in python_encoding if term) + "\n"


def _how() -> Iterator[str]:
    yield "The character sets are those of " + link("1.7", "the overview") + ".\n"
    yield from table(
        ("where", "Specific Character Set"),
        (
            ("objects", "kept as they are; text is read by their own, for searching, metadata and FHIR"),
            (
                "answers of C-FIND",
                f"that of the identifier where it can hold the answer, else `{UTF_8}`; none for plain ASCII",
            ),
            ("messages that we send", f"`{UTF_8}`; none for plain ASCII"),
            ("DICOMweb, FHIR", f"UTF-8; data sets say `{UTF_8}`"),
            ("objects that we make", f"`{UTF_8}`"),
            ("HL7 v2", "that of MSH-18: ISO 8859 or UTF-8"),
        ),
    )


SECTIONS: Mapping[str, Content] = {"1.7": _supported, "5.7": _how}
