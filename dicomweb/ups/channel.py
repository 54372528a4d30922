"""The notification connections of subscribers: WebSockets, through which they are told (PS3.18 8.10)."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from dicomweb.problems import problem, problem_of
from dicomweb.threads import Threads
from dicomweb.ups.subscribers import subscriber
from pacs.doorbell import Doorbell
from pacs.errors import ArchiveError, InvalidIdentifier
from pacs.model import DicomJson
from pacs.worklist.events import going_down
from pacs.worklist.subscriptions import Subscriptions

MAX_CHANNELS = 200  # in one process
BATCH = 20  # reports read at a time
PATIENCE = 20.0  # seconds that a peer may leave a report waiting
LAST_WORDS_TIME = 3.0  # seconds in which it is told that the service goes down

# RFC 6455 7.4.1
_GOING_AWAY, _POLICY, _INTERNAL_ERROR = 1001, 1008, 1011

_MESSAGE_IDS = 65535

log = structlog.get_logger()


class Channels:
    """The open channels of one process, woken by a doorbell that they share."""

    def __init__(self, subscriptions: Subscriptions, threads: Threads, doorbells: Path) -> None:
        """doorbells: the folder of the doorbells of all processes."""
        self._subscriptions = subscriptions
        self._threads = threads
        self._doorbells = doorbells
        self._doorbell: Doorbell | None = None
        self._looking: asyncio.Task[None] | None = None
        self._rang = False
        self._open: list[_Channel] = []
        self._is_going_down = False

    async def open(self, websocket: WebSocket) -> None:
        """GET /subscribers/{aetitle}: tell this subscriber until it closes, or opens another channel."""
        try:
            ae_title = subscriber(websocket)
        except InvalidIdentifier as error:
            await websocket.send_denial_response(problem_of(error))
            return
        if not _is_of_this_origin(websocket):
            await websocket.send_denial_response(
                problem(403, "Origin: pages of other hosts are told nothing")
            )
        elif len(self._open) >= MAX_CHANNELS:
            await websocket.send_denial_response(problem(503, "too many channels are open; try again later"))
        else:
            await self._open_for(websocket, ae_title)

    async def go_down(self) -> None:
        """Tell all, after what still waits for them, that the service goes down, and close their channels.

        Who does not take it in LAST_WORDS_TIME is not waited for; nobody is told of it later.
        """
        self._is_going_down = True
        for channel in self._open:
            channel.has_news.set()
        telling = [channel.telling for channel in self._open if channel.telling is not None]
        if telling:
            await asyncio.wait(telling, timeout=LAST_WORDS_TIME)

    async def _open_for(self, websocket: WebSocket, ae_title: str) -> None:
        """It takes the place of an earlier channel before it is accepted: who opens two in turn is told
        through the later one, whichever processes they come to."""
        channel = _Channel(ae_title)
        self._listen(channel)
        try:
            channel.token = await self._threads.store(self._subscriptions.open_channel, ae_title)
            await websocket.accept()
            await self._serve(websocket, channel)
        except ArchiveError as error:
            await websocket.send_denial_response(problem_of(error))
        finally:
            self._leave(channel)
            if channel.token:
                await self._threads.store(self._subscriptions.close_channel, ae_title, channel.token)

    async def _serve(self, websocket: WebSocket, channel: "_Channel") -> None:
        channel.telling = asyncio.create_task(self._tell(websocket, channel))
        tasks = channel.telling, asyncio.create_task(_until_closed(websocket))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what nobody expected
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, websocket: WebSocket, channel: "_Channel") -> None:
        """Tell until another channel takes its place, the service goes down, or it fails; then close it."""
        code = _GOING_AWAY
        try:
            reason = await self._tell_all(websocket, channel)
        except WebSocketDisconnect:
            return
        except TimeoutError:
            code, reason = _POLICY, "reports are not taken in time"
        except ArchiveError as error:
            log.error(
                "event reports not sent",
                subscriber=channel.ae_title,
                error=type(error).__name__,
                reason=str(error),
            )
            code, reason = _INTERNAL_ERROR, "the archive failed"
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):  # it has been closed already
            await asyncio.wait_for(websocket.close(code, reason), PATIENCE)

    async def _tell_all(self, websocket: WebSocket, channel: "_Channel") -> str:
        """Send what waits, and what comes; return why nothing more does."""
        whose = channel.ae_title, channel.token
        message_ids = cycle(range(1, _MESSAGE_IDS + 1))
        while True:
            channel.has_news.clear()
            waiting = await self._threads.search(self._subscriptions.waiting, *whose, BATCH)
            if waiting is None:
                return "another channel was opened for this subscriber"
            for report in waiting:
                await _send(websocket, orjson.loads(report.report), next(message_ids))
            if waiting:
                await self._threads.store(self._subscriptions.told, *whose, waiting)
            elif self._is_going_down:
                await _send(websocket, going_down(), next(message_ids))
                return "the service goes down"
            else:
                await channel.has_news.wait()

    def _listen(self, channel: "_Channel") -> None:
        self._open.append(channel)
        if self._doorbell is None:
            self._doorbell = Doorbell(self._doorbells)
            asyncio.get_running_loop().add_reader(self._doorbell, self._heed)

    def _leave(self, channel: "_Channel") -> None:
        self._open.remove(channel)
        if not self._open and self._doorbell is not None:
            asyncio.get_running_loop().remove_reader(self._doorbell)
            self._doorbell.close()
            self._doorbell = None

    def _heed(self) -> None:
        """It rang: look once for all channels, however often it rings meanwhile."""
        if self._doorbell is not None:
            self._doorbell.silence()
        self._rang = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._rang:
            self._rang = False
            channels = {channel.token: channel.ae_title for channel in self._open if channel.token}
            try:
                news = await self._threads.search(self._subscriptions.with_news, channels)
            except ArchiveError:
                news = set(channels)  # each finds out, and says so
            for channel in self._open:
                if channel.token in news:
                    channel.has_news.set()


@dataclass(eq=False)
class _Channel:
    """Whom it tells, and whether there is something to tell."""

    ae_title: str
    token: str = ""  # until it is opened; what waits by then is told without being woken
    has_news: asyncio.Event = field(default_factory=asyncio.Event)
    telling: asyncio.Task[None] | None = None


async def _until_closed(websocket: WebSocket) -> None:
    """Subscribers have nothing to say; what they say all the same is passed over."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(websocket: WebSocket, report: DicomJson, message_id: int) -> None:
    """Raises TimeoutError when the peer does not take it."""
    numbered = report | {"00000110": {"vr": "US", "Value": [message_id]}}
    message = orjson.dumps(dict(sorted(numbered.items()))).decode()
    await asyncio.wait_for(websocket.send_text(message), PATIENCE)


def _is_of_this_origin(websocket: WebSocket) -> bool:
    """Browsers let any page open a WebSocket to anywhere, and tell its origin (RFC 6455 10.2)."""
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")
