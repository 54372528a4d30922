"""The tables of what other systems are told, each message after those before it."""

from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, Table, Text

from pacs.index.schema.parts import Key, metadata


def _in_its_turn() -> tuple[Column[float], Column[float], Column[int], Column[int], Column[str]]:
    """How a message stands that is told after those before it."""
    return (
        # When it was noted, and when it is tried next, in seconds since 1970
        Column("at", Float, nullable=False, server_default="0"),
        Column("due", Float, nullable=False),
        # How often it was tried, and how often that failed, but not because the other was away
        Column("attempts", Integer, nullable=False),
        Column("refusals", Integer, nullable=False, server_default="0"),
        Column("error", Text, nullable=False),
    )


# What other systems are still to be told of performed steps, in this order
step_message = Table(
    "step_message",
    metadata,
    Column("key", Key, primary_key=True),
    # An AE title
    Column("destination", Text, nullable=False, index=True),
    # Of the step
    Column("sop_instance_uid", Text, nullable=False),
    Column("is_new", Boolean, nullable=False),
    # As DICOM JSON
    Column("attributes", LargeBinary, nullable=False),
    *_in_its_turn(),
)

# What known systems are still to be told of instances that are available, in this order (PS3.4 Annex R)
availability_notice = Table(
    "availability_notice",
    metadata,
    Column("key", Key, primary_key=True),
    # An AE title
    Column("destination", Text, nullable=False, index=True),
    # Of the notification
    Column("sop_instance_uid", Text, nullable=False),
    *_in_its_turn(),
    # An Availability, as JSON: the last column, for SQLite reads through what lies before another
    Column("content", LargeBinary, nullable=False),
)
