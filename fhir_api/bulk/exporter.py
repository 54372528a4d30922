"""Writes exports, one after the other, behind everything that answers people."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from fhir_api.bulk.exports import Export, Exports
from fhir_api.bulk.source import UNDATED, Source
from fhir_api.spans import instant
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.changes import Bell
from pacs.errors import OutOfSpace
from sr.fhir_json import dumps

AT_ONCE = 500  # resources written before it is looked whether to go on
PAUSE = 60.0  # seconds, when not even a failure can be noted
LEFT_FREE = 1 << 30  # bytes of the disk that are for what is stored
_NEWLINE = b"\n"
_BROKEN_OFF = "it was broken off too often"
_NO_ROOM = "there is no room for its files"
_FAILED = "it could not be written; the log says why"

log = structlog.get_logger()


class _Stopped(Exception):
    """It is time to stop, or nobody wants this export any more."""


class Exporter:
    """Works off the exports. One in all processes of a service."""

    def __init__(self, exports: Exports, archive: Archive, store: ResourceStore, bell: Bell) -> None:
        """bell: rings when an export was asked for."""
        self._exports = exports
        self._archive = archive
        self._store = store
        self._bell = bell

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Work until it is time to stop and the bell rings."""
        while not is_stopping():
            try:
                self._exports.sweep(time.time())
                if self.export_next(is_stopping):
                    continue
                expiry = self._exports.next_expiry()
                seconds = None if expiry is None else max(0.0, expiry - time.time())
            except Exception as error:  # noqa: BLE001 - the edge: a thread that ends writes no other export
                log.error("exports cannot be written", error=type(error).__name__, retry_in=PAUSE)
                seconds = PAUSE
            self._bell.wait(seconds)

    def export_next(self, is_stopping: Callable[[], bool] = lambda: False) -> bool:
        """Do the export that has waited longest; whether there was one."""
        export = self._exports.next()
        if export is not None:
            self._export(export, is_stopping)
        return export is not None

    def _export(self, export: Export, is_stopping: Callable[[], bool]) -> None:
        """One that is broken off goes on with the file that was not complete."""
        try:
            if not export.begin():
                export.fail(_BROKEN_OFF)
                return
            writing = _Writing(export, Source(self._archive, self._store, export.folder), is_stopping)
            export.complete(writing.manifest())
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - the edge: one export may not hold up the others
            if export.is_wanted:
                is_full = isinstance(error, OutOfSpace) or getattr(error, "errno", 0) == errno.ENOSPC
                log.error("export failed", export=export.folder.name, error=type(error).__name__)
                export.fail(_NO_ROOM if is_full else _FAILED)


class _Writing:
    """The files of one export."""

    def __init__(self, export: Export, source: Source, is_stopping: Callable[[], bool]) -> None:
        self._export = export
        self._source = source
        self._is_stopping = is_stopping

    def manifest(self) -> dict[str, Any]:
        """Write all files; what they are (Bulk Data Access IG, "Response - Complete Status")."""
        asked = self._export.asked
        counts = {kind: self._write(kind) for kind in asked.types}
        unfiltered = [kind for kind in asked.types if kind in UNDATED] if asked.since is not None else []
        return {
            "transactionTime": instant(self._export.at),
            "request": asked.url,
            "requiresAccessToken": False,
            "output": [self._told(kind, kind, number) for kind, number in counts.items() if number],
            "error": [self._tell_unfiltered(unfiltered)] if unfiltered else [],
        }

    def _write(self, kind: str) -> int:
        """The file of a type, unless it is complete; how many resources it has."""
        complete, part = self._file(f"{kind}.ndjson"), self._file(f"{kind}.part")
        if complete.exists():
            with complete.open("rb") as file:
                return sum(1 for _ in file)
        total = self._source.count(kind) if self._export.asked.since is None else None
        number = 0
        with part.open("wb", buffering=1 << 20) as file:
            for content in self._source.read(kind, self._export.asked.since, self._export.addresses):
                if number % AT_ONCE == 0:
                    self._go_on(f"{kind}: {number}" + (f" of {total}" if total is not None else ""))
                file.write(content + _NEWLINE)
                number += 1
            file.flush()
            os.fsync(file.fileno())  # what a manifest tells of is whole, also after a power cut
        part.rename(complete)
        return number

    def _go_on(self, progress: str) -> None:
        if self._is_stopping() or not self._export.is_wanted:
            raise _Stopped
        if shutil.disk_usage(self._export.folder).free < LEFT_FREE:
            raise OutOfSpace("what room is left is for what is stored")
        self._export.tell(progress)

    def _tell_unfiltered(self, kinds: list[str]) -> dict[str, Any]:
        text = f"When {', '.join(kinds)} changed is not known: all of them are given, whatever _since says."
        issue = {"severity": "information", "code": "informational", "diagnostics": text}
        outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
        self._export.put("OperationOutcome.ndjson", f"{dumps(outcome).decode()}\n")
        return self._told("OperationOutcome", "OperationOutcome", 1)

    def _told(self, kind: str, name: str, number: int) -> dict[str, Any]:
        base = self._export.addresses.fhir
        return {
            "type": kind,
            "url": f"{base}/export/{self._export.folder.name}/{name}.ndjson",
            "count": number,
        }

    def _file(self, name: str) -> Path:
        return self._export.folder / name
