"""Finding the instance that a request names: from memory on the event loop, from the index in a thread."""

from starlette.requests import Request

from dicomweb.memory import Memory
from dicomweb.request import uids
from dicomweb.threads import Threads
from pacs.archive import KNOWN_INSTANCES, Archive
from pacs.model import Instance


class Instances:
    """The instances that were asked for last, until something is deleted."""

    def __init__(self, archive: Archive, threads: Threads) -> None:
        self._archive = archive
        self._threads = threads
        self._known: Memory[tuple[int, str, str, str], Instance] = Memory(KNOWN_INSTANCES, lambda _: 1)

    async def of(self, request: Request) -> Instance:
        """The instance that the path names. Raises InvalidIdentifier, NotFound."""
        parts = request.path_params
        deletions = self._archive.deletions
        known = self._known.get((deletions, parts["study"], parts["series"], parts["instance"]))
        if known is not None:
            return known
        study, series, instance = uids(request)
        return await self.find(study, series, instance)

    async def find(self, study: str, series: str, instance: str) -> Instance:
        """The instance with these UIDs. Raises NotFound."""
        key = self._archive.deletions, study, series, instance
        found = self._known.get(key)
        if found is None:
            found = await self._threads.search(self._archive.instance, study, series, instance)
            self._known.put(key, found)
        return found
