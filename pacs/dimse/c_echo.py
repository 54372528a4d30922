"""C-ECHO (PS3.4 Annex A)."""

from pacs.dimse.association import Request
from pacs.dimse.status import SUCCESS


class Echo:
    """Answers that we are here."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def write(self, data: memoryview) -> None:
        """There is no data set; one that comes is passed over."""

    def finish(self) -> None:
        """Answer."""
        self._request.respond({"Status": SUCCESS})

    def abandon(self) -> None:
        """There is nothing to take back."""
