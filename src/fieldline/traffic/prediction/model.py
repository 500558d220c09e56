"""The embedded predictor as part of the state: what it has learned, and what it reads of viewers and items."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.content import Content
from fieldline.facts import Policy, Viewer
from fieldline.people import People, whom
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.kernels.fm import DIMENSIONS, score
from fieldline.traffic.prediction import calibration, habits, sales
from fieldline.traffic.prediction.calibration import Calibration, untilted
from fieldline.traffic.prediction.explore import optimism
from fieldline.traffic.prediction.features import (
    ITEM_TRAITS,
    VIEWER,
    VIEWER_TRAITS,
    ItemColumns,
    ViewerColumns,
    item_traits,
    slot_of,
    viewer_traits,
)
from fieldline.traffic.prediction.habits import Habits
from fieldline.traffic.prediction.machine import FactorizationMachine, Params
from fieldline.traffic.prediction.sales import Sales
from fieldline.traffic.retrieve import Partitions
from fieldline.traffic.retrieve import refresh as refresh_partitions
from fieldline.traffic.rows import BIAS, NET_PRICE, ORDER, TASKS
from fieldline.traffic.shelf import Shelf

MACHINE = FactorizationMachine()
REFRESH_ROWS = 256
"""Learned rows after which a tick folds every item again; an item that was just learned is folded at once."""


@dataclass(slots=True)
class Model:
    """Parameters, and the columns that only the predictor reads."""

    params: Params = field(default_factory=MACHINE.init)
    viewer_traits: NDArray[np.int32] = field(
        default_factory=lambda: np.full((16, VIEWER_TRAITS), -1, np.int32)
    )
    item_traits: NDArray[np.int32] = field(default_factory=lambda: np.full((16, ITEM_TRAITS), -1, np.int32))
    calibration: Calibration = field(default_factory=lambda: untilted(len(TASKS)))
    last_look: NDArray[np.int64] = field(default_factory=lambda: np.full(16, -1, np.int64))
    """Instant of each viewer's newest look that was learned, −1 = none."""
    viewers: int = 0
    """How many viewers it has met."""
    learned: int = 0
    """Rows learned since every item was folded."""
    rows: int = 0
    """Rows ever learned."""
    habits: Habits = field(default_factory=Habits)
    """What only models outside read."""


class Market(Protocol):
    """The parts of the state that the predictor reads and counts in."""

    policy: Policy
    people: People
    content: Content
    shelf: Shelf
    partitions: Partitions
    sales: Sales
    model: Model


def put_viewer(market: Market, viewer: int, fact: Viewer) -> None:
    """Enter a viewer's traits and, the first time, learn from what was watched before the log."""
    model = market.model
    new = viewer == model.viewers
    model.viewers = max(model.viewers, viewer + 1)
    model.viewer_traits = grown(model.viewer_traits, viewer + 1, -1)
    model.last_look = grown(model.last_look, viewer + 1, -1)
    model.viewer_traits[viewer] = viewer_traits(fact, MACHINE.slots)
    if new:
        habits.place(model.habits, viewer, len(fact.hearted))
    if new and fact.watched:
        _learn_history(market, viewer, fact)


def forget_viewer(model: Model, viewer: int) -> None:
    """Take a viewer's traits away, and what behaviour told."""
    model.viewer_traits[viewer] = -1
    forget_history(model, viewer)


def forget_history(model: Model, viewer: int) -> None:
    """Take away what a viewer's behaviour told: habits, and what was learned of the viewer alone.

    The latter lies in one hashed slot; what shares it learns anew.
    """
    model.last_look[viewer] = -1
    habits.forget(model.habits, viewer)
    model.params.table[slot_of(VIEWER, viewer, 0, MACHINE.slots)] = 0.0


def put_item(market: Market, item: int) -> None:
    """Enter an item's traits and fold it into its packed row."""
    model = market.model
    model.item_traits = grown(model.item_traits, item + 1, -1)
    model.item_traits[item] = item_traits(market.shelf.facts[item], MACHINE.slots)
    sales.place(market.sales, item, int(market.shelf.group[item]), int(market.shelf.category[item]))
    _fold(market, np.array([item], np.int64))


def viewer_side(market: Market, viewer: int, scene: int, at: int) -> NDArray[np.float32]:
    """Return the viewer's side of the predictor at a moment, float32 [27]; scene and hour alone of who opted out."""
    model, viewer = market.model, whom(market.people, viewer)
    side = MACHINE.side_of(
        model.params, _viewers(market), _items(market), viewer, scene, hour_of(at), _since(model, viewer, at)
    )
    calibration.onto_viewer(model.calibration, side, DIMENSIONS)
    return side


def predict(market: Market, viewer: int, item: int, scene: int, at: int) -> NDArray[np.float32]:
    """Return the chances [3] of a click, a long view and an order given a click, as the engine would serve them."""
    chances = np.empty(len(TASKS), np.float32)
    score(viewer_side(market, viewer, scene, at), market.shelf.rows[item], chances)
    return chances


def item_chances(
    market: Market, items: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the chances [n] of a click, a long view and an order given a click, for a viewer of whom nothing is known.

    Args:
        market: with the items' folded rows.
        items: numbers [n].
    """
    chances = _chances(market, market.shelf.rows[items, BIAS : BIAS + len(TASKS)])
    return chances[:, 0], chances[:, 1], chances[:, 2]


def learn(
    market: Market,
    viewer: int,
    item: int,
    scene: int,
    at: int,
    labels: tuple[float, float, float],
    weights: tuple[float, float, float],
) -> tuple[float, float, float]:
    """Learn what came of one look, and count it; nothing is learned of a viewer who opted out.

    Args:
        market: changed in place.
        viewer: number.
        item: number.
        scene: number.
        at: when the look was decided, ms.
        labels: click, long view, order given click.
        weights: 0 where a label is unknown.

    Returns:
        The chances predicted before learning, not calibrated.
    """
    model, viewer = market.model, whom(market.people, viewer)
    new = weights[0] > 0.0
    came, known = np.array(labels, np.float32), np.array(weights, np.float32)
    habits.enter(model.habits, scene)
    before = MACHINE.learn_look(
        model.params, _viewers(market), _items(market), viewer, item, scene, hour_of(at),
        _since(model, viewer, at), came, known, new,
    )  # fmt: skip
    calibration.learn(model.calibration, before, came, known)
    if new and viewer >= 0:
        model.last_look[viewer] = max(at, int(model.last_look[viewer]))
        model.habits.last[viewer] = labels[:2]
    model.learned += 1
    model.rows += 1
    _fold(market, np.array([item], np.int64))
    return float(before[0]), float(before[1]), float(before[2])


def learn_order(
    market: Market, viewer: int, item: int, scene: int, at: int, exposure: float, came: bool
) -> None:
    """Learn what a click's time told of orders; what its item's sales tell is the logit's offset.

    Args:
        market: changed in place.
        viewer: number; who opted out counts as nobody in particular.
        item: number.
        scene: number.
        at: when it was clicked, ms.
        exposure: ΔF, the share of its time that passed.
        came: whether an order came in it.
    """
    model = market.model
    before = MACHINE.learn_order(
        model.params, _viewers(market), _items(market), whom(market.people, viewer), item, scene, hour_of(at),
        market.sales.offset.item(item), exposure, float(came),
    )  # fmt: skip
    if exposure > 0.0:  # orders per exposed click, so that the bin's sums are ΔF·p and the orders that came
        per_click, chance = (
            np.array((0.0, 0.0, came / exposure), np.float32),
            np.array((0.5, 0.5, before), np.float32),
        )
        calibration.learn(model.calibration, chance, per_click, np.array((0.0, 0.0, exposure), np.float32))
    model.learned += 1
    model.rows += 1
    _fold(market, np.array([item], np.int64))


def refresh(market: Market, at: int) -> None:
    """Pool sales; calibrate and fold every item again where enough was learned; bring the partitions up to date."""
    moved = sales.refresh(market.sales, market.shelf.group, market.shelf.category)
    if moved is not None:
        market.shelf.rows[: len(moved), BIAS + ORDER] += moved
    if market.model.learned < REFRESH_ROWS:
        return
    market.model.learned = 0
    calibration.refresh(market.model.calibration, at, fixed=(ORDER,))
    _fold(market, np.arange(len(market.shelf.facts)))
    refresh_partitions(market.partitions, market.shelf.rows)


def explore(market: Market) -> None:
    """Bring what every item's score gets for what is not known of it up to date."""
    shelf, count = market.shelf, len(market.shelf.facts)
    chances = _chances(market, shelf.rows[:count, BIAS : BIAS + len(TASKS)]).astype(np.float32)
    deviation, price = market.sales.deviation[:count], shelf.rows[:count, NET_PRICE]
    shelf.optimism[:count] = optimism(market.policy, shelf.counts[:count, 0], chances, deviation, price)


def _chances(market: Market, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    tilt = market.model.calibration
    bias = tilt.slope * market.model.params.bias[0] + tilt.shift  # [3]
    return np.asarray(1.0 / (1.0 + np.exp(-(bias + logits).astype(np.float64))))


def _learn_history(market: Market, viewer: int, fact: Viewer) -> None:
    liked = set(fact.liked)
    known = [(market.shelf.names.find(name), name in liked) for name in fact.watched]
    looks = [(item, long) for item, long in known if item >= 0]
    MACHINE.learn_history(
        market.model.params, _viewers(market), _items(market), viewer,
        np.array([item for item, _ in looks], np.int32), np.array([long for _, long in looks], bool),
    )  # fmt: skip
    market.model.learned += len(looks)


def _fold(market: Market, which: NDArray[np.int64]) -> None:
    MACHINE.refresh(market.model.params, _items(market), which.astype(np.int32), market.shelf.rows)
    calibration.onto_items(market.model.calibration, market.shelf.rows, which.astype(np.int32), DIMENSIONS)
    market.shelf.rows[which, BIAS + ORDER] += market.sales.offset[which]


def _viewers(market: Market) -> ViewerColumns:
    people = market.people
    return ViewerColumns(
        market.model.viewer_traits,
        people.counts,
        people.recent,
        people.recent_end,
        market.model.habits.scenes,
    )


def _items(market: Market) -> ItemColumns:
    shelf = market.shelf
    return ItemColumns(
        market.model.item_traits, shelf.counts, shelf.creator, shelf.category, market.content.counts
    )


def _since(model: Model, viewer: int, at: int) -> int:
    last = int(model.last_look[viewer]) if viewer >= 0 else -1
    return max(at - last, 0) if last >= 0 else -1
