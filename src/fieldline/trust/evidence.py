"""Evidence: what buyers' orders and dialogues told of merchants, as sums for each buyer of each merchant.

A sum is of g(t)·value with g(t) = 2^((day(t) − landmark)/90) and is divided by g(now) when it is read, so that it
halves every 90 days without being touched. Each order's part of the sums is a function of what is known of it now;
whatever becomes known later moves the sums by the difference, so that facts may come in any order.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.trust.deals import PARTS, Asked, Deal, heard, returned, told
from fieldline.trust.signals import KEPT_ORDERS
from fieldline.units import DAY, HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

HALF_LIFE = 90
"""Days in which evidence halves."""
KEPT = 60 * DAY
"""How long an order can still be delivered late, refunded, reviewed or contested."""
FADED = 1e-3
"""A row whose counts have come down to this is let go."""


@dataclass(slots=True)
class Evidence:
    """What is known of each (buyer, merchant) pair, row by row."""

    shops: Names = field(default_factory=Names)
    landmark: int = -1
    """The day (UTC+8) whose weight is 1; −1: there is no evidence yet."""
    rows: int = 0
    """How many are in use, those of nobody included."""
    row_of: dict[tuple[int, int], int] = field(default_factory=dict)
    """By buyer and merchant."""
    buyer: Ints = field(default_factory=lambda: np.full(16, -1, np.int32))
    """[P] −1 where the row is of nobody."""
    shop: Ints = field(default_factory=lambda: np.full(16, -1, np.int32))
    values: Floats = field(default_factory=lambda: np.zeros((16, PARTS)))
    """[P, 7] weighted sums of signals."""
    counts: Floats = field(default_factory=lambda: np.zeros((16, PARTS)))
    """[P, 7] weighted counts of what they are of."""
    orders: Floats = field(default_factory=lambda: np.zeros(16))
    """[P] ever made."""
    visits: Floats = field(default_factory=lambda: np.zeros(16))
    """[P] days on which something was bought and kept."""
    first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(16, np.int64))
    last: NDArray[np.int64] = field(default_factory=lambda: np.zeros(16, np.int64))
    weight: Floats = field(default_factory=lambda: np.zeros(16))
    """[P] how far a buyer counts for a merchant, as of the last midnight; see `trust.buyers`."""
    looks: Floats = field(default_factory=lambda: np.zeros((16, 5)))
    """[M, 5] weighted looks at a merchant's items; those that were long, liked, not unwelcome; squares of weights."""
    of_shop: list[list[int]] = field(default_factory=list)
    """Rows of each merchant."""
    deals: dict[str, Deal] = field(default_factory=dict)
    order_of: dict[str, str] = field(default_factory=dict)
    """The order that a refund, delivery or review is about."""
    asked: dict[str, Asked] = field(default_factory=dict)
    days: dict[tuple[int, int, int], float] = field(default_factory=dict)
    """Orders kept by a buyer at a merchant on a day, as long as they may change."""
    touched: dict[int, None] = field(default_factory=dict)
    """Merchants with new evidence since their index was made."""


def day_of(at: int) -> int:
    """Return the number of the day (UTC+8) of an instant."""
    return (at + 8 * HOUR) // DAY


def gain(evidence: Evidence, at: int) -> float:
    """Return g(t), the weight of what happened at an instant beside that of the landmark's day."""
    if evidence.landmark < 0:
        evidence.landmark = day_of(at)
    return float(2.0 ** ((day_of(at) - evidence.landmark) / HALF_LIFE))


def row(evidence: Evidence, buyer: int, shop: int) -> int:
    """Return the row of a buyer at a merchant, a new one where there is none."""
    known = evidence.row_of.get((buyer, shop))
    if known is not None:
        return known
    new = evidence.row_of[buyer, shop] = evidence.rows
    evidence.rows += 1
    evidence.buyer = grown(evidence.buyer, new + 1, -1)
    evidence.shop = grown(evidence.shop, new + 1, -1)
    evidence.values = grown(evidence.values, new + 1)
    evidence.counts = grown(evidence.counts, new + 1)
    evidence.orders = grown(evidence.orders, new + 1)
    evidence.visits = grown(evidence.visits, new + 1)
    evidence.first = grown(evidence.first, new + 1)
    evidence.last = grown(evidence.last, new + 1)
    evidence.weight = grown(evidence.weight, new + 1)
    evidence.buyer[new], evidence.shop[new] = buyer, shop
    evidence.of_shop[shop].append(new)
    return new


def shop_of(evidence: Evidence, name: str) -> int:
    """Return a merchant's number, a new one where it has none."""
    shop = evidence.shops.add(name)
    if shop == len(evidence.of_shop):
        evidence.of_shop.append([])
        evidence.looks = grown(evidence.looks, shop + 1)
    return shop


def note_order(evidence: Evidence, id: str, buyer: int, shop: int, at: int, amount: int) -> None:
    """Count an order."""
    deal = evidence.deals[id] = Deal(at, buyer, shop, amount, {})
    number = row(evidence, buyer, shop)
    known = evidence.orders.item(number) > 0.0
    evidence.first[number] = min(evidence.first.item(number), at) if known else at
    evidence.last[number] = max(evidence.last.item(number), at)
    evidence.orders[number] += 1.0
    _move(evidence, deal, *told(deal))
    _visit(evidence, deal, 1.0)


def note_refund(evidence: Evidence, id: str, order: str, amount: int) -> None:
    """Count money that went back."""
    deal = evidence.deals.get(order)
    if deal is not None:
        evidence.order_of[id] = order
        before = _before(deal)
        deal.refunds[id] = amount
        _follow(evidence, deal, before)


def note_delivery(evidence: Evidence, id: str, order: str, at: int, promised: int | None) -> None:
    """Count that an order arrived; of several deliveries of one order the first counts."""
    deal = evidence.deals.get(order)
    if deal is None:
        return
    evidence.order_of[id] = order
    if not deal.delivery or (at, id) < (deal.delivered_at, deal.delivery):
        before = _before(deal)
        deal.delivery, deal.delivered_at = id, at
        deal.late = -1 if promised is None else int(at > promised)
        _follow(evidence, deal, before)


def note_review(evidence: Evidence, id: str, order: str, at: int, stars: int, tone: float | None) -> None:
    """Count a review; of several reviews of one order the last counts."""
    deal = evidence.deals.get(order)
    if deal is None:
        return
    evidence.order_of[id] = order
    if (at, id) > (deal.reviewed_at, deal.review):
        before = _before(deal)
        deal.review, deal.reviewed_at, deal.stars, deal.tone = id, at, stars, tone
        _follow(evidence, deal, before)


def note_dialogue(
    evidence: Evidence, id: str, buyer: int, shop: int, at: int, waited: int, solved: bool | None
) -> None:
    """Count a service dialogue."""
    asked = evidence.asked[id] = Asked(at, buyer, shop, waited, solved)
    row(evidence, buyer, shop)
    _move(evidence, asked, *heard(asked))


def note_look(
    evidence: Evidence, shop: int, at: int, weight: float, long: bool, liked: bool, hated: bool
) -> None:
    """Count a look at an item of a merchant, as far as its viewer counts."""
    whole = gain(evidence, at) * weight
    evidence.looks[shop] += whole * np.array((1.0, long, liked, not hated, whole))
    evidence.touched[shop] = None


def contest(evidence: Evidence, id: str, out: bool) -> None:
    """Take a refund, delivery, review or dialogue out of the evidence, or put it back."""
    asked = evidence.asked.get(id)
    if asked is not None and asked.out != out:
        asked.out = out
        values, counts = heard(asked)
        _move(evidence, asked, *((-values, -counts) if out else (values, counts)))
    deal = evidence.deals.get(evidence.order_of.get(id, ""))
    if deal is not None and (id in deal.out) != out:
        before = _before(deal)
        deal.out = (*deal.out, id) if out else tuple(other for other in deal.out if other != id)
        _follow(evidence, deal, before)


def forget_viewer(evidence: Evidence, viewer: int) -> None:
    """Take all that a viewer told out, as if they had never bought."""
    for key in [key for key in evidence.row_of if key[0] == viewer]:
        number = evidence.row_of.pop(key)
        evidence.of_shop[key[1]].remove(number)
        evidence.buyer[number] = evidence.shop[number] = -1
        evidence.values[number] = evidence.counts[number] = 0.0
        evidence.orders[number] = evidence.visits[number] = 0.0
        evidence.first[number] = evidence.last[number] = 0
        evidence.weight[number] = 0.0
        evidence.touched[key[1]] = None
    gone = {id for id, deal in evidence.deals.items() if deal.buyer == viewer}
    evidence.deals = {id: deal for id, deal in evidence.deals.items() if id not in gone}
    evidence.order_of = {id: order for id, order in evidence.order_of.items() if order not in gone}
    evidence.asked = {id: asked for id, asked in evidence.asked.items() if asked.buyer != viewer}
    evidence.days = {key: kept for key, kept in evidence.days.items() if key[0] != viewer}


def forget(evidence: Evidence, at: int) -> None:
    """Let go of orders and dialogues that cannot change any more, and of rows that have faded."""
    oldest = at - KEPT
    evidence.deals = {id: deal for id, deal in evidence.deals.items() if deal.at >= oldest}
    evidence.order_of = {id: of for id, of in evidence.order_of.items() if of in evidence.deals}
    evidence.asked = {id: asked for id, asked in evidence.asked.items() if asked.at >= oldest}
    evidence.days = {key: kept for key, kept in evidence.days.items() if key[2] >= day_of(oldest)}
    _compact(evidence, at)


def _before(deal: Deal) -> tuple[Floats, Floats, float]:
    return *told(deal), returned(deal)


def _follow(evidence: Evidence, deal: Deal, before: tuple[Floats, Floats, float]) -> None:
    """Move the sums to what an order tells now."""
    values, counts = told(deal)
    _move(evidence, deal, values - before[0], counts - before[1])
    _visit(evidence, deal, before[2] - returned(deal))


def _move(evidence: Evidence, of: Deal | Asked, values: Floats, counts: Floats) -> None:
    number = evidence.row_of.get((of.buyer, of.shop))
    if number is not None:
        weight = gain(evidence, of.at)
        evidence.values[number] += weight * values
        evidence.counts[number] += weight * counts
        evidence.touched[of.shop] = None


def _visit(evidence: Evidence, deal: Deal, kept: float) -> None:
    """Count what was kept of a day's orders towards its visit, which is one however many they were."""
    key = deal.buyer, deal.shop, day_of(deal.at)
    number = evidence.row_of.get(key[:2])
    if number is not None and kept:
        before = evidence.days.get(key, 0.0)
        evidence.days[key] = before + kept
        evidence.visits[number] += min(before + kept, 1.0) - min(before, 1.0)


def _compact(evidence: Evidence, at: int) -> None:
    """Number the rows anew where an eighth of them is of nobody or has faded."""
    count = evidence.rows
    weight = evidence.counts[:count, KEPT_ORDERS:].sum(1) / gain(evidence, at) if count else np.zeros(0)
    stays = (evidence.buyer[:count] >= 0) & (weight > FADED)
    if 8 * (count - stays.sum()) <= count:
        return
    kept = np.flatnonzero(stays)
    for name in ("values", "counts", "orders", "visits", "first", "last", "weight"):
        setattr(evidence, name, grown(getattr(evidence, name)[kept], 16))
    evidence.buyer, evidence.shop = (grown(ids[kept], 16, -1) for ids in (evidence.buyer, evidence.shop))
    evidence.rows = len(kept)
    pairs = zip(evidence.buyer[: len(kept)].tolist(), evidence.shop[: len(kept)].tolist(), strict=True)
    evidence.row_of = {pair: number for number, pair in enumerate(pairs)}
    evidence.of_shop = [[] for _ in evidence.shops.ids]
    for (_, shop), number in evidence.row_of.items():
        evidence.of_shop[shop].append(number)
