"""What the engine's predictor learns from a season, by its own compiled functions on its own columns."""

import numpy as np

from fieldline.compiled import njit
from fieldline.facts import Policy
from fieldline.lab.season.columns import (
    CLICK_AT,
    CLICK_DELAY,
    CLICK_EXPOSED,
    CLICK_ITEM,
    CLICK_SCENE,
    CLICK_TOLD,
    CLICK_VIEWER,
    LOOK_AT,
    LOOK_ITEM,
    LOOK_OUTCOME,
    LOOK_SCENE,
    LOOK_VIEWER,
    LOOK_WEIGHT,
    Clicks,
    Machine,
    Pen,
    Queue,
    Singles,
)
from fieldline.lab.world.draws import Ints
from fieldline.traffic.kernels.fm import fold, learn_row
from fieldline.traffic.prediction.delay import look, passed
from fieldline.traffic.prediction.explore import optimism
from fieldline.traffic.prediction.features import count, item_features, viewer_features
from fieldline.traffic.prediction.machine import FactorizationMachine
from fieldline.traffic.prediction.sales import pool
from fieldline.traffic.rows import BIAS, NET_PRICE, ORDER, ORGANIC_PRICE

CHINA_HOURS, HOUR_MS = 8, 3_600_000
SETTINGS = FactorizationMachine(slots=1 << 16)
RATE, VECTOR_RATE = SETTINGS.rate, SETTINGS.vector_rate
ORDER_RATE, ORDER_VECTOR_RATE = SETTINGS.order_share * RATE, SETTINGS.order_share * VECTOR_RATE


@njit(inline="always")
def since(machine: Machine, viewer: int, at: int) -> int:
    """Return the ms since a viewer's last look that was learned, −1 for none."""
    last = machine.last_look[viewer]
    return max(at - last, 0) if last >= 0 else -1


@njit
def side_of(machine: Machine, ids: Ints, viewer: int, scene: int, hour: int, at: int, side: Singles) -> None:
    """Write the viewer's side of the predictor into side [27]."""
    slots = machine.table.shape[0]
    ago = since(machine, viewer, at)
    n = viewer_features(machine.viewers, machine.items, viewer, scene, hour, ago, slots, ids)
    fold(machine.table, ids[:n], side)
    for task in range(3):
        side[BIAS + task] += machine.bias[0, task]


@njit
def learn(machine: Machine, pen: Pen, viewer: int, item: int, scene: int, at: int, new: bool) -> None:
    """Learn the pen's labels and weights of one look, count it where it is new, and fold its item again."""
    slots = machine.table.shape[0]
    hour = (at // HOUR_MS + CHINA_HOURS) % 24
    ids = pen.ids
    ago = since(machine, viewer, at)
    n = viewer_features(machine.viewers, machine.items, viewer, scene, hour, ago, slots, ids)
    n += item_features(machine.items, item, slots, ids[n:])
    learn_row(
        machine.table, machine.bias, ids[:n], pen.labels, pen.weights, 0.0, 0.0, RATE, VECTOR_RATE, pen.before
    )  # fmt: skip
    if new:
        count(machine.viewers, machine.items, viewer, item, scene, pen.labels[0], pen.labels[1])
        machine.last_look[viewer] = max(at, machine.last_look[viewer])
    fold_item(machine, ids, item)


@njit
def fold_item(machine: Machine, ids: Ints, item: int) -> None:
    """Fold an item again.

    Args:
        machine: its row is changed.
        ids: scratch.
        item: number.
    """
    n = item_features(machine.items, item, machine.table.shape[0], ids)
    fold(machine.table, ids[:n], machine.rows[item])
    machine.rows[item, BIAS + ORDER] += machine.offset[item]


@njit
def learn_order(
    machine: Machine, pen: Pen, viewer: int, item: int, scene: int, at: int, exposure: float, came: bool
) -> None:
    """Count and learn what a click's time told of orders, and fold its item again, as the engine does."""
    machine.exposure[item] += exposure
    machine.orders[item] += came
    slots = machine.table.shape[0]
    hour = (at // HOUR_MS + CHINA_HOURS) % 24
    ids = pen.ids
    n = viewer_features(machine.viewers, machine.items, viewer, scene, hour, -1, slots, ids)
    n += item_features(machine.items, item, slots, ids[n:])
    pen.labels[:] = 0.0
    pen.weights[:] = 0.0
    pen.weights[ORDER] = exposure
    learn_row(
        machine.table, machine.bias, ids[:n], pen.labels, pen.weights, machine.offset[item],
        1.0 if came else 0.0, ORDER_RATE, ORDER_VECTOR_RATE, pen.before,
    )  # fmt: skip
    fold_item(machine, ids, item)


@njit
def wait_for_order(clicks: Clicks, viewer: int, item: int, scene: int, at: int) -> int:
    """Remember a click until its order window is over; return its number."""
    number = clicks.ends[-1]
    row = clicks.rows[number % clicks.rows.shape[0]]
    row[CLICK_AT] = at
    row[CLICK_VIEWER] = viewer
    row[CLICK_ITEM] = item
    row[CLICK_SCENE] = scene
    row[CLICK_DELAY] = -1.0
    row[CLICK_EXPOSED] = 0.0
    row[CLICK_TOLD] = 0.0
    clicks.ends[-1] += 1
    return int(number)


@njit
def ripen(machine: Machine, pen: Pen, clicks: Clicks, now: int) -> None:
    """Learn from every click that has come to one of its ages by now, as `traffic.prediction.ripen` does."""
    passed(clicks.seen, clicks.usual, clicks.share)
    for step in range(clicks.ages.size):
        while clicks.ends[step] < clicks.ends[step - 1]:  # the first follows the last, past the newest click
            row = clicks.rows[clicks.ends[step] % clicks.rows.shape[0]]
            if row[CLICK_AT] + clicks.ages[step] > now:
                break
            came = look(clicks.seen, clicks.ages, step, int(row[CLICK_DELAY])) and row[CLICK_TOLD] == 0.0
            exposure = clicks.share[step] - row[CLICK_EXPOSED]
            row[CLICK_EXPOSED] = clicks.share[step]
            if came:
                row[CLICK_TOLD] = 1.0
            viewer, item, scene = int(row[CLICK_VIEWER]), int(row[CLICK_ITEM]), int(row[CLICK_SCENE])
            learn_order(machine, pen, viewer, item, scene, int(row[CLICK_AT]), exposure, came)
            clicks.ends[step] += 1


@njit
def look_later(
    queue: Queue, viewer: int, item: int, scene: int, at: int, outcome: int, look: float, chance: float
) -> None:
    """Keep an impression until its label window is over: it then counts as refused where nothing came of it.

    Args:
        queue: changed.
        viewer, item, scene: numbers.
        at: when it was decided, ms.
        outcome: 1 where clicked, plus 2 where watched long.
        look: e_k as the engine has it.
        chance: of a click given a look, as served.
    """
    row = queue.rows[queue.ends[1] % queue.rows.shape[0]]
    row[LOOK_AT] = at
    row[LOOK_VIEWER] = viewer
    row[LOOK_ITEM] = item
    row[LOOK_SCENE] = scene
    row[LOOK_OUTCOME] = outcome
    row[LOOK_WEIGHT] = 1.0 if outcome else look * (1.0 - chance) / max(1.0 - look * chance, 1e-9)
    queue.ends[1] += 1


@njit
def close_looks(machine: Machine, pen: Pen, queue: Queue, before: int) -> None:
    """Learn the impressions that were made before an instant."""
    while queue.ends[0] < queue.ends[1]:
        row = queue.rows[queue.ends[0] % queue.rows.shape[0]]
        if row[LOOK_AT] >= before:
            return
        outcome = int(row[LOOK_OUTCOME])
        pen.labels[0] = 1.0 if outcome & 1 else 0.0
        pen.labels[1] = 1.0 if outcome & 2 else 0.0
        pen.labels[2] = 0.0
        pen.weights[0] = row[LOOK_WEIGHT]
        pen.weights[1] = row[LOOK_WEIGHT]
        pen.weights[2] = 0.0
        viewer, item, scene = int(row[LOOK_VIEWER]), int(row[LOOK_ITEM]), int(row[LOOK_SCENE])
        learn(machine, pen, viewer, item, scene, int(row[LOOK_AT]), True)
        queue.ends[0] += 1


@njit
def fold_all(machine: Machine, ids: Ints) -> None:
    """Fold every item again.

    Args:
        machine: its rows are changed.
        ids: scratch.
    """
    for item in range(machine.rows.shape[0]):
        fold_item(machine, ids, item)


def pool_sales(machine: Machine, group: Ints) -> None:
    """Pool sales again and bring the items' rows up to date, as `traffic.prediction.model.refresh` does.

    Args:
        machine: its offsets and rows are changed.
        group: whose each item is [I].
    """
    pooled = pool(machine.exposure, machine.orders, group, machine.items.category)
    offset = pooled.offset.astype(np.float32)
    machine.rows[:, BIAS + ORDER] += offset - machine.offset
    machine.offset[:], machine.deviation[:] = offset, pooled.deviation


def explore(machine: Machine, policy: Policy) -> None:
    """Put into every item's row what its score gets for what is not known of it, as `prediction.model.explore` does.

    Args:
        machine: its rows are changed.
        policy: the dials.
    """
    rows = machine.rows
    chances = 1.0 / (1.0 + np.exp(-(machine.bias[0] + rows[:, BIAS : BIAS + 3])))
    looks = machine.items.counts[:, 0]
    rows[:, ORGANIC_PRICE] = optimism(policy, looks, chances, machine.deviation, rows[:, NET_PRICE])
