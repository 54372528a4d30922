"""What known systems may ask, and how they are called and sent to."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    with op.batch_alter_table("peer") as peer:
        peer.add_column(sa.Column("tls", sa.Boolean(), nullable=False, server_default=sa.false()))
        everything = "query\\retrieve\\store"
        peer.add_column(sa.Column("may", sa.Text(), nullable=False, server_default=everything))
        peer.add_column(sa.Column("move_to", sa.Text(), nullable=False, server_default=""))
        for name in (
            *("transfer_syntaxes", "character_set"),
            *("issuer_of_patient_id", "issuer_of_accession_number"),
        ):
            peer.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
