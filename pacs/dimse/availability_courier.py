"""Tells other systems which instances are available: the SCU of PS3.4 Annex R, module of PS3.3 C.4.23."""

from collections.abc import Callable

from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.element_writer import ElementWriter
from pacs.dimse.heard import AVAILABILITY
from pacs.dimse.message_courier import Kind
from pacs.dimse.negotiation import Context
from pacs.dimse.sop_classes import INSTANCE_AVAILABILITY, PERFORMED_STEP
from pacs.index import Availability, InstanceState

ONLINE, UNAVAILABLE = "ONLINE", "UNAVAILABLE"  # PS3.3 C.4.23.1.1

_RETRIEVE_AE_TITLE, _INSTANCE_AVAILABILITY = 0x00080054, 0x00080056
_REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE = 0x00081111
_REFERENCED_SERIES_SEQUENCE, _REFERENCED_SOP_SEQUENCE = 0x00081115, 0x00081199
_REFERENCED_SOP_CLASS_UID, _REFERENCED_SOP_INSTANCE_UID = 0x00081150, 0x00081155
_STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID = 0x0020000D, 0x0020000E
_PERFORMED_WORKITEM_CODE_SEQUENCE = 0x00404019


def availability(ae_title: str) -> Kind:
    """Notifications of what can be retrieved from us, or no longer.  ae_title: ours."""

    def write(content: bytes, context: Context) -> bytes:
        return write_notification(Availability.read(content), ae_title, context)

    return Kind(
        INSTANCE_AVAILABILITY,
        "availability",
        "let that system take Instance Availability Notification, or `diafana peer change AET --no-notify`",
        write,
        lambda _, response: AVAILABILITY.then(response["Status"]),
    )


def write_notification(told: Availability, ae_title: str, context: Context) -> bytes:
    """The attributes of N-CREATE (PS3.4 Table R.3.2-1), and no others: more are forbidden.

    ae_title: where it is retrieved.
    """
    writer = ElementWriter(encoding_of(context.transfer_syntax))
    instance = _instances(writer, ae_title)
    series = (
        writer.sequence(_REFERENCED_SOP_SEQUENCE, map(instance, states))
        + writer.uid(_SERIES_INSTANCE_UID, uid)
        for uid, states in told.series.items()
    )
    return b"".join(
        (
            writer.sequence(_REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, _steps(writer, told.step)),
            writer.sequence(_REFERENCED_SERIES_SEQUENCE, series),
            writer.uid(_STUDY_INSTANCE_UID, told.study_instance_uid),
        )
    )


def _steps(writer: ElementWriter, uid: str) -> list[bytes]:
    """The step, if there is one; which kind of work it was is not known."""
    item = (
        writer.uid(_REFERENCED_SOP_CLASS_UID, PERFORMED_STEP),
        writer.uid(_REFERENCED_SOP_INSTANCE_UID, uid),
        writer.sequence(_PERFORMED_WORKITEM_CODE_SEQUENCE, ()),
    )
    return [b"".join(item)] if uid else []


def _instances(writer: ElementWriter, ae_title: str) -> Callable[[InstanceState], bytes]:
    """Writes the items of instances."""
    title = writer.text(_RETRIEVE_AE_TITLE, "AE", ae_title)
    online = title + writer.text(_INSTANCE_AVAILABILITY, "CS", ONLINE)
    unavailable = title + writer.text(_INSTANCE_AVAILABILITY, "CS", UNAVAILABLE)

    def write(state: InstanceState) -> bytes:
        sop_class, uid, is_available = state
        reference = writer.uid(_REFERENCED_SOP_CLASS_UID, sop_class) + writer.uid(
            _REFERENCED_SOP_INSTANCE_UID, uid
        )
        return (online if is_available else unavailable) + reference

    return write
