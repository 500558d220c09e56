"""Staging in a season: rooms' plans as the engine is told them, stays that it learns from, what is due at a tick."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.lab.season.columns import Ahead, Desk, Singles, Stays
from fieldline.lab.world.rooms import Rooms, slot_at, starts, turns
from fieldline.traffic.kernels.staging import MINUTES, look_ahead, still_there
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.staging import AHEAD, Staging, hazard, quickness
from fieldline.units import MINUTE

Flags = NDArray[np.bool_]


def nothing_ahead() -> Ahead:
    """Return that nothing is due."""
    whole, some, yuan = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0)
    return Ahead(whole, some, some, yuan, yuan, np.zeros(MINUTES), 0.0)


def no_stays(rooms: int) -> Stays:
    """Return counts of stays in so many rooms, all zero."""
    return Stays(np.zeros(MINUTES), np.zeros(MINUTES), np.zeros(rooms), np.zeros((rooms, MINUTES)))


def learn(staging: Staging, stays: Stays, first: int) -> None:
    """Take a tick's stays into what the engine knows of them, all by the hazard as it was, and set the counts to zero.

    Args:
        staging: changed.
        stays: of the tick, changed.
        first: item of the first room.
    """
    expected = stays.room_lived @ hazard(staging)
    if len(staging.stays) < first + len(expected):
        staging.stays = np.zeros((first + len(expected), 2))
    staging.stays[first : first + len(expected)] += np.stack([stays.room_left, expected], axis=1)
    staging.left += stays.left
    staging.lived += stays.lived
    for counts in stays:
        counts[:] = 0.0


def due(
    staging: Staging, plan: Rooms, told: Flags, rows: Singles, begin: int, length: int, goods: float
) -> Ahead:
    """Return the offers that may count in a tick: those that start in it or within ten minutes after it.

    Args:
        staging: what is known of stays.
        plan: as the hosts have it.
        told: which rooms tell it [R].
        rows: packed rows [I, 32].
        begin: first instant of the tick, ms.
        length: of the tick, ms.
        goods: what a yuan of goods is worth to the viewer.
    """
    first, last = slot_at(plan, begin), slot_at(plan, begin + length + AHEAD)
    found = [
        (starts(plan, slot), plan.first + room, plan.offers[room, slot])
        for slot in range(first + 1, min(last, plan.offers.shape[1] - 1) + 1)
        for room in np.flatnonzero(told).tolist()
        if turns(plan, room, slot)
    ]
    offers = np.array(found, np.int64).reshape(-1, 3)
    rooms, products = offers[:, 1].astype(np.int32), offers[:, 2].astype(np.int32)
    return Ahead(
        starts=offers[:, 0].copy(),
        rooms=rooms,
        products=products,
        yuan=rows[products, NET_PRICE].astype(np.float64),
        quick=quickness(staging, rooms),
        hazard=hazard(staging),
        goods=goods,
    )


@njit
def add_ahead(ahead: Ahead, desk: Desk, rows: Singles, at: int, count: int) -> None:
    """Add to what a look at each candidate is worth the best of what it is about to sell, as `traffic.staging` does.

    Args:
        ahead: offers that may count.
        desk: with the viewer's side and the candidates; its extra values are changed.
        rows: packed rows [I, 32].
        at: ms.
        count: of candidates.
    """
    offers = ahead.starts.size
    kept, each = np.empty(offers), np.empty(offers)
    for j in range(offers):
        wait = ahead.starts[j] - at
        soon = 0 < wait <= AHEAD
        kept[j] = still_there(ahead.hazard, ahead.quick[j], wait) if soon else 0.0
    look_ahead(desk.viewer, rows, ahead.rooms, ahead.products, ahead.yuan, kept, each)
    for j in range(offers):
        desk.best[ahead.rooms[j]] = max(desk.best[ahead.rooms[j]], ahead.goods * each[j])
    for n in range(count):
        desk.extra[n] += np.float32(desk.best[desk.candidates[n]])
    desk.best[ahead.rooms] = 0.0


@njit
def note_stay(stays: Stays, room: int, ms: int) -> float:
    """Count a stay; return how many minutes it was.

    Args:
        stays: changed.
        room: from 0.
        ms: how long it was.
    """
    minutes = ms / MINUTE
    for minute in range(stays.left.size):
        there = min(max(minutes - minute, 0.0), 1.0)
        stays.lived[minute] += there
        stays.room_lived[room, minute] += there
    if minutes < stays.left.size:
        stays.left[int(minutes)] += 1.0
        stays.room_left[room] += 1.0
    return minutes
