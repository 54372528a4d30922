"""Scheduled and performed procedure steps."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "scheduled_step",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("study_instance_uid", sa.Text(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("ended", sa.Float()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_scheduled_step")),
        sa.UniqueConstraint(
            "study_instance_uid", "step_id", name=op.f("uq_scheduled_step_study_instance_uid")
        ),
    )
    op.create_index(op.f("ix_scheduled_step_ended"), "scheduled_step", ["ended"])
    op.create_index("ix_scheduled_step_start", "scheduled_step", ["start", "key"])
    op.create_table(
        "scheduled_step_value",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("scheduled_step_key", _KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scheduled_step_key"],
            ["scheduled_step.key"],
            name=op.f("fk_scheduled_step_value_scheduled_step_key"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_scheduled_step_value")),
    )
    op.create_index("ix_scheduled_step_value_path", "scheduled_step_value", ["path", "value"])
    op.create_index(
        op.f("ix_scheduled_step_value_scheduled_step_key"), "scheduled_step_value", ["scheduled_step_key"]
    )
    op.create_table(
        "performed_step",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("ended", sa.Float()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_performed_step")),
        sa.UniqueConstraint("sop_instance_uid", name=op.f("uq_performed_step_sop_instance_uid")),
    )
    op.create_index(op.f("ix_performed_step_ended"), "performed_step", ["ended"])
