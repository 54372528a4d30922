"""A database of nothing but numbered notes, for what does not depend on the tables of the index."""

from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, select

note = Table("note", MetaData(), Column("number", Integer, primary_key=True), Column("words", Text))


def notes(engine: Engine) -> list[int]:
    """The numbers of all notes."""
    with engine.connect() as connection:
        return list(connection.scalars(select(note.c.number).order_by(note.c.number)))
