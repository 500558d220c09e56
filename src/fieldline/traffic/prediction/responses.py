"""What a look brings beside a click and a long view: a like, a follow, a hate, the time watched.

A second, smaller factorisation machine learns them online, each with its own weights over shared features. Likes,
follows and hates are rare: their features are pooled rates of the viewer, the item and its creator. The time watched
is learned as a share of five minutes, so that its mean is 5 min × chance, which is what a value needs.
Source: Papke & Wooldridge (1996) for the fractional label; ADR 0011.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.compiled import njit
from fieldline.content import Content
from fieldline.facts import Policy, Viewer
from fieldline.people import People, whom
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.kernels import responses as kernel
from fieldline.traffic.prediction import calibration
from fieldline.traffic.prediction.calibration import Calibration, untilted
from fieldline.traffic.prediction.features import ITEM_TRAITS, VIEWER_TRAITS
from fieldline.traffic.prediction.machine import HISTORY_WEIGHT, UNWATCHED_CLICKS
from fieldline.traffic.prediction.model import Model
from fieldline.traffic.prediction.response_features import (
    PRIORS,
    Told,
    count_responses,
    item_marks,
    viewer_marks,
)
from fieldline.traffic.shelf import Shelf

TASKS = ("like", "follow", "hate", "watch")
LONGEST_MS = 300_000
"""Time watched beyond this counts as this much; the watched share is of it."""
SLOTS = 1 << 16
RATE, VECTOR_RATE, SPREAD, SEED = 0.06, 0.05, 0.02, 2
REFRESH_ROWS = 256
"""Learned rows after which a tick folds every item again."""
NO_VALUE = np.zeros(0, np.float32)

Labels = tuple[float, float, float, float]
UNKNOWN: Labels = (0.0, 0.0, 0.0, 0.0)


def _table() -> NDArray[np.float32]:
    table = np.zeros((SLOTS, kernel.WIDTH), np.float32)
    kernel.start(table, np.uint64(SEED), SPREAD)
    return table


def _bias() -> NDArray[np.float32]:
    bias = np.zeros((2, len(TASKS)), np.float32)
    bias[0] = [math.log(p / (1.0 - p)) for p in PRIORS]
    return bias


def _told() -> NDArray[np.float32]:
    return np.zeros((16, 2 * len(TASKS)), np.float32)


@dataclass(slots=True)
class Responses:
    """What the second machine has learned and counted."""

    table: NDArray[np.float32] = field(default_factory=_table)  # [slots, 24], words as in `kernels.responses`
    bias: NDArray[np.float32] = field(default_factory=_bias)  # [2, 4]
    viewers: NDArray[np.float32] = field(default_factory=_told)
    """Of each viewer [V, 8]: looks that tell each response, then their sums."""
    items: NDArray[np.float32] = field(default_factory=_told)
    creators: NDArray[np.float32] = field(default_factory=_told)
    rows: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, kernel.SIDE), np.float32))
    """Each item's folded side [I, 20]."""
    calibration: Calibration = field(default_factory=lambda: untilted(len(TASKS)))
    hearted: bool = False
    """Whether any viewer has brought likes from before the log: until one does, nobody's are known."""
    learned: int = 0
    """Rows learned since every item was folded."""


class Market(Protocol):
    """The parts of the state that responses are learned from."""

    people: People
    content: Content
    shelf: Shelf
    model: Model
    responses: Responses


def put_viewer(market: Market, viewer: int) -> None:
    """Make room for a viewer."""
    market.responses.viewers = grown(market.responses.viewers, viewer + 1)


def put_item(market: Market, item: int) -> None:
    """Make room for an item and its creator, and fold it."""
    responses = market.responses
    responses.items = grown(responses.items, item + 1)
    responses.rows = grown(responses.rows, item + 1)
    responses.creators = grown(responses.creators, int(market.shelf.creator[item]) + 1)
    _fold(market, np.array([item], np.int32))


def forget_viewer(responses: Responses, viewer: int) -> None:
    """Take a viewer's counts away."""
    responses.viewers[viewer] = 0.0


def learn(
    market: Market, viewer: int, item: int, scene: int, at: int, labels: Labels, weights: Labels
) -> NDArray[np.float32]:
    """Learn and count what else came of one look, before its click and long view are counted (`model.learn`).

    Of a viewer who opted out it is learned for item and creator alone.

    Args:
        market: changed in place.
        viewer: number; below 0, nobody in particular.
        item: number.
        scene: number.
        at: when the look was decided, ms.
        labels: like, follow, hate in {0, 1}, watched share in [0, 1] (`share_of`).
        weights: 0 where a label is unknown.

    Returns:
        float32 [4], the chances predicted before learning, not calibrated.
    """
    responses, before = market.responses, np.empty(len(TASKS), np.float32)
    known, given = np.array(weights, np.float32), np.array(labels, np.float32)
    if not known.any():
        before[:] = np.nan
        return before
    viewer = whom(market.people, viewer)
    _learn(
        responses.table, responses.bias, market.model.viewer_traits, market.people.counts, market.model.item_traits,
        market.shelf.category, market.shelf.creator, _counts(responses), viewer, item, scene, hour_of(at),
        given, known, RATE, VECTOR_RATE, before,
    )  # fmt: skip
    calibration.learn(responses.calibration, before, given, known)
    responses.learned += 1
    _fold(market, np.array([item], np.int32))
    return before


def learn_history(market: Market, viewer: int, fact: Viewer) -> None:
    """Learn which of what a new viewer watched before the log they liked; before the first who tells, nothing."""
    responses = market.responses
    responses.hearted |= bool(fact.hearted)
    if not responses.hearted:
        return
    long, hearted = set(fact.liked), set(fact.hearted)
    known = [(market.shelf.names.find(name), name) for name in fact.watched]
    looks = [(item, name in long, name in hearted) for item, name in known if item >= 0]
    _learn_history(
        responses.table, responses.bias, market.model.viewer_traits, market.model.item_traits,
        market.shelf.category, market.shelf.creator, _counts(responses), viewer,
        np.array([item for item, _, _ in looks], np.int32), np.array([long for _, long, _ in looks], bool),
        np.array([liked for _, _, liked in looks], bool), RATE, VECTOR_RATE,
    )  # fmt: skip
    responses.learned += len(looks)


def share_of(watched_ms: int) -> float:
    """Return a time watched as a share of five minutes, at most 1."""
    return min(max(watched_ms, 0) / LONGEST_MS, 1.0)


def viewer_side(market: Market, viewer: int, scene: int, at: int) -> NDArray[np.float32]:
    """Return a viewer's side at a moment, bias and calibration included, float32 [20]."""
    responses, side = market.responses, np.empty(kernel.SIDE, np.float32)
    _side_of(
        responses.table, responses.bias, market.model.viewer_traits, market.people.counts, responses.viewers,
        whom(market.people, viewer), scene, hour_of(at), side,
    )  # fmt: skip
    calibration.onto_viewer(responses.calibration, side, kernel.DIMENSIONS)
    return side


def predict(
    market: Market, viewer: int, items: NDArray[np.int32], scene: int, at: int
) -> NDArray[np.float32]:
    """Return the chances [n, 4] of a like, a follow and a hate, and the watched share, of items [n], as served."""
    out = np.empty((len(items), len(TASKS)), np.float32)
    kernel.chances(viewer_side(market, viewer, scene, at), market.responses.rows, items, out)
    return out


def extra_value(
    market: Market, viewer: int, items: NDArray[np.int32], scene: int, at: int, policy: Policy
) -> NDArray[np.float32]:
    """Return what responses to items are worth, yuan per look.

    like_value·P(like) + follow_value·P(follow) − hate_cost·P(hate) + minute_value·E[minutes watched]

    Args:
        market: with what was learned.
        viewer: number; below 0, nobody in particular.
        items: numbers [n].
        scene: number.
        at: ms.
        policy: with the dials.

    Returns:
        float32 [n]; [0] where every dial is 0.
    """
    minutes = LONGEST_MS / 60_000
    worth = (policy.like_value, policy.follow_value, -policy.hate_cost, policy.minute_value * minutes)
    if not any(worth):
        return NO_VALUE
    out = np.empty(len(items), np.float32)
    side = viewer_side(market, viewer, scene, at)
    kernel.value(side, market.responses.rows, items, np.array(worth, np.float32), out)
    return out


def refresh(market: Market, at: int) -> None:
    """Calibrate and fold every item again, where enough was learned."""
    responses = market.responses
    if responses.learned < REFRESH_ROWS:
        return
    responses.learned = 0
    calibration.refresh(responses.calibration, at)
    _fold(market, np.arange(len(market.shelf.facts), dtype=np.int32))


def _counts(responses: Responses) -> Told:
    return Told(responses.viewers, responses.items, responses.creators)


def _fold(market: Market, which: NDArray[np.int32]) -> None:
    responses, shelf = market.responses, market.shelf
    _refresh(
        responses.table, market.model.item_traits, shelf.category, shelf.creator, _counts(responses), which,
        responses.rows,
    )  # fmt: skip
    calibration.onto_items(responses.calibration, responses.rows, which, kernel.DIMENSIONS)


VIEWER_MARKS = 12 + VIEWER_TRAITS
ITEM_MARKS = 11 + ITEM_TRAITS


@njit
def _side_of(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    traits: NDArray[np.int32],
    counts: NDArray[np.float32],
    told: NDArray[np.float32],
    viewer: int,
    scene: int,
    hour: int,
    side: NDArray[np.float32],
) -> None:
    ids = np.empty(VIEWER_MARKS, np.int32)
    n = viewer_marks(traits[viewer], counts[viewer], told[viewer], viewer, scene, hour, table.shape[0], ids)
    kernel.fold(table, ids[:n], side)
    side[kernel.VECTOR :] += bias[0]


@njit
def _learn(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    viewer_traits: NDArray[np.int32],
    counts: NDArray[np.float32],
    item_traits: NDArray[np.int32],
    category: NDArray[np.int32],
    creator: NDArray[np.int32],
    told: Told,
    viewer: int,
    item: int,
    scene: int,
    hour: int,
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    rate: float,
    vector_rate: float,
    before: NDArray[np.float32],
) -> None:
    ids = np.empty(VIEWER_MARKS + ITEM_MARKS, np.int32)
    slots, author = table.shape[0], creator[item]
    traits, seen = viewer_traits[viewer], counts[viewer]
    n = viewer_marks(traits, seen, told.viewers[viewer], viewer, scene, hour, slots, ids)
    n += item_marks(item_traits[item], category[item], author, told, item, slots, ids[n:])
    kernel.learn_row(table, bias, ids[:n], labels, weights, rate, vector_rate, before)
    count_responses(told, viewer, item, author, labels, weights)


@njit
def _learn_history(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    viewer_traits: NDArray[np.int32],
    item_traits: NDArray[np.int32],
    category: NDArray[np.int32],
    creator: NDArray[np.int32],
    told: Told,
    viewer: int,
    watched: NDArray[np.int32],
    long: NDArray[np.bool_],
    liked: NDArray[np.bool_],
    rate: float,
    vector_rate: float,
) -> None:
    ids = np.empty(VIEWER_MARKS + ITEM_MARKS, np.int32)
    before, labels, weights = np.empty(4, np.float32), np.zeros(4, np.float32), np.zeros(4, np.float32)
    counts = np.zeros(
        3, np.float32
    )  # as they stood after each look; the viewer's own have already passed them all
    weights[0] = HISTORY_WEIGHT
    slots, traits = table.shape[0], viewer_traits[viewer]
    for r in range(len(watched)):
        item, author = watched[r], creator[watched[r]]
        labels[0] = 1.0 if liked[r] else 0.0
        n = viewer_marks(traits, counts, told.viewers[viewer], viewer, -1, -1, slots, ids)
        n += item_marks(item_traits[item], category[item], author, told, item, slots, ids[n:])
        kernel.learn_row(table, bias, ids[:n], labels, weights, rate, vector_rate, before)
        count_responses(told, viewer, item, author, labels, weights)
        counts[0] += 1.0
        counts[1] += 1.0 if long[r] else UNWATCHED_CLICKS
        counts[2] += 1.0 if long[r] else 0.0


@njit
def _refresh(
    table: NDArray[np.float32],
    item_traits: NDArray[np.int32],
    category: NDArray[np.int32],
    creator: NDArray[np.int32],
    told: Told,
    which: NDArray[np.int32],
    rows: NDArray[np.float32],
) -> None:
    ids = np.empty(ITEM_MARKS, np.int32)
    for item in which:
        n = item_marks(item_traits[item], category[item], creator[item], told, item, table.shape[0], ids)
        kernel.fold(table, ids[:n], rows[item])
