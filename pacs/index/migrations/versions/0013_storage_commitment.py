"""What peers want to be committed, and what is asked of peers that commit."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("peer", sa.Column("commits", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("send_item", sa.Column("commitment", sa.Integer()))
    op.create_table(
        "send_commitment",
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("request_uid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_uid"], ["send_request.transaction_uid"], name=op.f("fk_send_commitment_request_uid")
        ),
        sa.PrimaryKeyConstraint("transaction_uid", name=op.f("pk_send_commitment")),
    )
    op.create_index(op.f("ix_send_commitment_request_uid"), "send_commitment", ["request_uid"])
    op.create_table(
        "commitment_request",
        sa.Column("key", _key, nullable=False),
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_commitment_request")),
    )
    for column in ("transaction_uid", "at", "door", "due"):
        op.create_index(op.f(f"ix_commitment_request_{column}"), "commitment_request", [column])
    op.create_index("ix_commitment_request_destination", "commitment_request", ["destination", "is_told"])
