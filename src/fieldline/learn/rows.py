"""Training rows from a log: what a model would have read of each look, and what came of it.

The log is folded as the engine folds it. A look's sheet is taken when it is decided; its labels are known when its
decision closes, those of an outcome at once, an order's when its window is over (or the order came). So a row holds
what was known then and nothing that was learned of it later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline import engine
from fieldline.facts import AnyFact, Decision, Order, Outcome, Policy, Tick
from fieldline.traffic.outcomes import Shown, refusal_weight
from fieldline.traffic.prediction.sheet import FEATURES, sheet
from fieldline.units import DAY

TASKS = ("click", "long_view", "like", "follow", "hate", "order")
CLICK, LONG_VIEW, LIKE, FOLLOW, HATE, ORDER = range(6)
BLOCK = 1 << 16
MOST_ROWS = 2_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Looks in the order in which they were made known."""

    sheet: NDArray[np.float32]  # [n, F] as `traffic.prediction.sheet.FEATURES`
    labels: NDArray[np.float32]  # [n, 6] as `TASKS`; an order is one given a click
    weights: NDArray[np.float32]  # [n, 6], 0 = label unknown
    at: NDArray[np.int64]  # [n] ms

    def __len__(self) -> int:
        return len(self.at)


@dataclass(slots=True)
class Block:
    """Up to 65,536 rows."""

    sheet: NDArray[np.float32] = field(default_factory=lambda: np.empty((BLOCK, len(FEATURES)), np.float32))
    labels: NDArray[np.float32] = field(default_factory=lambda: np.zeros((BLOCK, len(TASKS)), np.float32))
    weights: NDArray[np.float32] = field(default_factory=lambda: np.zeros((BLOCK, len(TASKS)), np.float32))
    at: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BLOCK, np.int64))
    used: int = 0


@dataclass(slots=True)
class Pending:
    """A decision that is open: its slots' sheet rows and what has come of them so far."""

    shown: Shown
    sheet: NDArray[np.float32]  # [slots, F]


@dataclass(slots=True)
class Clicked:
    """A row that may still be given an order."""

    block: Block
    row: int
    at: int


def rows_of(facts: Iterable[AnyFact], policy: Policy, days: int | None = None, most: int = MOST_ROWS) -> Rows:
    """Fold a log and return its newest looks with what a model outside would have read of them.

    Args:
        facts: of a log, from its beginning.
        policy: the one the engine began with; the log's own take its place.
        days: only looks of so many days before the newest; None: all.
        most: rows that are kept at most, rounded up to blocks of 65,536.

    Returns:
        The rows.
    """
    state = engine.init(policy)
    taken = Taken(state, most)
    for fact in facts:
        taken.take(fact)
    rows = taken.rows()
    if days is None or not len(rows):
        return rows
    kept = rows.at > rows.at.max() - days * DAY
    return Rows(rows.sheet[kept], rows.labels[kept], rows.weights[kept], rows.at[kept])


class Taken:
    """A fold of the log that keeps the rows of its looks."""

    def __init__(self, state: engine.State, most: int = MOST_ROWS) -> None:
        self.state = state
        self.blocks: list[Block] = [Block()]
        self._most = max(1, -(-most // BLOCK))
        self._open: dict[str, Pending] = {}
        self._clicked: dict[tuple[int, int], Clicked] = {}

    def take(self, fact: AnyFact) -> None:
        """Fold one fact, and take the rows that it makes known."""
        match fact:
            case Outcome():
                self._outcome(fact)
            case Order():
                self._order(fact)
            case _:
                pass
        read = self._read(fact) if isinstance(fact, Decision) else None
        engine.reduce(self.state, fact)
        if isinstance(fact, Decision) and read is not None:
            shown = self.state.outcomes.open[fact.id]
            self._open[fact.id] = Pending(shown, read)
        if isinstance(fact, Tick):
            self._close()

    def rows(self) -> Rows:
        """Return all rows kept; clicks whose order window is not over have no label of an order."""
        window = self.state.policy.order_window_ms
        for clicked in self._clicked.values():
            if clicked.at + window <= self.state.now:
                clicked.block.weights[clicked.row, ORDER] = 1.0
        joined = [
            np.concatenate([getattr(block, name)[: block.used] for block in self.blocks])
            for name in ("sheet", "labels", "weights", "at")
        ]
        return Rows(*joined)

    def _read(self, decision: Decision) -> NDArray[np.float32] | None:
        state = self.state
        viewer = state.people.names.find(decision.viewer)
        if viewer < 0 or not decision.slots:
            return None
        items = np.array([state.shelf.names.find(slot.item) for slot in decision.slots], np.int32)
        return sheet(state, viewer, items, state.scenes.numbers[decision.scene], decision.at)

    def _outcome(self, fact: Outcome) -> None:
        state = self.state
        if fact.id in state.outcomes.seen:
            return
        viewer, item = state.people.names.find(fact.viewer), state.shelf.names.find(fact.item)
        scene = state.scenes.numbers[fact.scene]
        said = (fact.click, fact.long_view, fact.like, fact.follow, fact.hate)
        labels = [float(bool(label)) for label in said] + [0.0]
        weights = [float(label is not None) for label in said] + [0.0]
        row = sheet(state, viewer, np.array([item], np.int32), scene, fact.at)[0]
        self._put(row, labels, weights, fact.at)

    def _order(self, fact: Order) -> None:
        viewer = self.state.people.names.find(fact.viewer)
        found = [
            (clicked.at, key)
            for item in self.state.shelf.of_product.get(fact.product, ())
            for key in ((viewer, item),)
            for clicked in (self._clicked.get(key),)
            if clicked and 0 <= fact.at - clicked.at <= self.state.policy.order_window_ms
        ]
        if found:
            clicked = self._clicked.pop(max(found)[1])
            clicked.block.labels[clicked.row, ORDER] = 1.0
            clicked.block.weights[clicked.row, ORDER] = 1.0

    def _close(self) -> None:
        """Take the rows of decisions that have closed."""
        waiting = self.state.outcomes.open
        for id in [id for id in self._open if id not in waiting]:
            pending = self._open.pop(id)
            shown = pending.shown
            for k in range(len(shown.items)):
                if shown.rendered[k] and shown.viewer >= 0:
                    self._look(pending, k)
        self._ripen()

    def _look(self, pending: Pending, k: int) -> None:
        shown = pending.shown
        clicked = shown.clicked[k]
        said = (clicked, shown.watched[k], shown.liked[k], shown.followed[k], shown.hated[k])
        seen = 1.0 if any(said) else refusal_weight(shown.looks[k], shown.clicks[k])
        labels = [*(float(label) for label in said), 0.0]
        block, row = self._put(pending.sheet[k], labels, [seen] * len(said) + [0.0], shown.at)
        if clicked and self.state.shelf.links[shown.items[k]][0]:
            self._clicked[(shown.viewer, shown.items[k])] = Clicked(block, row, shown.at)

    def _ripen(self) -> None:
        """Clicks whose window is over without an order are refusals."""
        over = self.state.now - self.state.policy.order_window_ms
        for key in [key for key, clicked in self._clicked.items() if clicked.at <= over]:
            clicked = self._clicked.pop(key)
            clicked.block.weights[clicked.row, ORDER] = 1.0

    def _put(
        self, row: NDArray[np.float32], labels: list[float], weights: list[float], at: int
    ) -> tuple[Block, int]:
        block = self.blocks[-1]
        if block.used == BLOCK:
            block = Block()
            self.blocks.append(block)
            del self.blocks[: -self._most]
        place = block.used
        block.sheet[place], block.labels[place], block.weights[place] = row, labels, weights
        block.at[place] = at
        block.used += 1
        return block, place
