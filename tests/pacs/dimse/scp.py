"""Systems that objects are sent to: pynetdicom's SCP with whatever behaviour, and DCMTK's storescp."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from pacs.model import Peer

PATIENCE = 20.0  # seconds for a program to listen
VERIFICATION = "1.2.840.10008.1.1"

# What dcmrecv takes
_CT_UNCOMPRESSED = r"""
[[TransferSyntaxes]]
[Uncompressed]
TransferSyntax1 = LittleEndianExplicit
TransferSyntax2 = LittleEndianImplicit
[[PresentationContexts]]
[CT]
PresentationContext1 = CTImageStorage\Uncompressed
[[Profiles]]
[Default]
PresentationContexts = CT
"""


Handler = tuple[Any, Callable[[Any], object]]


@contextmanager
def serving(
    title: str,
    contexts: Sequence[tuple[str, Sequence[str]]],
    handlers: Sequence[Handler],
    port: int = 0,
    provided: Collection[str] = (),
    callers: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Peer]:
    """pynetdicom's SCP.  contexts: abstract syntaxes, and the transfer syntaxes of each.

    handlers: of events.  provided: the abstract syntaxes of which who calls may be the SCP.
    callers: the AE titles that it takes associations of; empty for all.  tls: how it accepts, by TLS alone.
    """
    scp = AE(title)
    scp.require_calling_aet = list(callers)
    for uid, syntaxes in contexts:
        role = True if uid in provided else None
        scp.add_supported_context(uid, list(syntaxes), scu_role=role, scp_role=role)
    # start_server has types of its own for handlers
    server: Any = scp.start_server(
        ("127.0.0.1", port), block=False, evt_handlers=list[Any](handlers), ssl_context=tls
    )
    try:
        yield Peer(title, "127.0.0.1", server.socket.getsockname()[1], tls=tls is not None)
    finally:
        server.shutdown()


@dataclass
class Receiver:
    """An SCP, and what came to it."""

    peer: Peer
    received: list[Dataset] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)

    @property
    def uids(self) -> list[str]:
        return [str(one.SOPInstanceUID) for one in self.received]


Answer = Callable[[Any], int]


@contextmanager
def receiver(
    classes: Sequence[str], syntaxes: Sequence[str], answer: Answer = lambda _: 0x0000, port: int = 0
) -> Iterator[Receiver]:
    """answer: the status of each C-STORE; it may also abort."""
    got = Receiver(Peer("OTHER", "127.0.0.1", 0))

    def store(event: evt.Event) -> int:
        status = answer(event)
        if status == 0 or status in (0xB000, 0xB006, 0xB007):
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            got.received.append(dataset)
            got.commands.append(event.request)
        return status

    contexts = [(uid, syntaxes) for uid in (VERIFICATION, *classes)]
    with serving("OTHER", contexts, [(evt.EVT_C_STORE, store)], port) as got.peer:
        yield got


@contextmanager
def storescp(folder: Path, *options: str | Path) -> Iterator[Peer]:
    """DCMTK's storescp, which keeps each object as it comes, in a file named by its UID."""
    command = ["storescp", *options, "-aet", "STORESCP", "-od", folder]
    with _keeping("STORESCP", folder, command) as peer:
        yield peer


@contextmanager
def dcmrecv(folder: Path) -> Iterator[Peer]:
    """DCMTK's dcmrecv, which knows no SOP class but those of its configuration."""
    configuration = folder.with_suffix(".cfg")
    configuration.write_text(_CT_UNCOMPRESSED)
    command: list[str | Path] = ["dcmrecv", "-xf", configuration, "Default", "-aet", "DCMRECV", "-od", folder]
    with _keeping("DCMRECV", folder, command) as peer:
        yield peer


@contextmanager
def _keeping(title: str, folder: Path, command: Sequence[str | Path]) -> Iterator[Peer]:
    """A program that listens on the port that comes last."""
    port = free_port()
    folder.mkdir()
    with subprocess.Popen(
        [*command, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for(port)
            yield Peer(title, "127.0.0.1", port)
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    """Return when somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "it does not listen"
            time.sleep(0.02)
        else:
            return


@contextmanager
def answering(
    answer: Answer,
    sop_classes: Sequence[str] = (CTImageStorage,),
    syntaxes: Sequence[str] = (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    require_title: bool = False,
    handlers: Sequence[Handler] = (),
) -> Iterator[Peer]:
    """An SCP that answers each C-STORE with the status that `answer` gives for its event.

    require_title: whether it takes associations of SOMEBODY alone.  handlers: of other events.
    """
    contexts = [(uid, syntaxes) for uid in (VERIFICATION, *sop_classes)]
    callers = ["SOMEBODY"] if require_title else []
    with serving("SCP", contexts, [(evt.EVT_C_STORE, answer), *handlers], callers=callers) as peer:
        yield peer


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
