"""Voices: what buyers who came back said of a merchant, as far as it may be quoted (S12).

May be quoted what a buyer with at least two kept orders at the merchant said in a review that no upheld appeal took
out. An order is kept while no money of it went back; a refund that an upheld appeal took out counts as none.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

LEAST_ORDERS = 2
"""Kept orders that a buyer must have at a merchant to be quoted."""
MOST_REVIEWS = 400
"""Reviews kept of a merchant: the newest, but before a repeat buyer's goes that of another."""
MOST_BUYERS = 2_000
"""Buyers kept of a merchant: those who ordered last, but before a repeat buyer goes another."""
MOST_ORDERS = 16
"""Orders kept of a buyer at a merchant: the newest."""


class Purchase(msgspec.Struct, gc=False):
    """One order as far as it vouches for its buyer."""

    merchant: str
    viewer: int
    product: str
    refunds: dict[str, bool]
    """Whether each counts: an upheld appeal takes one out."""


class Said(msgspec.Struct, gc=False):
    """One review, and what the merchant answered."""

    at: int
    order: str
    viewer: int
    product: str
    stars: int
    text: str
    tone: float | None
    """How its words sound, from −1 to 1; None: no model read it."""
    reply: str = ""
    replied: tuple[int, str] = (-1, "")
    """Instant and id of the reply; of several the last counts."""
    withdrawn: bool = False


class Quotable(msgspec.Struct, frozen=True, gc=False):
    """One review that may be quoted."""

    id: str
    at: int
    viewer: int
    product: str
    stars: int
    text: str
    tone: float | None
    orders: tuple[str, ...]
    """Kept ones of its buyer at the merchant, oldest first."""
    reply: str = ""


@dataclass(slots=True)
class Voices:
    """What was said of every merchant, and the orders that vouch for it."""

    purchases: dict[str, Purchase] = field(default_factory=dict)
    """By order."""
    buyers: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """Orders of each merchant's buyers, oldest first; the buyer who ordered last is the last."""
    said: dict[str, dict[str, Said]] = field(default_factory=dict)
    """By merchant and review, in the order in which they came."""
    merchant_of: dict[str, str] = field(default_factory=dict)
    """Of each review."""
    order_of: dict[str, str] = field(default_factory=dict)
    """Of each refund."""


def note_order(voices: Voices, id: str, merchant: str, viewer: int, product: str) -> None:
    """Remember an order.

    Args:
        voices: changed in place.
        id: of the order.
        merchant: who sold.
        viewer: number of the buyer; negative: nobody who can be told from others, who is never quoted.
        product: what.
    """
    if viewer < 0 or id in voices.purchases:
        return
    voices.purchases[id] = Purchase(merchant, viewer, product, {})
    buyers = voices.buyers.setdefault(merchant, {})
    orders = buyers.pop(viewer, [])
    orders.append(id)
    buyers[viewer] = orders
    if len(orders) > MOST_ORDERS:
        _drop_orders(voices, [orders.pop(0)])
    if len(buyers) > MOST_BUYERS:
        others = (viewer for viewer, ids in buyers.items() if not _returned(voices, ids))
        _drop_orders(voices, buyers.pop(next(others, next(iter(buyers)))))


def note_refund(voices: Voices, id: str, order: str) -> None:
    """Remember that money of an order went back, however little."""
    purchase = voices.purchases.get(order)
    if purchase is not None and id not in voices.order_of:
        voices.order_of[id] = order
        purchase.refunds[id] = True


def note_review(
    voices: Voices, id: str, order: str, at: int, stars: int, text: str, tone: float | None = None
) -> None:
    """Remember a review of an order that is remembered; of several reviews of one order the last counts.

    Args:
        voices: changed in place.
        id: of the review.
        order: that it is about.
        at: ms.
        stars: 1 to 5.
        text: as it was written.
        tone: how its words sound, from −1 to 1; None: no model read it.
    """
    purchase = voices.purchases.get(order)
    if purchase is None or id in voices.merchant_of:
        return
    said = voices.said.setdefault(purchase.merchant, {})
    earlier = [other for other, known in said.items() if known.order == order]
    if any((at, id) < (said[other].at, other) for other in earlier):
        return
    for other in earlier:
        _drop_review(voices, other)
    said[id] = Said(at, order, purchase.viewer, purchase.product, stars, text, tone)
    voices.merchant_of[id] = purchase.merchant
    if len(said) > MOST_REVIEWS:
        buyers = voices.buyers[purchase.merchant]
        others = (id for id, known in said.items() if not _returned(voices, buyers.get(known.viewer, [])))
        _drop_review(voices, next(others, next(iter(said))))


def note_reply(voices: Voices, id: str, review: str, at: int, text: str) -> None:
    """Put the merchant's answer beside a review; of several answers the last counts."""
    known = said_in(voices, review)
    if known is not None and (at, id) > known.replied:
        known.reply, known.replied = text, (at, id)


def contest(voices: Voices, id: str, out: bool) -> None:
    """Take a review or a refund out, as an upheld appeal does, or put it back."""
    known = said_in(voices, id)
    if known is not None:
        known.withdrawn = out
    purchase = voices.purchases.get(voices.order_of.get(id, ""))
    if purchase is not None:
        purchase.refunds[id] = not out


def forget_viewer(voices: Voices, viewer: int) -> None:
    """Take all that a viewer said and ordered out."""
    for said in list(voices.said.values()):
        for id in [id for id, known in said.items() if known.viewer == viewer]:
            _drop_review(voices, id)
    for buyers in voices.buyers.values():
        _drop_orders(voices, buyers.pop(viewer, []))


def said_in(voices: Voices, review: str) -> Said | None:
    """Return what a review says; None: it is not kept."""
    return voices.said.get(voices.merchant_of.get(review, ""), {}).get(review)


def quotable(voices: Voices, merchant: str, own: Collection[int] = ()) -> list[Quotable]:
    """Return the reviews of a merchant that may be quoted, in the order in which they came.

    Args:
        voices: only read.
        merchant: its id.
        own: numbers of viewers that are the merchant's own accounts, which are never quoted.
    """
    buyers = voices.buyers.get(merchant, {})
    kept = {viewer: _kept(voices, buyers.get(viewer, [])) for viewer in _authors(voices, merchant)}
    return [
        Quotable(
            id, known.at, known.viewer, known.product, known.stars, known.text, known.tone,
            tuple(kept[known.viewer]), known.reply,
        )
        for id, known in voices.said.get(merchant, {}).items()
        if not known.withdrawn and len(kept[known.viewer]) >= LEAST_ORDERS and known.viewer not in own
    ]  # fmt: skip


def _authors(voices: Voices, merchant: str) -> dict[int, None]:
    return dict.fromkeys(known.viewer for known in voices.said.get(merchant, {}).values())


def _kept(voices: Voices, orders: list[str]) -> list[str]:
    return [id for id in orders if not any(voices.purchases[id].refunds.values())]


def _returned(voices: Voices, orders: list[str]) -> bool:
    """Whether a buyer of such orders may be quoted."""
    return len(orders) >= LEAST_ORDERS and len(_kept(voices, orders)) >= LEAST_ORDERS


def _drop_orders(voices: Voices, orders: list[str]) -> None:
    for id in orders:
        for refund in voices.purchases.pop(id).refunds:
            del voices.order_of[refund]


def _drop_review(voices: Voices, id: str) -> None:
    merchant = voices.merchant_of.pop(id)
    del voices.said[merchant][id]
