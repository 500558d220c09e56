"""Calibration: chances that come true as often as they say, and the table that shows it.

A raw logit z is served as slope·z + shift. Both are fitted at ticks to what was predicted before it was learned, by
bins of z that fade by half a week, with a prior that a model is right as it is: so few looks change little, and as
the slope stays positive the order of items stays. The tilt folds into the machine's two sides: it costs nothing
when scoring. Source: Platt (1999); ADR 0011.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.kernels.calibrate import (
    BINS,
    CHANCES,
    LABELS,
    LOGITS,
    LOOKS,
    note,
    tilt_items,
    tilt_viewer,
)
from fieldline.units import DAY

HALF_LIFE = 3.5 * DAY
SLOPE_TRUST, SHIFT_TRUST = 25.0, 4.0
"""Prior precisions: slopes lie about 1 by ±.2, shifts about 0 by ±.5."""
LEAST_SLOPE, MOST_SLOPE = 0.5, 2.0
STEPS = 6
"""Newton steps of a fit."""


@dataclass(slots=True)
class Calibration:
    """What came of the chances of one machine's tasks, and how they are tilted for it."""

    slope: NDArray[np.float32]  # [T]
    shift: NDArray[np.float32]  # [T]
    bins: NDArray[np.float64]  # [T, 72, 4], see `kernels.calibrate`
    at: int = field(default=0)
    """Instant of the newest fit, ms."""


class Row(NamedTuple):
    """One bin of a task's reliability."""

    looks: float
    """Weighted and faded."""
    predicted: float
    """Mean chance served."""
    observed: float
    """Mean label."""


def untilted(tasks: int) -> Calibration:
    """Return the calibration of so many tasks before anything is known."""
    return Calibration(
        np.ones(tasks, np.float32), np.zeros(tasks, np.float32), np.zeros((tasks, BINS, 4), np.float64)
    )


def learn(
    calibration: Calibration,
    raw: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Take in one look's raw chances [T], each made before its label was learned; weight 0 = label unknown."""
    note(calibration.bins, calibration.slope, calibration.shift, raw, labels, weights)


def refresh(calibration: Calibration, at: int, fixed: tuple[int, ...] = ()) -> None:
    """Let the bins fade to an instant and fit every task's tilt again; items must then be folded again.

    Args:
        calibration: changed in place.
        at: ms.
        fixed: tasks that stay as they are.
    """
    if calibration.at:
        calibration.bins *= 0.5 ** (max(at - calibration.at, 0) / HALF_LIFE)
    calibration.at = max(at, calibration.at)
    for task in range(len(calibration.slope)):
        if task not in fixed:
            calibration.slope[task], calibration.shift[task] = tilt(calibration.bins[task])


def tilt(bins: NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and shift that suit bins [72, 4] best, given the prior.

    Minimises Σ_b looks·H(label, σ(slope·z + shift)) + ½·25·(slope − 1)² + ½·4·shift², H being the log-loss.
    """
    seen = bins[bins[:, LOOKS] > 0.0]
    looks, z, y = seen[:, LOOKS], seen[:, LOGITS] / seen[:, LOOKS], seen[:, LABELS] / seen[:, LOOKS]
    slope, shift = 1.0, 0.0
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-slope * z - shift))
        g, h = looks * (p - y), looks * p * (1.0 - p)
        of_slope = float(g @ z) + SLOPE_TRUST * (slope - 1.0)
        of_shift = float(g.sum()) + SHIFT_TRUST * shift
        a, b, c = float(h @ (z * z)) + SLOPE_TRUST, float(h @ z), float(h.sum()) + SHIFT_TRUST
        most = a * c - b * b  # above 0: both priors are
        slope -= (c * of_slope - b * of_shift) / most
        shift -= (a * of_shift - b * of_slope) / most
        slope = min(max(slope, LEAST_SLOPE), MOST_SLOPE)
    return slope, shift


def calibrated(calibration: Calibration, raw: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return raw chances [n, T] as they are served."""
    p = np.clip(np.asarray(raw, np.float64), 1e-9, 1.0 - 1e-9)
    served: NDArray[np.float64] = 1.0 / (
        1.0 + np.exp(-calibration.slope * np.log(p / (1.0 - p)) - calibration.shift)
    )
    return served


def onto_viewer(calibration: Calibration, side: NDArray[np.float32], dimensions: int) -> None:
    """Tilt a viewer's side, in place."""
    tilt_viewer(side, calibration.slope, calibration.shift, dimensions)


def onto_items(
    calibration: Calibration, rows: NDArray[np.float32], which: NDArray[np.int32], dimensions: int
) -> None:
    """Tilt items' sides, freshly folded, in place."""
    tilt_items(rows, which, calibration.slope, dimensions)


def reliability(calibration: Calibration, task: int) -> tuple[Row, ...]:
    """Return the bins of a task that hold looks, from the least chance to the largest."""
    return tuple(
        Row(float(row[LOOKS]), float(row[CHANCES] / row[LOOKS]), float(row[LABELS] / row[LOOKS]))
        for row in calibration.bins[task]
        if row[LOOKS] > 0.0
    )


def error(rows: tuple[Row, ...]) -> float:
    """Return the expected calibration error of bins, Σ looks·|predicted − observed| / Σ looks; NaN without looks."""
    looks = sum(row.looks for row in rows)
    return (
        sum(row.looks * abs(row.predicted - row.observed) for row in rows) / looks if looks else float("nan")
    )
