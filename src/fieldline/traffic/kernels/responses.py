"""Kernels of the second machine: what a look brings beside a click and a long view.

It is the first machine (`kernels.fm`) again, smaller and without a bag: a slot of the table is 24 float32 words,

    0 … 15   per task a 4-vector v
    16 … 19  per task a weight w
    20 … 23  per task the sum of squared gradients of the logit (AdaGrad)

and a set of features has, per task, z = Σ w + ½(|Σ v|² − Σ |v|²), which folds into a viewer's and an item's side.
A label lies in [0, 1] and need not be 0 or 1: p then estimates its mean.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import mix
from fieldline.traffic.kernels.sigmoid import sigmoid

TASKS = 4
DIMENSIONS = 4
VECTOR = TASKS * DIMENSIONS
SIDE = VECTOR + TASKS
SQUARES = SIDE
WIDTH = SIDE + TASKS
PULL = np.float32(1.0)
"""Largest pull of the other features on one vector's step."""
ONE, HALF, ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)


@njit
def start(table: NDArray[np.float32], seed: np.uint64, spread: float) -> None:
    """Draw every vector uniformly from ±spread, keyed by seed, slot and word; weights stay 0."""
    for slot in range(table.shape[0]):
        key = mix(seed + np.uint64(slot + 1) * np.uint64(0x9E3779B97F4A7C15))
        for k in range(VECTOR):
            word = mix(key + np.uint64(k + 1) * np.uint64(0x9E3779B97F4A7C15))
            unit = float(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)
            table[slot, k] = np.float32((2.0 * unit - 1.0) * spread)


@njit
def fold(table: NDArray[np.float32], ids: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Fold features into one side: Σ v per task in words 0 … 15, and z of them alone in 16 … 19.

    Args:
        table: [slots, 24].
        ids: [n] slots.
        out: [≥ 20], overwritten.
    """
    squares = np.zeros(VECTOR, np.float32)
    out[:SIDE] = ZERO
    for slot in ids:
        row = table[slot]
        for k in range(VECTOR):
            out[k] += row[k]
            squares[k] += row[k] * row[k]
        for t in range(VECTOR, SIDE):
            out[t] += row[t]
    for t in range(TASKS):
        pairs = ZERO
        for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
            pairs += out[k] * out[k] - squares[k]
        out[VECTOR + t] += HALF * pairs


@njit
def chances(
    viewer: NDArray[np.float32], rows: NDArray[np.float32], items: NDArray[np.int32], out: NDArray[np.float32]
) -> None:
    """Write the chance of each task for a viewer's side (bias included) against items' folded rows.

    Args:
        viewer: [≥ 20].
        rows: [I, 20].
        items: [n].
        out: [n, 4], overwritten.
    """
    for r in range(len(items)):
        item = rows[items[r]]
        for t in range(TASKS):
            logit = viewer[VECTOR + t] + item[VECTOR + t]
            for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
                logit += viewer[k] * item[k]
            out[r, t] = sigmoid(logit)


@njit
def value(
    viewer: NDArray[np.float32],
    rows: NDArray[np.float32],
    items: NDArray[np.int32],
    worth: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write Σ worth·chance over tasks for a viewer's side against items' folded rows.

    Args:
        viewer: [≥ 20].
        rows: [I, 20].
        items: [n].
        worth: [4] yuan per response; tasks worth 0 are passed over.
        out: [n], overwritten; an item whose row is not finite is worth 0.
    """
    for r in range(len(items)):
        item = rows[items[r]]
        total = ZERO
        for t in range(TASKS):
            if worth[t] == ZERO:
                continue
            logit = viewer[VECTOR + t] + item[VECTOR + t]
            for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
                logit += viewer[k] * item[k]
            total += worth[t] * np.float32(sigmoid(logit)) if np.isfinite(logit) else ZERO
        out[r] = total


@njit
def learn_row(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    ids: NDArray[np.int32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    rate: float,
    vector_rate: float,
    out: NDArray[np.float32],
) -> None:
    """Predict a row, then take one AdaGrad step of its log-loss in every task whose weight is not 0.

    With g = weight·(p − y) and h the sum of g² of a slot and task so far (this row included):
    w −= rate·g/√(1 + h) and v −= vector_rate·g·clip(Σ_others v, ±1)/√(1 + h).

    Args:
        table: [slots, 24], changed in place.
        bias: [2, 4], the machine's bias and its h, changed in place.
        ids: [n] slots of both sides.
        labels: [4] in [0, 1].
        weights: [4], 0 = label unknown.
        rate: AdaGrad's rate of weights.
        vector_rate: AdaGrad's rate of vectors.
        out: [4], the chances predicted before the step.
    """
    side = np.empty(SIDE, np.float32)
    fold(table, ids, side)
    steps = np.zeros(TASKS, np.float32)
    for t in range(TASKS):
        out[t] = sigmoid(bias[0, t] + side[VECTOR + t])
        if weights[t] != ZERO:
            steps[t] = weights[t] * (out[t] - labels[t])
            bias[1, t] += steps[t] * steps[t]
            bias[0, t] -= np.float32(rate) * steps[t] / np.sqrt(ONE + bias[1, t])
    for slot in ids:
        row = table[slot]
        for t in range(TASKS):
            g = steps[t]
            if g == ZERO:
                continue
            row[SQUARES + t] += g * g
            step = g / np.sqrt(ONE + row[SQUARES + t])
            row[VECTOR + t] -= np.float32(rate) * step
            step *= np.float32(vector_rate)
            for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
                others = side[k] - row[k]
                row[k] -= step * min(max(others, -PULL), PULL)
