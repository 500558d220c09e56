"""How estimates of orders are judged: what is learned before what is judged, and how sure a difference is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.order_logs import Orders
from fieldline.units import DAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Figures = dict[str, Any]

WEEK = 7 * DAY
DRAWS = 1_000


def weeks(orders: Orders) -> list[tuple[Ints, Ints]]:
    """Return, for each week of the second half, the lines that are new to be learned and those to be judged."""
    middle = int(orders.at[0] + (orders.at[-1] - orders.at[0]) // 2)
    starts = np.searchsorted(orders.at, np.arange(middle, int(orders.at[-1]) + 1, WEEK))
    bounds = np.unique(np.concatenate((starts, [len(orders.at)])))
    learned = np.concatenate(([0], bounds[:-2]))
    return [
        (np.arange(before, begin), np.arange(begin, end))
        for before, begin, end in zip(learned, bounds[:-1], bounds[1:], strict=True)
    ]


def interval(difference: Floats, clusters: NDArray[np.integer[Any]]) -> list[float]:
    """Return [mean, low, high] of a difference, 95% by resampling whole clusters.

    Args:
        difference: [n].
        clusters: which of them each belongs to [n].
    """
    _, of = np.unique(clusters, return_inverse=True)
    sums, counts = np.bincount(of, difference), np.bincount(of).astype(np.float64)
    rng = np.random.default_rng(1)
    means = np.empty(DRAWS)
    for draw in range(DRAWS):
        chosen = rng.integers(0, len(sums), len(sums))
        means[draw] = sums[chosen].sum() / counts[chosen].sum()
    low, high = np.quantile(means, (0.025, 0.975))
    return [float(sums.sum() / counts.sum()), float(low), float(high)]


def compared(errors: dict[str, Floats], clusters: NDArray[np.integer[Any]]) -> Figures:
    figures: Figures = {name: float(error.mean()) for name, error in errors.items()}
    figures["engine_less"] = {
        name: interval(errors["engine"] - error, clusters)
        for name, error in errors.items()
        if name != "engine"
    }
    figures["judged"] = len(errors["engine"])
    return figures
