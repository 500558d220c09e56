"""Randomised slates: a Plackett–Luce draw with its exact chance."""

import math

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import uniform

DRAWN_FROM = 20
"""How many of the best candidates are drawn from."""


@njit
def draw(
    organic: NDArray[np.float64],  # [n] o
    positions: NDArray[np.int32],  # the best first
    temperature: float,
    key: np.uint64,
    drawn: NDArray[np.int32],  # [K] out: positions
    weight: NDArray[np.float64],  # [DRAWN_FROM] scratch
) -> tuple[int, float]:
    """Draw an ordered slate without replacement from the top 20; return its length and its exact chance.

    P(slate) = Π_k w_k / Σ_{not yet drawn} w, w = exp(o / (temperature·max(|o_top|, 1e-9))); no caps.

    Source: Plackett (1975), Luce (1959).
    """
    pool = min(DRAWN_FROM, positions.size)
    length = min(pool, drawn.size)
    if pool == 0:
        return 0, 1.0
    top = organic[positions[0]]
    scale = temperature * max(abs(top), 1e-9)
    for j in range(pool):
        weight[j] = math.exp((organic[positions[j]] - top) / scale)
    chance = 1.0
    for slot in range(length):
        total = 0.0
        for j in range(pool):
            total += weight[j]
        target = uniform(key, np.uint64(slot)) * total
        reached = 0.0
        pick = -1
        for j in range(pool):
            if weight[j] > 0.0:
                pick = j
                reached += weight[j]
                if reached > target:
                    break
        if pick < 0:  # what is left has no weight at this temperature
            return slot, chance
        chance *= weight[pick] / total
        weight[pick] = 0.0
        drawn[slot] = positions[pick]
    return length, chance
