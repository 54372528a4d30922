"""A system that is told which instances are available, by pynetdicom (PS3.4 Annex R)."""

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import evt

from pacs.model import Peer
from tests.pacs.dimse.scp import serving

NOTIFICATION = "1.2.840.10008.5.1.4.33"
VERIFICATION = "1.2.840.10008.1.1"
PATIENCE = 40.0  # seconds for what must happen by itself


class Told(NamedTuple):
    """What a notification said.

    uid: its own.  step: the UID of the performed step, None for none.
    instances: by Series Instance UID and SOP Instance UID, the availability.
    """

    uid: str
    study: str
    step: str | None
    instances: dict[str, dict[str, str]]

    @property
    def availability(self) -> dict[str, str]:
        """By SOP Instance UID."""
        return {uid: state for series in self.instances.values() for uid, state in series.items()}


@dataclass
class Listener:
    """status: of the response to each notification, by how many came before it.

    first: what is done before that, with the association.
    """

    status: Callable[[int], int] = lambda _: 0x0000
    first: Callable[[int, Any], None] = lambda *_: None
    came: "queue.Queue[Told]" = field(default_factory=queue.Queue)
    data_sets: list[Dataset] = field(default_factory=list)
    associations: set[Any] = field(default_factory=set)
    peer: Peer = field(default_factory=lambda: Peer("RIS", "", 0))

    def create(self, event: Any) -> tuple[int, Dataset | None]:
        """Handle N-CREATE."""
        said = event.attribute_list
        said.decode()
        number = len(self.data_sets)
        self.data_sets.append(said)
        self.associations.add(event.assoc)
        self.first(number, event.assoc)
        status = self.status(number)
        self.came.put(_read(str(event.request.AffectedSOPInstanceUID), said))
        return status, None

    def next(self) -> Told:
        return self.came.get(timeout=PATIENCE)


def _read(uid: str, said: Dataset) -> Told:
    steps = said.ReferencedPerformedProcedureStepSequence
    return Told(
        uid,
        str(said.StudyInstanceUID),
        str(steps[0].ReferencedSOPInstanceUID) if steps else None,
        {
            str(series.SeriesInstanceUID): {
                str(one.ReferencedSOPInstanceUID): str(one.InstanceAvailability)
                for one in series.ReferencedSOPSequence
            }
            for series in said.ReferencedSeriesSequence
        },
    )


@contextmanager
def notified(
    listener: Listener | None = None,
    port: int = 0,
    takes: bool = True,
    syntax: str = ExplicitVRLittleEndian,
) -> Iterator[Listener]:
    """takes: whether it knows these notifications.  syntax: the transfer syntax that it takes."""
    listener = listener or Listener()
    contexts = [(VERIFICATION, [syntax]), *([(NOTIFICATION, [syntax])] if takes else [])]
    with serving("RIS", contexts, [(evt.EVT_N_CREATE, listener.create)], port) as peer:
        listener.peer = peer._replace(notified=True)
        yield listener
