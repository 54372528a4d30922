"""The tables of the index. Columns for searching come from the attribute table, one for one."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from pacs.attributes import Attribute, Matching, columns
from pacs.model import Coercion, Level

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite grows a primary key by itself only when its type is INTEGER.
_Key = BigInteger().with_variant(Integer, "sqlite")

# The search keys that lead to few rows, and so deserve an index of their own.
_INDEXED = frozenset(
    {"PatientName", "PatientID", "StudyDate", "AccessionNumber", "StudyID", "ReferringPhysicianName"}
    | {"SeriesInstanceUID", "ScheduledProcedureStepID", "RequestedProcedureID"}
)


def _column(attribute: Attribute) -> Column[str] | Column[int]:
    if attribute.matching is Matching.NUMBER:
        return Column(attribute.column, BigInteger)
    return Column(attribute.column, Text, index=attribute.keyword in _INDEXED)


def _columns(level: Level, *without: str) -> list[Column[str] | Column[int]]:
    kept = [a for a in columns(level) if a.keyword not in without]
    sounds = [Column(a.sound_column, Text) for a in kept if a.matching is Matching.NAME]
    return [*(_column(a) for a in kept), *sounds]


def _values_of(owner: str) -> Table:
    """What the rows of a table are searched by: each value of each key."""
    return Table(
        f"{owner}_value",
        metadata,
        Column("key", _Key, primary_key=True),
        Column(f"{owner}_key", ForeignKey(f"{owner}.key"), nullable=False, index=True),
        # Tags, such as "00404025.00080100"
        Column("path", Text, nullable=False),
        # Which item it lies in: numbers on the way, such as "0/"
        Column("item", Text, nullable=False),
        Column("value", Text, nullable=False),
        Index(f"ix_{owner}_value_path", "path", "value"),
    )


patient = Table(
    "patient",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("identity", Text, nullable=False, unique=True),
    *_columns(Level.PATIENT),
    # As DICOM JSON, of the study that came last
    Column("attributes", LargeBinary, nullable=False),
    # When that was, in seconds since 1970
    Column("changed", Float, index=True),
)

# A study keeps the patient's attributes as its own objects state them, so that no answer ever shows
# one patient's study under the name of another who bears the same number.
study = Table(
    "study",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("patient_key", ForeignKey("patient.key"), nullable=False, index=True),
    Column("identity", Text, nullable=False),
    *_columns(Level.PATIENT),
    Column("study_instance_uid", Text, nullable=False, unique=True),
    *_columns(Level.STUDY, "StudyInstanceUID"),
    Column("attributes", LargeBinary, nullable=False),
    # When something of it came or went last, in seconds since 1970
    Column("changed", Float, index=True),
)

# What is listed of them (pacs.attributes)
study_value = _values_of("study")

# The order of lists. With the name, a pattern that may be anywhere in it is looked for without reading rows.
_newest = (study.c.study_date, study.c.study_time, study.c.key)
newest_first = (_newest[0].desc().nulls_last(), _newest[1].desc().nulls_last(), _newest[2].desc())
# SQLite reads an index in both directions, and knows no other place for NULL
Index("ix_study_newest", *_newest, study.c.patient_name).ddl_if(dialect="sqlite")
Index("ix_study_newest", *newest_first, study.c.patient_name).ddl_if(dialect="postgresql")

series = Table(
    "series",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("study_key", ForeignKey("study.key"), nullable=False),
    *_columns(Level.SERIES),
    Column("attributes", LargeBinary, nullable=False),
    Column("number_of_instances", Integer, nullable=False),
    # Each SOP Class UID once, parted by backslashes
    Column("sop_class_uids", Text, nullable=False),
    # The sequence of the last change in it
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("study_key", "series_instance_uid"),
)

# What is listed of them; and of sequences with more than one item, for the only item has columns
series_value = _values_of("series")

instance = Table(
    "instance",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("series_key", ForeignKey("series.key"), nullable=False),
    Column("sop_instance_uid", Text, nullable=False, unique=True),
    *[c for c in _columns(Level.INSTANCE, "SOPInstanceUID")],
    Column("attributes", LargeBinary, nullable=False),
    Column("transfer_syntax_uid", Text, nullable=False),
    Column("file", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    # Where the pixels lie; all empty when there are none
    Column("pixel_tag", BigInteger),
    Column("pixel_offset", BigInteger),
    Column("pixel_length", BigInteger),
    Column("encapsulated", Boolean),
    Column("number_of_frames", Integer),
    Column("frame_bits", BigInteger),
    Index("ix_instance_series_key", "series_key", "instance_number"),
)

# What belongs to no patient (PS3.4 GG), and so lies in no study
non_patient_instance = Table(
    "non_patient_instance",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("sop_instance_uid", Text, nullable=False, unique=True),
    Column("sop_class_uid", Text, nullable=False, index=True),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    Column("transfer_syntax_uid", Text, nullable=False),
    Column("file", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    Column("digest", Text, nullable=False),
)

non_patient_instance_value = _values_of("non_patient_instance")

# Never deleted from, so that the sequence never repeats although SQLite is not asked to see to it.
change = Table(
    "change",
    metadata,
    Column("sequence", _Key, primary_key=True),
    # Seconds since 1970
    Column("at", Float, nullable=False),
    Column("action", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("series_instance_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("sop_class_uid", Text, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("ae_title", Text, nullable=False),
    Column("address", Text, nullable=False),
    UniqueConstraint("sop_instance_uid", "digest"),
)

# Files of instances that are there no longer, until their time is over
recycled = Table(
    "recycled",
    metadata,
    Column("key", _Key, primary_key=True),
    # Seconds since 1970
    Column("at", Float, nullable=False),
    Column("file", Text, nullable=False, unique=True),
    Column("study_instance_uid", Text, nullable=False, index=True),
    Column("series_instance_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    Column("sop_class_uid", Text, nullable=False),
    # As pacs.index.remove.Removal has them
    Column("reason", Text, nullable=False),
    Column("requester", Text, nullable=False),
)

# Instances that rejection notes keep out, whether they have come yet or not
rejected = Table(
    "rejected",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("study_instance_uid", Text, primary_key=True),
    # The code of the note's title, and its SOP Instance UID
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False, index=True),
)

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
    Column("key", _Key, primary_key=True),
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

# How far each follower has read the change feed
cursor = Table(
    "cursor",
    metadata,
    Column("follower", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

# What each follower still has to do; a task that failed too often stays as a dead letter
task = Table(
    "task",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("follower", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("series_instance_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    # The last change that asked for it: a task asked for again while it ran is run again
    Column("sequence", BigInteger, nullable=False),
    # Seconds since 1970
    Column("due", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("follower", "study_instance_uid", "series_instance_uid", "sop_instance_uid"),
    Index("ix_task_due", "dead", "due"),
)

workitem = Table(
    "workitem",
    metadata,
    Column("key", _Key, primary_key=True),
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

workitem_value = _values_of("workitem")

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
    Column("key", _Key, primary_key=True),
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
    Column("key", _Key, primary_key=True),
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

scheduled_step_value = _values_of("scheduled_step")

# What modalities report of their work
performed_step = Table(
    "performed_step",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("sop_instance_uid", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    # When it came to its final state, in seconds since 1970
    Column("ended", Float, index=True),
)

performed_step_value = _values_of("performed_step")

# What other systems are still to be told of them, in this order
step_message = Table(
    "step_message",
    metadata,
    Column("key", _Key, primary_key=True),
    # An AE title
    Column("destination", Text, nullable=False, index=True),
    Column("sop_instance_uid", Text, nullable=False),
    Column("is_new", Boolean, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    # When it is tried next, in seconds since 1970
    Column("due", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

_PEER_TEXTS = ("move_to", "transfer_syntaxes", *Coercion._fields[:-1])  # the last is no text

# The systems that are known
peer = Table(
    "peer",
    metadata,
    Column("ae_title", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("commits", Boolean, nullable=False, server_default=false()),
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
    Column("key", _Key, primary_key=True),
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
    Column("key", _Key, primary_key=True),
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

# What is kept here alone, and cannot be made again from the files; a table follows those that it refers to
ONLY_HERE = (
    *(workitem, workitem_value, workitem_gone),
    *(subscription, worklist_subscription, event_report, event_channel),
    *(scheduled_step, scheduled_step_value, performed_step, performed_step_value, step_message),
    *(commitment, commitment_request, peer, send_request, send_item, send_commitment),
    *(forward_rule, forwarded, forward_request),
)

# By number within a study; databases differ in where they put what has none, unless they are told.
series_order = (series.c.series_number.nulls_first(), series.c.key)
instance_order = (*series_order, instance.c.instance_number.nulls_first(), instance.c.key)
