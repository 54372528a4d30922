"""Who is told which instances are available, and what is still to be told; how messages in turn stand."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("peer", sa.Column("notified", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("task", sa.Column("since", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("step_message", sa.Column("at", sa.Float(), nullable=False, server_default="0"))
    op.add_column("step_message", sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"))
    message = sa.table("step_message", sa.column("at", sa.Float()))
    op.execute(message.update().values(at=time.time()))  # none is dropped for its age before its time
    op.create_table(
        "availability_notice",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False, server_default="0"),
        sa.Column("due", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_availability_notice")),
    )
    op.create_index(op.f("ix_availability_notice_destination"), "availability_notice", ["destination"])
