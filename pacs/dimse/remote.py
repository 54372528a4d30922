"""Asking another archive what it has: the SCU of C-FIND (PS3.4 C.4.1)."""

import ssl
from collections.abc import Iterator, Mapping

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pynetdicom.dsutils import encode

from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.command import C_FIND_RQ, C_GET_RQ, C_MOVE_RQ, Command
from pacs.dimse.data_set import data_set_of, read_data_set
from pacs.dimse.heard import Then
from pacs.dimse.identifier import LEVELS
from pacs.dimse.inquiry import Inquiry, Response, Store
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import proposed
from pacs.dimse.requestor import PeerFailed
from pacs.errors import InvalidQuery
from pacs.model import Level, Peer

# PS3.4 C.6: the Study Root query model, and the Patient Root one for who asks for patients
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
PATIENT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"

_MESSAGES = {STUDY_FIND: C_FIND_RQ, PATIENT_FIND: C_FIND_RQ, STUDY_GET: C_GET_RQ, STUDY_MOVE: C_MOVE_RQ}
_NAMES = {C_FIND_RQ: "C-FIND", C_GET_RQ: "C-GET", C_MOVE_RQ: "C-MOVE"}
_LEVEL_NAMES = {level: name for name, level in LEVELS.items()}

# What is asked of each entity, beside the keys of the question
RETURNED: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    Level.STUDY: (
        *("StudyDate", "PatientID", "PatientName", "ModalitiesInStudy", "StudyDescription"),
        *("AccessionNumber", "NumberOfStudyRelatedInstances", "StudyInstanceUID"),
    ),
    Level.SERIES: (
        *("Modality", "SeriesNumber", "SeriesDescription", "NumberOfSeriesRelatedInstances"),
        *("StudyInstanceUID", "SeriesInstanceUID"),
    ),
    Level.INSTANCE: ("InstanceNumber", "SOPClassUID", "SOPInstanceUID"),
}


class Remote:
    """Another archive, over one association."""

    def __init__(self, association: Inquiry, name: str) -> None:
        """name: its AE title, for messages."""
        self._association = association
        self._name = name

    def takes(self, model: str) -> bool:
        """Whether it answers questions of a query model."""
        return any(context in self._association.contexts for context in proposed(model))

    def find(self, level: Level, keys: Mapping[str, str], model: str = STUDY_FIND) -> Iterator[Dataset]:
        """Its answers.  keys: values by keyword; those without are only returned.

        Raises InvalidQuery for what is no key, PeerFailed.
        """
        for response, context in self.ask(model, level, keys):
            if not response.is_last:
                yield self._read(response.identifier, context)

    def ask(
        self,
        model: str,
        level: Level,
        keys: Mapping[str, str],
        store: Store | None = None,
        **fields: str,
    ) -> Iterator[tuple[Response, Context]]:
        """Ask, and give all responses, up to the last one.

        store: takes in the objects that come.  fields: of the command set, beside those of every request.
        Raises InvalidQuery; PeerFailed, also when the last one tells that nothing was done.
        """
        message = _MESSAGES[model]
        context = next((one for one in proposed(model) if one in self._association.contexts), None)
        if context is None:
            raise PeerFailed(f"{self._name} takes the association, but not {_NAMES[message]}")
        asked: Command = {"CommandField": message, "AffectedSOPClassUID": model, "Priority": 0, **fields}
        identifier = _encoded(_identifier(level, keys), context)
        for response in self._association.inquire(context, asked, identifier, store):
            if response.then not in (Then.DONE, Then.GOES_ON):
                raise self._failure(_NAMES[message], response.command)
            yield response, context

    def _read(self, identifier: bytes, context: Context) -> Dataset:
        try:
            return data_set_of(read_data_set(identifier, context))
        except Exception as error:
            # pydicom raises whatever its values meet: all of it means the same
            raise PeerFailed(f"{self._name} answers C-FIND with what cannot be read") from error

    def _failure(self, name: str, command: Command) -> PeerFailed:
        comment = "".join(filter(str.isprintable, command.get("ErrorComment", "")))[:64]
        reason = f": {comment}" if comment else ""
        return PeerFailed(f"{self._name} answers {name} with status {command['Status']:04X}{reason}")


def find(
    peer: Peer,
    calling: str,
    level: Level,
    keys: Mapping[str, str],
    limit: int,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Dataset]:
    """What a system has, so many answers at most; what is told of each beside the keys is in RETURNED.

    calling: our AE title.  tls: as Requestor has it.  Raises InvalidQuery, PeerFailed.
    """
    model = PATIENT_FIND if level is Level.PATIENT else STUDY_FIND
    with Inquiry(peer, calling, proposed(model), tls=tls) as association:
        answers = Remote(association, peer.ae_title).find(
            level, {**dict.fromkeys(RETURNED[level], ""), **keys}, model
        )
        for answer, _ in zip(answers, range(limit), strict=False):
            yield answer


def _identifier(level: Level, keys: Mapping[str, str]) -> Dataset:
    """Raises InvalidQuery, naming what is no key."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = _LEVEL_NAMES[level]
    if not all(value.isascii() for value in keys.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in keys.items():
        tag = tag_for_keyword(keyword)
        if tag is None or dictionary_VR(tag) == "SQ":
            raise InvalidQuery(f"{keyword[:64]}: expected the keyword of an attribute that is no sequence")
        try:  # without pydicom's warnings, which quote values
            identifier.add(DataElement(tag, dictionary_VR(tag), value or None, validation_mode=IGNORE))
        except Exception as error:
            # pydicom raises whatever its parsing meets: all of it means the same
            raise InvalidQuery(f"{keyword}: the value does not fit the attribute", tag) from error
    return identifier


def _encoded(identifier: Dataset, context: Context) -> bytes:
    encoding = encoding_of(context.transfer_syntax)
    return encode(identifier, not encoding.explicit, encoding.little_endian) or b""
