"""Sections 1.7 and 5.7: character sets."""

from collections.abc import Iterator, Mapping

from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.dataset.character_set import DEFINED_TERMS
from pacs.dataset.json_encoder import UNICODE


def _supported() -> Iterator[str]:
    yield paragraph(f"Read, and answered in where they are asked in ({link('5.7', 'how')}):")
    yield listed(f"`{term}`" for term in DEFINED_TERMS) + "\n"


def _how() -> Iterator[str]:
    yield "The character sets are those of " + link("1.7", "the overview") + ".\n"
    yield from table(
        ("where", "Specific Character Set"),
        (
            ("objects", "kept as they are; text is read by their own, for searching, metadata and FHIR"),
            (
                "answers of C-FIND",
                f"that of the identifier where it can hold the answer, else `{UNICODE}`",
            ),
            (
                "performed steps that are passed on",
                f"that in which the modality told them where it can hold them, else `{UNICODE}`",
            ),
            ("other messages that we send", f"`{UNICODE}`; none for plain ASCII"),
            ("DICOMweb, FHIR", f"UTF-8; data sets say `{UNICODE}`"),
            ("objects that we make", f"`{UNICODE}`"),
            ("HL7 v2", "that of MSH-18: ISO 8859 or UTF-8"),
        ),
    )


SECTIONS: Mapping[str, Content] = {"1.7": _supported, "5.7": _how}
