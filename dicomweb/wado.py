"""Whole objects, as they are stored (PS3.18 10.4.1.1.1 to 10.4.1.1.3)."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.bodies import Segment, Stretch
from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.media_types import Representation, instance_offers
from dicomweb.request import study_and_series
from dicomweb.resource import Resource
from pacs.model import Instance


class Objects(Resource):
    """Retrieves the instances of a study or series, or a single one, as Part 10 files."""

    async def retrieve(self, request: Request) -> Response:
        """GET /studies/{study} and /studies/{study}/series/{series}, always in parts."""
        instances = await self._threads.search(self._archive.instances, *study_and_series(request))
        return await self._respond(request, instances, one=False)

    async def retrieve_instance(self, request: Request) -> Response:
        """GET /studies/{study}/series/{series}/instances/{instance}: one part, or the bare file."""
        instance = await self._instances.of(request)
        return await self._respond(request, [instance], one=True)

    async def respond_bare(self, request: Request, instance: Instance) -> Response:
        """The bare file, to whoever may have it so."""
        form = Representation("application/dicom", instance.transfer_syntax_uid)
        return await self._represent(request, [(form, instance)])

    async def _respond(self, request: Request, instances: Sequence[Instance], one: bool) -> Response:
        choose = self._negotiation.choose
        forms = [choose(request, instance_offers, i.transfer_syntax_uid, one) for i in instances]
        return await self._represent(request, list(zip(forms, instances, strict=True)))

    async def _represent(
        self, request: Request, chosen: Sequence[tuple[Representation, Instance]]
    ) -> Response:
        form, instance = chosen[0]
        tag = entity_tag(form, [i.digest for _, i in chosen])
        held = not_modified(request, tag)
        if held is not None:
            return held
        headers = validators(tag)
        if not form.multipart:
            headers["Content-Disposition"] = f'attachment; filename="{instance.sop_instance_uid}.dcm"'
        contents: list[tuple[Representation, Sequence[Segment]]] = [
            (form, [Stretch(instance, 0, instance.size)]) for form, instance in chosen
        ]
        return await self._bodies.represented(request, contents, headers)
