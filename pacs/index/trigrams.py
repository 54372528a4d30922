"""What stands anywhere in a name is found by the three letters at each place of it (ADR 46).

SQLite keeps them in a table (FTS5) that triggers fill, PostgreSQL in an index of an expression (GIN).
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, Engine, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pacs.index.engine import Prepared, reading
from pacs.model import Level

# What is done with a column, and with which values, as `comparisons` has it: one of them must hold
Tests = list[tuple[str, list[Any]]]

FEW = 5_000  # names that are sooner found and put in order than a page of them is met in that order

_HAS_ALL = """trigrams({name}) @> string_to_array(trim('"' FROM {asked}), '" "')"""
_WITH_ALL = "SELECT rowid FROM {table}_trigrams WHERE {table}_trigrams MATCH {asked}"
_ONE_MORE_THAN_FEW = {
    "sqlite": f"{_WITH_ALL} LIMIT 1 OFFSET {{few}}",
    "postgresql": f"SELECT key FROM {{table}} WHERE {_HAS_ALL} LIMIT 1 OFFSET {{few}}",  # noqa: S608
}


def trigrams_of(like: str) -> str:
    """The three letters at each place that a LIKE pattern asks for, as FTS5 is asked for all of them.

    like: a backslash escapes.  Empty when it asks for no three in a row.
    """
    runs = [re.sub(r"\\(.)", r"\1", run) for run in re.findall(r"(?:\\.|[^%_\\])+", like)]
    trigrams = {run[at : at + 3]: None for run in runs for at in range(len(run) - 2)}
    return " ".join(f'"{one}"' for one in trigrams if one.isprintable() and '"' not in one)


class HasAll(FunctionElement[Any]):
    """Whether the name of a patient or a study has all of these trigrams."""

    inherit_cache = True

    def __init__(self, name: ColumnElement[Any], trigrams: ColumnElement[Any]) -> None:
        super().__init__(name, trigrams)


@compiles(HasAll, "sqlite")
def _in_table(element: HasAll, compiler: SQLCompiler, **options: Any) -> str:
    name, trigrams = element.clauses
    table = name.table.name
    return f"{table}.key IN ({_WITH_ALL.format(table=table, asked=compiler.process(trigrams, **options))})"


@compiles(HasAll, "postgresql")
def _in_index(element: HasAll, compiler: SQLCompiler, **options: Any) -> str:
    name, trigrams = (compiler.process(one, **options) for one in element.clauses)
    return _HAS_ALL.format(name=name, asked=trigrams)


class Trigrams:
    """Tells patterns that few names match from those that many do. One for each process; safe for threads."""

    def __init__(self, engine: Engine, few: int = FEW) -> None:
        self._engine = engine
        sql = _ONE_MORE_THAN_FEW[engine.dialect.name]
        terms = {"name": "patient_name", "asked": ":asked", "few": few}
        self._one_more_than_few = {
            level: Prepared(text(sql.format(table=table, **terms)), engine)
            for level, table in ((Level.PATIENT, "patient"), (Level.STUDY, "study"))
        }

    def narrow(self, level: Level, tests: Tests) -> Tests:
        """The same tests of names, each that may hold anywhere in a name among the few with its trigrams.

        All as they are, where one of them has to look at all names anyway.  level: whose names they are.
        """
        narrowed: Tests = []
        for operation, values in tests:
            if operation == "like":
                trigrams = trigrams_of(values[0])
                if not trigrams or not self._is_rare(level, trigrams):
                    return tests
                operation, values = "like among few", [trigrams, *values]
            narrowed.append((operation, values))
        return narrowed

    def _is_rare(self, level: Level, trigrams: str) -> bool:
        with reading(self._engine) as connection:
            found = self._one_more_than_few[level].run(connection.cursor(), [{"asked": trigrams}])
            return found.fetchone() is None
