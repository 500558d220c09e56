"""Offers: one small file per product, which turns a wish into contracts and does nothing else."""

from typing import Any, NamedTuple, Protocol

import msgspec

from fieldline.contracts import Contract
from fieldline.errors import Refused, Unknown
from fieldline.facts import Wish
from fieldline.offers import cold_start, storewide


class Compile(Protocol):
    """What an offer does."""

    def __call__(self, wish: Wish, terms: Any) -> tuple[Contract, ...]:
        """Return the contracts of a wish with these terms."""


class Offer(NamedTuple):
    """A product: its terms and how they become contracts."""

    terms: type[msgspec.Struct]
    compile: Compile


OFFERS = {
    storewide.NAME: Offer(storewide.Terms, storewide.compile),
    cold_start.NAME: Offer(cold_start.Terms, cold_start.compile),
}


def contracts_of(wish: Wish) -> tuple[Contract, ...]:
    """Return the contracts that a wish stands for.

    Raises:
        Unknown: no offer has this name.
        Refused: the terms are not the offer's; the field is named.
    """
    offer = OFFERS.get(wish.offer)
    if offer is None:
        raise Unknown("offer", f"no offer is called {wish.offer!r}; there are {', '.join(OFFERS)}")
    try:
        terms = msgspec.json.decode(wish.terms, type=offer.terms)
    except msgspec.DecodeError as error:
        raise Refused(*_place(str(error))) from None
    return offer.compile(wish, terms)


def _place(message: str) -> tuple[str, str]:
    reason, _, path = message.partition(" - at `$")
    return f"terms{path.rstrip('`')}" if path else "terms", reason
