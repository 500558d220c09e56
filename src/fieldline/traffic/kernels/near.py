"""Near: the items that lie in rings about a place, gathered with their vectors from the innermost outwards."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.rows import BIAS, DIMENSIONS


@njit
def in_rings(
    items: NDArray[np.int32],
    points: NDArray[np.float32],
    here: tuple[float, float, float],
    bounds: NDArray[np.float64],
    rows: NDArray[np.float32],
    task: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return the items that lie in rings, those of the innermost first, with their vectors beside them.

    Args:
        items: item numbers [n].
        points: of all items on the unit sphere [I, 3]; what lies nowhere is NaN.
        here: the centre on the unit sphere.
        bounds: squares of each ring's longest chord, ascending [R].
        rows: packed rows [I, 32].
        task: whose vectors.

    Returns:
        Item numbers [m ≤ n], vectors [8, m], biases [m], and how many items lie within each ring [R].
    """
    rings = np.empty(items.size, np.int64)
    sizes = np.zeros(bounds.size + 1, np.int64)
    for k in range(items.size):
        item = items[k]
        east, north, up = points[item, 0] - here[0], points[item, 1] - here[1], points[item, 2] - here[2]
        square = east * east + north * north + up * up
        ring = bounds.size
        while ring > 0 and square <= bounds[ring - 1]:
            ring -= 1
        rings[k] = ring
        sizes[ring] += 1
    ends = np.cumsum(sizes[:-1])
    places = ends - sizes[:-1]
    found = np.empty(ends[-1], np.int32)
    vectors = np.empty((DIMENSIONS, found.size), np.float32)
    biases = np.empty(found.size, np.float32)
    first = task * DIMENSIONS
    for k in range(items.size):
        ring = rings[k]
        if ring < bounds.size:
            place, item = places[ring], items[k]
            places[ring] += 1
            found[place] = item
            biases[place] = rows[item, BIAS + task]
            for d in range(DIMENSIONS):
                vectors[d, place] = rows[item, first + d]
    return found, vectors, biases, ends
