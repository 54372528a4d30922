"""The query parameters of all transactions (PS3.18 8.3, 9.1.2), as clients are told of them."""

from collections.abc import Iterable

from dicomweb.transaction import Parameter
from pacs.attributes import ATTRIBUTES, Key, Matching
from pacs.model import Level

TRUTH = "^(true|false)$"
_WHOLE = "^[0-9]{1,9}$"
_UID = "^[0-9.]{1,64}$"

# PS3.18 8.3.3
ACCEPT = Parameter("accept", "Media type of the answer, before the Accept header", "application/dicom+json")

# PS3.18 8.3.4.3
INCLUDEFIELD = Parameter("includefield", "Attributes to answer with, or all", "StudyDescription,00081030")

# PS3.18 8.3.4, and `count`, which is ours
PAGING = (
    Parameter("limit", "Answers at most", "25", _WHOLE),
    Parameter("offset", "Answers passed over first", "50", _WHOLE),
    INCLUDEFIELD,
    ACCEPT,
)
MATCHING = (
    Parameter("fuzzymatching", "Whether names match by their sound too", "true", TRUTH),
    Parameter("emptyvaluematching", 'Whether "" finds what has no value', "true", TRUTH),
    Parameter("multiplevaluematching", "Whether all listed values must be there", "true", TRUTH),
)
SEARCH = (
    *PAGING,
    *MATCHING,
    Parameter("count", "Whether X-Total-Count tells how many answers there are", "true", TRUTH),
)

# Supplement 248
DESTINATION = Parameter("destination", "AE title of a known system", "WORKSTATION", required=True)

# PS3.18 8.3.5.1
_VIEWPORT = Parameter("viewport", "Width and height in pixels, and the part of the image", "512,512")
RENDERED = (
    _VIEWPORT,
    Parameter("window", "Center, width, and linear, linear-exact or sigmoid", "40,400,linear"),
    Parameter("quality", "Of a lossy picture, 1 to 100", "90", "^([1-9][0-9]?|100)$"),
    Parameter("annotation", "What is written on it: patient, technique or both", "patient"),
    Parameter("iccprofile", "no, yes, srgb, adobergb or rommrgb; not applied yet", "no"),
    ACCEPT,
)
THUMBNAIL = (_VIEWPORT, ACCEPT)

# PS3.18 Tables 9.1.2-1, 9.1.2-2 and 9.4.1-1
URI = (
    Parameter("requestType", "The service", "WADO", "^WADO$", required=True),
    Parameter("studyUID", "Study Instance UID", "1.2.3", _UID, required=True),
    Parameter("seriesUID", "Series Instance UID", "1.2.3.4", _UID, required=True),
    Parameter("objectUID", "SOP Instance UID", "1.2.3.4.5", _UID, required=True),
    Parameter("contentType", "Media types of the answer", "image/jpeg"),
    Parameter("transferSyntax", "Of an object", "1.2.840.10008.1.2.1", _UID),
    Parameter("anonymize", "yes: the object without the patient, of application/dicom alone", "yes", "^yes$"),
    Parameter("frameNumber", "Frame of a picture, from 1 on", "1", _WHOLE),
    Parameter("rows", "Height at most", "512", _WHOLE),
    Parameter("columns", "Width at most", "512", _WHOLE),
    Parameter("region", "Part of the image: its corners in fractions", "0.25,0.25,0.75,0.75"),
    Parameter("windowCenter", "Center of the window", "40"),
    Parameter("windowWidth", "Width of the window", "400"),
    Parameter("imageQuality", "Of a lossy picture, 1 to 100", "90"),
    Parameter("annotation", "What is written on it: patient, technique or both", "patient"),
    Parameter("presentationSeriesUID", "Of the presentation state to be applied", "1.2.3.6", _UID),
    Parameter("presentationUID", "The presentation state to be applied", "1.2.3.6.7", _UID),
)

_EXAMPLES = {
    Matching.UID: "1.2.840.10008.1",
    Matching.DATE: "20260101-20261231",
    Matching.TIME: "080000-120000",
    Matching.DATETIME: "20260101-20261231",
    Matching.NUMBER: "1",
    Matching.NAME: "rossi*",
}


def sending_parameters(level: Level) -> tuple[Parameter, ...]:
    """Those by which a sending says what is to go where."""
    return DESTINATION, *MATCHING, *key_parameters(a for a in ATTRIBUTES if a.level <= level), ACCEPT


def search_parameters(level: Level) -> tuple[Parameter, ...]:
    """All that a search at this level understands."""
    return SEARCH + key_parameters(a for a in ATTRIBUTES if a.level <= level)


def key_parameters(keys: Iterable[Key]) -> tuple[Parameter, ...]:
    """Those of the keys that can be matched."""
    return tuple(
        Parameter(".".join(key.path), key.matching.value, _EXAMPLES.get(key.matching, "A*"))
        for key in keys
        if key.matching not in (Matching.RETURNED, Matching.COMPUTED)
    )
