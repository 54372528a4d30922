"""The instances of a study as elements of its ImagingStudy, written from what the index keeps of them.

The images of a series differ in UID and number alone, as far as an element tells. What the index keeps of
each is in the order of its tags: up to the SOP Instance UID it is alike, and behind that is mostly nothing
that tells a kind. So what such a beginning tells is read once.
"""

import re
from functools import lru_cache

import orjson

from pacs.model import Kept
from sr.imaging_study import KIND, InstanceKind, instance_kind, numbered, study_instance
from sr.json_attributes import key

KNOWN_BEGINNINGS = 256
LONGEST_BEGINNING = 1024  # bytes
MOST = 2**31 - 1  # of FHIR's unsignedInt

# No text in JSON holds a quotation mark as it is, so these are found as keys alone.
_SOP_INSTANCE_UID = f'"{key("SOPInstanceUID")}":'.encode()
_OF_KIND = re.compile(f'"(?:{"|".join(map(key, KIND))})":'.encode())


def element(kept: Kept) -> bytes:
    """The same as `study_instance` makes of the attributes, as JSON."""
    beginning, _, rest = kept.attributes.partition(_SOP_INSTANCE_UID)
    if len(beginning) <= LONGEST_BEGINNING and kept.number is not None and not _OF_KIND.search(rest):
        kind = _kind(beginning)
        if kind is not None and 0 <= kept.number <= MOST:
            return orjson.dumps(numbered(kind, kept.sop_instance_uid, kept.number))
    return orjson.dumps(study_instance(orjson.loads(kept.attributes)))


@lru_cache(KNOWN_BEGINNINGS)
def _kind(beginning: bytes) -> InstanceKind | None:
    """What attributes that begin so tell; None where this ends within one of them."""
    try:
        return instance_kind(orjson.loads(beginning.rstrip(b",") + b"}"))
    except orjson.JSONDecodeError:
        return None
