"""Kernels of calibration: tilt the two sides of a folded machine, and note what came of chances."""

import math

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

BINS, LOWEST, WIDTH = 72, -9.0, 0.25
"""Bins of the raw logit: how many, where they begin, how wide each is."""
LOOKS, LOGITS, CHANCES, LABELS = range(4)
"""Columns of a bin: Σ weight, and Σ weight × raw logit, served chance and label."""


@njit
def tilt_viewer(
    side: NDArray[np.float32], slope: NDArray[np.float32], shift: NDArray[np.float32], dimensions: int
) -> None:
    """Turn a viewer's side of raw logits z (bias included) into its part of slope·z + shift, in place.

    Args:
        side: [≥ T·dimensions + T] vectors of each task, then z of each.
        slope, shift: [T].
        dimensions: of a task's vector.
    """
    tasks = len(slope)
    for t in range(tasks):
        for k in range(t * dimensions, (t + 1) * dimensions):
            side[k] *= slope[t]
        side[tasks * dimensions + t] = slope[t] * side[tasks * dimensions + t] + shift[t]


@njit
def tilt_items(
    rows: NDArray[np.float32], which: NDArray[np.int32], slope: NDArray[np.float32], dimensions: int
) -> None:
    """Turn freshly folded items' sides into their part of slope·z + shift, in place: their z alone takes the slope.

    Args:
        rows: [I, ≥ T·dimensions + T].
        which: numbers [n], each once.
        slope: [T].
        dimensions: of a task's vector.
    """
    tasks = len(slope)
    for item in which:
        for t in range(tasks):
            rows[item, tasks * dimensions + t] *= slope[t]


@njit
def note(
    bins: NDArray[np.float64],
    slope: NDArray[np.float32],
    shift: NDArray[np.float32],
    raw: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Add one look's raw chances, with what came of them, to each task's bins; weight 0 = nobody knows.

    Args:
        bins: [T, 72, 4], changed in place.
        slope, shift: [T] as now served.
        raw, labels, weights: [T].
    """
    for t in range(len(slope)):
        weight = float(weights[t])
        if weight == 0.0:
            continue
        p = min(max(float(raw[t]), 1e-4), 1.0 - 1e-4)
        logit = math.log(p / (1.0 - p))
        row = bins[t, min(int((logit - LOWEST) / WIDTH), BINS - 1)]
        row[LOOKS] += weight
        row[LOGITS] += weight * logit
        row[CHANCES] += weight / (1.0 + math.exp(-slope[t] * logit - shift[t]))
        row[LABELS] += weight * float(labels[t])
