"""What was deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "recycled",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("study_instance_uid", sa.Text(), nullable=False),
        sa.Column("series_instance_uid", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_recycled")),
        sa.UniqueConstraint("file", name=op.f("uq_recycled_file")),
    )
    with op.batch_alter_table("recycled", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recycled_study_instance_uid"), ["study_instance_uid"], unique=False
        )

    op.create_table(
        "rejected",
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("study_instance_uid", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sop_instance_uid", "study_instance_uid", name=op.f("pk_rejected")),
    )
    with op.batch_alter_table("rejected", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rejected_note"), ["note"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("rejected", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rejected_note"))

    op.drop_table("rejected")
    with op.batch_alter_table("recycled", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recycled_study_instance_uid"))

    op.drop_table("recycled")
