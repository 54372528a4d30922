"""Which work items there were, and are no more."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "workitem_gone",
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sop_instance_uid", name=op.f("pk_workitem_gone")),
    )
