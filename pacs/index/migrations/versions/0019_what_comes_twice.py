"""What becomes of known systems' objects that come in other content, or name another patient."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    with op.batch_alter_table("peer") as peer:
        peer.add_column(
            sa.Column("patient_from_worklist", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        peer.add_column(sa.Column("duplicates", sa.Text(), nullable=False, server_default="set aside"))
