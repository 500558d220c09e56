"""The pool's kernels: items by list in eight bits a word, and the scan of the lists nearest to a query.

A list's words stand dimension by dimension, so that one product is added to all of its items at a time. A word w of
dimension j is kept as round((w − least_j)/step_j); Σ_j least_j·query_j is the same for every item and left out.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

AT_ONCE = 4
"""Dimensions whose products are added together; a whole number of these make an item."""


@njit(fastmath=True)
def products(centroids: NDArray[np.float32], query: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
    """Score every list by its centre · query.

    Args:
        centroids: [d, L].
        query: [d].
        scores: [L], overwritten.
    """
    scores[:] = np.float32(0.0)
    for dimension in range(query.size):
        word, row = query[dimension], centroids[dimension]
        for k in range(scores.size):
            scores[k] += row[k] * word


@njit
def pack(
    rows: NDArray[np.uint8], order: NDArray[np.int32], start: NDArray[np.int64], words: NDArray[np.uint8]
) -> None:
    """Write items' words list by list, and within a list dimension by dimension.

    Args:
        rows: [n, d].
        order: [n] rows by list.
        start: [L + 1] where each list begins in it.
        words: [n·d], overwritten.
    """
    wide = rows.shape[1]
    for part in range(start.size - 1):
        first, count = start[part], start[part + 1] - start[part]
        for k in range(count):
            row = rows[order[first + k]]
            for dimension in range(wide):
                words[first * wide + dimension * count + k] = row[dimension]


@njit(fastmath=True)
def scan_lists(
    words: NDArray[np.uint8],
    start: NDArray[np.int64],
    numbers: NDArray[np.int32],
    near: NDArray[np.int64],
    query: NDArray[np.float32],
    scores: NDArray[np.float32],
    items: NDArray[np.int32],
) -> int:
    """Score the items of some lists, but for a constant; return how many there are.

    Args:
        words: [n·d] as `pack` writes them.
        start: [L + 1].
        numbers: [n] items by list.
        near: the lists.
        query: [d] times each dimension's step, d a multiple of `AT_ONCE`.
        scores: [≥ their items], overwritten.
        items: [≥ their items], overwritten.
    """
    found = 0
    for part in near:
        first, count = start[part], start[part + 1] - start[part]
        sums = scores[found : found + count]
        sums[:] = np.float32(0.0)
        base = first * query.size
        for d in range(0, query.size, AT_ONCE):
            a, b, c, e = query[d], query[d + 1], query[d + 2], query[d + 3]
            block = words[base + d * count : base + (d + AT_ONCE) * count]
            one, two = block[:count], block[count : 2 * count]
            three, four = block[2 * count : 3 * count], block[3 * count :]
            for k in range(count):
                sums[k] += (np.float32(one[k]) * a + np.float32(two[k]) * b) + (
                    np.float32(three[k]) * c + np.float32(four[k]) * e
                )
        items[found : found + count] = numbers[first : first + count]
        found += count
    return found
