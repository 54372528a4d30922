"""Deleting studies, series and instances. PS3.18 has no such transaction yet; this is how archives do it."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from dicomweb.problems import problem
from dicomweb.request import uids
from dicomweb.threads import Threads
from pacs.archive import Archive

_FORBIDDEN = "nothing may be deleted here; whoever runs the archive can allow it by DIAFANA_DELETE=true"

log = structlog.get_logger()


class Delete:
    """Deletes, where that is allowed."""

    def __init__(self, archive: Archive, threads: Threads, is_allowed: bool) -> None:
        self._archive = archive
        self._threads = threads
        self._is_allowed = is_allowed

    async def delete(self, request: Request) -> Response:
        """DELETE /studies/{study}[/series/{series}[/instances/{instance}]]: 204 when it is done.

        Raises InvalidIdentifier, NotFound.
        """
        study, *below = uids(request)
        series, instance = (*below, None, None)[:2]
        requester = request.client.host if request.client else ""
        if not self._is_allowed:
            log.warning("deletion refused", study=study, requester=requester)
            return problem(403, _FORBIDDEN)
        await self._threads.store(self._archive.deletion.delete, study, series, instance, requester)
        return Response(status_code=204)
