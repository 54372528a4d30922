"""Instances that belong to no patient, and what they are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "non_patient_instance",
        sa.Column("key", key, nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("transfer_syntax_uid", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_non_patient_instance")),
        sa.UniqueConstraint("file", name=op.f("uq_non_patient_instance_file")),
        sa.UniqueConstraint("sop_instance_uid", name=op.f("uq_non_patient_instance_sop_instance_uid")),
    )
    op.create_index(op.f("ix_non_patient_instance_sop_class_uid"), "non_patient_instance", ["sop_class_uid"])
    op.create_table(
        "non_patient_instance_value",
        sa.Column("key", key, nullable=False),
        sa.Column("non_patient_instance_key", key, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["non_patient_instance_key"],
            ["non_patient_instance.key"],
            name=op.f("fk_non_patient_instance_value_non_patient_instance_key"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_non_patient_instance_value")),
    )
    op.create_index("ix_non_patient_instance_value_path", "non_patient_instance_value", ["path", "value"])
    op.create_index(
        op.f("ix_non_patient_instance_value_non_patient_instance_key"),
        "non_patient_instance_value",
        ["non_patient_instance_key"],
    )
