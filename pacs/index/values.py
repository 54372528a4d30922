"""What is searched by any of its values: a row for each value of each key, beside the row that has them."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, exists, insert, select

from pacs.attributes import Key, date_of
from pacs.index.comparisons import Comparison, compare, tests_of
from pacs.index.rows import SearchValue
from pacs.query import Condition, OnDay, OneOf

Criteria = Sequence[tuple[Key, Condition]]


class Values:
    """The values of what lies in another table."""

    def __init__(self, owner: Table, values: Table) -> None:
        """owner: the table of what is searched.  values: as `schema` makes them for it."""
        self._owner = owner
        self._values = values
        self._owner_key = f"{owner.name}_key"
        self._insert = insert(values)  # the same each time, so that SQLAlchemy knows it again

    def write(self, connection: Connection, key: int, values: Iterable[SearchValue]) -> None:
        """Write the values of one row, in place of those that it had."""
        self.remove(connection, [key])
        self.add(connection, key, values)

    def add(self, connection: Connection, key: int, values: Iterable[SearchValue]) -> None:
        """Write the values of a row that has none yet."""
        rows = [
            {self._owner_key: key, "path": path_name(one.tags), "item": one.item, "value": one.value}
            for one in values
        ]
        if rows:
            connection.execute(self._insert, rows)

    def remove(self, connection: Connection, keys: Sequence[int]) -> None:
        """Forget the values of these rows."""
        connection.execute(delete(self._values).where(self._values.c[self._owner_key].in_(keys)))

    def matching(self, found: Select[Any], criteria: Criteria) -> Select[Any]:
        """What is found, restricted to the rows that fulfil all criteria.

        Keys of one sequence are compared with one item of it (sequence matching, PS3.4 C.2.2.2.6).
        """
        for key, condition in criteria:
            if isinstance(condition, OnDay):
                found = found.where(self._on_day(key, condition))
        others = (criterion for criterion in criteria if not isinstance(criterion[1], OnDay))
        ordered = sorted(others, key=lambda criterion: criterion[0].tags[:-1])
        for sequence, of_sequence in groupby(ordered, lambda criterion: criterion[0].tags[:-1]):
            together = list(of_sequence)
            groups = [together] if sequence else [[criterion] for criterion in together]
            for group in groups:
                found = found.where(self._owner.c.key.in_(self._with(*group)))
        return found

    def _on_day(self, time: Key, condition: OnDay) -> ColumnElement[bool]:
        """The rows that have another date, or such a time."""
        on_day = self._with((date_of(time), OneOf((condition.day,))))
        return self._owner.c.key.not_in(on_day) | self._owner.c.key.in_(self._with((time, condition.times)))

    def _with(self, *criteria: tuple[Key, Condition]) -> Select[Any]:
        """The keys of rows that have an item in which all criteria are fulfilled."""
        return self.with_item([(key, _as_texts(tests_of(key, condition))) for key, condition in criteria])

    def with_item(self, tests: Sequence[tuple[Key, Sequence[Comparison]]]) -> Select[Any]:
        """The keys of rows that have an item in which, for each key, one of the comparisons holds."""
        first, *others = (self._values.alias() for _ in tests)
        found = select(first.c[self._owner_key]).where(_holds(first, *tests[0]))
        for other, criterion in zip(others, tests[1:], strict=True):
            is_of_one = other.c[self._owner_key] == first.c[self._owner_key]
            is_same = is_of_one & (other.c.item == first.c.item)
            found = found.where(exists().where(is_same, _holds(other, *criterion)))
        return found


def path_name(tags: Iterable[int]) -> str:
    """The path to a key, such as "00404025.00080100"."""
    return ".".join(f"{tag:08X}" for tag in tags)


def _as_texts(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Numbers are compared as the texts that they are kept as."""
    return [(operation, [str(value) for value in values]) for operation, values in comparisons]


def _holds(row: Any, key: Key, comparisons: Sequence[Comparison]) -> Any:
    return (row.c.path == path_name(key.tags)) & compare(row.c.value, comparisons)
