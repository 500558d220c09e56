"""Days of the made market: truth that changes with the hour and the day, and with what a viewer has lived through.

It grows out of `truth`: the same items, tastes and draws keyed by (seed, request, item, purpose), with rates
calibrated on a feed log, days that differ, needs that are satisfied, shops that are remembered, boredom, and viewers
who stay away when badly served. What was lived through is kept in `Lived`, which only the world reads and writes.
Source: docs/algorithms/lab.md says what was calibrated and what is assumed.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import key_of, mix, uniform, unit_of
from fieldline.lab.world.draws import Floats, Ints, normals
from fieldline.lab.world.fans import nobody_follows
from fieldline.lab.world.truth import (
    CLICK,
    DEEPEST,
    DEPTH,
    FAR,
    FOLLOW,
    LONG_VIEW,
    ORDER,
    QUANTITY,
    REFUND,
    TWO,
    Nature,
    Visit,
    item_key,
    liking,
)
from fieldline.lab.world.truth import VIDEO as FEED
from fieldline.lab.world.words import words
from fieldline.units import DAY, HOUR

# ── Calibrated on the log (bench/calibration.py) ─────────────────────────────────────────────────────────────

CLICK_BASE = np.array([-0.47, -0.20, -3.56, -2.74, 0.10, -2.83])
LONG_VIEW_BASE = np.array([-2.00, -1.35, -4.87, -3.88, -1.20, -5.25])
"""By scene; such that what the engine serves is clicked and watched as in the log."""
CLICK_TASTE, LONG_VIEW_TASTE = 1.0, 1.2
WARMTH, ZEST = 1.05, 1.0
"""Standard deviation of viewers' click and long-view logits."""
APPEAL, DEPTH_SPREAD = 0.74, 0.88
"""Standard deviation of items' click and long-view logits, beside their category's and their makers'."""
USUAL = np.array([0.352, 0.355, 0.0358, 0.0737, 0.461, 0.0358])
"""Long views per look, by scene: what a viewer is used to."""
LIKES = np.array([0.057, 0.040, 0.127, 0.099, 0.039, 0.127])
"""Likes per long view, by scene."""
FOND_CLICK, FOND_WATCH = CLICK_BASE[FOLLOW] - CLICK_BASE[FEED], LONG_VIEW_BASE[FOLLOW] - LONG_VIEW_BASE[FEED]
"""What following an item's maker adds to the logits of a click and of a long view."""
HOURS = np.array(
    [5977, 3761, 2441, 1586, 1310, 1585, 2887, 4352, 5594, 6693, 7510, 8649,
     9654, 9320, 8548, 8867, 9281, 9985, 9537, 9340, 9644, 10525, 10698, 9537],
    np.float64,
)  # fmt: skip
"""Looks of the log by hour in UTC+8."""
DAY_SPREAD = 0.05
"""Standard deviation of the log of a day's traffic, apart from weekends."""

# ── Assumed ──────────────────────────────────────────────────────────────────────────────────────────────────

ORDER_BASE = np.array([-5.2, -4.6, -4.0, -3.3, -4.9, -4.0])
ORDER_TASTE = 1.0
TRADE_SPREAD = 0.12
"""Standard deviation of a day's shift of a category's click and order logits."""
WEEKEND, WEEKDAY = 1.15, 0.94
PROMOTION, PROMOTED = 4, 1.6
"""The day (from 0) of a sale on the whole platform, and the factor on the odds of an order."""
SATED, NEED_DAYS = 0.85, 4.0
"""Share of the odds that a purchase takes from the next ones in its category, and how long a need takes to return."""
LOYAL, LOYAL_DAYS = 1.2, 3.0
"""What a kept purchase adds to the order logit at the same merchant, approached with this time."""
KNOWN = 0.25
"""What a kept purchase adds to the click logit there."""
FOND_ORDER = float(ORDER_BASE[FOLLOW] - ORDER_BASE[FEED])
"""What following an item's maker adds to the order logit."""
BORED, MOST_BORED = 0.25, 8.0
"""Taken from the click and long-view logits for every earlier look at the item, and most looks that count."""
STAYS, PATIENCE, LEAST = 0.85, 0.5, 0.3
"""Chance that a possible request happens: clip(.85 + .5·mood, .3, 1)."""
MOOD_STEP = 0.05

LIKE, STILL = 12, 13
"""Purposes of draws beyond those of `truth`."""
STAY = 5
"""Purpose of a request's own draw."""
NEVER = -(1 << 40)


class Days(NamedTuple):
    """What kernels read of the truth of a stretch of days."""

    nature: Nature
    zest: Floats  # [V]
    category: Ints  # [I]
    trade: Ints  # [P] category
    shop: Ints  # [P] merchant
    click_shift: Floats  # [D, categories]
    order_shift: Floats  # [D, categories]
    start: int
    """First instant of day 0, ms."""


class Lived(NamedTuple):
    """What viewers have lived through; changed as it happens."""

    looks: NDArray[np.uint8]  # [V, I]
    bought: NDArray[np.int64]  # [V, categories] newest purchase, ms
    kept: NDArray[np.int32]  # [V, M] newest purchase that was kept, minutes since the start
    mood: Floats  # [V] decayed mean of (chance of a long view / the scene's usual one) − 1
    follows: NDArray[np.uint8]  # [V, C] as in `fans`; empty: following is not played


class Outlook(NamedTuple):
    """True chances of one look now."""

    click: float
    long_view: float
    order: float


class Came(NamedTuple):
    """What came of one rendered item."""

    looked: bool
    clicked: bool
    long_viewed: bool
    liked: bool
    quantity: int
    refunded: bool


def days_of(
    seed: int,
    nature: Nature,
    category: Ints,
    trade: Ints,
    shop: Ints,
    start: int,
    days: int,
    first: int,
    fans: bool = False,
) -> Days:
    """Return the truth of a stretch of days.

    Args:
        seed: the world's.
        nature: the world's; its tastes, prices and refunds stand, its rates and spreads are replaced.
        category: [I] of items.
        trade: [P] category of products.
        shop: [P] merchant of products.
        start: first instant, a midnight of the market's clock, ms.
        days: how many, from `first` on.
        first: number of the first day; the promotion is on day PROMOTION.
        fans: whether following is played: then the follow feed by itself is like the first one.
    """
    viewers, count = len(nature.warmth), len(words().categories)
    click_shift = np.empty((days, count))
    order_shift = np.empty((days, count))
    for row in range(days):
        day = first + row
        click_shift[row] = 0.5 * TRADE_SPREAD * normals(seed, f"click day {day}", count)
        order_shift[row] = TRADE_SPREAD * normals(seed, f"order day {day}", count)
        if day == PROMOTION:
            order_shift[row] += math.log(PROMOTED)
    scaled = nature._replace(
        warmth=_spread(nature.warmth, WARMTH),
        appeal=_spread(nature.appeal, APPEAL),
        depth=_spread(nature.depth, DEPTH_SPREAD),
        click_base=_base(CLICK_BASE, fans),
        long_view_base=_base(LONG_VIEW_BASE, fans),
        order_base=_base(ORDER_BASE, fans),
    )
    own = normals(seed, "zest", viewers)
    zest = ZEST * (0.6 * _spread(nature.warmth, 1.0) + 0.8 * own)
    return Days(scaled, zest, category, trade, shop, click_shift, order_shift, start)


def _base(rates: Floats, fans: bool) -> Floats:
    found = rates.copy()
    if fans:
        found[FOLLOW] = rates[FEED]
    return found


def _spread(values: Floats, deviation: float) -> Floats:
    return np.asarray((values - values.mean()) * (deviation / values.std()))


def nothing_lived(
    viewers: int, items: int, merchants: int, follows: NDArray[np.uint8] | None = None
) -> Lived:
    """Return viewers who have lived through nothing yet.

    Args:
        viewers: V.
        items: I.
        merchants: M.
        follows: who follows whom [V, C]; None: following is not played.
    """
    return Lived(
        np.zeros((viewers, items), np.uint8),
        np.full((viewers, len(words().categories)), NEVER, np.int64),
        np.full((viewers, merchants), -1, np.int32),
        np.zeros(viewers),
        nobody_follows() if follows is None else follows,
    )


def possible(seed: int, demand: Floats, tick: int, tick_ms: int, factor: float) -> int:
    """Return how many requests are possible in a tick, whatever is shown: Poisson, nearly.

    Mean = a day's requests · the hour's share · the day's level · (1.15 at weekends, else .94) · factor.

    Args:
        seed: the world's.
        demand: requests an hour by local hour [24]; only their sum counts here.
        tick: first instant of the tick on the market's own clock, ms.
        tick_ms: its length.
        factor: of a shock, 1 for none.
    """
    day, hour = tick // DAY, tick % DAY // HOUR
    level = math.exp(DAY_SPREAD * float(normals(seed, f"level {day}", 1)[0]))
    weekend = WEEKEND if day % 7 in (2, 3) else WEEKDAY  # day 0 was a Thursday
    share = float(HOURS[hour] / HOURS.sum()) * tick_ms / HOUR
    mean = float(demand.sum()) * share * level * weekend * factor
    key = key_of(seed, f"{tick}", "possible requests")
    spread = math.sqrt(-2.0 * math.log1p(-unit_of(key, 0))) * math.cos(2.0 * math.pi * unit_of(key, 1))
    return max(0, round(mean + math.sqrt(mean) * spread))


@njit(inline="always")
def _sigmoid(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))


@njit
def need(lived: Lived, viewer: int, category: int, at: int) -> float:
    """Return what is left of the odds of an order in a category: 1 − .85·exp(−Δ/4 days) after a purchase."""
    since = at - lived.bought[viewer, category]
    return float(1.0 - SATED * math.exp(-max(since, 0) / (NEED_DAYS * DAY)))


@njit
def outlook(days: Days, lived: Lived, visit: Visit, item: int, product: int, at: int) -> Outlook:
    """Return the true chances of a look now: P(click), P(long view) and P(order | click).

    click: σ(a_s + taste + appeal + warmth + day − .25·looks + .25·[kept a purchase there] − 3·[another city]);
    long view: σ(b_s + taste + depth + zest − .25·looks);
    order: σ(c_s + taste + .5·quality + thirst − thrift·ln(price / typical) + day + ln need + loyalty − 3·[far]);
    and .57, .8 and .3 more for who follows the item's maker, where following is played.

    Args:
        days: the truth.
        lived: what the viewer has lived through.
        visit: the request.
        item: its number.
        product: what it sells now, −1: nothing.
        at: ms.
    """
    nature = days.nature
    viewer, scene = visit.viewer, visit.scene
    day = min(max((at - days.start) // DAY, 0), days.click_shift.shape[0] - 1)
    near = liking(nature, viewer, item)
    far = FAR if nature.city[item] >= 0 and nature.city[item] != nature.viewer_city[viewer] else 0.0
    bored = BORED * min(float(lived.looks[viewer, item]), MOST_BORED)
    click = nature.click_base[scene] + CLICK_TASTE * near + nature.appeal[item] + nature.warmth[viewer]
    click += days.click_shift[day, days.category[item]] - bored - far
    watch = nature.long_view_base[scene] + LONG_VIEW_TASTE * near + nature.depth[item] + days.zest[viewer]
    maker = nature.creator[item]
    fond = maker >= 0 and lived.follows.shape[0] > 0 and lived.follows[viewer, maker] != 0
    if fond:
        click += FOND_CLICK
        watch += FOND_WATCH
    long_view = _sigmoid(watch - bored)
    if product < 0:
        return Outlook(_sigmoid(click), long_view, 0.0)
    order = nature.order_base[scene] + ORDER_TASTE * near + 0.5 * nature.quality[product]
    order += nature.thirst[viewer] - nature.thrift[viewer] * nature.dearness[product] - far
    trade = days.trade[product]
    order += days.order_shift[day, trade] + math.log(need(lived, viewer, trade, at))
    if fond:
        order += FOND_ORDER
    kept = lived.kept[viewer, days.shop[product]]
    if kept >= 0:
        click += KNOWN
        since = max((at - days.start) / 60_000.0 - kept, 0.0) / 1_440.0
        order += LOYAL * (1.0 - math.exp(-since / LOYAL_DAYS))
    return Outlook(_sigmoid(click), long_view, _sigmoid(order))


@njit
def net_worth(days: Days, product: int) -> float:
    """Return the true expected net yuan of an order of a product: price · 1.12 · (1 − refunds)."""
    nature = days.nature
    return float(nature.price[product] * 1e-6 * (1.0 + TWO) * (1.0 - nature.refund[product]))


@njit
def comes(days: Days, visit: Visit, slot: int, item: int, product: int, chance: Outlook) -> Came:
    """Return what comes of a rendered item, by draws keyed by (seed, request, item, purpose).

    Args:
        days: the truth.
        visit: the request.
        slot: from 0; it decides only whether the item is looked at.
        item: its number.
        product: what it sells now, −1: nothing, −2: a closed room, at which nobody looks.
        chance: its outlook.
    """
    nature = days.nature
    deep = uniform(visit.key, np.uint64(DEPTH)) < nature.looks[visit.scene, min(slot, DEEPEST - 1)]
    if not deep or product < -1:
        return Came(False, False, False, False, 0, False)
    key = item_key(visit.key, item)
    clicked = uniform(key, np.uint64(CLICK)) < chance.click
    long_viewed = uniform(key, np.uint64(LONG_VIEW)) < chance.long_view
    liked = long_viewed and uniform(key, np.uint64(LIKE)) < LIKES[visit.scene]
    ordered = clicked and product >= 0 and uniform(key, np.uint64(ORDER)) < chance.order
    quantity = (2 if uniform(key, np.uint64(QUANTITY)) < TWO else 1) if ordered else 0
    refunded = ordered and uniform(key, np.uint64(REFUND)) < nature.refund[product]
    return Came(True, clicked, long_viewed, liked, quantity, refunded)


@njit
def bought(days: Days, key: np.uint64, product: int, chance: float) -> tuple[int, bool]:
    """Return how many of a product are ordered, 0 for none, and whether that comes back, by a key's own draws."""
    if uniform(key, np.uint64(ORDER)) >= chance:
        return 0, False
    quantity = 2 if uniform(key, np.uint64(QUANTITY)) < TWO else 1
    return quantity, bool(uniform(key, np.uint64(REFUND)) < days.nature.refund[product])


@njit
def stays(lived: Lived, viewer: int, own_key: np.uint64) -> bool:
    """Return whether a possible request happens; policies only thin what is possible, by a keyed draw."""
    chance = min(max(STAYS + PATIENCE * lived.mood[viewer], LEAST), 1.0)
    return bool(uniform(own_key, np.uint64(STAY)) < chance)


@njit
def feel(lived: Lived, viewer: int, scene: int, long_view: float) -> None:
    """Move a viewer's mood by the mean chance of a long view of what was looked at."""
    felt = min(max(long_view / USUAL[scene] - 1.0, -1.0), 1.0)
    lived.mood[viewer] += MOOD_STEP * (felt - lived.mood[viewer])


@njit
def goes_on(
    days: Days, lived: Lived, key: np.uint64, viewer: int, product: int, clicked_at: int, at: int
) -> bool:
    """Return whether an order that was on its way is still wanted: not if the need was met meanwhile.

    Args:
        days: the truth.
        lived: what the viewer has lived through.
        key: of the item's draws at the request.
        viewer, product: whose and what.
        clicked_at: when it was decided, ms.
        at: when it would come, ms.
    """
    trade = days.trade[product]
    if lived.bought[viewer, trade] < clicked_at:
        return True
    return bool(uniform(key, np.uint64(STILL)) < need(lived, viewer, trade, at))


@njit
def buys(days: Days, lived: Lived, viewer: int, product: int, at: int, refunded: bool) -> None:
    """Remember a purchase: the need is met, and, if it is kept, the shop is remembered."""
    lived.bought[viewer, days.trade[product]] = at
    if not refunded:
        lived.kept[viewer, days.shop[product]] = max((at - days.start) // 60_000, 0)


@njit(inline="always")
def request_key(stretch_key: np.uint64, number: int) -> np.uint64:
    """Return the key of the number-th possible request of a tick."""
    return np.uint64(mix(stretch_key + np.uint64(number + 1) * np.uint64(0x9E3779B97F4A7C15)))
