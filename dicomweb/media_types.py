"""What a client accepts and what can be given to it: content negotiation of PS3.18 8.7.

Read liberally, answered strictly: parameters may be quoted or not, unknown ones are passed over, and every
answer states what it is, with its transfer syntax. What is stored comes before what must be transcoded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from dicomweb.syntaxes import (
    COMPRESSED_MEDIA_TYPES,
    EXPLICIT_VR_LITTLE_ENDIAN,
    LOSSY_SYNTAXES,
    UNCOMPRESSED_SYNTAXES,
)

_MAX_RANGES = 64

_LIST_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*+"?+|[^",])++', re.DOTALL)
_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;"]*+))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEDIA_TYPE = re.compile(r'[^/\s,;="]+/[^/\s,;="]*')
_WEIGHT = re.compile(r"[01]|[01]?\.[0-9]{0,6}", re.ASCII)

# Names in use before, or beside, those of PS3.18.
_ALIASES = {"image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle", "video/mpeg": "video/mpeg2"}

OCTET_STREAM = "application/octet-stream"
DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
ZIP = "application/zip"

# PS3.3 C.24: what an encapsulated document may hold. XML is left out: a browser would run the scripts in it.
_DOCUMENT_MEDIA_TYPES = frozenset({"application/pdf", "model/stl", "model/obj", "model/mtl"})


class NotAcceptable(ValueError):
    """None of the media types that the client accepts can be given; the message lists those that can."""


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One media type or range of them, as Accept and Content-Type spell it (PS3.18 8.7.5, RFC 9110 12.5.1).

    media_type: in lower case, such as "multipart/related", "image/*", "*/*".
    parameters: names in lower case, values without their quotes; without the weight.
    weight: from 0 (not wanted) to 1.
    """

    media_type: str
    parameters: tuple[tuple[str, str], ...] = ()
    weight: float = 1.0

    def parameter(self, name: str) -> str | None:
        """The value of a parameter (the first, if repeated)."""
        return next((value for key, value in self.parameters if key == name), None)


# In the order in which they are heeded: those of the accept query parameter, then those of the header.
Acceptable = tuple[tuple[MediaRange, ...], ...]


def _normal(media_type: str) -> str | None:
    media_type = media_type.strip().lower()
    if media_type == "*":
        return "*/*"
    if not _MEDIA_TYPE.fullmatch(media_type):
        return None
    return media_type + "*" if media_type.endswith("/") else _ALIASES.get(media_type, media_type)


def parse_media_type(text: str) -> MediaRange | None:
    """One media type with its parameters, such as a Content-Type; None when it is no media type."""
    name, _, _ = text.partition(";")
    media_type = _normal(name)
    if media_type is None:
        return None
    found = [
        (key.lower(), _ESCAPED.sub(r"\1", quoted) if quoted else plain.strip())
        for key, quoted, plain in _PARAMETER.findall(text[len(name) :])
    ]
    weight = next((value for key, value in found if key == "q"), "1")
    parameters = tuple(pair for pair in found if pair[0] != "q")
    return MediaRange(media_type, parameters, min(float(weight), 1.0) if _is_weight(weight) else 1.0)


def _is_weight(text: str) -> bool:
    return text != "." and _WEIGHT.fullmatch(text) is not None


def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """The ranges of an Accept value. What is no media type is passed over (PS3.18 8.7.7)."""
    items = _LIST_ITEM.findall(text)[:_MAX_RANGES]
    return tuple(found for item in items if (found := parse_media_type(item)) is not None)


def acceptable(header: str | None, query: Sequence[str] = ()) -> Acceptable:
    """What the client accepts, from its Accept header and `accept` query parameters (PS3.18 8.3.3.1, 8.7.5).

    header: the values of a repeated header joined by commas. With neither of them anything goes.
    query: percent-decoded. A `+` that was not encoded has become a blank there, and is put back.
    """
    asked = [re.sub(r"(?<=\w) (?=\w)", "+", value) for value in query]
    groups = (parse_accept(",".join(asked)), parse_accept(header or ""))
    return tuple(group for group in groups if group) or ((MediaRange("*/*"),),)


@dataclass(frozen=True, slots=True)
class Representation:
    """A form in which a resource can be given.

    media_type: of the whole, or of each part when multipart.
    transfer_syntax_uid: as the answer states it; empty where the media type has none.
    names: the transfer syntaxes by which a client may ask for it; empty when that does not matter.
    only_named: given for its own media type only to those who name the transfer syntax, or `*`.
    transcoded: made from the stored form, which costs more.
    """

    media_type: str
    transfer_syntax_uid: str = ""
    multipart: bool = False
    names: frozenset[str] = field(default=frozenset())
    only_named: bool = False
    transcoded: bool = False

    @property
    def content_type(self) -> str:
        """The Content-Type of the single part, or of each part."""
        suffix = f"; transfer-syntax={self.transfer_syntax_uid}" if self.transfer_syntax_uid else ""
        return self.media_type + suffix

    @property
    def accept(self) -> str:
        """How a client asks for exactly this."""
        suffix = f"; transfer-syntax={self.transfer_syntax_uid}" if self.transfer_syntax_uid else ""
        return (
            f'multipart/related; type="{self.media_type}"' if self.multipart else self.media_type
        ) + suffix


_JSON = (Representation(DICOM_JSON), Representation("application/json"))

# PS3.18 10.4.4 and 10.6.4: metadata and search results, any number of data sets.
DATA_SETS_OFFERS = (*_JSON, Representation(DICOM_XML, multipart=True))

# PS3.18 Table 14.1.3-1: found steps of the modality worklist.
STEPS_OFFERS = (
    *(*_JSON, Representation(DICOM_XML)),
    *(Representation(DICOM_XML, multipart=True), Representation(DICOM_JSON, multipart=True)),
)

# PS3.18 10.5.4: the answer to a store request, one data set.
DATA_SET_OFFERS = (*_JSON, Representation(DICOM_XML))


def instance_offers(
    transfer_syntax_uid: str, one: bool, others: tuple[str, ...] = ()
) -> tuple[Representation, ...]:
    """How stored instances of one transfer syntax can be given (PS3.18 10.4.4).

    A Part 10 file says its own transfer syntax, so it is given as stored to whoever names none.
    one: whether the resource is a single instance; several need parts.
    others: the transfer syntaxes that it can be transcoded to, for those who name them.
    """
    return (*file_offers(transfer_syntax_uid, one, others), Representation(ZIP, names=frozenset({"*"})))


def file_offers(
    transfer_syntax_uid: str, one: bool, others: tuple[str, ...] = ()
) -> tuple[Representation, ...]:
    """The same without zip."""
    packagings = (True, False) if one else (True,)
    return tuple(
        Representation(DICOM, uid, multipart, frozenset({uid}), transcoded=uid != transfer_syntax_uid)
        for uid in (transfer_syntax_uid, *others)
        for multipart in packagings
    )


def non_patient_offers(
    transfer_syntax_uid: str, one: bool, others: tuple[str, ...] = ()
) -> tuple[Representation, ...]:
    """How a stored instance that belongs to no patient can be given (PS3.18 Table 12.1.3-1).

    one, others: as `instance_offers` has them.
    """
    return (*DATA_SETS_OFFERS, *file_offers(transfer_syntax_uid, one, others))


def frame_offers(
    transfer_syntax_uid: str, one: bool, others: tuple[str, ...] = ()
) -> tuple[Representation, ...]:
    """How stored frames of one transfer syntax can be given: under their own media type or as octets.

    Bare octets do not say what they are: who asks for octets and names no transfer syntax wants pixels that
    are not compressed (PS3.18 8.7.3.3), and is given others only where these are lossy.
    one: whether one frame is asked; several need parts.
    others: the transfer syntaxes that they can be transcoded to, in the order in which they are preferred.
    """
    stored = tuple(_frames_in(transfer_syntax_uid, one, transcoded=False))
    stated = {offer.transfer_syntax_uid for offer in stored}
    made = (_frames_in(uid, one, transcoded=True) for uid in others if uid not in stated)
    return (*stored, *chain.from_iterable(made))


def _frames_in(transfer_syntax_uid: str, one: bool, transcoded: bool) -> Iterator[Representation]:
    own = COMPRESSED_MEDIA_TYPES.get(transfer_syntax_uid)
    names = frozenset({transfer_syntax_uid})
    stated = transfer_syntax_uid
    if transfer_syntax_uid in UNCOMPRESSED_SYNTAXES:
        names, stated = UNCOMPRESSED_SYNTAXES, EXPLICIT_VR_LITTLE_ENDIAN
    only_named = stated != EXPLICIT_VR_LITTLE_ENDIAN and (
        transcoded or transfer_syntax_uid not in LOSSY_SYNTAXES
    )
    for multipart in (True, False) if one else (True,):
        for media_type in (own, OCTET_STREAM) if own else (OCTET_STREAM,):
            octets = only_named and media_type == OCTET_STREAM
            yield Representation(media_type, stated, multipart, names, octets, transcoded)


def bulk_data_offers(media_type: str = OCTET_STREAM) -> tuple[Representation, ...]:
    """How one bulk data value that is not pixels can be given: bare first, as viewers make a file of it.

    media_type: as the object states it. It is heeded only for documents that do no harm in a browser.
    """
    stated = media_type.strip().lower()
    media_types = (stated, OCTET_STREAM) if stated in _DOCUMENT_MEDIA_TYPES else (OCTET_STREAM,)
    return tuple(Representation(name, multipart=parts) for parts in (False, True) for name in media_types)


def rendered_offers(media_types: Sequence[str], one: bool) -> tuple[Representation, ...]:
    """How something drawn can be given (PS3.18 8.7.4): bare when it is one thing, or in parts.

    media_types: those that can be drawn, the preferred one first.
    """
    packagings = (False, True) if one else (True,)
    return tuple(Representation(name, multipart=parts) for parts in packagings for name in media_types)


def media_types_of(offers: Iterable[Representation]) -> tuple[str, ...]:
    """How clients are told of offers: each as it is asked for, whatever its transfer syntax."""
    return tuple(dict.fromkeys(replace(offer, transfer_syntax_uid="").accept for offer in offers))


def _of_frames(one: bool) -> Iterator[Representation]:
    """All that frames of any transfer syntax can be given as."""
    for uid in (EXPLICIT_VR_LITTLE_ENDIAN, *COMPRESSED_MEDIA_TYPES):
        yield from frame_offers(uid, one)


def _of_values() -> Iterator[Representation]:
    """The same of bulk data values that are not pixels."""
    for media_type in (OCTET_STREAM, *sorted(_DOCUMENT_MEDIA_TYPES)):
        yield from bulk_data_offers(media_type)


# What there is to accept, as clients are told of it
DATA_SETS_MEDIA_TYPES = media_types_of(DATA_SETS_OFFERS)
STEPS_MEDIA_TYPES = media_types_of(STEPS_OFFERS)
DATA_SET_MEDIA_TYPES = media_types_of(DATA_SET_OFFERS)
OBJECTS_MEDIA_TYPES = media_types_of(instance_offers(EXPLICIT_VR_LITTLE_ENDIAN, one=False))
OBJECT_MEDIA_TYPES = media_types_of(instance_offers(EXPLICIT_VR_LITTLE_ENDIAN, one=True))
NON_PATIENT_MEDIA_TYPES = media_types_of(non_patient_offers(EXPLICIT_VR_LITTLE_ENDIAN, one=True))
FRAMES_MEDIA_TYPES = media_types_of(_of_frames(one=False))
FRAME_MEDIA_TYPES = media_types_of(  # those of a film cannot be told apart
    offer for one in (False, True) for offer in _of_frames(one) if not offer.media_type.startswith("video/")
)
BULK_DATA_MEDIA_TYPES = media_types_of((*_of_values(), *_of_frames(one=True)))


def select(accepted: Acceptable, offers: Sequence[Representation]) -> Representation:
    """The offer that suits the client best (PS3.18 8.7.8): by its weight, then by how precisely it was asked
    for, then by the order of the offers.

    Raises NotAcceptable, listing the offers, when none suits.
    """
    for ranges in accepted:
        best: tuple[float, _Closeness] | None = None
        chosen: Representation | None = None
        for offer in offers:
            score = _score(ranges, offer)
            if score is not None and (best is None or score > best):
                best, chosen = score, offer
        if chosen is not None:
            return chosen
    listed = ", ".join(offer.accept for offer in offers)
    raise NotAcceptable(f"Accept: none of the media types can be given here; on offer: {listed}")


# How closely a range names an offer: its packaging, its media type, its transfer syntax.
_Closeness = tuple[int, int, int]


def _score(ranges: tuple[MediaRange, ...], offer: Representation) -> tuple[float, _Closeness] | None:
    """The weight of the range that names the offer most closely; None when none does or it is unwanted."""
    matching = [(near, r.weight) for r in ranges if (near := _closeness(r, offer)) is not None]
    if not matching:
        return None
    near, weight = max(matching)
    return (weight, near) if weight > 0 else None


def _closeness(asked: MediaRange, offer: Representation) -> _Closeness | None:
    wanted, packaging = asked.media_type, 1
    if wanted == "*/*":
        packaging = 0
    elif offer.multipart:
        if wanted not in ("multipart/related", "multipart/*"):
            return None
        wanted = _normal(asked.parameter("type") or "*/*") or ""
    kind = _kind_closeness(wanted, offer.media_type)
    syntax = asked.parameter("transfer-syntax") or ""
    if kind is None or not _admits(offer, syntax, kind):
        return None
    return packaging, kind, int(syntax not in ("", "*"))


def _kind_closeness(wanted: str, media_type: str) -> int | None:
    if wanted == media_type:
        return 2
    if wanted.endswith("/*") and media_type.startswith(wanted[:-1]):
        return 1
    return 0 if wanted == "*/*" else None


def _admits(offer: Representation, syntax: str, kind: int) -> bool:
    if not offer.names or syntax == "*" or syntax in offer.names:
        return True
    return not syntax and not (offer.only_named and kind == 2)
