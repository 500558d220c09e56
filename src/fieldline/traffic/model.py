"""The embedded predictor as part of the state: what it has learned, and what it reads of viewers and items."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.content import Content
from fieldline.facts import Viewer
from fieldline.people import People
from fieldline.traffic.features import (
    ITEM_TRAITS,
    VIEWER_TRAITS,
    ItemColumns,
    ViewerColumns,
    item_traits,
    viewer_traits,
)
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.kernels.fm import score
from fieldline.traffic.predict import FactorizationMachine, Params
from fieldline.traffic.retrieve import Partitions
from fieldline.traffic.retrieve import refresh as refresh_partitions
from fieldline.traffic.rows import BIAS, TASKS
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
    last_look: NDArray[np.int64] = field(default_factory=lambda: np.full(16, -1, np.int64))
    """Instant of each viewer's newest look that was learned, −1 = none."""
    viewers: int = 0
    """How many viewers it has met."""
    learned: int = 0
    """Rows learned since every item was folded."""
    rows: int = 0
    """Rows ever learned."""


class Market(Protocol):
    """The parts of the state that the predictor reads and counts in."""

    people: People
    content: Content
    shelf: Shelf
    partitions: Partitions
    model: Model


def put_viewer(market: Market, viewer: int, fact: Viewer) -> None:
    """Enter a viewer's traits and, the first time, learn from what was watched before the log."""
    model = market.model
    new = viewer == model.viewers
    model.viewers = max(model.viewers, viewer + 1)
    model.viewer_traits = grown(model.viewer_traits, viewer + 1, -1)
    model.last_look = grown(model.last_look, viewer + 1, -1)
    model.viewer_traits[viewer] = viewer_traits(fact, MACHINE.slots)
    if new and fact.watched:
        _learn_history(market, viewer, fact)


def forget_viewer(model: Model, viewer: int) -> None:
    """Take a viewer's traits away."""
    model.viewer_traits[viewer] = -1
    model.last_look[viewer] = -1


def put_item(market: Market, item: int) -> None:
    """Enter an item's traits and fold it into its packed row."""
    model = market.model
    model.item_traits = grown(model.item_traits, item + 1, -1)
    model.item_traits[item] = item_traits(market.shelf.facts[item], MACHINE.slots)
    _fold(market, np.array([item], np.int64))


def viewer_side(market: Market, viewer: int, scene: int, at: int) -> NDArray[np.float32]:
    """Return the viewer's side of the predictor at a moment, float32 [27]."""
    model = market.model
    return MACHINE.side_of(
        model.params, _viewers(market), _items(market), viewer, scene, hour_of(at), _since(model, viewer, at)
    )


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
    logits = market.model.params.bias[0] + market.shelf.rows[items, BIAS : BIAS + len(TASKS)]  # [n, 3]
    chances = 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
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
    """Learn what came of one look, and count it.

    Args:
        market: changed in place.
        viewer: number.
        item: number.
        scene: number.
        at: when the look was decided, ms.
        labels: click, long view, order given click.
        weights: 0 where a label is unknown.

    Returns:
        The chances predicted before learning.
    """
    model = market.model
    new = weights[0] > 0.0
    before = MACHINE.learn_look(
        model.params, _viewers(market), _items(market), viewer, item, scene, hour_of(at),
        _since(model, viewer, at), np.array(labels, np.float32), np.array(weights, np.float32), new,
    )  # fmt: skip
    if new:
        model.last_look[viewer] = max(at, int(model.last_look[viewer]))
    model.learned += 1
    model.rows += 1
    _fold(market, np.array([item], np.int64))
    return float(before[0]), float(before[1]), float(before[2])


def refresh(market: Market) -> None:
    """Fold every item again, where enough was learned, and bring the partitions' vectors up to date."""
    if market.model.learned < REFRESH_ROWS:
        return
    market.model.learned = 0
    _fold(market, np.arange(len(market.shelf.facts)))
    refresh_partitions(market.partitions, market.shelf.rows)


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


def _viewers(market: Market) -> ViewerColumns:
    people = market.people
    return ViewerColumns(market.model.viewer_traits, people.counts, people.recent, people.recent_end)


def _items(market: Market) -> ItemColumns:
    shelf = market.shelf
    return ItemColumns(
        market.model.item_traits, shelf.counts, shelf.creator, shelf.category, market.content.counts
    )


def _since(model: Model, viewer: int, at: int) -> int:
    last = int(model.last_look[viewer])
    return max(at - last, 0) if last >= 0 else -1
