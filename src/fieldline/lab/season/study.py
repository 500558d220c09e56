"""What the engine's predictor learns from a season, by its own compiled functions on its own columns."""

from fieldline.compiled import njit
from fieldline.lab.season.columns import (
    LOOK_AT,
    LOOK_ITEM,
    LOOK_OUTCOME,
    LOOK_SCENE,
    LOOK_VIEWER,
    LOOK_WEIGHT,
    Machine,
    Pen,
    Queue,
    Singles,
)
from fieldline.lab.world.draws import Ints
from fieldline.traffic.features import count, item_features, viewer_features
from fieldline.traffic.kernels.fm import fold, learn_row
from fieldline.traffic.predict import FactorizationMachine
from fieldline.traffic.rows import BIAS

CHINA_HOURS, HOUR_MS = 8, 3_600_000
SETTINGS = FactorizationMachine(slots=1 << 16)
RATE, VECTOR_RATE = SETTINGS.rate, SETTINGS.vector_rate


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
    learn_row(machine.table, machine.bias, ids[:n], pen.labels, pen.weights, RATE, VECTOR_RATE, pen.before)
    if new:
        count(machine.viewers, machine.items, viewer, item, pen.labels[0], pen.labels[1])
        machine.last_look[viewer] = max(at, machine.last_look[viewer])
    n = item_features(machine.items, item, slots, ids)
    fold(machine.table, ids[:n], machine.rows[item])


@njit
def learn_order(machine: Machine, pen: Pen, viewer: int, item: int, scene: int, at: int, came: bool) -> None:
    """Learn that a click is without an order so far, or take that back and learn the order, as the engine does."""
    for step in range(2 if came else 1):
        pen.labels[:] = 0.0
        pen.weights[:] = 0.0
        pen.labels[0] = 1.0
        if came and step == 0:
            pen.labels[2] = 1.0
        pen.weights[2] = -1.0 if came and step == 1 else 1.0
        learn(machine, pen, viewer, item, scene, at, False)


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
        n = item_features(machine.items, item, machine.table.shape[0], ids)
        fold(machine.table, ids[:n], machine.rows[item])
