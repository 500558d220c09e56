"""The engine over the feed: what its embedded predictor says, and the sheet that models outside would read."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.baselines.inputs import LABELS, Inputs
from bench.baselines.scores import Scores, nothing
from bench.baselines.speed import CANDIDATES, learning, predicting
from bench.baselines.trees import refitted
from fieldline import engine
from fieldline.facts import CatalogueEntry, Tick
from fieldline.lab import replay
from fieldline.lab.replay.kuairand import FeedLog
from fieldline.learn.bundles import BLEND, CODES
from fieldline.providers.boosted import blended
from fieldline.traffic.prediction.machine import FactorizationMachine
from fieldline.traffic.prediction.responses import TASKS as RESPONSES
from fieldline.traffic.prediction.sheet import FEATURES, sheet
from fieldline.traffic.rows import TASKS


@dataclass(frozen=True, slots=True)
class Played:
    """The sheet of every look, as things stood when it was made and at midnight, and the engine after the last."""

    live: NDArray[np.float32]  # [n, F]
    frozen: NDArray[np.float32]  # [n, F]
    state: engine.State
    speed: float
    """Outcomes that the engine folds per CPU-second."""


def played(log: FeedLog, seed: int) -> Played:
    """Fold a feed's outcomes one by one, taking each look's sheet before; nothing is decided.

    Args:
        log: the feed.
        seed: of the embedded machine's starting vectors.
    """
    state = engine.init(replay.POLICY)
    state.model.params = FactorizationMachine(seed=seed).init()
    engine.reduce(state, Tick(replay.start_of(log)))
    entries: tuple[CatalogueEntry, ...] = (*log.creators, *log.merchants, *log.videos, *log.viewers)
    for entry in entries:
        engine.reduce(state, entry)
    live = np.empty((len(log), len(FEATURES)), np.float32)
    frozen = np.empty_like(live)
    ends = np.append(np.flatnonzero(np.diff(log.day)) + 1, len(log))
    learn_s, end = 0.0, 0
    for row in range(len(log)):
        replay.pass_time(state, int(log.at[row]))
        if row == end:
            end = int(ends[np.searchsorted(ends, row, side="right")])
            for other in range(row, end):
                frozen[other] = _read(state, log, other)
        live[row] = _read(state, log, row)
        outcome = replay.outcome_of(log, row)
        begun = time.process_time()
        engine.reduce(state, outcome)
        learn_s += time.process_time() - begun
    return Played(live, frozen, state, len(log) / learn_s)


def embedded(log: FeedLog, inputs: Inputs, found: Played) -> Scores:
    """Return what the embedded predictor said; of labels that it has no task for, nothing."""
    said, said_frozen = nothing(inputs), nothing(inputs)
    for task, label in enumerate(LABELS):
        if f"embedded_{label}" in FEATURES:
            column = FEATURES.index(f"embedded_{label}")
            said[:, task] = 1.0 / (1.0 + np.exp(-found.live[:, column]))
            said_frozen[:, task] = 1.0 / (1.0 + np.exp(-found.frozen[:, column]))
    folded, whole = predicting(log, found.state)
    note = (
        f"learns {len(TASKS) + len(RESPONSES)} tasks from features made beforehand, {found.speed:,.0f} looks with the"
        f" whole engine's bookkeeping; predicts {len(TASKS)} tasks: a viewer's side once, then {CANDIDATES} folded"
        f" items; with every row's features summed anew {whole:,.0f}"
    )
    return Scores(said, said_frozen, learning(log, found.state), folded, note)


def best(inputs: Inputs, found: Played, seed: int) -> Scores:
    """Return what `fieldline train lightgbm` would serve: trees on the sheet, refitted daily, and the embedded machine.

    Their log-odds are blended half and half, as in its bundles.
    """
    trees = refitted(inputs, found.live, found.frozen, FEATURES, CODES, seed)
    said, said_frozen = trees.live.copy(), trees.frozen.copy()
    for task, label in enumerate(LABELS):
        column = FEATURES.index(f"embedded_{label}")
        for sheets, chances in ((found.live, said), (found.frozen, said_frozen)):
            odds = np.log(chances[:, task].astype(np.float64) / (1.0 - chances[:, task].astype(np.float64)))
            chances[:, task] = blended(odds, sheets[:, column], BLEND)
    return Scores(
        said, said_frozen, trees.train, trees.predict, f"{trees.note}; blended with the embedded one"
    )


def _read(state: engine.State, log: FeedLog, row: int) -> NDArray[np.float32]:
    viewer, scene, at = int(log.viewer[row]), int(log.scene[row]), int(log.at[row])
    return sheet(state, viewer, log.video[row : row + 1], scene, at).reshape(-1)
