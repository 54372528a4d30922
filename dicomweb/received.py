"""What became of the objects of a store request, in the order in which they came."""

from dataclasses import dataclass, field

from pacs.archive import Archive
from pacs.errors import ArchiveError, MalformedObject
from pacs.incoming import Check, Incoming
from pacs.ingest import Pending
from pacs.model import Stored

COMMITTED_TOGETHER = 64  # objects that wait for one commit of the index


@dataclass(slots=True)
class Received:
    """What became of one object: stored, or why not.

    The UIDs are what is known of it; empty while or where they could not be read.
    discarded: whether elements of it were not kept.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    outcome: Stored | ArchiveError = field(default_factory=lambda: MalformedObject("it did not come whole"))
    discarded: bool = False

    def tell(self, incoming: Incoming, outcome: Stored | ArchiveError) -> None:
        """Note what became of it, and what is known of it by then."""
        self.sop_class_uid = incoming.sop_class_uid
        self.sop_instance_uid = incoming.sop_instance_uid
        self.outcome = outcome


class Submissions:
    """The objects of one request, some of which wait for the commit."""

    def __init__(self, archive: Archive, check: Check | None) -> None:
        """check: whether an object is what the request announced."""
        self.received: list[Received] = []
        self._archive = archive
        self._check = check
        self._waiting: list[tuple[Received, Pending]] = []

    def submit(self, received: Received, incoming: Incoming) -> None:
        """Hand a whole object over to the archive."""
        self._waiting.append((received, self._archive.submit(incoming, self._check)))
        if len(self._waiting) >= COMMITTED_TOGETHER:
            self.commit()

    def commit(self) -> None:
        """Return when it is known of all what became of them."""
        waiting, self._waiting = self._waiting, []
        for received, pending in waiting:
            try:
                received.tell(pending.incoming, pending.result())
            except ArchiveError as error:
                received.tell(pending.incoming, error)
