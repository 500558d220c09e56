"""The factorisation machine's kernels: fold a set of features into one side, score, learn.

A slot of the table is 32 float32 words, two cache lines:

    0 … 23   per task an 8-vector v
    24 … 26  per task a weight w
    27 … 29  per task the sum of squared gradients of the logit (AdaGrad)
    30, 31   unused

A feature id is a slot. An id with bit 30 set belongs to the row's bag, whose members share x = 1/√(their
number); all other features have x = 1; −1 is no feature. One logit of a set of features:

    z = Σ x·w + ½(|Σ x·v|² − Σ |x·v|²)

Two sets A and B give z(A ∪ B) = z(A) + z(B) + ⟨Σ_A x·v, Σ_B x·v⟩, provided that the bag lies in one of them:
this is why a viewer's side and an item's side can be folded apart and still give the whole machine.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import mix
from fieldline.traffic.kernels.score import prefetch
from fieldline.traffic.kernels.sigmoid import sigmoid

TASKS = 3
DIMENSIONS = 8
VECTOR = TASKS * DIMENSIONS
ORDER = 2
SIDE = VECTOR + TASKS
SQUARES = SIDE
WIDTH = 32
BAG = 1 << 30
SLOT = BAG - 1
PULL = np.float32(1.0)
"""Largest pull of the other features on one vector's step: bounds what a run-away row can do."""
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
def share_of_bag(ids: NDArray[np.int32]) -> np.float32:
    """Return x of the bag's members, 1/√(their number); 1 where the bag is empty."""
    members = 0
    for slot in ids:
        if slot >= BAG:
            members += 1
    return np.float32(1.0 / math.sqrt(max(members, 1)))


@njit
def fold(table: NDArray[np.float32], ids: NDArray[np.int32], out: NDArray[np.float32]) -> None:
    """Fold features into one side: Σ x·v per task in words 0 … 23, and z of them alone in 24 … 26.

    Args:
        table: [slots, 32].
        ids: [n], −1 = none.
        out: [≥ 27], overwritten.
    """
    squares = np.zeros(VECTOR, np.float32)
    out[:SIDE] = ZERO
    bag = share_of_bag(ids)
    flat = table.reshape(-1)
    for slot in ids:  # the table is larger than the caches: ask for all rows at once
        if slot >= 0:
            start = np.int64(slot & SLOT) * WIDTH
            prefetch(flat, start)
            prefetch(flat, start + 16)
    for slot in ids:
        if slot < 0:
            continue
        x = bag if slot >= BAG else ONE
        row = table[slot & SLOT]
        for k in range(VECTOR):
            xv = x * row[k]
            out[k] += xv
            squares[k] += xv * xv
        for t in range(TASKS):
            out[VECTOR + t] += x * row[VECTOR + t]
    for t in range(TASKS):
        pairs = ZERO
        for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
            pairs += out[k] * out[k] - squares[k]
        out[VECTOR + t] += HALF * pairs


@njit
def score(viewer: NDArray[np.float32], item: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write the chance of each task for a viewer's side (with the machine's bias) against an item's side.

    Args:
        viewer: [≥ 27].
        item: [≥ 27], a packed item row will do.
        out: [3].
    """
    for t in range(TASKS):
        logit = viewer[VECTOR + t] + item[VECTOR + t]
        for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
            logit += viewer[k] * item[k]
        out[t] = sigmoid(logit)


@njit
def learn_row(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    ids: NDArray[np.int32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    offset: float,
    came: float,
    rate: float,
    vector_rate: float,
    out: NDArray[np.float32],
) -> None:
    """Predict a row, then take one AdaGrad step of its log-loss in every task of which something is known.

    With g = weight·(p − y), for orders weight·(p − y) − came, and h the sum of (g·x)² of a slot and task so far
    (this row included): w −= rate·g·x/√(1 + h) and v −= vector_rate·g·x·clip(Σ_others x·v, ±1)/√(1 + h).

    Args:
        table: [slots, 32], changed in place.
        bias: [2, 3], the machine's bias and its h, changed in place.
        ids: [n] features of both sides, −1 = none.
        labels: [3] in [0, 1].
        weights: [3], 0 = label unknown.
        offset: what is added to the logit of an order, learned elsewhere.
        came: orders that came, each once; the weight is then the share of its time that the click has had.
        rate: AdaGrad's rate of weights.
        vector_rate: AdaGrad's rate of vectors.
        out: [3], the chances predicted before the step.
    """
    side = np.empty(SIDE, np.float32)
    fold(table, ids, side)
    bag = share_of_bag(ids)
    steps = np.zeros(TASKS, np.float32)
    side[VECTOR + ORDER] += np.float32(offset)
    for t in range(TASKS):
        out[t] = sigmoid(bias[0, t] + side[VECTOR + t])
        steps[t] = weights[t] * (out[t] - labels[t])
    steps[ORDER] -= np.float32(came)
    for t in range(TASKS):
        if steps[t] != ZERO:
            bias[1, t] += steps[t] * steps[t]
            bias[0, t] -= np.float32(rate) * steps[t] / np.sqrt(ONE + bias[1, t])
    for slot in ids:
        if slot < 0:
            continue
        x = bag if slot >= BAG else ONE
        row = table[slot & SLOT]
        for t in range(TASKS):
            if steps[t] == ZERO:
                continue
            g = steps[t] * x
            row[SQUARES + t] += g * g
            step = g / np.sqrt(ONE + row[SQUARES + t])
            row[VECTOR + t] -= np.float32(rate) * step
            step *= np.float32(vector_rate)
            for k in range(t * DIMENSIONS, (t + 1) * DIMENSIONS):
                others = side[k] - x * row[k]
                row[k] -= step * min(max(others, -PULL), PULL)


@njit
def predict_rows(
    table: NDArray[np.float32], bias: NDArray[np.float32], rows: NDArray[np.int32], out: NDArray[np.float32]
) -> None:
    """Write the chances of rows [n, width] of features into out [n, 3]."""
    side = np.empty(SIDE, np.float32)
    for r in range(rows.shape[0]):
        fold(table, rows[r], side)
        for t in range(TASKS):
            out[r, t] = sigmoid(bias[0, t] + side[VECTOR + t])


@njit
def learn_rows(
    table: NDArray[np.float32],
    bias: NDArray[np.float32],
    rows: NDArray[np.int32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    rate: float,
    vector_rate: float,
    out: NDArray[np.float32],
) -> None:
    """Learn rows [n, width] one after another; out [n, 3] gets each row's chances before its step."""
    for r in range(rows.shape[0]):
        learn_row(table, bias, rows[r], labels[r], weights[r], 0.0, 0.0, rate, vector_rate, out[r])
