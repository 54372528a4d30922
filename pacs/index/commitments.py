"""The answers to requests for storage commitment, kept for who asks for them again."""

import time

import orjson
from sqlalchemy import Engine, delete, insert, select

from pacs.index import schema
from pacs.index.engine import Transactions, connected
from pacs.index.rows import dump
from pacs.model import DicomJson

KEPT = 30 * 86_400.0  # seconds that an answer is kept

_commitment = schema.commitment


class Commitments:
    """The answers by their transactions. Safe for threads."""

    def __init__(self, engine: Engine, transactions: Transactions) -> None:
        self._engine = engine
        self._transactions = transactions

    def keep(self, transaction_uid: str, answer: DicomJson) -> bool:
        """Keep an answer, durably and with all that was committed before; False when there is one already."""
        now = time.time()
        row = {"transaction_uid": transaction_uid, "at": now, "answer": dump(answer)}
        with self._transactions.begin() as connection:
            connection.execute(delete(_commitment).where(_commitment.c.at < now - KEPT))
            here = _commitment.c.transaction_uid == transaction_uid
            if connection.scalar(select(_commitment.c.at).where(here)) is not None:
                return False
            connection.execute(insert(_commitment), row)
        return True

    def answer(self, transaction_uid: str) -> DicomJson | None:
        """The answer of a transaction, None when there is none."""
        kept = select(_commitment.c.answer).where(_commitment.c.transaction_uid == transaction_uid)
        with connected(self._engine) as connection:
            found = connection.scalar(kept)
        return None if found is None else orjson.loads(found)
