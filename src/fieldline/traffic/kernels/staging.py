"""Looking ahead: what a look at a live room is worth for what it is about to sell."""

import math

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.score import dot8
from fieldline.traffic.kernels.sigmoid import sigmoid
from fieldline.traffic.rows import BIAS, CLICK, DIMENSIONS, ORDER, WIDTH
from fieldline.units import MINUTE

MINUTES = 10
"""How far ahead staged offers count."""


@njit
def still_there(hazard: NDArray[np.float64], factor: float, wait_ms: int) -> float:
    """Return the chance that a viewer who comes now is still in the room after a time: exp(−f·∫h).

    Args:
        hazard: of leaving, per minute, in each of the first ten minutes of a stay [10].
        factor: f, how much quicker this room's viewers leave.
        wait_ms: ms; below 0 counts as now.
    """
    left, total = max(wait_ms, 0) / MINUTE, 0.0
    for minute in range(hazard.size):
        if left <= minute:
            break
        total += hazard[minute] * min(left - minute, 1.0)
    return math.exp(-factor * total)


@njit
def stay(
    hazard: NDArray[np.float64],  # [10]
    factors: NDArray[np.float64],  # [k]
    waits_ms: NDArray[np.int64],  # [k]
    out: NDArray[np.float64],  # [k]
) -> None:
    """Write the chance to be there still of each of several offers."""
    for j in range(out.size):
        out[j] = still_there(hazard, factors[j], waits_ms[j])


@njit
def look_ahead(
    side: NDArray[np.float32],  # [27] the viewer's side of the predictor
    rows: NDArray[np.float32],  # [I, 32]
    rooms: NDArray[np.int32],  # [k] items
    products: NDArray[np.int32],  # [k] items
    yuan: NDArray[np.float64],  # [k] net price in the room
    kept: NDArray[np.float64],  # [k] chance to be there still
    out: NDArray[np.float64],  # [k]
) -> None:
    """Write P(click on the room)·P(order | click, product)·net price·kept of each offer, yuan."""
    flat = rows.reshape(-1)
    for j in range(rooms.size):
        click = _chance(side, flat, np.int64(rooms[j]), CLICK)
        order = _chance(side, flat, np.int64(products[j]), ORDER)
        out[j] = click * order * yuan[j] * kept[j]


@njit
def _chance(side: NDArray[np.float32], flat: NDArray[np.float32], item: int, task: int) -> float:
    start = item * WIDTH
    term: np.float32 = dot8(side, task * DIMENSIONS, flat, start + task * DIMENSIONS)
    return float(sigmoid(np.float64((side[BIAS + task] + flat[start + BIAS + task]) + term)))
