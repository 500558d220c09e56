"""The truth of the made market: what chance everything has, and what came of it, by a counter hash.

Every outcome is a draw keyed by (seed, request, item, purpose). So the same item at the same request is
clicked, watched, ordered and refunded alike in all arms of an experiment, whatever else stood in the slate.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.lab.world.draws import Floats, Ints

VIDEO, LIVE, MALL, SEARCH, FOLLOW, LOCAL = range(6)
"""Scenes by number, in the order of `words.SCENES`."""

GONE, DEPTH, CLICK, LONG_VIEW, ORDER, FOLLOWS, SOON, DELAY, REFUND, RETURN, DWELL, QUANTITY = range(12)
"""Purposes of draws; the first two are a request's, the others an item's at a request."""

DEEPEST = 50
UNSEEN = 0.03
"""Share of slates that never render: the viewer had left."""

LOOKS = np.zeros((6, DEEPEST))
"""True e_k: chance that slot k of a rendered slate is looked at, by scene [6, 50]."""
LOOKS[VIDEO] = 0.97 * 0.86 ** np.arange(DEEPEST)
LOOKS[LIVE] = 0.95 * 0.78 ** np.arange(DEEPEST)
LOOKS[MALL] = 0.90 * 0.93 ** (np.arange(DEEPEST) // 2 * 2)
LOOKS[SEARCH] = 0.96 * 0.80 ** np.arange(DEEPEST)
LOOKS[FOLLOW] = 0.96 * 0.88 ** np.arange(DEEPEST)
LOOKS[LOCAL] = 0.92 * 0.85 ** np.arange(DEEPEST)
LOOKS.flags.writeable = False

CLICK_BASE = np.array([-3.0, -2.6, -3.3, -2.2, -2.3, -3.0])
LONG_VIEW_BASE = np.array([-1.5, -1.9, -2.1, -1.7, -1.0, -1.7])
ORDER_BASE = np.array([-3.9, -3.4, -3.3, -2.9, -3.6, -3.2])
CLICK_TASTE, LONG_VIEW_TASTE, ORDER_TASTE = 2.4, 2.0, 1.0
FOLLOWING = 0.02
"""Share of long views after which the viewer follows the creator."""
TWO = 0.12
"""Share of orders for two."""
ITEM_KEY = np.uint64(0xD1342543DE82EF95)
FAR = 3.0
"""Taken from the click and order logits of what is used up in another city."""


class Nature(NamedTuple):
    """What kernels read of the truth: V viewers, I items, P products."""

    taste: Floats  # [V, 8]
    warmth: Floats  # [V]
    thrift: Floats  # [V]
    thirst: Floats  # [V]
    viewer_city: Ints  # [V]
    vector: Floats  # [I, 8]
    appeal: Floats  # [I]
    depth: Floats  # [I]
    creator: Ints  # [I]
    city: Ints  # [I] where it is used up, −1: anywhere
    quality: Floats  # [P]
    dearness: Floats  # [P]
    refund: Floats  # [P]
    price: NDArray[np.int64]  # [P]
    looks: Floats  # [6, 50]
    click_base: Floats  # [6]
    long_view_base: Floats  # [6]
    order_base: Floats  # [6]


class Visit(NamedTuple):
    """One request as kernels read it."""

    key: np.uint64
    """`draws.key_of(seed, request id, "fate")`."""
    viewer: int
    scene: int


class Fate(NamedTuple):
    """What became of one shown item."""

    looked: bool
    clicked: bool
    long_viewed: bool
    followed: bool
    quantity: int
    """0: not ordered."""
    refunded: bool


@njit(inline="always")
def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))


@njit
def liking(nature: Nature, viewer: int, item: int) -> float:
    """Return how near an item is to a viewer's taste, in [−1, 1]."""
    near = 0.0
    for d in range(nature.taste.shape[1]):
        near += nature.taste[viewer, d] * nature.vector[item, d]
    return near


@njit
def chances(nature: Nature, viewer: int, scene: int, item: int, product: int) -> tuple[float, float, float]:
    """Return P(click | look), P(long view | look) and P(order | click).

    click: σ(a_s + 2.4·⟨t, x⟩ + appeal + warmth − 3·[another city]);
    long view: σ(b_s + 2·⟨t, x⟩ + depth);
    order: σ(c_s + ⟨t, x⟩ + .5·quality + thirst − thrift·ln(price / typical) − 3·[another city]);
    0 without a product.

    Args:
        nature: the truth.
        viewer: its number.
        scene: its number.
        item: its number.
        product: what the item sells now, or −1.

    Returns:
        Three chances.
    """
    near = liking(nature, viewer, item)
    far = FAR if nature.city[item] >= 0 and nature.city[item] != nature.viewer_city[viewer] else 0.0
    click = _sigmoid(
        nature.click_base[scene] + CLICK_TASTE * near + nature.appeal[item] + nature.warmth[viewer] - far
    )
    long_view = _sigmoid(nature.long_view_base[scene] + LONG_VIEW_TASTE * near + nature.depth[item])
    if product < 0:
        return click, long_view, 0.0
    order = _sigmoid(
        nature.order_base[scene]
        + ORDER_TASTE * near
        + 0.5 * nature.quality[product]
        + nature.thirst[viewer]
        - nature.thrift[viewer] * nature.dearness[product]
        - far
    )
    return click, long_view, order


@njit
def item_key(request_key: np.uint64, item: int) -> np.uint64:
    """Return the key of an item's draws at a request."""
    return np.uint64(mix(request_key + np.uint64(item + 1) * ITEM_KEY))


@njit
def rendered(request_key: np.uint64) -> bool:
    """Return whether a request's slate is rendered at all."""
    return bool(uniform(request_key, np.uint64(GONE)) >= UNSEEN)


@njit
def fate(nature: Nature, visit: Visit, slot: int, item: int, product: int) -> Fate:
    """Return what becomes of an item in a slot of a rendered slate.

    One draw says how deep the viewer scrolls; all other draws are the item's own, so the slot decides only
    whether it is looked at.

    Args:
        nature: the truth.
        visit: the request.
        slot: from 0.
        item: its number.
        product: what the item sells now, or −1.

    Returns:
        The item's fate.
    """
    if uniform(visit.key, np.uint64(DEPTH)) >= nature.looks[visit.scene, min(slot, DEEPEST - 1)]:
        return Fate(False, False, False, False, 0, False)
    key = item_key(visit.key, item)
    click, long_view, order = chances(nature, visit.viewer, visit.scene, item, product)
    clicked = uniform(key, np.uint64(CLICK)) < click
    long_viewed = uniform(key, np.uint64(LONG_VIEW)) < long_view
    followed = long_viewed and nature.creator[item] >= 0 and uniform(key, np.uint64(FOLLOWS)) < FOLLOWING
    ordered = clicked and uniform(key, np.uint64(ORDER)) < order
    quantity = (2 if uniform(key, np.uint64(QUANTITY)) < TWO else 1) if ordered else 0
    refunded = ordered and uniform(key, np.uint64(REFUND)) < nature.refund[product]
    return Fate(True, clicked, long_viewed, followed, quantity, refunded)


@njit
def fates(
    nature: Nature, visit: Visit, items: NDArray[np.int64], products: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return what becomes of a rendered slate, slot by slot.

    Args:
        nature: the truth.
        visit: the request.
        items: [n] numbers.
        products: [n] what each sells now; −1: nothing, −2: a closed live room, at which nobody looks.

    Returns:
        int64 [n, 6], rows of Fate.
    """
    found = np.zeros((items.size, 6), np.int64)
    for slot in range(items.size):
        if products[slot] >= -1:
            came = fate(nature, visit, slot, items[slot], products[slot])
            found[slot, 0] = came.looked
            found[slot, 1] = came.clicked
            found[slot, 2] = came.long_viewed
            found[slot, 3] = came.followed
            found[slot, 4] = came.quantity
            found[slot, 5] = came.refunded
    return found
