"""Known systems, and what is asked to be sent to them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "peer",
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_peer")),
    )
    op.create_table(
        "send_request",
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("due", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_uid", name=op.f("pk_send_request")),
    )
    op.create_index(op.f("ix_send_request_at"), "send_request", ["at"])
    op.create_index(op.f("ix_send_request_due"), "send_request", ["due"])
    op.create_table(
        "send_item",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["transaction_uid"], ["send_request.transaction_uid"], name=op.f("fk_send_item_transaction_uid")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_send_item")),
    )
    op.create_index("ix_send_item_transaction_uid", "send_item", ["transaction_uid", "status"])
