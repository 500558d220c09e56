"""Arrays of keyed draws: what a made world is made of."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import key_of, uniform

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@njit
def _fill(key: np.uint64, out: Floats) -> None:
    for i in range(out.size):
        out[i] = uniform(key, np.uint64(i))


def uniforms(seed: int, purpose: str, *shape: int) -> Floats:
    """Return uniform draws in [0, 1) keyed by (seed, purpose) alone.

    Args:
        seed: the world's seed.
        purpose: what they are for.
        shape: of the result.

    Returns:
        float64 of the shape.
    """
    out = np.empty(int(np.prod(shape)), np.float64)
    _fill(np.uint64(key_of(seed, "world", purpose)), out)
    return out.reshape(shape)


def normals(seed: int, purpose: str, *shape: int) -> Floats:
    """Return standard normal draws keyed by (seed, purpose) alone.

    √(−2 ln(1 − u))·cos(2πu').

    Args:
        seed: the world's seed.
        purpose: what they are for.
        shape: of the result.

    Returns:
        float64 of the shape.

    Source: Box and Muller (1958).
    """
    u = uniforms(seed, purpose, 2, *shape)
    return np.asarray(np.sqrt(-2.0 * np.log1p(-u[0])) * np.cos(2.0 * np.pi * u[1]))


def picks(draws: Floats, weights: Floats) -> Ints:
    """Return for each uniform draw the index that its share of the weights points at.

    Args:
        draws: float64, in [0, 1).
        weights: float64 [n], not negative, not all zero.

    Returns:
        int32 of the draws' shape, in [0, n).
    """
    edges = np.cumsum(weights)
    found = np.searchsorted(edges, draws * edges[-1], side="right")
    return np.asarray(np.clip(found, 0, len(weights) - 1), np.int32)


def shares(total: int, weights: Floats) -> Ints:
    """Return whole numbers in proportion to weights, each at least 1, that sum to a total.

    Args:
        total: at least the number of weights.
        weights: float64 [n], positive.

    Returns:
        int32 [n].
    """
    spare = total - len(weights)
    edges = np.rint(np.cumsum(weights) / weights.sum() * spare).astype(np.int32)
    return np.asarray(np.diff(edges, prepend=0) + 1, np.int32)
