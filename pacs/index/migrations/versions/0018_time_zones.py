"""The time zone that a study states, so that dates and times of one zone are found in another."""

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from pacs.time_zones import offset_of

revision = "0018"
down_revision = "0017"

_PAGE = 10_000  # studies

_STUDY = sa.table(
    "study",
    sa.column("key", sa.BigInteger()),
    sa.column("attributes", sa.LargeBinary()),
    sa.column("timezone_offset", sa.Integer()),
)


def upgrade() -> None:
    op.add_column("study", sa.Column("timezone_offset", sa.Integer(), nullable=True))
    _fill()
    op.create_index(op.f("ix_study_timezone_offset"), "study", ["timezone_offset"])


def _fill() -> None:
    connection, last = op.get_bind(), -1
    page = sa.select(_STUDY.c.key, _STUDY.c.attributes).order_by(_STUDY.c.key).limit(_PAGE)
    change = (
        sa.update(_STUDY).where(_STUDY.c.key == sa.bindparam("of")).values(timezone_offset=sa.bindparam("to"))
    )
    while rows := connection.execute(page.where(_STUDY.c.key > last)).all():
        stated: list[dict[str, Any]] = [
            {"of": key, "to": offset}
            for key, attributes in rows
            if (offset := offset_of(orjson.loads(attributes))) is not None
        ]
        if stated:
            connection.execute(change, stated)
        last = rows[-1].key
