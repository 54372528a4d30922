"""What can be made again from the files.

Columns for searching come from the attribute table, one for one.
"""

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
)

from pacs.attributes import Attribute, Matching, columns
from pacs.index.schema.parts import Key, metadata, values_of
from pacs.model import Level

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


patient = Table(
    "patient",
    metadata,
    Column("key", Key, primary_key=True),
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
    Column("key", Key, primary_key=True),
    Column("patient_key", ForeignKey("patient.key"), nullable=False, index=True),
    Column("identity", Text, nullable=False),
    *_columns(Level.PATIENT),
    Column("study_instance_uid", Text, nullable=False, unique=True),
    *_columns(Level.STUDY, "StudyInstanceUID"),
    Column("timezone_offset", Integer, index=True),  # Timezone Offset From UTC, in minutes
    Column("attributes", LargeBinary, nullable=False),
    # When something of it came or went last, in seconds since 1970
    Column("changed", Float, index=True),
)

# What is listed of them (pacs.attributes)
study_value = values_of("study")

# The order of lists. With the name, a pattern that may be anywhere in it is looked for without reading rows.
_newest = (study.c.study_date, study.c.study_time, study.c.key)
newest_first = (_newest[0].desc().nulls_last(), _newest[1].desc().nulls_last(), _newest[2].desc())
# SQLite reads an index in both directions, and knows no other place for NULL
Index("ix_study_newest", *_newest, study.c.patient_name).ddl_if(dialect="sqlite")
Index("ix_study_newest", *newest_first, study.c.patient_name).ddl_if(dialect="postgresql")

series = Table(
    "series",
    metadata,
    Column("key", Key, primary_key=True),
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
series_value = values_of("series")

instance = Table(
    "instance",
    metadata,
    Column("key", Key, primary_key=True),
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
    Column("key", Key, primary_key=True),
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

non_patient_instance_value = values_of("non_patient_instance")

# Never deleted from, so that the sequence never repeats although SQLite is not asked to see to it.
change = Table(
    "change",
    metadata,
    Column("sequence", Key, primary_key=True),
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
    Column("key", Key, primary_key=True),
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
    Column("key", Key, primary_key=True),
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
    Column("key", Key, primary_key=True),
    Column("follower", Text, nullable=False),
    Column("study_instance_uid", Text, nullable=False),
    Column("series_instance_uid", Text, nullable=False),
    Column("sop_instance_uid", Text, nullable=False),
    # The last change that asked for it: a task asked for again while it ran is run again
    Column("sequence", BigInteger, nullable=False),
    # The change after which it was asked for first
    Column("since", BigInteger, nullable=False, server_default="0"),
    # Seconds since 1970
    Column("due", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("follower", "study_instance_uid", "series_instance_uid", "sop_instance_uid"),
    Index("ix_task_due", "dead", "due"),
)

# By number within a study; databases differ in where they put what has none, unless they are told.
series_order = (series.c.series_number.nulls_first(), series.c.key)
instance_order = (*series_order, instance.c.instance_number.nulls_first(), instance.c.key)
