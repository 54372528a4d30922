"""Whole objects: as they are stored, or in another transfer syntax (PS3.18 10.4.1.1.1 to 10.4.1.1.3)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.bodies import Made, Segment, Stretch
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.file_sets import FileSets
from dicomweb.media_types import ZIP, NotAcceptable, Representation
from dicomweb.request import study_and_series, uids
from dicomweb.resource import Resource, Shared
from pacs.model import Instance

_OK, _PARTIAL_CONTENT = 200, 206

Chosen = tuple[Representation, Instance]


class Objects(Resource):
    """Retrieves the instances of a study or series, or a single one, as Part 10 files."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._file_sets = FileSets(shared.archive, shared.threads)

    async def retrieve(self, request: Request) -> Response:
        """GET /studies/{study} and /studies/{study}/series/{series}, in parts or as a zip archive.

        What cannot be given as the client accepts it is left out, and the status says so (10.4.3.1).
        """
        instances = await self._threads.search(self._archive.instances, *study_and_series(request))
        chosen = await self._choose(request, instances)
        in_parts = [(form, instance) for form, instance in chosen if form.media_type != ZIP]
        if not in_parts:
            return await self._file_sets.respond(request, instances, chosen[0][0], uids(request)[-1])
        status = _OK if len(in_parts) == len(instances) else _PARTIAL_CONTENT
        return await self._represent(request, in_parts, status)

    async def retrieve_instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}: one part, the bare file, or zipped."""
        instance = await self._instances.of(request)
        form = await self._transcoding.object_form(request, instance, True)
        if form.media_type == ZIP:
            return await self._file_sets.respond(request, [instance], form, instance.sop_instance_uid)
        return await self.respond(request, instance, form)

    async def _choose(self, request: Request, instances: Sequence[Instance]) -> list[Chosen]:
        """The form of each that can be given. Raises NotAcceptable when none can be."""
        chosen: list[Chosen] = []
        refusal = NotAcceptable()
        for instance in instances:
            try:
                chosen.append((await self._transcoding.object_form(request, instance, False), instance))
            except NotAcceptable as error:
                refusal = error
        if not chosen:
            raise refusal
        return chosen

    async def respond(self, request: Request, instance: Instance, form: Representation) -> Response:
        """One object in this form. Raises CannotRender when it cannot be transcoded."""
        return await self._represent(request, [(form, instance)], _OK)

    async def _represent(self, request: Request, chosen: Sequence[Chosen], status: int) -> Response:
        form, instance = chosen[0]
        tag = entity_tag(form, [(i.digest, f.transfer_syntax_uid) for f, i in chosen])
        held = not_modified(request, tag)
        if held is not None:
            return held
        headers = validators(tag)
        if not form.multipart:
            headers["Content-Disposition"] = f'attachment; filename="{instance.sop_instance_uid}.dcm"'
        contents = await self._contents(chosen)
        return await self._bodies.represented(request, contents, headers, status)

    async def _contents(self, chosen: Sequence[Chosen]) -> list[tuple[Representation, Sequence[Segment]]]:
        """Each object as it lies, or made when it is its turn; the first of those is begun now."""
        if len(chosen) == 1 and chosen[0][0].transcoded:
            form, instance = chosen[0]
            return [(form, [await self._transcoding.whole(instance, form)])]
        segments: list[Segment] = [
            self._transcoding.later(i, f) if f.transcoded else Stretch(i, 0, i.size) for f, i in chosen
        ]
        for number, segment in enumerate(segments):
            if isinstance(segment, Made):
                segments[number] = await self._transcoding.begun(segment)
                break
        return [(form, [segment]) for (form, _), segment in zip(chosen, segments, strict=True)]
