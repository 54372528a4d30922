"""Reports that are documents of other formats in a DICOM object (PS3.3 A.45.1, A.45.2)."""

from collections.abc import Mapping
from typing import Any

from sr import lenient
from sr.primitives import string
from sr.report_header import ENCAPSULATED_CDA, ENCAPSULATED_PDF

# By SOP class, which decides, not what the object says of its document
MEDIA_TYPES: Mapping[str, str] = {ENCAPSULATED_PDF: "application/pdf", ENCAPSULATED_CDA: "text/xml"}


def attachment(dataset: lenient.Source, sop_class_uid: str) -> dict[str, Any]:
    """What tells the document in an object from the object: its media type and its title."""
    title = string(lenient.text(dataset, "DocumentTitle"))
    return {"contentType": MEDIA_TYPES[sop_class_uid]} | ({"title": title} if title else {})
