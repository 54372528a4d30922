"""Objects without the patient (PS3.18 9.4.1.2.1): made for each request, and never kept (ADR 33)."""

from starlette.requests import Request
from starlette.responses import Response

from dicomweb.conditional import entity_tag, not_modified, validators
from dicomweb.media_types import DICOM, NotAcceptable, Representation
from dicomweb.resource import Resource
from pacs.model import Instance

_ANY = "*"


class Deidentified(Resource):
    """Gives single objects de-identified."""

    async def respond(self, request: Request, instance: Instance, transfer_syntax_uid: str) -> Response:
        """The object in this transfer syntax, `*` for the one that costs least.

        No header field tells a UID or digest of the original.
        Raises CannotDeidentify, CannotRender, MalformedObject, NotAcceptable, NotFound.
        """
        form = await self._form(instance, transfer_syntax_uid)
        uid, content = await self._threads.read(self._names, instance)
        tag = entity_tag(form, (content, form.transfer_syntax_uid))
        segment = await self._transcoding.made(
            instance, self._archive.deidentifier.content(instance, form.transfer_syntax_uid)
        )
        held = not_modified(request, tag)  # asked last: what is refused now is refused to who holds it, too
        if held is not None:
            return held
        headers = {**validators(tag), "Content-Disposition": f'attachment; filename="{uid}.dcm"'}
        return await self._bodies.represented(request, [(form, [segment])], headers)

    async def _form(self, instance: Instance, transfer_syntax_uid: str) -> Representation:
        offered = await self._threads.read(self._archive.deidentifier.syntaxes, instance)
        chosen = offered[0] if transfer_syntax_uid == _ANY else transfer_syntax_uid
        if chosen not in offered:
            listed = ", ".join(offered)
            raise NotAcceptable(f"transferSyntax: the object cannot be given in it; on offer: {listed}")
        return Representation(DICOM, chosen)

    def _names(self, instance: Instance) -> tuple[str, str]:
        """The SOP Instance UID that it gets, and what stands for its content."""
        pseudonyms = self._archive.deidentifier.pseudonyms
        return pseudonyms.uid(instance.sop_instance_uid), pseudonyms.tag(instance.digest)
