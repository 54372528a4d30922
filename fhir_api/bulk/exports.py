"""The exports that were asked for: one folder each, which tells all processes how it stands.

asked.json: what is wanted.  TYPE.part, TYPE.ndjson: a file that is written, and one that is complete.
progress: a line for people.  begun: a byte for each beginning.  manifest.json, or failed: how it ended.
"""

import fcntl
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fhir_api.answers import Addresses

LIFETIME = 24 * 3600.0  # seconds that an export is kept after its end
MOST_RUNNING = 4
MOST_KEPT = 8
MOST_BEGINNINGS = 5  # of one that is broken off each time

_ID = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"[A-Za-z]{1,64}\.ndjson")
_ASKED, _MANIFEST, _FAILED = "asked.json", "manifest.json", "failed"


class TooMany(Exception):
    """As many exports are running, or kept, as may be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted. url: of the request.  since: seconds since 1970; None for everything."""

    url: str
    types: tuple[str, ...]
    since: float | None


@dataclass(frozen=True, slots=True)
class Export:
    """An export. at: when it was asked for, in seconds since 1970."""

    folder: Path
    asked: Asked
    addresses: Addresses
    at: float

    @property
    def is_wanted(self) -> bool:
        """Whether nobody has removed it meanwhile."""
        return self.folder.exists()

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What is there, when it is complete."""
        with suppress(FileNotFoundError):
            manifest: dict[str, Any] = json.loads((self.folder / _MANIFEST).read_text())
            return manifest
        return None

    @property
    def failure(self) -> str:
        """Why it failed; "" when it did not."""
        with suppress(FileNotFoundError):
            return (self.folder / _FAILED).read_text()
        return ""

    @property
    def progress(self) -> str:
        """How far it is, for people."""
        with suppress(FileNotFoundError):
            return (self.folder / "progress").read_text()
        return "waiting"

    @property
    def expires(self) -> float | None:
        """When it is removed, in seconds since 1970; None while it is running."""
        for name in (_MANIFEST, _FAILED):
            with suppress(FileNotFoundError):
                return (self.folder / name).stat().st_mtime + LIFETIME
        return None

    def begin(self) -> bool:
        """Note that it begins; False when it did too often."""
        with (self.folder / "begun").open("a") as begun:
            begun.write(".")
            return begun.tell() <= MOST_BEGINNINGS

    def put(self, name: str, content: str) -> None:
        """A file that is there as a whole or not at all."""
        new = self.folder / f".{name}"
        _write(new, content)
        new.rename(self.folder / name)

    def tell(self, progress: str) -> None:
        """Say how far it is."""
        self.put("progress", progress)

    def complete(self, manifest: dict[str, Any]) -> None:
        """It is done."""
        self.put(_MANIFEST, json.dumps(manifest))

    def fail(self, reason: str) -> None:
        """It cannot be done; what was written is removed."""
        with suppress(FileNotFoundError):  # removed meanwhile
            for file in (*self.folder.glob("*.ndjson"), *self.folder.glob("*.part")):
                file.unlink(missing_ok=True)
            self.put(_FAILED, reason)


class Exports:
    """All exports. The same in each process; safe for threads."""

    def __init__(self, folder: Path, ring: Callable[[], None]) -> None:
        """ring: wakes who does them."""
        self._folder = folder
        self._ring = ring

    def create(self, asked: Asked, addresses: Addresses) -> str:
        """Let something be exported; returns its id. addresses: by which the client reaches us.

        Raises TooMany.
        """
        name = uuid.uuid4().hex
        with self._alone():
            running = [one for one in self.all() if one.expires is None]
            if len(running) >= MOST_RUNNING:
                raise TooMany(f"{MOST_RUNNING} exports are running; ask again when one is complete")
            if len(self.all()) >= MOST_KEPT:
                raise TooMany(f"{MOST_KEPT} exports are kept; delete one that is not needed any more")
            new = self._folder / f".{name}"
            new.mkdir()
            content = {"asked": asdict(asked), "addresses": asdict(addresses), "at": time.time()}
            _write(new / _ASKED, json.dumps(content))
            new.rename(self._folder / name)
        self._ring()
        return name

    def find(self, name: str) -> Export | None:
        """One by its id; None when there is none, or no longer."""
        export = _read(self._folder / name) if _ID.fullmatch(name) else None
        is_past = export is not None and export.expires is not None and export.expires <= time.time()
        return None if is_past else export

    def file(self, name: str, file: str) -> Path | None:
        """A file of an export that is complete; None when there is none."""
        export = self.find(name)
        if export is None or export.manifest is None or not _FILE.fullmatch(file):
            return None
        path = export.folder / file
        return path if path.is_file() else None

    def remove(self, name: str) -> bool:
        """Remove one, whether it is complete or not; whether it was there."""
        gone = self._folder / f".gone-{name}"
        try:
            if not _ID.fullmatch(name):
                return False
            (self._folder / name).rename(gone)
        except FileNotFoundError:
            return False
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def all(self) -> list[Export]:
        """All, the oldest first."""
        found = (_read(path) for path in self._folder.glob("*") if _ID.fullmatch(path.name))
        return sorted((one for one in found if one is not None), key=lambda one: one.at)

    def next(self) -> Export | None:
        """The one that has waited longest."""
        return next((one for one in self.all() if one.expires is None), None)

    def sweep(self, now: float) -> None:
        """Remove those whose time is over, and what cannot be read or was broken off."""
        for folder in self._folder.glob("*"):
            one = _read(folder)
            if one is None or (one.expires is not None and one.expires <= now):
                self.remove(folder.name)
        with self._alone():  # what is just being made is no rest
            for rest in self._folder.glob(".*"):
                shutil.rmtree(rest, ignore_errors=True)

    def next_expiry(self) -> float | None:
        """When the next one is to be removed; None when there is none."""
        return min((one.expires for one in self.all() if one.expires is not None), default=None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While it is counted, no other process adds one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _read(folder: Path) -> Export | None:
    """The export in a folder; None when there is none, or a power cut left too little of it."""
    try:
        content = json.loads((folder / _ASKED).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    asked = content["asked"]
    return Export(
        folder,
        Asked(asked["url"], tuple(asked["types"]), asked["since"]),
        Addresses(**content["addresses"]),
        content["at"],
    )


def _write(path: Path, content: str) -> None:
    with path.open("w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
