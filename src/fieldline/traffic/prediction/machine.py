"""The embedded predictor: an online factorisation machine of three tasks.

A look's logit is bias + linear + pairwise over all features of viewer and item. It folds exactly into a
viewer's side and an item's side (see `kernels.fm`), so that scoring a candidate reads one packed row. It
learns online, in the log's order: predict, then one AdaGrad step. Nothing depends on the number of threads.
Source: Rendle (ICDM 2010); Duchi, Hazan, Singer (JMLR 2011); ADR 0005.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.errors import Refused
from fieldline.traffic.kernels import fm
from fieldline.traffic.prediction.features import (
    ITEM_FEATURES,
    VIEWER_FEATURES,
    WIDEST,
    ItemColumns,
    ViewerColumns,
    count,
    item_features,
    viewer_features,
)
from fieldline.traffic.rows import TASKS, VIEWER_WIDTH

UNWATCHED_CLICKS = 0.2
"""Expected click of a look before the log that was not watched long (a long one counts as clicked)."""
HISTORY_WEIGHT = 0.5
"""Weight of a look before the log, whose scene and hour are unknown."""


@dataclass(slots=True)
class Params:
    """What the machine has learned. It belongs to its learner, which changes it in place."""

    table: NDArray[np.float32]  # [slots, 32], words as in `kernels.fm`
    bias: NDArray[np.float32]  # [2, 3] bias of each task, and its sum of squared gradients


@dataclass(frozen=True, slots=True)
class FactorizationMachine:
    """The machine's settings; all that it learns is in `Params`."""

    slots: int = 1 << 18
    """Hashed features share this many slots (128 bytes each)."""
    rate: float = 0.06
    vector_rate: float = 0.05
    order_share: float = 0.1
    """Of both rates, for orders: they are so rare that one must not settle what its viewer's every trait is worth."""
    spread: float = 0.02
    """Vectors start uniformly in ±spread."""
    seed: int = 1
    priors: tuple[float, float, float] = (0.4, 0.3, 0.5)
    """Chances of a click, a long view and an order given a click before anything is learned; that of an order is
    served with what is known of an item's sales added to its logit, see `traffic.prediction.sales`."""
    tasks: tuple[str, ...] = TASKS

    def __post_init__(self) -> None:
        if not 1 <= self.slots <= fm.BAG:
            raise Refused("slots", f"must be between 1 and {fm.BAG}")

    def init(self) -> Params:
        """Return parameters that know nothing; equal settings give equal ones."""
        table = np.zeros((self.slots, fm.WIDTH), np.float32)
        fm.start(table, np.uint64(self.seed), self.spread)
        bias = np.zeros((2, len(TASKS)), np.float32)
        bias[0] = [math.log(p / (1.0 - p)) for p in self.priors]
        return Params(table, bias)

    def viewer_side(self, params: Params, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the viewer's side of its features [n]: float32 [27], the machine's bias included."""
        side = np.empty(VIEWER_WIDTH, np.float32)
        fm.fold(params.table, ids, side)
        side[fm.VECTOR :] += params.bias[0]
        return side

    def side_of(
        self,
        params: Params,
        viewers: ViewerColumns,
        items: ItemColumns,
        viewer: int,
        scene: int,
        hour: int,
        since_ms: int,
    ) -> NDArray[np.float32]:
        """Return a viewer's side at a moment, float32 [27]: `viewer_side` of its features in one call."""
        side = np.empty(VIEWER_WIDTH, np.float32)
        _side_of(params.table, params.bias, *viewers, *items, viewer, scene, hour, since_ms, side)
        return side

    def item_side(self, params: Params, ids: NDArray[np.int32], row: NDArray[np.float32]) -> None:
        """Write the item's side of its features [n] into the first 27 words of its packed row."""
        fm.fold(params.table, ids, row)

    def predict_row(self, params: Params, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the chances [3] of one row of features of both sides [n]."""
        chances: NDArray[np.float32] = self.predict(params, ids.reshape(1, -1))[0]
        return chances

    def learn_row(
        self,
        params: Params,
        ids: NDArray[np.int32],
        labels: NDArray[np.float32],
        weights: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Learn one row in place and return the chances [3] predicted before; weight 0 = label unknown."""
        before = np.empty(len(TASKS), np.float32)
        fm.learn_row(
            params.table, params.bias, ids, labels, weights, 0.0, 0.0, self.rate, self.vector_rate, before
        )
        return before

    def predict(self, params: Params, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the chances [n, 3] of rows [n, width] of features of both sides, −1 = none.

        Raises:
            Refused: a feature beyond the table.
        """
        self._check(rows)
        out = np.empty((len(rows), len(TASKS)), np.float32)
        fm.predict_rows(params.table, params.bias, rows, out)
        return out

    def learn(
        self,
        params: Params,
        rows: NDArray[np.int32],
        labels: NDArray[np.float32],
        weights: NDArray[np.float32],
    ) -> Params:
        """Learn rows [n, width] in order, in place, with labels and weights [n, 3]; return the parameters.

        Raises:
            Refused: a feature beyond the table.
        """
        self._check(rows)
        out = np.empty((len(rows), len(TASKS)), np.float32)
        fm.learn_rows(params.table, params.bias, rows, labels, weights, self.rate, self.vector_rate, out)
        return params

    def _check(self, rows: NDArray[np.int32]) -> None:
        slots = np.where(rows < 0, 0, rows & fm.SLOT)
        if slots.max(initial=0) >= self.slots:
            raise Refused("rows", f"hold feature {int(slots.max())}, but the table has {self.slots} slots")

    def learn_look(
        self,
        params: Params,
        viewers: ViewerColumns,
        items: ItemColumns,
        viewer: int,
        item: int,
        scene: int,
        hour: int,
        since_ms: int,
        labels: NDArray[np.float32],
        weights: NDArray[np.float32],
        new: bool = False,
    ) -> NDArray[np.float32]:
        """Learn what came of one look, as the columns stand; where asked, count it afterwards.

        Args:
            params: changed.
            viewers, items: columns.
            viewer, item, scene, hour, since_ms: as for `features.viewer_features`.
            labels: [3] click, long view, order.
            weights: [3], 0 = label unknown.
            new: whether to count the look too, as `features.count` does.

        Returns:
            float32 [3], the chances predicted before.
        """
        before = np.empty(len(TASKS), np.float32)
        _learn_look(
            params.table, params.bias, viewers, items, viewer, item, scene, hour, since_ms,
            labels, weights, new, 0.0, 0.0, self.rate, self.vector_rate, before,
        )  # fmt: skip
        return before

    def learn_order(
        self,
        params: Params,
        viewers: ViewerColumns,
        items: ItemColumns,
        viewer: int,
        item: int,
        scene: int,
        hour: int,
        offset: float,
        exposure: float,
        came: float,
    ) -> float:
        """Learn that a click has had a further share of the time in which orders come, and whether one came.

        Args:
            params: changed.
            viewers, items: columns.
            viewer, item, scene, hour: as for `features.viewer_features`.
            offset: added to the logit.
            exposure: ΔF, the share of orders that come in that time.
            came: orders that came in it.

        Returns:
            The chance of an order predicted before.
        """
        before = np.empty(len(TASKS), np.float32)
        weights = np.array([0.0, 0.0, exposure], np.float32)
        _learn_look(
            params.table, params.bias, viewers, items, viewer, item, scene, hour, -1,
            np.zeros(len(TASKS), np.float32), weights, False, offset, came,
            self.order_share * self.rate, self.order_share * self.vector_rate, before,
        )  # fmt: skip
        return float(before[2])

    def learn_history(
        self,
        params: Params,
        viewers: ViewerColumns,
        items: ItemColumns,
        viewer: int,
        watched: NDArray[np.int32],
        long: NDArray[np.bool_],
    ) -> None:
        """Learn and count the looks that a viewer had before the log, oldest first, in place.

        Whether such a look was clicked is unknown: it counts as a click if watched long, else as 0.2 of one.

        Args:
            params: changed.
            viewers, items: columns, counted.
            viewer: number.
            watched: item numbers [n].
            long: [n] whether each was watched long.
        """
        _learn_history(
            params.table, params.bias, viewers, items, viewer, watched, long, self.rate, self.vector_rate
        )

    def refresh(
        self, params: Params, items: ItemColumns, which: NDArray[np.int32], rows: NDArray[np.float32]
    ) -> None:
        """Write the item's side of items `which` [n] into the first 27 words of their packed rows [I, 32]."""
        _refresh(params.table, items, which, rows)


@njit
def _side_of(  # numba takes ten arrays in a third of the time of two tuples of them
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    viewer_traits: NDArray[np.int32],
    viewer_counts: NDArray[np.float32],
    recent: NDArray[np.int32],
    recent_end: NDArray[np.int32],
    here: NDArray[np.float32],
    item_traits: NDArray[np.int32],
    item_counts: NDArray[np.float32],
    creator: NDArray[np.int32],
    category: NDArray[np.int32],
    creator_counts: NDArray[np.float32],
    viewer: int,
    scene: int,
    hour: int,
    since_ms: int,
    side: NDArray[np.float32],
) -> None:
    viewers = ViewerColumns(viewer_traits, viewer_counts, recent, recent_end, here)
    items = ItemColumns(item_traits, item_counts, creator, category, creator_counts)
    ids = np.empty(VIEWER_FEATURES, np.int32)
    n = viewer_features(viewers, items, viewer, scene, hour, since_ms, table.shape[0], ids)
    fm.fold(table, ids[:n], side)
    side[fm.VECTOR :] += bias[0]


@njit
def _learn_look(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    viewers: ViewerColumns,
    items: ItemColumns,
    viewer: int,
    item: int,
    scene: int,
    hour: int,
    since_ms: int,
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    new: bool,
    offset: float,
    came: float,
    rate: float,
    vector_rate: float,
    before: NDArray[np.float32],
) -> None:
    ids = np.empty(WIDEST, np.int32)
    slots = table.shape[0]
    n = viewer_features(viewers, items, viewer, scene, hour, since_ms, slots, ids)
    n += item_features(items, item, slots, ids[n:])
    fm.learn_row(table, bias, ids[:n], labels, weights, offset, came, rate, vector_rate, before)
    if new:
        count(viewers, items, viewer, item, scene, labels[0], labels[1])


@njit
def _learn_history(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    viewers: ViewerColumns,
    items: ItemColumns,
    viewer: int,
    watched: NDArray[np.int32],
    long: NDArray[np.bool_],
    rate: float,
    vector_rate: float,
) -> None:
    before = np.empty(3, np.float32)
    labels = np.zeros(3, np.float32)
    weights = np.array([HISTORY_WEIGHT, HISTORY_WEIGHT, 0.0], np.float32)
    for r in range(len(watched)):
        labels[0] = 1.0 if long[r] else UNWATCHED_CLICKS
        labels[1] = 1.0 if long[r] else 0.0
        _learn_look(
            table, bias, viewers, items, viewer, watched[r], -1, -1, -1,
            labels, weights, True, 0.0, 0.0, rate, vector_rate, before,
        )  # fmt: skip


@njit
def _refresh(
    table: NDArray[np.float32], items: ItemColumns, which: NDArray[np.int32], rows: NDArray[np.float32]
) -> None:
    ids = np.empty(ITEM_FEATURES, np.int32)
    for item in which:
        n = item_features(items, item, table.shape[0], ids)
        fm.fold(table, ids[:n], rows[item])
