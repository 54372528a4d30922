"""What is sent on by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "forward_rule",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("bytes_per_second", sa.BigInteger()),
        sa.Column("is_prompt", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_forward_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_forward_rule_name")),
    )
    op.create_table(
        "forwarded",
        sa.Column("rule_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rule_key"], ["forward_rule.key"], name=op.f("fk_forwarded_rule_key")),
        sa.PrimaryKeyConstraint("rule_key", "sop_instance_uid", name=op.f("pk_forwarded")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forward_request",
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("rule_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_uid"],
            ["send_request.transaction_uid"],
            name=op.f("fk_forward_request_transaction_uid"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["rule_key"], ["forward_rule.key"], name=op.f("fk_forward_request_rule_key")),
        sa.PrimaryKeyConstraint("transaction_uid", name=op.f("pk_forward_request")),
    )
    op.create_index(op.f("ix_forward_request_rule_key"), "forward_request", ["rule_key"])
