"""Errors of the operating system as errors of the archive."""

import errno

from pacs.errors import ArchiveError, OutOfSpace, StorageFailed

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def storage_error(error: OSError) -> ArchiveError:
    """What an error of the operating system means to the archive."""
    if error.errno in _FULL:
        return OutOfSpace("no room left on the storage device; make room, and storing goes on by itself")
    return StorageFailed(f"the storage device failed: {error.strerror}")
