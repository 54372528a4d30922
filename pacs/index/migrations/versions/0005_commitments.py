"""The answers to requests for storage commitment."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "commitment",
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_uid", name=op.f("pk_commitment")),
    )
    op.create_index(op.f("ix_commitment_at"), "commitment", ["at"])
