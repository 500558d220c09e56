"""Live rooms in which viewers stay: what each sells when, for how long who enters is there, and what is met meanwhile.

A room goes through a round of offers, ten minutes each. Who clicks enters: a viewer who watches long is there for a
minute and six more in the mean, times the host's own factor, any other for twenty seconds in the mean. Who is there
when the next offer starts meets it as the first one, with a draw of its own; what suits them is the product, not the
room. Source: docs/algorithms/lab.md says what is assumed.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import uniform
from fieldline.lab.world.catalogue import CLOSED
from fieldline.lab.world.days import Days, Lived, Outlook, net_worth, outlook
from fieldline.lab.world.draws import Floats, Ints, normals, uniforms
from fieldline.lab.world.goods import LIVE, Items, Merchants, Products
from fieldline.lab.world.truth import Visit
from fieldline.lab.world.words import words
from fieldline.units import DAY, HOUR, MINUTE, SECOND

OFFER = 10 * MINUTE
ROUND = 7
"""Offers of a room's round; not a divisor of a day's, so that hours change what they sell."""
FOR_OTHERS = 0.5
"""Share of rooms whose hosts sell other shops' goods, too: every second offer of the round."""
GLANCE, LONG, AT_LEAST = 20 * SECOND, 6 * MINUTE, MINUTE
"""Mean stay of who does not watch long, and of who does beyond the least that takes."""
HOST_SPREAD = 0.3
"""Standard deviation of the log of a host's factor on long stays."""
FAINT = 1e-3
"""Chance to be there still below which offers are not followed further."""
STAYING = 14
"""Purpose of a draw, beyond those of `truth` and `days`."""


class Rooms(NamedTuple):
    """R live rooms; none where the market is played without stays."""

    first: int
    """Number of the first room among the items; the number of items where there is none."""
    offers: Ints  # [R, N] what each sells in each ten minutes, −2: closed
    length: Floats  # [R] the host's factor
    mixed: NDArray[np.bool_]  # [R] whether the host sells other shops' goods, too
    start: int
    """First instant of the first ten minutes, ms."""


def no_rooms(items: int) -> Rooms:
    """Return rooms of a market without stays."""
    return Rooms(items, np.zeros((0, 0), np.int32), np.zeros(0), np.zeros(0, np.bool_), 0)


def rooms_of(
    seed: int, items: Items, products: Products, shops: Merchants, start: int, days: int, local_time: int
) -> Rooms:
    """Return the rooms' plans for some days.

    Args:
        seed: the world's.
        items: the market's.
        products: the market's.
        shops: the merchants.
        start: first instant, a midnight of the market's clock, ms.
        days: how many.
        local_time: by how much the market's clock is ahead, ms.
    """
    live = np.flatnonzero(items.kind == LIVE)
    mixed = uniforms(seed, "for others", len(live)) < FOR_OTHERS
    slots = start // OFFER + np.arange(days * DAY // OFFER)
    hour = (slots * OFFER + local_time) // HOUR % 24
    open_now = (hour - items.opens[live][:, None]) % 24 < items.hours[live][:, None]  # [R, N]
    offers = _rounds(seed, items, products, shops, mixed)[:, slots % ROUND]
    return Rooms(
        first=int(live[0]) if len(live) else len(items.kind),
        offers=np.where(open_now, offers, CLOSED).astype(np.int32),
        length=np.exp(HOST_SPREAD * normals(seed, "stays", len(live))),
        mixed=mixed,
        start=start,
    )


def _rounds(seed: int, items: Items, products: Products, shops: Merchants, mixed: NDArray[np.bool_]) -> Ints:
    """Each room's round of offers [R, 7]: its shop's own, and with some hosts every second one another shop's."""
    live = np.flatnonzero(items.kind == LIVE)
    local = np.array([category.local for category in words().categories])
    anywhere = np.flatnonzero(~local[products.category])
    first = shops.product_ptr[items.merchant[live]]
    count = shops.product_ptr[items.merchant[live] + 1] - first
    own = first[:, None] + np.arange(ROUND) % count[:, None]
    drawn = uniforms(seed, "offers of others", len(live), ROUND)
    others = anywhere[(drawn * len(anywhere)).astype(np.int64)]
    foreign = mixed[:, None] & (np.arange(ROUND) % 2 == 1)
    return np.where(foreign, others, own).astype(np.int32)


def pulled(rooms: Rooms, seed: int, share: float) -> Rooms:
    """Return rooms in which a keyed share of the offers is pulled just before its start: what went before goes on.

    Args:
        rooms: as planned.
        seed: the world's.
        share: of the offers, in [0, 1].
    """
    offers = rooms.offers.copy()
    gone = uniforms(seed, "pulled", *offers.shape) < share
    for slot in range(1, offers.shape[1]):
        was, now = offers[:, slot - 1], offers[:, slot]
        offers[:, slot] = np.where(gone[:, slot] & (was >= 0) & (now >= 0), was, now)
    return rooms._replace(offers=offers)


def sessions(rooms: Rooms) -> NDArray[np.int64]:
    """Return how often each room opened [R], in the planned days but the last: at first, or after a pause."""
    there = rooms.offers[:, : -(DAY // OFFER)] >= 0
    return np.asarray((there & ~np.pad(there, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1))


@njit
def in_room(days: Days, lived: Lived, visit: Visit, product: int, at: int, chance: Outlook) -> Outlook:
    """Return a look at a room's chances with that of an order taken from how the product itself suits the viewer."""
    order = outlook(days, lived, visit, product, product, at).order
    return Outlook(chance.click, chance.long_view, order)


@njit
def stay_of(rooms: Rooms, room: int, key: np.uint64, watched: bool) -> int:
    """Return for how long a viewer who entered is there, ms.

    Args:
        rooms: the rooms.
        room: from 0.
        key: of the item's draws at the request.
        watched: whether they watch long.
    """
    waits = -math.log1p(-uniform(key, np.uint64(STAYING)))
    if watched:
        return AT_LEAST + int(waits * LONG * rooms.length[room])
    return int(waits * GLANCE)


@njit
def there(rooms: Rooms, room: int, wait: int, watch: float) -> float:
    """Return the true chance that who enters now is there after a time.

    Args:
        rooms: the rooms.
        room: from 0.
        wait: ms.
        watch: chance that they watch long.
    """
    longer = math.exp(-max(wait - AT_LEAST, 0) / (LONG * rooms.length[room]))
    return watch * longer + (1.0 - watch) * math.exp(-wait / GLANCE)


@njit
def slot_at(rooms: Rooms, at: int) -> int:
    """Return which ten minutes of the plan an instant lies in."""
    return int((at - rooms.start) // OFFER)


@njit
def starts(rooms: Rooms, slot: int) -> int:
    """Return when the ten minutes of a slot begin, ms."""
    return int(rooms.start + slot * OFFER)


@njit
def turns(rooms: Rooms, room: int, slot: int) -> bool:
    """Return whether an offer starts with a slot: the room is open then and before, and sells another product."""
    if slot >= rooms.offers.shape[1]:
        return False
    now, was = rooms.offers[room, slot], rooms.offers[room, slot - 1]
    return bool(now >= 0 and was >= 0 and now != was)


@njit
def later_worth(
    days: Days, lived: Lived, rooms: Rooms, visit: Visit, room: int, entered: int, watch: float
) -> float:
    """Return the true expected net yuan that a viewer who enters now will spend on the offers that start meanwhile.

    Args:
        days: the truth.
        lived: what the viewer has lived through.
        rooms: the rooms.
        visit: the request.
        room: from 0.
        entered: ms.
        watch: chance that they watch long.
    """
    total, slot = 0.0, slot_at(rooms, entered)
    while True:
        slot += 1
        kept = there(rooms, room, starts(rooms, slot) - entered, watch)
        if kept < FAINT or slot >= rooms.offers.shape[1] or rooms.offers[room, slot] < 0:
            return total
        if turns(rooms, room, slot):
            product = rooms.offers[room, slot]
            order = outlook(days, lived, visit, product, product, entered).order
            total += kept * order * net_worth(days, product)
