"""Wishes: what merchants and operators asked for, and what several engines may spend of it."""

from typing import Annotated

from msgspec import Meta

from fieldline.facts.words import Fact, Id, Money, Time, Word


class Wish(Fact, frozen=True, tag="wish"):
    """A contract as a person typed it: its offer's name and the offer's terms (JSON), new or edited.

    An edit is a wish with the same id and a higher version; prices and spend carry over.
    """

    id: Id
    at: Time
    version: Annotated[int, Meta(ge=1)]
    offer: Word
    owner: Id
    terms: Annotated[str, Meta(max_length=100_000, description="the offer's terms, as JSON text")]


class WishPaused(Fact, frozen=True, tag="wish_paused"):
    """A person paused (or resumed) a contract."""

    id: Id
    at: Time
    paused: bool


class WishEnded(Fact, frozen=True, tag="wish_ended"):
    """A person ended a contract before its time; what it did not spend goes back, and it cannot start again."""

    id: Id
    at: Time


class Leased(Fact, frozen=True, tag="leased"):
    """One of several engines on one ledger may spend so much more of a contract's budget."""

    contract: Id
    at: Time
    amount: Money
    elsewhere: Money = 0
    """What the others had leased of it by then."""
    engines: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """How many share it."""
