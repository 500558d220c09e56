"""Staging: products due in a live room raise what a look at it is worth now, and are let go when delayed or pulled.

To a viewer's look at a room that sells product j from t_j on, at most ten minutes from now, is added

    w_goods · P(click) · P(order | click, j) · net price_j · S(t_j − now)        of the best j, yuan

P(click) is the room's, the order's chance and price are the product's; where a price in the room is stated, net is
that. S(w) = exp(−f·∫₀ʷ h) is the chance that who comes now is still there: h_m, the hazard of leaving in minute m of a
stay, is learned from all rooms' stays, f from the room's own:

    h_m = (60/3 + left in minute m)/(60 + minutes lived in m)        f = (20 + left)/(20 + expected to)

From its start to its stated end an offer counts in full, until the room's own entry says that it sells the product:
from then on the room's row does. Source: S28, S29; piecewise constant hazards (Friedman 1982) with Gamma priors.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import Ahead, LiveRoom, Product, Staged
from fieldline.traffic.kernels.staging import MINUTES, look_ahead, stay, still_there
from fieldline.traffic.rows import FLAGS, NET_PRICE, SHOWN
from fieldline.traffic.shelf import Shelf
from fieldline.units import HOUR, MINUTE, YUAN

Floats = NDArray[np.float64]

AHEAD = MINUTES * MINUTE
USUAL_STAY, LIVED = 3.0, 60.0
"""Mean minutes of a stay before any was seen, and the viewer-minutes that this counts for in each minute."""
LEAVES = 20.0
"""Viewers leaving a room that its being like all others counts for."""
LONGEST = 24 * HOUR
"""Longest that one offer may last."""


@dataclass(slots=True)
class Staging:
    """Rooms' plans as they stand, and how long viewers stay in rooms."""

    plans: dict[str, Staged] = field(default_factory=dict)
    """By room."""
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """[n] of every planned offer that is not over, ascending; ms."""
    ends: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    rooms: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """[n] items."""
    products: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """[n] items."""
    prices: Floats = field(default_factory=lambda: np.zeros(0))
    """[n] yuan in the room; −1: the list price."""
    left: Floats = field(default_factory=lambda: np.zeros(MINUTES))
    """Viewers who left in each minute of their stay, in all rooms."""
    lived: Floats = field(default_factory=lambda: np.zeros(MINUTES))
    """Minutes that viewers lived through of each minute of their stays."""
    stays: Floats = field(default_factory=lambda: np.zeros((16, 2)))
    """[I, 2] of each room: viewers who left within ten minutes, and how many were expected to."""


class Due(NamedTuple):
    """Offers that count now."""

    rooms: NDArray[np.int32]  # [k]
    products: NDArray[np.int32]  # [k]
    yuan: Floats  # [k] net price
    kept: Floats  # [k] chance to be there still


def check(staging: Staging, shelf: Shelf, fact: Staged) -> None:
    """Refuse a plan that cannot be.

    Raises:
        Unknown: a room or product that nothing has.
        Conflict: not the version after the newest.
        Refused: a closed room, an end before its start or a day after it, an offer twice.
    """
    number = shelf.names.find(fact.room)
    room = shelf.facts[number] if number >= 0 else None
    if not isinstance(room, LiveRoom):
        raise Unknown("room", f"no live room is called {fact.room!r}")
    if room.ended_at is not None:
        raise Refused("room", "is closed")
    newest = version_of(staging, fact.room)
    if fact.version != newest + 1:
        raise Conflict("version", f"is {fact.version - 1}, but the plan is at {newest}")
    seen = set[tuple[str, int]]()
    for number, offer in enumerate(fact.offers):
        item = shelf.names.find(offer.product)
        if item < 0 or not isinstance(shelf.facts[item], Product):
            raise Unknown(f"offers[{number}].product", f"no product is called {offer.product!r}")
        if offer.ends_at is not None and not offer.starts_at < offer.ends_at <= offer.starts_at + LONGEST:
            raise Refused(f"offers[{number}].ends_at", "must be within a day after the start")
        if (offer.product, offer.starts_at) in seen:
            raise Refused(f"offers[{number}]", "is there twice")
        seen.add((offer.product, offer.starts_at))


def version_of(staging: Staging, room: str) -> int:
    """Return the version of a room's plan; 0: it has none."""
    plan = staging.plans.get(room)
    return plan.version if plan else 0


def put(staging: Staging, shelf: Shelf, fact: Staged) -> None:
    """Take a room's plan in place of the one before; it counts from the next request on."""
    staging.plans[fact.room] = fact
    _line_up(staging, shelf, fact.at)


def turn(staging: Staging, shelf: Shelf, now: int) -> None:
    """Let go of what is over: offers past their end, and the plans of closed rooms.

    Args:
        staging: changed in place.
        shelf: only read.
        now: ms.
    """
    if not staging.plans:
        return
    closed = [room for room in staging.plans if _closed(shelf, room)]
    for room in closed:
        del staging.plans[room]
    if closed or (staging.ends <= now).any():
        _line_up(staging, shelf, now)


def note_stay(staging: Staging, room: int, ms: int) -> None:
    """Learn from a stay in a live room that ended after so many milliseconds.

    Args:
        staging: changed in place.
        room: item.
        ms: how long it was.
    """
    minutes = ms / MINUTE
    leaves = minutes < MINUTES
    staging.stays = grown(staging.stays, room + 1)
    staging.stays[room] += float(leaves), expected_leaves(staging, minutes)
    staging.lived += np.clip(minutes - np.arange(MINUTES), 0.0, 1.0)
    if leaves:
        staging.left[int(minutes)] += 1.0


def hazard(staging: Staging) -> Floats:
    """Return how quickly viewers leave in each minute of a stay, per minute [10]."""
    return np.asarray((LIVED / USUAL_STAY + staging.left) / (LIVED + staging.lived))


def expected_leaves(staging: Staging, minutes: float) -> float:
    """Return how many viewers are expected to leave in a stay of so many minutes: ∫h."""
    return float((hazard(staging) * np.clip(minutes - np.arange(MINUTES), 0.0, 1.0)).sum())


def quickness(staging: Staging, rooms: NDArray[np.int32]) -> Floats:
    """Return f, how much quicker each room's viewers leave than others' do [k].

    Args:
        staging: only read.
        rooms: items [k].
    """
    known = rooms < len(staging.stays)
    left, expected = np.where(known, staging.stays[np.where(known, rooms, 0)].T, 0.0)
    return np.asarray((LEAVES + left) / (LEAVES + expected))


def kept(staging: Staging, hazards: Floats, room: int, wait_ms: int) -> float:
    """Return the chance that a viewer who comes to a room now is still there after a time.

    Args:
        staging: only read.
        hazards: as `hazard` tells them.
        room: item.
        wait_ms: ms; beyond ten minutes that of ten minutes.
    """
    factor = quickness(staging, np.array([room], np.int32)).item()
    return float(still_there(hazards, factor, wait_ms))


def due(staging: Staging, shelf: Shelf, at: int) -> Due | None:
    """Return the offers that count at a moment: those due within ten minutes, and those on until their stated end.

    Args:
        staging: only read.
        shelf: only read.
        at: ms.

    Returns:
        None where there is none: then nothing of a decision changes.
    """
    upto = int(np.searchsorted(staging.starts, at + AHEAD, "right"))
    if not upto:
        return None
    on = staging.starts[:upto] <= at
    counts = np.where(on, staging.ends[:upto] > at, True)
    for number in np.flatnonzero(counts & on).tolist():
        counts[number] = shelf.links[staging.rooms[number]][0] != shelf.names.ids[staging.products[number]]
    counts &= (shelf.rows.view(np.int32)[staging.products[:upto], FLAGS] & SHOWN) != 0
    which = np.flatnonzero(counts)
    if not len(which):
        return None
    rooms, products, prices = staging.rooms[which], staging.products[which], staging.prices[which]
    listed = shelf.rows[products, NET_PRICE].astype(np.float64)
    live = prices * (1.0 - shelf.declared[products]) * shelf.worth[products]
    there = np.empty(len(which))
    stay(hazard(staging), quickness(staging, rooms), staging.starts[which] - at, there)
    return Due(rooms, products, np.where(prices >= 0.0, live, listed), there)


def values(found: Due, rows: NDArray[np.float32], side: NDArray[np.float32], goods_value: float) -> Floats:
    """Return what each offer adds to a viewer's look at its room, yuan [k].

    Args:
        found: the offers that count.
        rows: packed rows [I, 32].
        side: the viewer's side of the predictor [27].
        goods_value: w_goods.
    """
    each = np.empty(len(found.rooms))
    look_ahead(side, rows, found.rooms, found.products, found.yuan, found.kept, each)
    return goods_value * each


def extra_value(found: Due, each: Floats, candidates: NDArray[np.int32], items: int) -> NDArray[np.float32]:
    """Return what is added to a look at each candidate, the best of what it is about to sell: float32 [n], yuan.

    Args:
        found: the offers that count.
        each: what each adds [k].
        candidates: items [n].
        items: how many there are.
    """
    best = np.zeros(items)
    np.maximum.at(best, found.rooms, each)
    return np.asarray(best[candidates], np.float32)


def told(found: Due, each: Floats, shown: Iterable[int], names: Sequence[str]) -> tuple[Ahead, ...]:
    """Return what was added to each item shown, and for which product; of rooms with an offer due alone.

    Args:
        found: the offers that count.
        each: what each adds [k].
        shown: items.
        names: ids of items by number.
    """
    parts = []
    for item in shown:
        offers = np.flatnonzero(found.rooms == item)
        if len(offers):
            best = offers[each[offers].argmax()]
            parts.append(Ahead(names[item], names[found.products[best]], float(each[best])))
    return tuple(parts)


def _closed(shelf: Shelf, room: str) -> bool:
    fact = shelf.facts[shelf.names.find(room)]
    return isinstance(fact, LiveRoom) and fact.ended_at is not None


def _line_up(staging: Staging, shelf: Shelf, now: int) -> None:
    """Put every room's offers that are not over into one line by their starts (ties by room, then by plan)."""
    line = sorted(
        (offer.starts_at, offer.ends_at or offer.starts_at, shelf.names.find(room), number, offer)
        for room, plan in staging.plans.items()
        for number, offer in enumerate(plan.offers)
        if (offer.ends_at or offer.starts_at) > now
    )
    staging.starts = np.array([one[0] for one in line], np.int64)
    staging.ends = np.array([one[1] for one in line], np.int64)
    staging.rooms = np.array([one[2] for one in line], np.int32)
    staging.products = np.array([shelf.names.find(one[4].product) for one in line], np.int32)
    staging.prices = np.array([-1.0 if one[4].price is None else one[4].price / YUAN for one in line])
