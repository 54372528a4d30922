"""What a store knows and nobody else: made once, then the same for all processes that share the folder."""

import os
import secrets
from pathlib import Path

from pacs.errors import StorageFailed
from pacs.files.folders import sync_folder
from pacs.files.storage_error import storage_error

_LENGTH = 32  # bytes: nothing shorter withstands trying all there are


def kept_secret(path: Path) -> bytes:
    """The secret in this file, which is made durably by who asks first.

    Raises StorageFailed, also when the file holds something else; OutOfSpace.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise storage_error(error) from error
    if len(secret) != _LENGTH:
        raise StorageFailed(f"{path.name} is damaged: it must hold {_LENGTH} bytes; restore it from a backup")
    return secret


def _make(path: Path) -> None:
    """Under another name first, so that no process ever sees half of it; the first to link it wins."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    try:
        os.write(descriptor, secrets.token_bytes(_LENGTH))
        os.fsync(descriptor)
        path.hardlink_to(unfinished)
    except FileExistsError:  # another process was first, and its secret is the one
        pass
    finally:
        os.close(descriptor)
        unfinished.unlink()
    sync_folder(path.parent)
