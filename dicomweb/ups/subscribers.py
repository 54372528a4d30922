"""Subscribing to work items and to the worklist (PS3.18 11.10 to 11.12)."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from dicomweb.request import parameters, service_url
from dicomweb.search_parameters import Reading
from dicomweb.threads import Threads
from dicomweb.ups.workitems import workitem_uid
from dicomweb.warning import warn
from pacs.attributes import Key
from pacs.errors import InvalidIdentifier, InvalidQuery
from pacs.worklist.attributes import KEYS_BY_PATH
from pacs.worklist.events import FILTERED_WORKLIST, WORKLIST
from pacs.worklist.subscriptions import Subscriptions

_RECEIVING_AE = 0x00741234

# PS3.5 6.2: up to 16 printable characters, of which blanks at the ends do not count
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")


class Subscribers:
    """The transactions on subscriptions."""

    def __init__(self, subscriptions: Subscriptions, threads: Threads, root: str) -> None:
        """root: the path of the service."""
        self._subscriptions = subscriptions
        self._threads = threads
        self._root = root

    async def subscribe(self, request: Request) -> Response:
        """POST /workitems/{workitem}/subscribers/{aetitle}?{deletionlock}&{filter}."""
        uid, ae_title = workitem_uid(request), subscriber(request)
        lock, rest = _deletion_lock(parameters(request))
        warned: tuple[str, ...] = ()
        if uid == FILTERED_WORKLIST:
            reading = Reading[Key](KEYS_BY_PATH)
            reading.take_all(_filter(rest))
            if not reading.values:
                raise InvalidQuery("filter: name at least one attribute that work items are searched by")
            warned = reading.distinct_warnings()
            await self._threads.store(
                self._subscriptions.subscribe_to_worklist, ae_title, lock, reading.values
            )
        elif uid == WORKLIST:
            await self._threads.store(self._subscriptions.subscribe_to_worklist, ae_title, lock)
        else:
            await self._threads.store(self._subscriptions.subscribe, ae_title, uid, lock)
        url = f"{service_url(request, self._root)}/subscribers/{quote(ae_title)}"
        channel = url.replace("http", "ws", 1)  # where the subscriber is told (11.10.3.2)
        response = Response(status_code=201, headers={"Content-Location": channel})
        return warn(response, service_url(request, self._root), *warned)

    async def unsubscribe(self, request: Request) -> Response:
        """DELETE /workitems/{workitem}/subscribers/{aetitle}."""
        uid, ae_title = workitem_uid(request), subscriber(request)
        if uid in (WORKLIST, FILTERED_WORKLIST):
            await self._threads.store(self._subscriptions.unsubscribe_from_worklist, ae_title)
        else:
            await self._threads.store(self._subscriptions.unsubscribe, ae_title, uid)
        return Response()

    async def suspend(self, request: Request) -> Response:
        """POST /workitems/{workitem}/subscribers/{aetitle}/suspend, of the worklist alone."""
        uid, ae_title = workitem_uid(request), subscriber(request)
        if uid not in (WORKLIST, FILTERED_WORKLIST):
            raise InvalidIdentifier("workitem: only subscriptions to the worklist are suspended")
        await self._threads.store(self._subscriptions.suspend, ae_title)
        return Response()


def subscriber(connection: HTTPConnection) -> str:
    """The AE title of the path. Raises InvalidIdentifier."""
    given = connection.path_params["aetitle"]
    if not _AE_TITLE.fullmatch(given) or not given.strip():
        raise InvalidIdentifier(
            "aetitle: expected 1 to 16 printable ASCII characters without backslash", _RECEIVING_AE
        )
    return str(given).strip()


def _deletion_lock(given: list[tuple[str, str]]) -> tuple[bool, list[tuple[str, str]]]:
    """Whether a lock is asked for, and the other parameters. Raises InvalidQuery."""
    locks = [value.lower() for name, value in given if name.lower() == "deletionlock"]
    if len(locks) > 1 or set(locks) - {"true", "false"}:
        raise InvalidQuery("deletionlock: expected true or false")
    return locks == ["true"], [(name, value) for name, value in given if name.lower() != "deletionlock"]


def _filter(given: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The keys of a filter: in one parameter, parted by commas (11.10.1.2), or each in its own."""
    for name, value in given:
        if name.lower() != "filter":
            yield name, value
            continue
        # A comma that no key follows belongs to the value before it
        for pair in re.split(r",(?=[\w.]+=)", value):
            key, _, wanted = pair.partition("=")
            yield key, wanted
