"""Stored objects de-identified by the Basic Profile of PS3.15 Annex E (ADR 33)."""

from collections.abc import Callable, Iterator
from functools import cached_property

from pacs.dataset.elements import Encoding, read_elements
from pacs.dataset.heads import item_of
from pacs.dataset.part10 import FileMeta, file_meta_bytes
from pacs.dataset.rewrite import explicit_element
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.deidentification.admission import Statements, admit
from pacs.deidentification.cleaning import Cleaner, padded
from pacs.deidentification.pseudonyms import Pseudonyms
from pacs.model import Instance, Source
from pacs.transcode import NATIVE, Transcoder

_IMAGE_TYPE = 0x00080008
_PATIENT_ID, _ISSUER_OF_PATIENT_ID = 0x00100020, 0x00100021
_PATIENT_IDENTITY_REMOVED = 0x00120062
_METHOD, _METHOD_CODES = 0x00120063, 0x00120064
_BURNED_IN_ANNOTATION, _RECOGNIZABLE_VISUAL_FEATURES = 0x00280301, 0x00280302
_LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED = 0x00280303
_SPECIMEN_LABEL_IN_IMAGE = 0x00480010
_OVERLAYS, _OVERLAY_DATA = 0x6000, 0x3000

_METHOD_TEXT = padded("PS3.15 2024b Annex E, Basic Application Level Confidentiality")

# PS3.16 CID 7050
_BASIC_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_CLEAN_PIXEL_DATA = ("113101", "Clean Pixel Data Option")

_SEQUENCE_HEAD = 12  # bytes before the items of a sequence (PS3.5 7.1.2)

Values = dict[int, str]  # of the outermost level, by tag


class Deidentifier:
    """De-identifies stored objects. One for each process; safe for threads."""

    def __init__(self, transcoder: Transcoder, secret: Callable[[], bytes]) -> None:
        """secret: gives that of the archive. It is asked for when it is needed first."""
        self._transcoder = transcoder
        self._secret = secret

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What UIDs and patients are called in what is given out."""
        return Pseudonyms(self._secret())

    def syntaxes(self, instance: Instance) -> tuple[str, ...]:
        """The transfer syntaxes that a de-identified object can be given in, the preferred one first."""
        stored = instance.transfer_syntax_uid
        preferred = EXPLICIT_LITTLE_ENDIAN if stored in NATIVE else stored
        others = self._transcoder.object_syntaxes(instance)
        return (preferred, *(uid for uid in others if uid != preferred))

    def content(self, instance: Instance, transfer_syntax_uid: str) -> Iterator[bytes]:
        """The object as a Part 10 file, in pieces: the first has all that stands before the pixels.

        transfer_syntax_uid: one of `syntaxes`.
        Raises CannotDeidentify, NotFound, CannotRender or MalformedObject with the first piece.
        """
        head, pixels, tail = self._transcoder.parts(instance, transfer_syntax_uid)
        values, statements = _read(head)
        has_pixels = instance.pixels is not None
        admit(instance.sop_class_uid, instance.transfer_syntax_uid, has_pixels, statements)
        cleaner = self._cleaner(values)
        uid = self.pseudonyms.uid(instance.sop_instance_uid)
        meta = FileMeta(instance.sop_class_uid, uid, transfer_syntax_uid)
        elements = dict(cleaner.cleaned(head))
        elements |= _told(elements, has_pixels and statements.is_told_clean)
        yield file_meta_bytes(meta, Source(), "") + _joined(elements) + next(pixels, b"")
        yield from pixels
        yield _joined(dict(cleaner.cleaned(tail)))

    def _cleaner(self, values: Values) -> Cleaner:
        patient = values.get(_PATIENT_ID, "")
        pseudonym = self.pseudonyms.patient(values.get(_ISSUER_OF_PATIENT_ID, ""), patient) if patient else ""
        return Cleaner(self.pseudonyms, pseudonym)


def _read(head: bytes) -> tuple[Values, Statements]:
    elements = [e for e in read_elements(head, Encoding(explicit=True)).elements if e.items is None]
    wanted = {
        *(_IMAGE_TYPE, _PATIENT_ID, _ISSUER_OF_PATIENT_ID, _SPECIMEN_LABEL_IN_IMAGE),
        *(_BURNED_IN_ANNOTATION, _RECOGNIZABLE_VISUAL_FEATURES),
    }
    values = {
        e.tag: head[e.offset : e.offset + e.length].decode("latin-1").strip("\0 ")
        for e in elements
        if e.tag in wanted
    }
    overlays = {e.tag >> 16 for e in elements if e.tag >> 16 & 0xFF00 == _OVERLAYS and not e.tag >> 16 & 1}
    with_data = {e.tag >> 16 for e in elements if e.tag & 0xFFFF == _OVERLAY_DATA}
    return values, Statements(
        values.get(_BURNED_IN_ANNOTATION, ""),
        values.get(_RECOGNIZABLE_VISUAL_FEATURES, ""),
        values.get(_SPECIMEN_LABEL_IN_IMAGE, ""),
        tuple(part.strip() for part in values.get(_IMAGE_TYPE, "").split("\\")),
        bool(overlays - with_data),
    )


def _told(elements: dict[int, bytes], clean_pixels: bool) -> dict[int, bytes]:
    """What a de-identified object says of that (PS3.15 E.1.1 and E.2).

    elements: what is left of it. Codes of what was done to it before stay; free text goes, for who knows what
        it says.
    """
    before = elements.get(_METHOD_CODES, b"")[_SEQUENCE_HEAD:]
    items = (_code_item(*code) for code in (_BASIC_PROFILE, *((_CLEAN_PIXEL_DATA,) if clean_pixels else ())))
    codes = before + b"".join(item for item in items if item not in before)
    written = (
        (_PATIENT_IDENTITY_REMOVED, "CS", b"YES "),
        (_METHOD, "LO", _METHOD_TEXT),
        (_METHOD_CODES, "SQ", codes),
        (_LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, "CS", b"REMOVED "),
    )
    return {tag: explicit_element(tag, vr, value) for tag, vr, value in written}


def _code_item(value: str, meaning: str) -> bytes:
    """A code of DICOM's own (PS3.3 8.8)."""
    texts = ((0x00080100, "SH", value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
    return item_of(b"".join(explicit_element(tag, vr, padded(text)) for tag, vr, text in texts))


def _joined(elements: dict[int, bytes]) -> bytes:
    return b"".join(elements[tag] for tag in sorted(elements))
