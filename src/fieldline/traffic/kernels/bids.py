"""Bids: who may bid for a request on which item, what a look is worth to them, and the highest two offers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import held
from fieldline.traffic.kernels.score import prefetch
from fieldline.traffic.kernels.slate import NONE
from fieldline.traffic.rows import BIDS


class Bidders(NamedTuple):
    """The contracts as one request meets them; entries are contracts on items, ascending within an item."""

    first: NDArray[np.int32]  # [I + 1] where each item's entries begin
    contract: NDArray[np.int32]  # [nnz]
    gate: NDArray[np.int32]  # [nnz]
    alpha: NDArray[np.float64]  # [C] 0: does not bid
    bid_cap: NDArray[np.float64]  # [C]
    meter: NDArray[np.float64]  # [C, 5] per look, click, long view, yuan of g and order
    open_gates: NDArray[np.uint8]  # [G] 0: closed to this request; [1]: none is closed
    holdout: NDArray[np.float64]  # [C] share of viewers for whom it never bids
    key: NDArray[np.uint64]  # [C] of the holdout
    viewer_key: np.uint64


@njit(inline="always")
def admitted(bidders: Bidders, entry: int, last: int) -> bool:
    """Return whether an entry may bid for this request: α > 0, its gate open, the viewer not held out.

    Args:
        bidders: the contracts.
        entry: of an item.
        last: the contract that the item's last admitted entry names, which bids once; NONE: none yet.
    """
    j = bidders.contract[entry]
    if bidders.alpha[j] <= 0.0 or j == last:
        return False
    if bidders.open_gates.size > 1 and bidders.open_gates[bidders.gate[entry]] == 0:
        return False
    share = bidders.holdout[j]
    return not (share > 0.0 and held(bidders.viewer_key, bidders.key[j], share))


@njit(inline="always")
def worth(bidders: Bidders, contract: int, chance: NDArray[np.float64], position: int) -> float:
    """Return what a look is worth to a contract, yuan.

    v = look + click·p_click + long_view·p_long + gmv·g + order·p_click·p_order
    """
    meter = bidders.meter
    return float(
        meter[contract, 0]
        + meter[contract, 1] * chance[0, position]
        + meter[contract, 2] * chance[1, position]
        + meter[contract, 3] * chance[2, position]
        + meter[contract, 4] * chance[3, position]
    )


@njit
def write_bids(
    candidates: NDArray[np.int32],  # [n]
    flags: NDArray[np.int32],  # [n]
    chance: NDArray[np.float64],  # [4, n]
    organic: NDArray[np.float64],  # [n]
    ad_price: float,
    bidders: Bidders,
    bidding: NDArray[np.int32],  # [n] scratch
    contract: NDArray[np.int32],  # [n] out; −1 already
    bid: NDArray[np.float64],  # [n] out; 0 already
    rival: NDArray[np.float64],  # [n] out
    value: NDArray[np.float64],  # [n] out
    paid: NDArray[np.float64],  # [n] out; −∞ already
) -> None:
    """Write the highest bid on each candidate, and the next one.

    b = min(alpha·v, bid cap); ties: the lower contract.
    """
    first = bidders.first
    gated = bidders.open_gates.size > 1
    many = 0
    for position in range(candidates.size):
        bidding[many] = position
        many += (flags[position] & BIDS) != 0
    for n in range(min(16, many)):
        prefetch(first, np.int64(candidates[bidding[n]]))
    for n in range(many):
        if n + 16 < many:
            prefetch(first, np.int64(candidates[bidding[n + 16]]))
        if n + 8 < many:
            ahead = np.int64(first[candidates[bidding[n + 8]]])
            prefetch(bidders.contract, ahead)
            if gated:
                prefetch(bidders.gate, ahead)
        position = bidding[n]
        item = candidates[position]
        best = 0.0
        second = 0.0
        who = NONE
        most = 0.0
        last = NONE
        for entry in range(first[item], first[item + 1]):
            if not admitted(bidders, entry, last):
                continue
            j = bidders.contract[entry]
            last = j
            v = worth(bidders, j, chance, position)
            b = min(bidders.alpha[j] * v, bidders.bid_cap[j])
            if b > best or (b == best and b > 0.0 and j < who):
                second = best
                best = b
                who = j
                most = v
            elif b > second:
                second = b
        if who >= 0:
            contract[position] = who
            bid[position] = best
            rival[position] = second
            value[position] = most
            paid[position] = organic[position] - ad_price + best
