"""The tables of subscriptions: nothing else tells what is in them, so they are kept."""

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
)

metadata = MetaData()

subscription = Table(
    "fhir_subscription",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    # Seconds since 1970
    Column("last_updated", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text, nullable=False),
    # As it was submitted, JSON
    Column("content", LargeBinary, nullable=False),
    # Seconds since 1970
    Column("ends", Float),
    # The addresses by which the subscriber reaches us
    Column("fhir", Text, nullable=False),
    Column("dicomweb", Text, nullable=False),
    # Of the change feed of the archive: what came after it is told
    Column("since", BigInteger, nullable=False),
    # Those that failed since one succeeded, and when the next is due, in seconds since 1970
    Column("attempts", Integer, nullable=False),
    Column("due", Float, nullable=False),
)

# What a subscriber is still to be told; a resource that changes meanwhile goes to the end
notification = Table(
    "fhir_notification",
    metadata,
    Column("key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("subscription_id", ForeignKey(subscription.c.id), nullable=False),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    # The subscriber refuses it; it is put aside until the subscription is requested again
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("subscription_id", "type", "id"),
    Index("ix_fhir_notification_next", "subscription_id", "dead", "key"),
    sqlite_autoincrement=True,  # a number is never used again: what is done tells what it was by it
)
