"""What performed steps are searched by, and what others are told of them.

Those that are there are searched, too, for they are in no file.
"""

import orjson
import sqlalchemy as sa
from alembic import op

from pacs.attributes import Key, Matching
from pacs.index.rows import search_values
from pacs.index.values import path_name

revision = "0014"
down_revision = "0013"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_SCHEDULED, _SERIES = "ScheduledStepAttributesSequence", "PerformedSeriesSequence"
_REFERENCES = (
    f"{_SCHEDULED}.ReferencedStudySequence",
    "ReferencedPatientSequence",
    f"{_SERIES}.ReferencedImageSequence",
    f"{_SERIES}.ReferencedNonImageCompositeSOPInstanceSequence",
)
_PATHS = {
    Matching.UID: (
        f"{_SCHEDULED}.StudyInstanceUID",
        f"{_SERIES}.SeriesInstanceUID",
        f"{_SERIES}.ReferencedImageSequence.SpecimenDescriptionSequence.SpecimenUID",
        *(f"{sequence}.ReferencedSOPInstanceUID" for sequence in _REFERENCES),
    ),
    Matching.EXACT: (
        f"{_SCHEDULED}.AccessionNumber",
        f"{_SCHEDULED}.RequestedProcedureID",
        f"{_SCHEDULED}.ScheduledProcedureStepID",
        *("PatientID", "PerformedProcedureStepID", "PerformedStationAETitle"),
        *("PerformedProcedureStepStatus", "Modality", "StudyID"),
    ),
    Matching.NAME: ("PatientName",),
    Matching.DATE: (
        *("PatientBirthDate", "PerformedProcedureStepStartDate", "PerformedProcedureStepEndDate"),
    ),
    Matching.TIME: ("PerformedProcedureStepStartTime", "PerformedProcedureStepEndTime"),
}
KEYS = [Key(tuple(path.split(".")), matching) for matching, paths in _PATHS.items() for path in paths]


def upgrade() -> None:
    values = op.create_table(
        "performed_step_value",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("performed_step_key", _KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["performed_step_key"],
            ["performed_step.key"],
            name=op.f("fk_performed_step_value_performed_step_key"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_performed_step_value")),
    )
    op.create_index("ix_performed_step_value_path", "performed_step_value", ["path", "value"])
    op.create_index(
        op.f("ix_performed_step_value_performed_step_key"), "performed_step_value", ["performed_step_key"]
    )
    op.create_table(
        "step_message",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("sop_instance_uid", sa.Text(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("due", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_step_message")),
    )
    op.create_index(op.f("ix_step_message_destination"), "step_message", ["destination"])
    steps = sa.table("performed_step", sa.column("key"), sa.column("attributes"))
    for key, attributes in op.get_bind().execute(sa.select(steps.c.key, steps.c.attributes)).all():
        rows = [
            {"performed_step_key": key, "path": path_name(one.tags), "item": one.item, "value": one.value}
            for one in search_values(orjson.loads(attributes), KEYS)
        ]
        op.bulk_insert(values, rows)
