"""The worklist: work items, subscriptions, and what is still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Generated from pacs.index.schema; a test compares the two.

    op.create_table(
        "event_channel",
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_event_channel")),
    )
    op.create_table(
        "event_report",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_event_report")),
    )
    with op.batch_alter_table("event_report", schema=None) as batch_op:
        batch_op.create_index("ix_event_report_ae_title", ["ae_title", "key"], unique=False)

    op.create_table(
        "workitem",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("transaction_uid", sa.Text(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("ended", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_workitem")),
        sa.UniqueConstraint("sop_instance_uid", name=op.f("uq_workitem_sop_instance_uid")),
    )
    with op.batch_alter_table("workitem", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workitem_ended"), ["ended"], unique=False)
        batch_op.create_index("ix_workitem_start", ["start", "key"], unique=False)

    op.create_table(
        "worklist_subscription",
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("deletion_lock", sa.Boolean(), nullable=False),
        sa.Column("filter", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ae_title", name=op.f("pk_worklist_subscription")),
    )
    op.create_table(
        "subscription",
        sa.Column("workitem_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ae_title", sa.Text(), nullable=False),
        sa.Column("deletion_lock", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workitem_key"], ["workitem.key"], name=op.f("fk_subscription_workitem_key")
        ),
        sa.PrimaryKeyConstraint("workitem_key", "ae_title", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_ae_title", ["ae_title"], unique=False)

    op.create_table(
        "workitem_value",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workitem_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workitem_key"], ["workitem.key"], name=op.f("fk_workitem_value_workitem_key")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_workitem_value")),
    )
    with op.batch_alter_table("workitem_value", schema=None) as batch_op:
        batch_op.create_index("ix_workitem_value_path", ["path", "value"], unique=False)
        batch_op.create_index(batch_op.f("ix_workitem_value_workitem_key"), ["workitem_key"], unique=False)


def downgrade() -> None:
    # Generated from pacs.index.schema; a test compares the two.

    with op.batch_alter_table("workitem_value", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workitem_value_workitem_key"))
        batch_op.drop_index("ix_workitem_value_path")

    op.drop_table("workitem_value")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_subscription_ae_title")

    op.drop_table("subscription")
    op.drop_table("worklist_subscription")
    with op.batch_alter_table("workitem", schema=None) as batch_op:
        batch_op.drop_index("ix_workitem_start")
        batch_op.drop_index(batch_op.f("ix_workitem_ended"))

    op.drop_table("workitem")
    with op.batch_alter_table("event_report", schema=None) as batch_op:
        batch_op.drop_index("ix_event_report_ae_title")

    op.drop_table("event_report")
    op.drop_table("event_channel")
