"""What the tables of the index have in common."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite grows a primary key by itself only when its type is INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")


def values_of(owner: str) -> Table:
    """What the rows of a table are searched by: each value of each key."""
    return Table(
        f"{owner}_value",
        metadata,
        Column("key", Key, primary_key=True),
        Column(f"{owner}_key", ForeignKey(f"{owner}.key"), nullable=False, index=True),
        # Tags, such as "00404025.00080100"
        Column("path", Text, nullable=False),
        # Which item it lies in: numbers on the way, such as "0/"
        Column("item", Text, nullable=False),
        Column("value", Text, nullable=False),
        Index(f"ix_{owner}_value_path", "path", "value"),
    )
