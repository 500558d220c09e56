"""Popularity: the video's running rate, shrunk to the running rate of all by 20 looks."""

import time

import numpy as np
from numpy.typing import NDArray

from bench.baselines.inputs import PRIORS, Inputs
from bench.baselines.scores import Scores, nothing
from fieldline.compiled import njit

STRENGTH = np.float32(20.0)


def scored(inputs: Inputs, seed: int) -> Scores:  # noqa: ARG001  (nothing is drawn)
    """Return the running rates of every look's video."""
    video = inputs.live[:, inputs.names.index("video")].astype(np.int64)
    live, frozen = nothing(inputs), nothing(inputs)
    _run(video, inputs.day, inputs.labels, PRIORS, live, frozen)
    begun = time.process_time()
    _run(video, inputs.day, inputs.labels, PRIORS, live, frozen)
    spent = time.process_time() - begun
    return Scores(
        live, frozen, len(live) / spent, 2 * len(live) / spent, "one pass that predicts twice and counts"
    )


@njit
def _run(
    video: NDArray[np.int64],
    day: NDArray[np.int64],
    labels: NDArray[np.float32],
    priors: NDArray[np.float32],
    live: NDArray[np.float32],
    frozen: NDArray[np.float32],
) -> None:
    counts = np.zeros((video.max() + 1, 1 + labels.shape[1]), np.float32)
    total = np.zeros(1 + labels.shape[1], np.float32)
    total[0], total[1:] = STRENGTH, STRENGTH * priors
    for r in range(len(video)):
        if r == 0 or day[r] != day[r - 1]:
            end = r
            while end < len(video) and day[end] == day[r]:
                _rates(counts[video[end]], total, frozen[end])
                end += 1
        _rates(counts[video[r]], total, live[r])
        for row in (counts[video[r]], total):
            row[0] += np.float32(1.0)
            row[1:] += labels[r]


@njit
def _rates(counted: NDArray[np.float32], total: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    out[:] = (counted[1:] + STRENGTH * total[1:] / total[0]) / (counted[0] + STRENGTH)
