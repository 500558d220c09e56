"""LightGBM refitted every midnight on all days so far, one model a task."""

import time

import numpy as np
from numpy.typing import NDArray

from bench.baselines.inputs import LABELS, Inputs
from bench.baselines.scores import Scores, days_of, nothing
from fieldline.learn import boosted

RARE = ("like", "follow", "hate")
"""Labels of one look in fifty or fewer: trees half as many."""
LEFT_OUT = ("viewer", "video", "author")
"""Codes of thousands of values, of which trees make little; their counts and rates stand for them."""


def scored(inputs: Inputs, seed: int) -> Scores:
    """Return what LightGBM says on the rivals' inputs."""
    kept = [place for place, name in enumerate(inputs.names) if name not in LEFT_OUT]
    names = tuple(inputs.names[place] for place in kept)
    codes = tuple(kept.index(place) for place in inputs.codes if place in kept)
    return refitted(inputs, inputs.live[:, kept], inputs.frozen[:, kept], names, codes, seed)


def refitted(
    inputs: Inputs,
    live: NDArray[np.float32],
    frozen: NDArray[np.float32],
    names: tuple[str, ...],
    codes: tuple[int, ...],
    seed: int,
) -> Scores:
    """Return what LightGBM says of each day after learning all days before it.

    Args:
        inputs: with labels and days.
        live: what it learns from and predicts by, [n, F].
        frozen: the same as things stood at midnight.
        names: of the columns.
        codes: columns that hold codes.
        seed: of the trees.
    """
    import lightgbm  # noqa: F401  (so that a missing package is told as such)

    said, said_frozen = nothing(inputs), nothing(inputs)
    trained = predicted = 0
    train_s = predict_s = 0.0
    for day in days_of(inputs):
        before, today = inputs.day < day, inputs.day == day
        weights = np.ones(int(before.sum()), np.float32)
        for task, label in enumerate(LABELS):
            settings = settings_of(label, seed)
            begun = time.process_time()
            trees = boosted.fit(live[before], inputs.labels[before, task], weights, names, codes, settings)
            train_s += time.process_time() - begun
            begun = time.process_time()
            said[today, task] = trees.predict(live[today], num_threads=1)
            said_frozen[today, task] = trees.predict(frozen[today], num_threads=1)
            predict_s += time.process_time() - begun
        trained += int(before.sum())
        predicted += 2 * int(today.sum())
    note = f"{len(LABELS)} tasks, {len(names)} columns, refitted daily on all days so far"
    return Scores(said, said_frozen, trained / train_s, predicted / predict_s, note)


def settings_of(label: str, seed: int) -> boosted.Settings:
    """Return how trees of a label are grown, the same for LightGBM alone and on top of the engine."""
    plain = boosted.Settings(seed=seed)
    return boosted.Settings(seed=seed, rounds=plain.rounds // 2) if label in RARE else plain
