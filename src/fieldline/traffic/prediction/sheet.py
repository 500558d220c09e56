"""The sheet: what a model outside reads of a viewer and of the items it is to judge, one row an item.

A column is a number or a code. NaN is "not known": a viewer who keeps their history to themselves has none in
all columns of the viewer, and is judged from the moment and the item alone. Rates are smoothed,
(hits + prior·strength)/(looks + strength), counts and times on the log scale, ln(1 + x).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.contracts.horizon import week_hour
from fieldline.people import whom
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.prediction.features import ITEM_STRENGTH, PRIOR_CLICKS, PRIOR_LONGS, VIEWER_STRENGTH
from fieldline.traffic.prediction.responses import TASKS as RESPONSES
from fieldline.traffic.rows import BIAS, CLICK, DIMENSIONS, LONG_VIEW, NET_PRICE, ORDER, TRUST
from fieldline.traffic.state import State
from fieldline.units import DAY, MINUTE

NOBODY = np.zeros(0, np.int32)

PRIOR_LIKES = 0.02
LOOKS, LIKES = 0, len(RESPONSES)
"""Of the counts of likes: looks that tell of one, and likes."""
TRAITS = 8
"""Words about a viewer that become columns, in the order in which they were told."""

MOMENT = ("scene", "hour", "weekday")
VIEWER = (
    "viewer_looks",
    "viewer_click_rate",
    "viewer_long_rate",
    "viewer_watched",
    "viewer_minutes_since",
    "viewer_last_click",
    "viewer_last_long",
    "viewer_scene_looks",
    "viewer_scene_click_rate",
    "viewer_scene_long_rate",
    "viewer_hearted",
    "viewer_like_rate",
    *(f"viewer_trait_{n}" for n in range(TRAITS)),
)
PAIR = ("follows_creator", "recent_item", "recent_category", "recent_creator", "recent_likeness")
ITEM = (
    "item_kind",
    "item_category",
    "item_seconds",
    "item_price",
    "item_trust",
    "item_days",
    "item_looks",
    "item_click_rate",
    "item_long_rate",
    "item_like_rate",
    "creator_looks",
    "creator_click_rate",
    "creator_long_rate",
    "creator_like_rate",
)
EMBEDDED = (
    "embedded_click",
    "embedded_long_view",
    "embedded_order",
    "embedded_like",
    "embedded_follow",
    "embedded_hate",
    "embedded_watch",
)
"""Log-odds that the embedded predictors give."""

FEATURES: tuple[str, ...] = (*MOMENT, *VIEWER, *PAIR, *ITEM, *EMBEDDED)
"""Columns, in their order."""
CATEGORICAL: frozenset[str] = frozenset(
    {"scene", "item_kind", "item_category", *(name for name in VIEWER if "trait" in name)}
)
"""Columns that hold codes, whose order means nothing."""

_PAIR, _ITEM = len(MOMENT) + len(VIEWER), len(MOMENT) + len(VIEWER) + len(PAIR)
_EMBEDDED = _ITEM + len(ITEM)


class Items(NamedTuple):
    """What the sheet reads of items and creators, by number."""

    rows: NDArray[np.float32]  # [I, 32] packed
    kind: NDArray[np.int32]  # [I]
    category: NDArray[np.int32]  # [I]
    creator: NDArray[np.int32]  # [I], −1 = none
    seconds: NDArray[np.float32]  # [I]
    uploaded: NDArray[np.int64]  # [I] ms
    counts: NDArray[np.float32]  # [I, 3] looks, clicks, long views
    creator_counts: NDArray[np.float32]  # [C, 3]
    told: NDArray[np.float32]  # [I, 8] looks that tell each response, then their sums
    creator_told: NDArray[np.float32]  # [C, 8]


def sheet(state: State, viewer: int, items: NDArray[np.int32], scene: int, at: int) -> NDArray[np.float32]:
    """Return what a model outside reads of items for a viewer at a moment.

    Args:
        state: read.
        viewer: number; of one who opted out all is NaN but what the item and the moment tell.
        items: numbers [n].
        scene: number.
        at: ms.

    Returns:
        float32 [n, len(FEATURES)], columns as in `FEATURES`, NaN = not known.
    """
    side = model.viewer_side(state, viewer, scene, at)
    head = np.full(_PAIR, np.nan, np.float32)
    head[: len(MOMENT)] = scene, hour_of(at), week_hour(at) // 24
    recent = follows = NOBODY
    known = whom(state.people, viewer) >= 0
    if known:
        head[len(MOMENT) :] = _of_viewer(state, viewer, scene, at)
        recent, follows = state.people.recent[viewer], _followed(state, viewer)
    out = np.empty((len(items), len(FEATURES)), np.float32)
    chances = responses.predict(state, viewer, items, scene, at).astype(np.float64)
    out[:, -len(RESPONSES) :] = np.log(chances / (1.0 - chances))
    _fill(head, side, known, recent, follows, _items(state), items, at, out)
    return out


def _items(state: State) -> Items:
    shelf, told = state.shelf, state.responses
    return Items(
        shelf.rows, shelf.kind, shelf.category, shelf.creator, shelf.seconds, shelf.uploaded, shelf.counts,
        state.content.counts, told.items, told.creators,
    )  # fmt: skip


def _of_viewer(state: State, viewer: int, scene: int, at: int) -> NDArray[np.float32]:
    habits, last = state.model.habits, int(state.model.last_look[viewer])
    looks, clicks, longs = state.people.counts[viewer].tolist()
    there = scene < habits.scenes.shape[1]
    seen, opened, watched = habits.scenes[viewer, scene].tolist() if there else (0.0, 0.0, 0.0)
    traits, told = state.model.viewer_traits[viewer, :TRAITS], state.responses.viewers[viewer]
    return np.array(
        (
            math.log1p(looks),
            _smoothed(clicks, looks, PRIOR_CLICKS),
            _smoothed(longs, looks, PRIOR_LONGS),
            math.log1p(state.people.recent_end.item(viewer)),
            math.log1p(max(at - last, 0) / MINUTE) if last >= 0 else math.nan,
            *habits.last[viewer].tolist(),
            math.log1p(seen),
            _smoothed(opened, seen, PRIOR_CLICKS),
            _smoothed(watched, seen, PRIOR_LONGS),
            math.log1p(habits.hearted.item(viewer)),
            _smoothed(told.item(LIKES), told.item(LOOKS), PRIOR_LIKES),
            *np.where(traits < 0, np.nan, traits).tolist(),
        ),
        np.float32,
    )


def _smoothed(hits: float, looks: float, prior: float) -> float:
    return (hits + prior * VIEWER_STRENGTH) / (looks + VIEWER_STRENGTH)


def _followed(state: State, viewer: int) -> NDArray[np.int32]:
    find = state.content.creators.find
    return np.array([find(creator) for creator in state.people.follows[viewer]], np.int32)


@njit(inline="always")
def _rate(hits: float, looks: float, prior: float) -> float:
    return (hits + prior * ITEM_STRENGTH) / (looks + ITEM_STRENGTH)


@njit
def _fill(
    head: NDArray[np.float32],
    side: NDArray[np.float32],
    known: bool,
    recent: NDArray[np.int32],
    follows: NDArray[np.int32],
    of: Items,
    items: NDArray[np.int32],
    at: int,
    out: NDArray[np.float32],
) -> None:
    taste = np.zeros(DIMENSIONS, np.float32)
    remembered = 0
    for item in recent:
        if item >= 0:
            remembered += 1
            for k in range(DIMENSIONS):
                taste[k] += of.rows[item, LONG_VIEW * DIMENSIONS + k]
    size = np.sqrt((taste * taste).sum())
    for r in range(len(items)):
        item, row = items[r], out[r]
        creator, category, packed = of.creator[item], of.category[item], of.rows[item]
        row[: len(head)] = head
        row[_PAIR:_ITEM] = np.nan
        row[_PAIR] = 0.0 if known else np.nan
        for followed in follows:
            if followed == creator and creator >= 0:
                row[_PAIR] = 1.0
        if remembered > 0:
            same_item, same_category, same_creator = 0, 0, 0
            for other in recent:
                if other >= 0:
                    same_item += other == item
                    same_category += of.category[other] == category
                    same_creator += creator >= 0 and of.creator[other] == creator
            vector = packed[LONG_VIEW * DIMENSIONS : (LONG_VIEW + 1) * DIMENSIONS]
            row[_PAIR + 1] = same_item / remembered
            row[_PAIR + 2] = same_category / remembered
            row[_PAIR + 3] = same_creator / remembered
            row[_PAIR + 4] = (taste * vector).sum() / max(size * np.sqrt((vector * vector).sum()), 1e-9)
        looks, clicks, longs = of.counts[item]
        row[_ITEM] = of.kind[item]
        row[_ITEM + 1] = category
        row[_ITEM + 2] = np.log1p(of.seconds[item])
        row[_ITEM + 3] = np.log1p(packed[NET_PRICE])
        row[_ITEM + 4] = packed[TRUST]
        row[_ITEM + 5] = np.log1p(max(at - of.uploaded[item], 0) / DAY) if of.uploaded[item] > 0 else np.nan
        row[_ITEM + 6] = np.log1p(looks)
        row[_ITEM + 7] = _rate(clicks, looks, PRIOR_CLICKS)
        row[_ITEM + 8] = _rate(longs, looks, PRIOR_LONGS)
        row[_ITEM + 9] = _rate(of.told[item, LIKES], of.told[item, LOOKS], PRIOR_LIKES)
        row[_ITEM + 10 : _EMBEDDED] = np.nan
        if creator >= 0:
            looks, clicks, longs = of.creator_counts[creator]
            row[_ITEM + 10] = np.log1p(looks)
            row[_ITEM + 11] = _rate(clicks, looks, PRIOR_CLICKS)
            row[_ITEM + 12] = _rate(longs, looks, PRIOR_LONGS)
            row[_ITEM + 13] = _rate(
                of.creator_told[creator, LIKES], of.creator_told[creator, LOOKS], PRIOR_LIKES
            )
        for t in (CLICK, LONG_VIEW, ORDER):
            logit = side[BIAS + t] + packed[BIAS + t]
            for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
                logit += side[k] * packed[k]
            row[_EMBEDDED + t] = logit
