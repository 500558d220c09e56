"""How many looks a second of CPU the embedded machines learn and predict."""

import time

import numpy as np
from numpy.typing import NDArray

from fieldline import engine
from fieldline.compiled import njit
from fieldline.lab.replay.kuairand import FeedLog
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.kernels import responses as kernel
from fieldline.traffic.kernels.fm import score
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.prediction.features import (
    WIDEST,
    ItemColumns,
    ViewerColumns,
    item_features,
    viewer_features,
)
from fieldline.traffic.prediction.machine import Params
from fieldline.traffic.prediction.response_features import Told, item_marks, viewer_marks
from fieldline.traffic.rows import TASKS

LOOKS = 20_000
CANDIDATES = 2_000
REQUESTS = 1_000
ROUNDS = 5


def learning(log: FeedLog, state: engine.State) -> float:
    """Return looks learned per CPU-second: both machines, all tasks that a look tells, features made beforehand."""
    rows = np.arange(max(0, len(log) - LOOKS), len(log))
    ids, marks = features_of(log, state, rows)
    told = [log.like, log.follow, log.hate]
    ones = np.ones((len(rows), 3), np.float32)
    ones[:, 2] = 0.0  # no look of this feed tells of an order
    came = np.stack([log.click[rows], log.long_view[rows], np.zeros(len(rows))], axis=1).astype(np.float32)
    shares = np.clip(log.played_ms[rows] / responses.LONGEST_MS, 0.0, 1.0)
    more = np.stack([*(np.maximum(column[rows], 0) for column in told), shares], axis=1).astype(np.float32)
    known = np.ones_like(more)
    params = Params(state.model.params.table.copy(), state.model.params.bias.copy())
    table, bias = state.responses.table.copy(), state.responses.bias.copy()
    speeds = []
    for round_ in range(ROUNDS + 1):
        begun = time.process_time()
        model.MACHINE.learn(params, ids, came, ones)
        _learn(table, bias, marks, more, known)
        if round_:  # the first one compiles
            speeds.append(len(rows) / (time.process_time() - begun))
    return max(speeds)


def predicting(log: FeedLog, state: engine.State) -> tuple[float, float]:
    """Return candidates predicted per CPU-second, items folded (a viewer's side once a request) and not."""
    items = np.arange(min(CANDIDATES, len(state.shelf.facts)))
    out = np.empty((len(items), len(TASKS)), np.float32)
    ids, _ = features_of(log, state, np.arange(max(0, len(log) - LOOKS), len(log)))
    folded, whole = [], []
    for round_ in range(ROUNDS + 1):
        begun = time.process_time()
        for viewer in range(REQUESTS):
            side = model.viewer_side(state, viewer % len(state.people.facts), 0, state.now)
            _score(side, state.shelf.rows, items, out)
        middle = time.process_time()
        model.MACHINE.predict(state.model.params, ids)
        if round_:
            folded.append(REQUESTS * len(items) / (middle - begun))
            whole.append(len(ids) / (time.process_time() - middle))
    return max(folded), max(whole)


def features_of(
    log: FeedLog, state: engine.State, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the features of looks in both machines, as the counts stand now, −1 = none."""
    ids = np.full((len(rows), WIDEST), -1, np.int32)
    marks = np.full((len(rows), responses.VIEWER_MARKS + responses.ITEM_MARKS), -1, np.int32)
    told = Told(state.responses.viewers, state.responses.items, state.responses.creators)
    people, shelf, known = state.people, state.shelf, state.model
    viewers = ViewerColumns(
        known.viewer_traits, people.counts, people.recent, people.recent_end, known.habits.scenes
    )
    items = ItemColumns(known.item_traits, shelf.counts, shelf.creator, shelf.category, state.content.counts)
    hours = np.array([hour_of(int(at)) for at in log.at[rows]], np.int64)
    _features(
        viewers, items, told, log.viewer[rows], log.video[rows], log.scene[rows], hours,
        known.params.table.shape[0], state.responses.table.shape[0], ids, marks,
    )  # fmt: skip
    return _trimmed(ids), _trimmed(marks)


def _trimmed(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """Without the columns that no row uses."""
    used = int(np.flatnonzero((ids >= 0).sum(axis=0)).max()) + 1
    return np.ascontiguousarray(ids[:, :used])


@njit
def _features(
    viewers: ViewerColumns,
    items: ItemColumns,
    told: Told,
    viewer: NDArray[np.int32],
    item: NDArray[np.int32],
    scene: NDArray[np.int32],
    hour: NDArray[np.int64],
    slots: int,
    more_slots: int,
    ids: NDArray[np.int32],
    marks: NDArray[np.int32],
) -> None:
    for r in range(len(viewer)):
        v, i = viewer[r], item[r]
        n = viewer_features(viewers, items, v, scene[r], hour[r], 60_000, slots, ids[r])
        item_features(items, i, slots, ids[r, n:])
        traits, counts = viewers.traits[v], viewers.counts[v]
        n = viewer_marks(traits, counts, told.viewers[v], v, scene[r], hour[r], more_slots, marks[r])
        item_marks(items.traits[i], items.category[i], items.creator[i], told, i, more_slots, marks[r, n:])


@njit
def _learn(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    marks: NDArray[np.int32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    out = np.empty(labels.shape[1], np.float32)
    for r in range(len(marks)):
        kernel.learn_row(table, bias, marks[r], labels[r], weights[r], 0.06, 0.05, out)


@njit
def _score(
    side: NDArray[np.float32], rows: NDArray[np.float32], items: NDArray[np.int64], out: NDArray[np.float32]
) -> None:
    for n in range(len(items)):
        score(side, rows[items[n]], out[n])
