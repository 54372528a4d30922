"""Choosing the form of an answer, quickly where many requests ask in the same words."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVarTuple

from starlette.requests import Request

from dicomweb.media_types import DATA_SET_OFFERS, DATA_SETS_OFFERS, Representation, acceptable, select
from dicomweb.request import header, parameters

KNOWN_CHOICES = 256

Ts = TypeVarTuple("Ts")


class Negotiation:
    """Content negotiation (PS3.18 8.7) that remembers what was chosen for the same words."""

    def __init__(self) -> None:
        self._chosen = lru_cache(KNOWN_CHOICES)(_choose)

    def choose(
        self, request: Request, offers: Callable[[*Ts], tuple[Representation, ...]], *of: *Ts
    ) -> Representation:
        """The best of what `offers(*of)` gives, which must be the same for the same arguments.

        Raises NotAcceptable when none suits.
        """
        asked: tuple[str, ...] = ()
        if b"accept" in request.scope["query_string"]:
            asked = tuple(value for name, value in parameters(request) if name == "accept")
        return self._chosen(header(request, b"accept"), asked, offers, of)

    def choose_data_sets(self, request: Request) -> Representation:
        """The form of metadata and of search results. Raises NotAcceptable."""
        return self.choose(request, _data_sets)

    def choose_among(self, request: Request, offers: tuple[Representation, ...]) -> Representation:
        """One of these. Raises NotAcceptable."""
        return self.choose(request, _themselves, *offers)

    def choose_data_set(self, request: Request) -> Representation:
        """The form of one data set by itself. Raises NotAcceptable."""
        return self.choose(request, _data_set)


def _choose(
    accept: str,
    asked: tuple[str, ...],
    offers: Callable[..., tuple[Representation, ...]],
    of: tuple[Any, ...],
) -> Representation:
    return select(acceptable(accept, asked), offers(*of))


def _themselves(*offers: Representation) -> tuple[Representation, ...]:
    return offers


# Without arguments, which would be hashed with each request
def _data_sets() -> tuple[Representation, ...]:
    return DATA_SETS_OFFERS


def _data_set() -> tuple[Representation, ...]:
    return DATA_SET_OFFERS
