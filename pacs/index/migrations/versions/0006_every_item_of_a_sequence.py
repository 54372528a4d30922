"""What the requests of a series are searched by, where there are several."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "series_value",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("series_key", _KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["series_key"], ["series.key"], name=op.f("fk_series_value_series_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_series_value")),
    )
    op.create_index("ix_series_value_path", "series_value", ["path", "value"])
    op.create_index(op.f("ix_series_value_series_key"), "series_value", ["series_key"])
