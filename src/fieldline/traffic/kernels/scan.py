"""Retrieval's kernel: the best of one partition, exactly, by one product per item."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.rows import DIMENSIONS

BUCKETS = 1024
SAMPLE = 256


@njit
def take(
    items: NDArray[np.int32],
    count: int,
    stamp: NDArray[np.int32],
    epoch: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append a partition's items that are not yet among the candidates, in order, up to a quota.

    Args:
        items: [≥ count] item numbers.
        count: how many of them.
        stamp: [I]; `epoch` where an item is already a candidate; changed in place.
        epoch: this request's.
        out: [≥ found + quota] candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    end = min(found + quota, out.shape[0])
    for k in range(count):
        if found == end:
            break
        item = items[k]
        if stamp[item] != epoch:
            stamp[item] = epoch
            out[found] = item
            found += 1
    return found


@njit
def set_aside(seen: NDArray[np.int32], stamp: NDArray[np.int32], epoch: int) -> None:
    """Mark items (−1 = none) as if they were candidates already, so that no source gives them."""
    for item in seen:
        if item >= 0:
            stamp[item] = epoch


@njit
def take_back(
    seen: NDArray[np.int32],
    stamp: NDArray[np.int32],
    epoch: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append items that were set aside, up to a quota, where nothing else is left to show.

    Args:
        seen: item numbers, −1 = none.
        stamp: [I], see `take`.
        epoch: this request's.
        out: candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    for item in seen:
        if item >= 0:
            stamp[item] = 0
    for item in out[:found]:
        stamp[item] = epoch
    for item in seen:
        if item >= 0 and stamp[item] != epoch and quota > 0 and found < out.shape[0]:
            stamp[item] = epoch
            out[found] = item
            found += 1
            quota -= 1
    return found


@njit(fastmath=True)
def products(
    vectors: NDArray[np.float32], biases: NDArray[np.float32], count: int, query: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> None:  # fmt: skip
    """Score a partition: bias + vector · query, for vectors stored dimension by dimension.

    Args:
        vectors: [8, ≥ count].
        biases: [≥ count].
        count: how many items.
        query: [8].
        scores: [≥ count], changed in place.
    """
    for k in range(count):
        total = biases[k]
        for d in range(DIMENSIONS):
            total += vectors[d, k] * query[d]
        scores[k] = total


@njit
def best(
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
    count: int,
    stamp: NDArray[np.int32],
    epoch: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append the best-scored items of a partition that are not yet candidates, up to a quota.

    A threshold guessed from a sample of the scores sets aside those that may be among the best; it is lowered
    until enough are, so the chosen set is exact and owes nothing to storage order.

    Args:
        items: [≥ count] item numbers.
        scores: [≥ count].
        count: how many items.
        stamp: [I], see `take`.
        epoch: this request's.
        out: candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    quota = min(quota, out.shape[0] - found, count)
    step = max(count // SAMPLE, 1)
    sample = np.sort(scores[:count:step])
    kept = np.empty(count + 1, np.int32)
    share = quota / count
    above, top = 0, np.float32(-np.inf)
    while True:
        share = min(share + 0.03, 1.0)
        place = int((1.0 - share) * sample.shape[0])
        least = sample[place] if place > 0 else np.float32(-np.inf)
        above = 0
        for k in range(count):  # without a branch: scores are random, and a branch guesses wrong
            kept[above] = k
            above += scores[k] >= least
        fresh = 0
        for j in range(above):
            k = kept[j]
            kept[fresh] = k
            fresh += stamp[items[k]] != epoch
        above = fresh
        if above >= quota or place == 0:
            break
        share *= 2.0
    for j in range(above):
        top = max(top, scores[kept[j]])
    return _choose(items, scores, kept[:above], top, stamp, epoch, out, found, quota)


@njit
def _choose(
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
    kept: NDArray[np.int32],
    top: float,
    stamp: NDArray[np.int32],
    epoch: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Take whole buckets of scores from the top, and of the one that does not fit the best by score, then number."""
    low = top
    for k in kept:
        low = min(low, scores[k])
    scale = np.float32((BUCKETS - 1) / max(top - low, np.float32(1e-12)))
    sizes = np.zeros(BUCKETS, np.int32)
    for k in kept:
        sizes[int((scores[k] - low) * scale)] += 1
    room, bucket = quota, BUCKETS - 1
    while bucket >= 0 and sizes[bucket] <= room:
        room -= sizes[bucket]
        bucket -= 1
    edge_items = np.empty(sizes[bucket] if bucket >= 0 else 0, np.int32)
    edge_scores = np.empty(edge_items.shape[0], np.float32)
    edge = 0
    for k in kept:
        place = int((scores[k] - low) * scale)
        if place > bucket:
            stamp[items[k]] = epoch
            out[found] = items[k]
            found += 1
        elif place == bucket:
            edge_items[edge] = items[k]
            edge_scores[edge] = scores[k]
            edge += 1
    for _ in range(min(room, edge)):
        first = 0
        for k in range(1, edge):
            if edge_scores[k] > edge_scores[first] or (
                edge_scores[k] == edge_scores[first] and edge_items[k] < edge_items[first]
            ):
                first = k
        stamp[edge_items[first]] = epoch
        out[found] = edge_items[first]
        found += 1
        edge -= 1
        edge_items[first], edge_scores[first] = edge_items[edge], edge_scores[edge]
    return found
