"""The three letters at each place of a name, by which a search finds what may be anywhere in it (ADR 46)."""

from alembic import op

revision = "0020"
down_revision = "0019"

_PUT_IN = "INSERT INTO {0}_trigrams (rowid, patient_name) VALUES (new.key, new.patient_name);"
# What is in the index of a row is known from the row alone
_TAKE_OUT = (
    "INSERT INTO {0}_trigrams ({0}_trigrams, rowid, patient_name) "
    "VALUES ('delete', old.key, old.patient_name);"
)
_SQLITE = (
    "CREATE VIRTUAL TABLE {0}_trigrams USING fts5(patient_name, content={0}, content_rowid=key, "
    "tokenize='trigram case_sensitive 1', detail=none, columnsize=0)",
    "INSERT INTO {0}_trigrams ({0}_trigrams) VALUES ('rebuild')",
    f"CREATE TRIGGER {{0}}_is_new AFTER INSERT ON {{0}} BEGIN {_PUT_IN} END",
    f"CREATE TRIGGER {{0}}_is_gone AFTER DELETE ON {{0}} BEGIN {_TAKE_OUT} END",
    "CREATE TRIGGER {0}_is_renamed AFTER UPDATE OF patient_name ON {0} "
    f"WHEN old.patient_name IS NOT new.patient_name BEGIN {_TAKE_OUT} {_PUT_IN} END",
)
_POSTGRESQL = ("CREATE INDEX ix_{0}_trigrams ON {0} USING gin (trigrams(patient_name))",)
_FUNCTION = """
CREATE FUNCTION trigrams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT array(SELECT DISTINCT substr(name, place, 3) FROM generate_series(1, length(name) - 2) AS place)
$$
"""


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(_FUNCTION)
    for table in ("patient", "study"):
        for statement in _SQLITE if is_sqlite else _POSTGRESQL:
            op.execute(statement.format(table))
