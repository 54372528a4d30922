"""Getting what another archive has: the SCU of C-GET, and of C-MOVE to ourselves (PS3.4 C.4.2, C.4.3)."""

import re
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydicom import Dataset

from pacs.archive import Archive
from pacs.dimse.command import Command
from pacs.dimse.inquiry import Inquiry, Store
from pacs.dimse.negotiation import Context
from pacs.dimse.proposal import MOST_CONTEXTS, PROPOSED_SYNTAXES, proposed
from pacs.dimse.reception import Reception
from pacs.dimse.remote import STUDY_FIND, STUDY_GET, STUDY_MOVE, Remote
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.sop_classes import STORAGE, is_stored
from pacs.dimse.status import SUCCESS
from pacs.errors import InvalidQuery, NotFound
from pacs.incoming import in_study
from pacs.model import Level, Peer, Source

# In which transfer syntaxes objects are taken by C-GET, as many as find room, the first ones always
TAKEN = (
    *PROPOSED_SYNTAXES,
    "1.2.840.10008.1.2.4.90",  # JPEG 2000, lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS, lossless
    "1.2.840.10008.1.2.4.70",  # JPEG Lossless, SV1
    "1.2.840.10008.1.2.4.50",  # JPEG Baseline
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.5",  # RLE
    "1.2.840.10008.1.2.4.51",  # JPEG Extended
    "1.2.840.10008.1.2.4.81",  # JPEG-LS
    "1.2.840.10008.1.2.4.57",  # JPEG Lossless
    "1.2.840.10008.1.2.4.201",  # HTJ2K, lossless
    "1.2.840.10008.1.2.4.203",  # HTJ2K
    "1.2.840.10008.1.2.4.102",  # MPEG-4 AVC
    "1.2.840.10008.1.2.4.100",  # MPEG2
    "1.2.840.10008.1.2.1.99",  # Deflated
)

MOST_ANSWERS = 100_000  # to one question
UID_FORM = re.compile(r"[0-9.]{1,64}", re.ASCII)

_GET = proposed(STUDY_GET)
_ROOM = MOST_CONTEXTS - len(_GET)  # for contexts of objects


class Entity(NamedTuple):
    """A study, or a series or an instance in it."""

    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


def entity_of(keys: Mapping[str, str]) -> Entity:
    """What unique keys name. Raises InvalidQuery for others, and for a level whose upper one is missing."""
    levels = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    named = [keys.get(keyword) for keyword in levels]
    if unknown := keys.keys() - set(levels):
        raise InvalidQuery(f"{unknown.pop()[:64]}: expected {', '.join(levels)}")
    given = len(keys)
    if given == 0 or not all(named[:given]):
        raise InvalidQuery(f"expected {', '.join(levels[: max(1, given)])}, each with its UID")
    for uid in filter(None, named):
        if not UID_FORM.fullmatch(uid):
            raise InvalidQuery("a UID has digits and dots, 64 at most")
    study, series, instance = named
    return Entity(study or "", series, instance)


class Progress(NamedTuple):
    """How many of all that was asked for are here."""

    here: int
    all: int


class Retrieval:
    """Gets what is missing here of an entity, one series after the other."""

    def __init__(
        self,
        archive: Archive,
        peer: Peer,
        calling: str,
        entity: Entity,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """calling: our AE title.  tls: as Requestor has it."""
        self._tls = tls
        self._archive = archive
        self._peer = peer
        self._calling = calling
        self._entity = entity
        self._here: set[str] = set()
        self._all = 0

    def _inquiry(self, contexts: Sequence[Context], provided: Collection[str] = ()) -> Inquiry:
        return Inquiry(self._peer, self._calling, contexts, provided, self._tls)

    def run(self, by_move: bool = False) -> Iterator[Progress]:
        """By C-GET where it is taken, otherwise by C-MOVE.

        by_move: by C-MOVE in any case; it goes to our AE title, which the peer must know.
        What is yielded last tells what was got. Raises NotFound when the peer has none of it, PeerFailed.
        """
        with self._inquiry(proposed(STUDY_FIND, STUDY_GET, STUDY_MOVE)) as association:
            remote = Remote(association, self._peer.ae_title)
            wanted = self._wanted(remote)
            gets = remote.takes(STUDY_GET) and not by_move
        uids = [uid for classes in wanted.values() for uid in classes]
        self._all = len(uids)
        self._here = self._archive.present(uids)
        yield self._progress()
        missing = {series: classes for series, classes in wanted.items() if classes.keys() - self._here}
        yield from self._get(missing) if gets else self._move(missing)
        self._here = self._archive.present(uids)
        yield self._progress()

    def _progress(self, more: int = 0) -> Progress:
        return Progress(len(self._here) + more, self._all)

    def _wanted(self, remote: Remote) -> dict[str, dict[str, str]]:
        """By series, the SOP Class UID of each instance. Raises NotFound."""
        study, series, instance = self._entity
        here = {"StudyInstanceUID": study}
        names = [series]
        if series is None:
            found = self._bounded(remote.find(Level.SERIES, here | {"SeriesInstanceUID": ""}))
            names = [str(one.get("SeriesInstanceUID") or "") for one in found]
        wanted: dict[str, dict[str, str]] = {}
        for name in filter(None, names):
            keys = here | {"SeriesInstanceUID": name, "SOPInstanceUID": instance or "", "SOPClassUID": ""}
            answers = self._bounded(remote.find(Level.INSTANCE, keys))
            uids = {
                str(one.get("SOPInstanceUID") or ""): str(one.get("SOPClassUID") or "") for one in answers
            }
            wanted[name] = {uid: sop_class for uid, sop_class in uids.items() if uid}
        if not any(wanted.values()):
            raise NotFound(f"{self._peer.ae_title} has no such study, series or instance")
        return wanted

    def _bounded(self, answers: Iterator[Dataset]) -> Iterator[Dataset]:
        """Raises PeerFailed for more than a study can have, so that no peer tells without end."""
        for number, answer in enumerate(answers):
            if number == MOST_ANSWERS:
                raise PeerFailed(f"{self._peer.ae_title} tells of more than {MOST_ANSWERS} in one study")
            yield answer

    def _keys(self, series: str) -> tuple[Level, dict[str, str]]:
        """The identifier of one series, or of the one instance that is asked for."""
        keys = {"StudyInstanceUID": self._entity.study_instance_uid, "SeriesInstanceUID": series}
        instance = self._entity.sop_instance_uid
        return (
            (Level.SERIES, keys)
            if instance is None
            else (Level.INSTANCE, keys | {"SOPInstanceUID": instance})
        )

    def _get(self, missing: dict[str, dict[str, str]]) -> Iterator[Progress]:
        sender = self._archive.sender(Source(self._peer.ae_title, self._peer.host))
        check = in_study(self._entity.study_instance_uid)

        def store(command: Command, context: Context) -> Reception:
            return Reception(self._archive, sender, command, context, check)

        for classes in _rounds({uid for of_series in missing.values() for uid in of_series.values()}):
            missing = {series: uids for series, uids in missing.items() if uids.keys() - self._here}
            if missing:
                yield from self._get_classes(classes, list(missing), store)

    def _get_classes(self, classes: list[str], missing: list[str], store: Store) -> Iterator[Progress]:
        """What is of these classes in these series."""
        with self._inquiry([*_GET, *_stored(classes)], classes) as association:
            remote = Remote(association, self._peer.ae_title)
            for series in missing:
                for response, _ in remote.ask(STUDY_GET, *self._keys(series), store):
                    if response.is_of_object and response.command["Status"] == SUCCESS:
                        self._here.add(response.command["AffectedSOPInstanceUID"])
                        yield self._progress()

    def _move(self, missing: dict[str, dict[str, str]]) -> Iterator[Progress]:
        with self._inquiry(proposed(STUDY_MOVE)) as association:
            remote = Remote(association, self._peer.ae_title)
            for series, uids in missing.items():
                asked = remote.ask(STUDY_MOVE, *self._keys(series), MoveDestination=self._calling)
                before = len(self._here.intersection(uids))
                for response, _ in asked:
                    done = response.command.get("NumberOfCompletedSuboperations", 0)
                    yield self._progress(max(0, done - before))
                self._here |= self._archive.present(list(uids))


def _rounds(classes: set[str]) -> list[list[str]]:
    """Classes to be asked for together. Where the peer does not tell, it might be any, the older first."""
    if "" not in classes:
        return [sorted(uid for uid in classes if is_stored(uid, True))]
    every = sorted(STORAGE, key=lambda uid: (len(uid), uid))
    size = _ROOM // 2  # so that each is taken in both transfer syntaxes that everybody has
    return [every[start : start + size] for start in range(0, len(every), size)]


def _stored(classes: list[str]) -> list[Context]:
    """Contexts for objects of these classes: as many transfer syntaxes as find room for each."""
    syntaxes = TAKEN[: max(1, _ROOM // max(1, len(classes)))]
    return [Context(sop_class, syntax) for sop_class in classes for syntax in syntaxes][:_ROOM]
