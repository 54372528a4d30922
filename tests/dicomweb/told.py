"""Whether answers are what the table of transactions tells of."""

import re
from collections.abc import Callable, Iterable

import httpx

from dicomweb.status import HTTP_STATUS, REFUSED
from dicomweb.transaction import Transaction
from dicomweb.ups.conflicts import TRANSACTIONS

_UPS = {status for answers in TRANSACTIONS.values() for status, _ in answers.values()}
REFUSALS = frozenset({*map(int, HTTP_STATUS.values()), *REFUSED, *_UPS})


def only_told(transactions: Iterable[Transaction], root: str) -> Callable[[httpx.Response], None]:
    """An event hook that fails where a transaction answers with a status that its row has not."""
    rows = [
        (t.method, re.compile(root + _pattern(t.path)), {int(one) for one in t.done}) for t in transactions
    ]

    def check(response: httpx.Response) -> None:
        request = response.request
        method = "GET" if request.method == "HEAD" else request.method
        done = [told for name, path, told in rows if name == method and path.fullmatch(request.url.path)]
        expected = REFUSALS.union(*done)
        assert not done or response.status_code in expected, f"{method} {request.url}: {response.status_code}"

    return check


def _pattern(path: str) -> str:
    """What a path looks like once it is filled in."""
    return re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+:path\}", ".+", path))
