"""The bytes as received: one contract, and the stores that keep it."""

from pacs.files.contract import FileStore, NewFile, StoredFile
from pacs.files.disk import DiskFiles
from pacs.files.scratch import Scratch, Stretch

__all__ = ["DiskFiles", "FileStore", "NewFile", "Scratch", "StoredFile", "Stretch"]
