"""A stretch of the simulated market, compiled: requests, full decisions and what came of them.

Prices stand still within a stretch, every request's draws are keyed by its number, and all that is kept are
sums of whole numbers: so the result does not depend on how the requests are dealt out to threads.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.lab.world.draws import Floats, Ints
from fieldline.lab.world.truth import Nature, Visit, fate, rendered
from fieldline.traffic.kernels.request import answer
from fieldline.traffic.kernels.words import PAID
from fieldline.traffic.rows import BIAS

CANDIDATES, RENDERED, ADS, LOOKS, CLICKS, LONG_VIEWS, FOLLOWS, ORDERS, GMV, REFUNDED, CHARGED = range(11)
"""Columns of the totals; the last three are micro-yuan."""
TOTALS = 11

WHO, SCENE, START, STRIDE = range(4)
"""Purposes of a request's own draws."""

NUMBER_KEY = np.uint64(0x9E3779B97F4A7C15)
OWN_KEY = np.uint64(0x5851F42D4C957F2D)


class Shelf(NamedTuple):
    """What decisions read of I items and C contracts, as `traffic.allocate` has it."""

    rows: NDArray[np.float32]  # [I, 32]
    group: Ints  # [I]
    category: Ints  # [I]
    first_contract: Ints  # [I + 1]
    contracts: Ints  # [nnz]
    alpha: Floats  # [C]
    bid_cap: Floats  # [C]
    organic: Floats  # [C]
    meter: Floats  # [C, 5]
    gate: Ints  # [nnz]
    open_gates: NDArray[np.uint8]  # [1]: none is closed
    holdout: Floats  # [C]
    contract_key: NDArray[np.uint64]  # [C]
    words: Floats  # [scenes, 10 + K + 1]
    scene_ptr: Ints  # [scenes + 1]
    scene_items: Ints  # items of each scene
    viewers: NDArray[np.float32]  # [V, 27] viewer side without the scene's part
    scene_bias: NDArray[np.float32]  # [scenes, 3]


class Crowd(NamedTuple):
    """Who asks for what in a stretch."""

    key: np.uint64
    first: int
    past: int
    """The requests' numbers: first … past − 1."""
    limit: int
    """Most candidates."""
    who: Floats  # [V] running sum of the hour's requests
    scenes: Floats  # [scenes] running sum of shares
    product: Ints  # [I] what each item sells now, −1: nothing, −2: closed


class Stretch(NamedTuple):
    """All that a stretch of the market reads."""

    nature: Nature
    shelf: Shelf
    crowd: Crowd


class Desk(NamedTuple):
    """A thread's room."""

    candidates: Ints  # [limit]
    viewer: NDArray[np.float32]  # [27]
    room: Floats
    slots: Floats  # [K, 6]
    contenders: NDArray[np.float32]  # [0, 17]
    rest: NDArray[np.float32]  # [1, 4]
    given: NDArray[np.float32]  # [3, 0]: no model outside plays
    extra: NDArray[np.float32]  # [0]


@njit
def gcd(a: int, b: int) -> int:
    """Return the greatest common divisor."""
    while b:
        a, b = b, a % b
    return a


@njit
def request_key(crowd: Crowd, number: int) -> np.uint64:
    """Return the key of a stretch's request."""
    return np.uint64(mix(crowd.key + np.uint64(number + 1) * NUMBER_KEY))


@njit
def ask(crowd: Crowd, number: int) -> Visit:
    """Return who asks, and where, at a stretch's request."""
    key = request_key(crowd, number)
    own = np.uint64(mix(key ^ OWN_KEY))
    viewer = np.searchsorted(crowd.who, uniform(own, np.uint64(WHO)) * crowd.who[-1], side="right")
    scene = np.searchsorted(crowd.scenes, uniform(own, np.uint64(SCENE)) * crowd.scenes[-1], side="right")
    return Visit(key, min(viewer, crowd.who.size - 1), min(scene, crowd.scenes.size - 1))


@njit
def retrieve(shelf: Shelf, crowd: Crowd, visit: Visit, out: Ints) -> int:
    """Write a request's candidates: its scene's items, or as many as the limit, drawn evenly by a stride.

    Returns:
        How many.
    """
    first = shelf.scene_ptr[visit.scene]
    size = shelf.scene_ptr[visit.scene + 1] - first
    count = min(size, crowd.limit)
    own = np.uint64(mix(visit.key ^ OWN_KEY))
    place = int(uniform(own, np.uint64(START)) * size)
    stride = 1 + int(uniform(own, np.uint64(STRIDE)) * (size - 1))
    while gcd(stride, size) != 1:
        stride += 1
    for n in range(count):
        out[n] = shelf.scene_items[first + place]
        place = (place + stride) % size
    return int(count)


@njit
def serve(
    stretch: Stretch, desk: Desk, number: int, total: NDArray[np.int64], spent: NDArray[np.int64]
) -> None:
    """Play one request and add what came of it to the totals [11] and the contracts' spending [C]."""
    nature, shelf, crowd = stretch.nature, stretch.shelf, stretch.crowd
    visit = ask(crowd, number)
    count = retrieve(shelf, crowd, visit, desk.candidates)
    desk.viewer[:] = shelf.viewers[visit.viewer]
    for task in range(3):
        desk.viewer[BIAS + task] += shelf.scene_bias[visit.scene, task]
    mode = np.int64(PAID)  # no literal, so that serving's compiled kernel fits
    shown = answer(
        desk.candidates[:count], desk.viewer, 1 << visit.scene, mode, visit.key, shelf.words[visit.scene],
        shelf.rows, shelf.group, shelf.category, shelf.first_contract, shelf.contracts,
        shelf.alpha, shelf.bid_cap, shelf.organic, shelf.meter,
        shelf.gate, shelf.open_gates, shelf.holdout, shelf.contract_key, visit.key,
        desk.given, desk.extra,
        desk.room, desk.slots, desk.contenders, desk.rest, desk.rest,
    )[0]  # fmt: skip
    total[CANDIDATES] += count
    if not rendered(visit.key):
        return
    whole = desk.slots.view(np.int32)
    for slot in range(shown):
        item = whole[slot, 0]
        contract = whole[slot, 1]
        total[RENDERED] += 1
        if contract >= 0:
            charge = np.int64(desk.slots[slot, 2] * 1e6)
            total[ADS] += 1
            total[CHARGED] += charge
            spent[contract] += charge
        product = crowd.product[item]
        if product < -1:
            continue
        came = fate(nature, visit, slot, item, product)
        total[LOOKS] += came.looked
        total[CLICKS] += came.clicked
        total[LONG_VIEWS] += came.long_viewed
        total[FOLLOWS] += came.followed
        if came.quantity > 0:
            amount = nature.price[product] * came.quantity
            total[ORDERS] += 1
            total[GMV] += amount
            total[REFUNDED] += amount * came.refunded


@njit
def run(stretch: Stretch, desk: Desk, total: NDArray[np.int64], spent: NDArray[np.int64]) -> None:
    """Play a stretch's requests in a thread's room, without the interpreter's lock."""
    for number in range(stretch.crowd.first, stretch.crowd.past):
        serve(stretch, desk, number, total, spent)
