"""What every file store does. Names are the store's own; nothing from outside enters them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from pacs.dataset.elements import Buffer
from pacs.files.scratch import Scratch

# Gives what stands before all else in a file. It is asked once, and told how many bytes follow, or None when
# that is not known yet.
Head = Callable[[int | None], bytes]


def no_head(_length: int | None) -> bytes:
    """For files that hold just what is written."""
    return b""


class NewFile(Protocol):
    """A file being written. It is nobody's until the index names it.

    Small ones are in memory until they are complete, with nothing of them in the store.
    Every method raises OutOfSpace when there is no room, StorageFailed when the device fails.
    """

    @property
    def key(self) -> str:
        """Its name in the store, empty while it is in memory. Keys grow with time: the newest sort last."""
        ...

    @property
    def size(self) -> int:
        """Bytes written so far, with the head once there is a key."""
        ...

    @property
    def head_size(self) -> int:
        """Bytes of the head, once there is a key."""
        ...

    @property
    def digest(self) -> str:
        """BLAKE3 of what follows the head, hexadecimal, once it is complete."""
        ...

    def write(self, data: Buffer) -> None:
        """Append all of the data."""
        ...

    def room(self) -> memoryview:
        """Where the next bytes may be put instead of being written: never empty, until the next call."""
        ...

    def filled(self, count: int) -> None:
        """Say that so many bytes were put at the beginning of the room."""
        ...

    def content(self) -> AbstractContextManager[tuple[Buffer, int, int]]:
        """All that was written, to be read in place while the context lasts.

        A buffer, and where what follows the head begins and ends in it.
        """
        ...

    def complete(self) -> None:
        """Say that this is all. From now on there is a key."""
        ...

    def sync(self) -> None:
        """Complete it, return when its content is on the device, and close it."""
        ...

    def discard(self) -> None:
        """Remove the file, whatever its state. May be called twice."""
        ...


class StoredFile(AbstractContextManager["StoredFile"], Protocol):
    """A kept file, open for reading at any position by any thread."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """That many bytes from there; fewer only at the end of the file."""
        ...

    def read_cached(self, offset: int, length: int) -> bytes | memoryview | None:
        """The same without waiting for a device: None when that is not possible now."""
        ...

    def chunks(self, offset: int, length: int) -> Iterator[bytes]:
        """The same in pieces, for what is too large for memory."""
        ...


class RecycledFiles(Protocol):
    """Keeps the files of what was deleted for a while, under the keys that they had."""

    def moving(self) -> AbstractContextManager[None]:
        """Held by whoever moves files to or from here, or decides which: one at a time of all processes."""
        ...

    def take(self, keys: Iterable[str]) -> None:
        """Move files here out of the archive, durably; those that are not there are passed over."""
        ...

    def give_back(self, keys: Iterable[str]) -> None:
        """Move files back into the archive, durably; those that are not here are passed over."""
        ...

    def open(self, key: str) -> StoredFile:
        """Open a file that is here. Raises NotFound when there is none."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove files; nothing happens for those that are not here."""
        ...

    def walk(self) -> Iterator[str]:
        """The keys of all files that are here."""
        ...


class FileStore(Protocol):
    """Keeps files under keys of its own making, never changing one."""

    @property
    def recycled(self) -> "RecycledFiles":
        """The files of what was deleted."""
        ...

    @property
    def block(self) -> int:
        """Bytes that are written at once; files of whole blocks are written soonest."""
        ...

    @property
    def secret(self) -> bytes:
        """32 random bytes that are the store's own: the same for ever and for every process that shares it.

        Raises StorageFailed, OutOfSpace.
        """
        ...

    def create(self, head: Head = no_head, expected: int = 0) -> NewFile:
        """Begin a new file. expected: bytes that may follow the head; to be right makes it cheaper."""
        ...

    def scratch(self) -> Scratch:
        """Begin to put something aside that is kept under no key, and gone when the process is."""
        ...

    def settle(self, keys: Iterable[str]) -> None:
        """Return when the names of these synced files would survive a power cut, too."""
        ...

    def is_whole(self, key: str) -> bool:
        """Whether the file was synced, so that it is all that was received."""
        ...

    def is_abandoned(self, key: str) -> bool:
        """Whether the process that made this file has gone, so that nobody will finish it."""
        ...

    def close(self) -> None:
        """Let go of what this process holds."""
        ...

    def open(self, key: str) -> StoredFile:
        """Open a kept file. Raises NotFound when there is none."""
        ...

    def expect(self, keys: Iterable[str], length: int) -> None:
        """Let the device begin to read so many bytes of each; nothing is waited for, and nothing promised."""
        ...

    def secure(self, key: str) -> None:
        """Return when a file of another process, content and name, would survive a power cut."""
        ...

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens when there is none."""
        ...

    def set_aside(self, key: str) -> str:
        """Move a synced file out of the archive into quarantine, durably; returns its key there."""
        ...

    def forget_aside(self, key: str) -> None:
        """Remove a file from quarantine."""
        ...

    def walk(self, since: str = "") -> Iterator[str]:
        """The keys of all files of the archive in order, from `since` on, and of nothing beside it."""
        ...
