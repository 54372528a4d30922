"""What is kept in the index alone: it cannot be made again from the files."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from pacs.index.schema.messages import availability_notice, step_message
from pacs.index.schema.parts import Key, metadata, values_of
from pacs.model import Coercion

# What was answered to requests for storage commitment
commitment = Table(
    "commitment",
    metadata,
    Column("transaction_uid", Text, primary_key=True),
    # Seconds since 1970
    Column("at", Float, nullable=False, index=True),
    # As DICOM JSON
    Column("answer", LargeBinary, nullable=False),
)

# What peers want to be committed, and what they are told (PS3.4 Annex J)
commitment_request = Table(
    "commitment_request",
    metadata,
    Column("key", Key, primary_key=True),
    # Not unique: a second one of the same UID is told that it is a duplicate
    Column("transaction_uid", Text, nullable=False, index=True),
    # The AE title of who asks, and that by which we were called
    Column("destination", Text, nullable=False),
    Column("called", Text, nullable=False),
    # Seconds since 1970
    Column("at", Float, nullable=False, index=True),
    # The doorbell of the association that is open, or empty
    Column("door", Text, nullable=False, index=True),
    Column("is_told", Boolean, nullable=False),
    # When the courier turns to it; none when it was told, or nobody is known who could be told
    Column("due", Float, index=True),
    Column("attempts", Integer, nullable=False),
    # SOP Class UID and SOP Instance UID of each instance, as JSON
    Column("asked", LargeBinary, nullable=False),
    # The failure reason of each, 0 for none; nothing until all were looked at
    Column("answer", LargeBinary),
    Index("ix_commitment_request_destination", "destination", "is_told"),
)

workitem = Table(
    "workitem",
    metadata,
    Column("key", Key, primary_key=True),
    Column("sop_instance_uid", Text, nullable=False, unique=True),
    # Empty until it is claimed
    Column("transaction_uid", Text, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    # When it is scheduled to start, in the form that is searched for
    Column("start", Text, nullable=False),
    # When it came to its final state, in seconds since 1970
    Column("ended", Float, index=True),
    Index("ix_workitem_start", "start", "key"),
)

workitem_value = values_of("workitem")

# Those that were removed after their end
workitem_gone = Table("workitem_gone", metadata, Column("sop_instance_uid", Text, primary_key=True))

# Who is told what happens to a work item
subscription = Table(
    "subscription",
    metadata,
    Column("workitem_key", ForeignKey("workitem.key"), primary_key=True),
    Column("ae_title", Text, primary_key=True),
    Column("deletion_lock", Boolean, nullable=False),
    Index("ix_subscription_ae_title", "ae_title"),
)

# Who will be subscribed to work items as they are made
worklist_subscription = Table(
    "worklist_subscription",
    metadata,
    Column("ae_title", Text, primary_key=True),
    Column("deletion_lock", Boolean, nullable=False),
    # As JSON: the path of each key, and its values; empty for all work items
    Column("filter", LargeBinary, nullable=False),
)

# What subscribers have still to be told
event_report = Table(
    "event_report",
    metadata,
    Column("key", Key, primary_key=True),
    Column("ae_title", Text, nullable=False),
    # As DICOM JSON
    Column("report", LargeBinary, nullable=False),
    Index("ix_event_report_ae_title", "ae_title", "key"),
)

# The notification connection that a subscriber opened last: it alone tells
event_channel = Table(
    "event_channel",
    metadata,
    Column("ae_title", Text, primary_key=True),
    Column("token", Text, nullable=False),
)

# The modality worklist
scheduled_step = Table(
    "scheduled_step",
    metadata,
    Column("key", Key, primary_key=True),
    Column("study_instance_uid", Text, nullable=False),
    Column("step_id", Text, nullable=False),
    # In the time of the place: YYYYMMDDHHMMSS.FFFFFF
    Column("start", Text, nullable=False),
    Column("status", Text, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    # When it came to its final state, in seconds since 1970
    Column("ended", Float, index=True),
    UniqueConstraint("study_instance_uid", "step_id"),
    Index("ix_scheduled_step_start", "start", "key"),
)

scheduled_step_value = values_of("scheduled_step")

# What modalities report of their work
performed_step = Table(
    "performed_step",
    metadata,
    Column("key", Key, primary_key=True),
    Column("sop_instance_uid", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    # When it came to its final state, in seconds since 1970
    Column("ended", Float, index=True),
)

performed_step_value = values_of("performed_step")

_PEER_TEXTS = ("move_to", "transfer_syntaxes", *Coercion._fields[:-1])  # the last is no text

# The systems that are known
peer = Table(
    "peer",
    metadata,
    Column("ae_title", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    # Whether it is asked to commit to what is sent to it
    Column("commits", Boolean, nullable=False, server_default=false()),
    # Whether it is told which instances are available
    Column("notified", Boolean, nullable=False, server_default=false()),
    Column("tls", Boolean, nullable=False, server_default=false()),
    Column("patient_from_worklist", Boolean, nullable=False, server_default=false()),
    # What it may ask, where it may have things sent to, what it prefers, what is put into its objects
    Column("may", Text, nullable=False, server_default="query\\retrieve\\store"),
    Column("duplicates", Text, nullable=False, server_default="set aside"),
    *(Column(name, Text, nullable=False, server_default="") for name in _PEER_TEXTS),
)

# What is asked to be sent
send_request = Table(
    "send_request",
    metadata,
    Column("transaction_uid", Text, primary_key=True),
    # An AE title
    Column("destination", Text, nullable=False),
    # When it was asked for, in seconds since 1970
    Column("at", Float, nullable=False, index=True),
    # When it is tried next; none once it has ended
    Column("due", Float, index=True),
    Column("attempts", Integer, nullable=False),
    # Why the last attempt was broken off
    Column("error", Text, nullable=False),
)

send_item = Table(
    "send_item",
    metadata,
    Column("key", Key, primary_key=True),
    Column("transaction_uid", ForeignKey("send_request.transaction_uid"), nullable=False),
    Column("sop_class_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    # Of the C-STORE response; none until there is one
    Column("status", Integer),
    # Why the destination does not commit to it, 0 when it does; none until it has said so
    Column("commitment", Integer),
    Index("ix_send_item_transaction_uid", "transaction_uid", "status"),
)

# Storage commitment that is asked for what was sent
send_commitment = Table(
    "send_commitment",
    metadata,
    Column("transaction_uid", Text, primary_key=True),
    Column("request_uid", ForeignKey("send_request.transaction_uid"), nullable=False, index=True),
    Column("state", Text, nullable=False),  # one of sent_commitments.State
)

# What is sent on by itself
forward_rule = Table(
    "forward_rule",
    metadata,
    Column("key", Key, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # AE titles, and hours of the day
    *(Column(name, Text, nullable=False) for name in ("destination", "source", "hours")),
    Column("keys", LargeBinary, nullable=False),  # pairs of name and value, as JSON
    Column("bytes_per_second", BigInteger),
    *(Column(name, Boolean, nullable=False) for name in ("is_prompt", "is_paused")),
    # The greatest key of an instance that was there before
    Column("since", BigInteger, nullable=False),
)

# What was asked to be sent for each rule, so that nothing is twice
forwarded = Table(
    "forwarded",
    metadata,
    Column("rule_key", ForeignKey("forward_rule.key"), primary_key=True),
    Column("sop_instance_uid", Text, primary_key=True),
    sqlite_with_rowid=False,
)

# The requests to send that rules have made
forward_request = Table(
    "forward_request",
    metadata,
    Column(
        "transaction_uid", ForeignKey("send_request.transaction_uid", ondelete="CASCADE"), primary_key=True
    ),
    Column("rule_key", ForeignKey("forward_rule.key"), nullable=False, index=True),
)

# All of them; a table follows those that it refers to
ONLY_HERE = (
    *(workitem, workitem_value, workitem_gone),
    *(subscription, worklist_subscription, event_report, event_channel),
    *(scheduled_step, scheduled_step_value, performed_step, performed_step_value, step_message),
    *(commitment, commitment_request, peer, availability_notice, send_request, send_item, send_commitment),
    *(forward_rule, forwarded, forward_request),
)
