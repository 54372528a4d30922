"""When patients and studies changed, and what studies are found by with every value that they have.

Values are listed of what is stored from now on; `diafana reindex` adds them to the others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_LAST_CHANGES = """
UPDATE study SET changed = (
    SELECT max(change.at) FROM series JOIN change ON change.sequence = series.version
    WHERE series.study_key = study.key
)
"""
# Close enough: it was the newest study that brought it up to date
_LAST_OF_PATIENTS = """
UPDATE patient SET changed = (SELECT max(study.changed) FROM study WHERE study.patient_key = patient.key)
"""


def upgrade() -> None:
    for table in ("patient", "study"):
        op.add_column(table, sa.Column("changed", sa.Float(), nullable=True))
    op.execute(_LAST_CHANGES)
    op.execute(_LAST_OF_PATIENTS)
    for table in ("patient", "study"):
        op.create_index(op.f(f"ix_{table}_changed"), table, ["changed"])
    op.create_table(
        "study_value",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("study_key", _KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_key"], ["study.key"], name=op.f("fk_study_value_study_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_study_value")),
    )
    op.create_index("ix_study_value_path", "study_value", ["path", "value"])
    op.create_index(op.f("ix_study_value_study_key"), "study_value", ["study_key"])
