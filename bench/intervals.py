"""Coverage of the intervals for incremental GMV, of the bound behind assurance and of the pooled shares.

`python -m bench.intervals` prints three tables. Buyers are Poisson many, their amounts lognormal (sd .8 of the
logarithm, mean 1); the truth is the difference of the arms' expectations.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fieldline.contracts.assurance import CONFIDENCE
from fieldline.contracts.gamma import gamma_limits
from fieldline.contracts.incrementality import difference_limits, shrunk

Floats = NDArray[np.float64]

SPREAD = 0.8
SQUARE = float(np.exp(SPREAD**2))
NORMAL = 1.6448536269514722
HOLDOUTS = (0.05, 0.1, 0.2)
HELD = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
EFFECTS = (0.0, 0.1, 0.2, 0.4)
WORTH = (1.0, 0.8, 0.6, 0.4)
"""Expected value over the goal's."""


def baskets(rng: np.random.Generator, expected: float, runs: int) -> tuple[Floats, Floats, Floats]:
    """Return buyers, GMV and Σ of squares of so many runs, [runs] each."""
    buyers = rng.poisson(expected, runs)
    amounts = np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, int(buyers.sum())))
    run = np.repeat(np.arange(runs), buyers)
    return (
        buyers.astype(np.float64),
        np.asarray(np.bincount(run, amounts, runs), np.float64),
        np.asarray(np.bincount(run, amounts * amounts, runs), np.float64),
    )


def difference(rng: np.random.Generator, holdout: float, held: float, effect: float, runs: int) -> Floats:
    """Return shares of runs: covered, truth below, truth above, covered by a normal interval; mean width [5].

    The width is in units of the GMV that would have come anyway.
    """
    weight = (1.0 - holdout) / holdout
    n_t, y_t, s_t = baskets(rng, weight * held * (1.0 + effect), runs)
    n_c, y_c, s_c = baskets(rng, held, runs)
    truth = weight * held * effect
    seen = n_t + n_c > 0  # without a buyer no interval is given
    count = np.maximum(n_t + n_c, 1.0)
    mean, square = np.where(seen, (y_t + y_c) / count, 1.0), np.where(seen, (s_t + s_c) / count, SQUARE)
    low, high = difference_limits(
        y_t, s_t, weight * y_c, weight**2 * n_c * square, np.full(runs, weight), mean, square
    )
    below, above = truth < low[seen], truth > high[seen]
    error = NORMAL * np.sqrt(s_t + weight**2 * s_c)
    normal = np.abs(y_t - weight * y_c - truth) <= error
    width = float(np.mean((high - low)[seen])) / (weight * held)
    return np.array([1.0 - below.mean() - above.mean(), below.mean(), above.mean(), normal.mean(), width])


def differences(runs: int) -> Iterator[tuple[float, float, Floats]]:
    """Return for each holdout and expected number of held-out buyers the figures, [effects, 5]."""
    rng = np.random.default_rng(20)
    for holdout in HOLDOUTS:
        for held in HELD:
            yield (
                holdout,
                held,
                np.array([difference(rng, holdout, held, effect, runs) for effect in EFFECTS]),
            )


def bound(rng: np.random.Generator, orders: float, runs: int) -> tuple[float, list[tuple[float, float]]]:
    """Return how often U holds the expected value, and by worth how often and how much of spend is credited."""
    _, value, squares = baskets(rng, orders, runs)
    _, high = gamma_limits(value, squares, np.ones(runs), np.full(runs, SQUARE), 1.0 - CONFIDENCE)
    upper = np.maximum(high, value)
    credited = [np.maximum(0.0, 1.0 - upper * worth / orders) for worth in WORTH]
    return float(np.mean(upper >= orders)), [(float(np.mean(c > 0)), float(np.mean(c))) for c in credited]


def shares(rng: np.random.Generator, campaigns: int, held: float, runs: int) -> Floats:
    """Return the pool's bias and coverage, campaigns' coverage, root mean square error and that unshrunk [5].

    Shares ι ~ N(.5, .15²); held-out buyers come at rates spread by a factor of 1.7 about `held`, h = .1; attributed
    value is .6 of what would have come anyway.
    """
    rows = []
    for _ in range(runs):
        true = np.clip(rng.normal(0.5, 0.15, campaigns), 0.0, 1.0)
        rate = held * np.exp(rng.normal(0.0, 0.55, campaigns))
        attributed = 0.6 * 9.0 * rate
        arms = [
            (baskets(rng, 9.0 * r * (1.0 + 0.6 * share), 1), baskets(rng, r, 1))
            for r, share in zip(rate, true, strict=True)
        ]
        gain = np.array([float(treated[1][0] - 9.0 * out[1][0]) for treated, out in arms])
        noise = np.array([9.0 * float(treated[2][0] + out[2][0]) for treated, out in arms])
        found = shrunk(attributed, gain, noise)
        value = np.array([c.value for c in found.campaigns], float)
        low, high = (np.array([getattr(c, end) for c in found.campaigns], float) for end in ("low", "high"))
        pool = found.pool
        assert pool.value is not None and pool.low is not None and pool.high is not None
        rows.append(
            (
                pool.value - true.mean(),
                pool.low <= true.mean() <= pool.high,
                np.mean((low <= true) & (true <= high)),
                np.mean((value - true) ** 2),
                np.mean((gain / attributed - true) ** 2),
            )
        )
    means = np.array(rows, float).mean(axis=0)
    return np.concatenate([means[:3], np.sqrt(means[3:])])


def measure(runs: int = 4_000) -> dict[str, float]:
    """Return the lowest, mean and highest coverage of 90% intervals over all cases, and the normal one's."""
    covered = np.array([figures for _, _, figures in differences(runs)])  # [cases, effects, 5]
    return {
        "interval_coverage_low": float(covered[:, :, 0].min()),
        "interval_coverage_mean": float(covered[:, :, 0].mean()),
        "interval_coverage_high": float(covered[:, :, 0].max()),
        "normal_coverage_low": float(covered[:, :, 3].min()),
    }


def main() -> None:
    """Print the tables."""
    console = Console()
    table = Table(
        "h", "held-out buyers", *(f"covered, effect {e:.0%}" for e in EFFECTS), "below", "above", "normal"
    )
    table.title = "90% interval of incremental GMV"
    for holdout, held, figures in differences(4_000):
        mean = figures.mean(axis=0)
        table.add_row(
            f"{holdout}", f"{held:g}", *(f"{f:.3f}" for f in figures[:, 0]), *(f"{m:.3f}" for m in mean[1:4])
        )
    console.print(table)
    rng = np.random.default_rng(21)
    table = Table("orders", "U ≥ truth", *(f"worth {w:.0%}" for w in WORTH))
    table.title = (
        "80% bound of assurance: how often (how much of spend) is credited, by expected value over goal"
    )
    for orders in (0.3, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0):
        holds, credited = bound(rng, orders, 20_000)
        table.add_row(
            f"{orders:g}", f"{holds:.3f}", *(f"{often:.2f} ({much:.2f})" for often, much in credited)
        )
    console.print(table)
    table = Table("campaigns", "held-out buyers", "pool bias", "pool covered", "covered", "error", "unshrunk")
    table.title = "Pooled shares of attributed value that are incremental (h = .1)"
    for campaigns, held in ((10, 2.0), (10, 20.0), (50, 2.0), (50, 20.0), (200, 5.0)):
        found = shares(rng, campaigns, held, 40)
        table.add_row(f"{campaigns}", f"{held:g}", *(f"{f:.3f}" for f in found))
    console.print(table)


if __name__ == "__main__":
    main()
