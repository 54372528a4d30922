"""The sound of names. It is of those who are stored from now on; `diafana reindex` adds it to the others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("patient", sa.Column("patient_name_sound", sa.Text(), nullable=True))
    op.add_column("study", sa.Column("patient_name_sound", sa.Text(), nullable=True))
    op.add_column("study", sa.Column("referring_physician_name_sound", sa.Text(), nullable=True))
