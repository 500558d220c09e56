"""Behaviour: what viewers did with what they were shown, and what came of it."""

from typing import Annotated

from msgspec import Meta

from fieldline.facts.service import Service
from fieldline.facts.words import Fact, Id, Money, Time, Word


class Impression(Fact, frozen=True, tag="impression"):
    """A slot of a decision was rendered: this commits its charge."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Click(Fact, frozen=True, tag="click"):
    """The viewer opened the item."""

    id: Id
    at: Time
    decision: Id
    item: Id


class LongView(Fact, frozen=True, tag="long_view"):
    """The viewer watched the item long."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Like(Fact, frozen=True, tag="like"):
    """The viewer liked the item."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Hate(Fact, frozen=True, tag="hate"):
    """The viewer said not to be interested in the item."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Watched(Fact, frozen=True, tag="watched"):
    """The viewer left the item after so many milliseconds."""

    id: Id
    at: Time
    decision: Id
    item: Id
    ms: Annotated[int, Meta(ge=0, le=1 << 40)]


class Follow(Fact, frozen=True, tag="follow"):
    """The viewer follows a creator from now on (or no longer); decision and item say where, if anywhere."""

    id: Id
    at: Time
    viewer: Id
    creator: Id
    following: bool = True
    decision: Id | None = None
    item: Id | None = None


class Order(Fact, frozen=True, tag="order"):
    """A paid order, promoted or not; the engine attributes it to an earlier click or view."""

    id: Id
    at: Time
    viewer: Id
    product: Id
    amount: Money
    quantity: Annotated[int, Meta(ge=1, le=1 << 30)] = 1


class Refund(Fact, frozen=True, tag="refund"):
    """Money of an order that went back to its buyer."""

    id: Id
    at: Time
    order: Id
    amount: Money


class Redemption(Fact, frozen=True, tag="redemption"):
    """A voucher that an order bought was used in the store."""

    id: Id
    at: Time
    order: Id


class Lead(Fact, frozen=True, tag="lead"):
    """A viewer left a merchant an enquiry, or came to its store; the merchant says whether it qualifies."""

    id: Id
    at: Time
    viewer: Id
    merchant: Id
    visit: bool = False
    """Whether it is a visit to the store rather than an enquiry."""
    qualified: bool = True


class Outcome(Fact, frozen=True, tag="outcome"):
    """A look that another system decided, with what came of it: how a platform brings its history."""

    id: Id
    at: Time
    viewer: Id
    item: Id
    scene: Word
    click: bool
    long_view: bool
    like: bool | None = None
    """None, here and below: nobody knows."""
    follow: bool | None = None
    hate: bool | None = None
    watched_ms: Annotated[int, Meta(ge=0, le=1 << 40)] | None = None


class Assumed(Fact, frozen=True, tag="assumed"):
    """A replay takes a decision's slate as shown: charges and predicted values count, nothing is learned."""

    id: Id
    """The decision's."""
    at: Time


Behaviour = (
    Impression
    | Click
    | LongView
    | Like
    | Hate
    | Watched
    | Follow
    | Order
    | Refund
    | Redemption
    | Lead
    | Outcome
    | Service
)
