"""What the resources of the Studies Service (PS3.18 10) have in common."""

from dicomweb.bodies import Bodies
from dicomweb.instances import Instances
from dicomweb.negotiation import Negotiation
from dicomweb.threads import Threads
from dicomweb.transcoding import Transcoding
from pacs.archive import Archive


class Shared:
    """One of each kind for all resources of a process."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.threads = Threads()
        self.negotiation = Negotiation()
        self.instances = Instances(archive, self.threads)
        self.bodies = Bodies(archive, self.threads)
        self.transcoding = Transcoding(archive, self.threads, self.negotiation)


class Resource:
    """A resource that is retrieved."""

    def __init__(self, shared: Shared) -> None:
        self._archive = shared.archive
        self._threads = shared.threads
        self._negotiation = shared.negotiation
        self._instances = shared.instances
        self._bodies = shared.bodies
        self._transcoding = shared.transcoding
