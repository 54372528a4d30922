"""Requests that come with a short data set: an identifier, or what an operation is about."""

import structlog

from pacs.dimse.association import Request
from pacs.dimse.data_set import read_data_set
from pacs.errors import ArchiveError, DataSetTooLong
from pacs.model import DicomJson

log = structlog.get_logger()


class WithDataSet:
    """Gathers the data set, and answers at its end."""

    most_bytes = 1 << 20  # of it

    def __init__(self, request: Request) -> None:
        self._request = request
        self._data_set = bytearray()
        self._overflows = False

    def write(self, data: memoryview) -> None:
        """Gather it."""
        self._overflows = self._overflows or len(self._data_set) + len(data) > self.most_bytes
        if not self._overflows:
            self._data_set += data

    def abandon(self) -> None:
        """There is nothing to take back."""

    def finish(self) -> None:
        """Answer; what cannot be understood or done is refused."""
        try:
            if self._overflows:
                raise DataSetTooLong(f"the data set is longer than {self.most_bytes} bytes")
            self.read(bytes(self._data_set))
        except ArchiveError as error:
            log.warning("request refused", peer=self._request.association.source.address, reason=str(error))
            self._request.respond(self._request.answers.failure(error))

    def read(self, data: bytes) -> None:
        """Read the data set, and answer. Raises ArchiveError before the last response."""
        self.answer(read_data_set(data, self._request.context))

    def answer(self, data_set: DicomJson) -> None:
        """Send all responses. Raises ArchiveError before the last one."""
        raise NotImplementedError
