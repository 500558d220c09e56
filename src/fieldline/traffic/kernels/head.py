"""The head of an order: the best candidates, sorted, found without sorting them all."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

LANES = 256


@njit
def sort(key: NDArray[np.float64], item: NDArray[np.int32], order: NDArray[np.int32], size: int) -> None:
    """Sort the first `size` positions of `order` by their key, the best first, ties by the lower item."""
    gap = 1
    while gap < size // 4:
        gap = gap * 9 // 4 + 1
    while gap > 0:
        for j in range(gap, size):
            moved = order[j]
            moved_key = key[moved]
            moved_item = item[moved]
            hole = j
            while hole >= gap:
                other = order[hole - gap]
                if key[other] > moved_key or (key[other] == moved_key and item[other] < moved_item):
                    break
                order[hole] = other
                hole -= gap
            order[hole] = moved
        gap = gap * 4 // 9


@njit
def largest(values: NDArray[np.float64], rank: int) -> float:
    """Return the rank-th largest value (from 0), reordering the values (Hoare's quickselect)."""
    low = 0
    high = values.size - 1
    while low < high:
        pivot = values[(low + high) >> 1]
        left = low
        right = high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if rank <= right:
            high = right
        elif rank >= left:
            low = left
        else:
            break
    return values[rank]


@njit
def take_head(
    key: NDArray[np.float64],  # [n] −∞: not in the order
    item: NDArray[np.int32],  # [n]
    want: int,
    lane: NDArray[np.float64],  # [LANES] scratch
    order: NDArray[np.int32],  # [n] out
) -> tuple[int, bool]:
    """Write the sorted head of an order; return its size and whether it is all there is.

    It has at least `want` positions unless it is all: the want-th largest of the lanes' maxima is a bar that so
    many keys reach.
    """
    count = key.size
    bar = -np.inf
    if 2 * want <= LANES and count > LANES:
        for j in range(LANES):
            lane[j] = key[j]
        start = LANES
        while start < count:
            for j in range(min(LANES, count - start)):
                lane[j] = max(lane[j], key[start + j])
            start += LANES
        bar = largest(lane, want - 1)
    size = np.int64(0)
    if bar > -np.inf:
        for j in range(count):
            order[size] = j
            size += key[j] >= bar
    else:
        for j in range(count):
            order[size] = j
            size += key[j] > -np.inf
    sort(key, item, order, size)
    return size, bar == -np.inf
