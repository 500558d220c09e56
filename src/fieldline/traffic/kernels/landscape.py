"""The landscape: for every promoted candidate, what each slot it could climb to would take and give."""

import math

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.bids import Bidders, admitted, worth
from fieldline.traffic.kernels.charge import critical
from fieldline.traffic.kernels.slate import NONE, Field, Run

LOG_ALPHA_FLOOR = -30.0
"""The ln α of a step that needs no bid at all."""


@njit
def climb(
    field: Field,
    positions: NDArray[np.int32],  # promoted ones, in the order in which steps are written
    run: Run,
    placed: int,
    won_bids: NDArray[
        np.float64
    ],  # [K, K] per slot that was paid: what its item's slots need without its bid
    place: NDArray[np.int32],  # [n] slot, −1: not shown
    chance: NDArray[np.float64],  # [4, n]
    bidders: Bidders,
    scratch: NDArray[np.float64],  # [K]
    steps: NDArray[np.float32],  # [most, 4] out
) -> tuple[int, int]:
    """Write the steps of every contract that may bid on promoted candidates; return (written, dropped).

    One step per slot l above the organic rank, from the worst: ln(critical_l / v), (e_l − e_{l+1})·v and
    (e_l − e_{l+1})·critical_l; slots with one critical bid are one step. A winner is measured
    against the run that set its charge, all others against the run itself; none climbs over its own items.
    """
    whole = steps.view(np.int32)
    looks = field.looks
    written = 0
    dropped = 0
    for position in positions:
        item = field.item[position]
        last = NONE
        for entry in range(bidders.first[item], bidders.first[item + 1]):
            if not admitted(bidders, entry, last):
                continue
            j = bidders.contract[entry]
            last = j
            value = worth(bidders, j, chance, position)
            if value <= 0.0:
                continue
            slot = place[position]
            if slot >= 0 and run.payer[slot] == j:
                bids = won_bids[slot]
            else:
                other = field.rival[position] if j == field.contract[position] else field.bid[position]
                critical(field, run, placed, position, j, other, scratch)
                bids = scratch
            look = 0.0
            for slot in range(field.rank[position] - 1, -1, -1):
                if bids[slot] == np.inf:
                    break  # nor can a better slot be reached
                look += looks[slot] - looks[slot + 1]
                if look <= 0.0 or (slot > 0 and bids[slot - 1] == bids[slot]):
                    continue
                if written < steps.shape[0]:
                    needed = bids[slot] / value
                    log_alpha = math.log(needed) if needed > 0.0 else LOG_ALPHA_FLOOR
                    whole[written, 0] = j
                    steps[written, 1] = max(log_alpha, LOG_ALPHA_FLOOR)
                    steps[written, 2] = look * value
                    steps[written, 3] = look * bids[slot]
                    written += 1
                else:
                    dropped += 1
                look = 0.0
    return written, dropped
