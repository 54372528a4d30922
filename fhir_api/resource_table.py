"""The tables of what reports became. All of it can be made again from the reports."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

AT_ONCE = 400  # resources in one statement

Name = tuple[str, str]  # type and id of a resource

metadata = MetaData()

# SQLite grows a primary key by itself only when its type is INTEGER.
_Key = BigInteger().with_variant(Integer, "sqlite")

# One row: which mapping all the rest was made by
mapping = Table(
    "fhir_mapping",
    metadata,
    Column("version", Integer, nullable=False),
    # Nothing has been asked to be made again yet
    Column("is_fresh", Boolean, nullable=False),
    # What a resource begins with that has had none; above all that were given before
    Column("first_version", Integer, nullable=False),
)

report = Table(
    "fhir_report",
    metadata,
    Column("sop_instance_uid", Text, primary_key=True),
    Column("study_instance_uid", Text, nullable=False, index=True),
    Column("patient_identity", Text, nullable=False, index=True),
    # SHA-256 of all that it became
    Column("digest", Text, nullable=False),
)

resource = Table(
    "fhir_resource",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    # As it is sent, JSON
    Column("content", LargeBinary, nullable=False),
    # SHA-256 of the content without version and date
    Column("digest", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # Seconds since 1970
    Column("last_updated", Float, nullable=False),
    UniqueConstraint("type", "id"),
    Index("ix_fhir_resource_in_order", "type", "key"),
    Index("ix_fhir_resource_updated", "type", "last_updated"),
)

# The versions before the present one. Of what was withdrawn only that is kept, and when.
past_version = Table(
    "fhir_past_version",
    metadata,
    Column("type", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    # As it was sent, JSON; empty when the resource was withdrawn
    Column("content", LargeBinary, nullable=False),
    Column("last_updated", Float, nullable=False),
    Index("ix_fhir_past_version_updated", "type", "last_updated"),
)

# Which resources a report became. Several may become the same: their equipment, a structure they follow.
product = Table(
    "fhir_product",
    metadata,
    Column("sop_instance_uid", ForeignKey(report.c.sop_instance_uid), primary_key=True),
    Column("resource_key", ForeignKey(resource.c.key), primary_key=True, index=True),
)

# What a resource says under its search parameters: codes and identifiers; texts, folded, and references as
# Type/id, without a system; under "name:identifier" the identifiers of references; of quantities the unit.
search_value = Table(
    "fhir_search_value",
    metadata,
    Column("resource_key", ForeignKey(resource.c.key), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    # Of dates seconds since 1970, of quantities their number: from low to below high
    Column("low", Float),
    Column("high", Float),
    Index("ix_fhir_search_value", "name", "value", "system", "resource_key"),
)

# Of the few that have them
for _bound in search_value.c.low, search_value.c.high:
    Index(
        f"ix_fhir_search_value_{_bound.name}",
        search_value.c.name,
        _bound,
        search_value.c.resource_key,
        sqlite_where=_bound.is_not(None),
        postgresql_where=_bound.is_not(None),
    )

# What one element of a resource says under both parts of a composite search parameter: of the first part
# system and value as above, of the second the columns of `part` and, of dates and quantities, low and high.
search_pair = Table(
    "fhir_search_pair",
    metadata,
    Column("resource_key", ForeignKey(resource.c.key), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("part_system", Text, nullable=False),
    Column("part_value", Text, nullable=False),
    Column("low", Float),
    Column("high", Float),
    # All of it: many resources have one code, and the rows of few are wanted
    Index(
        "ix_fhir_search_pair",
        *("name", "value", "system", "low", "high", "part_value", "part_system", "resource_key"),
    ),
)

# Content items that became nothing
unmapped = Table(
    "fhir_unmapped",
    metadata,
    Column("sop_instance_uid", ForeignKey(report.c.sop_instance_uid), nullable=False, index=True),
    # Of the item in the content tree, such as 1.2.3
    Column("position", Text, nullable=False),
    Column("coding_scheme_designator", Text, nullable=False),
    Column("code_value", Text, nullable=False),
    Column("code_meaning", Text, nullable=False),
    Column("reason", Text, nullable=False),
)


def bearing(table: Table, names: Iterable[Name]) -> Iterator[ColumnElement[bool]]:
    """Conditions that find the rows of these resources by the index of their names, some at a time.

    Of pairs of type and id in one list SQLite would find none by it, and go through the whole table.
    """
    for kind, of_kind in groupby(sorted(names), itemgetter(0)):
        ids = (name for _, name in of_kind)
        while some := list(islice(ids, AT_ONCE)):
            yield and_(table.c.type == kind, table.c.id.in_(some))
