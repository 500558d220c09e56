"""What a winner pays: the bids that its places would have needed, and their sum over what it bought."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.slate import NONE, Field, Order, Run, fill
from fieldline.traffic.kernels.words import AD_PRICE, CATEGORY_CAP, MERCHANT_CAP


@njit
def critical(
    field: Field, run: Run, placed: int, position: int, contract: int, other: float, bids: NDArray[np.float64]
) -> int:
    """Write the least bid for each slot above a candidate's organic rank or better; return its place in the run.

    bids[l] = min_{m≤l} need_m, need_m = (T_m − o + theta)⁺·e_m/(e_m − e_r): ∞ where no ad is allowed or a cap
    keeps the item out, or where the slot was won by the contract's own bid on another item. From where it
    stands in the run anyway: 0, or the bid to beat where another's bid put it there.

    Args:
        field: the candidates.
        run: filled without the bid in question.
        placed: slots filled in it.
        position: the candidate.
        contract: whose bid it is.
        other: the highest other bid on the same item, which the run counts.
        bids: out, [r].
    """
    rank = field.rank[position]
    merchant = field.merchant[position]
    category = field.category[position]
    merchants = 0
    categories = 0
    least = np.inf
    place = field.looks.size - 1
    for slot in range(placed):
        winner = run.position[slot]
        if winner == position:
            place = slot
            least = other if run.payer[slot] != NONE else 0.0
            break
        if slot < rank:
            blocked = (merchant >= 0 and merchants >= field.words[MERCHANT_CAP]) or (
                category >= 0 and categories >= field.words[CATEGORY_CAP]
            )
            blocked = blocked or run.payer[slot] == contract
            gain = field.looks[slot] - field.looks[rank]
            if run.open[slot] and not blocked and gain > 0.0:
                short = max(run.score[slot] - field.organic[position] + field.words[AD_PRICE], 0.0)
                least = min(least, short * (field.looks[slot] / gain))
            bids[slot] = least
            merchants += field.merchant[winner] == merchant
            categories += field.category[winner] == category
    for slot in range(min(placed, place), rank):
        bids[slot] = least
    return place


@njit
def charge(looks: NDArray[np.float64], slot: int, rank: int, bid: float, bids: NDArray[np.float64]) -> float:
    """Return what an impression costs: Σ_{l=slot}^{rank−1} (e_l − e_{l+1})·min(bid, bids_l)."""
    total = 0.0
    for step in range(slot, rank):
        total += (looks[step] - looks[step + 1]) * min(bid, bids[step])
    return total


@njit
def sell_slots(
    field: Field,
    organic: Order,
    paid: Order,
    plain: Run,
    run: Run,
    trial: Run,
    won_bids: NDArray[np.float64],  # [K, K] out: per slot that was paid, the bids its item's slots need
    charges: NDArray[np.float64],  # [K] out
    without: NDArray[np.int32],  # [K] out: per slot, its item's place without its payer's bid
) -> int:
    """Fill the slate and charge its winners; return how many slots were filled, or −1 if a head was too short.

    A winner is charged against the slate in which its contract, from the slot it won on, does not bid; on items
    where that contract is the highest bidder its rival stands in.
    """
    placed = fill(field, organic, paid, plain, run, np.int64(0), NONE)
    for slot in range(placed):
        charges[slot] = 0.0
        without[slot] = slot
        if run.payer[slot] != NONE:
            position = run.position[slot]
            payer = field.contract[position]
            for before in range(slot):  # numba compiles a slice assignment together with its error messages
                trial.position[before] = run.position[before]
                trial.payer[before] = run.payer[before]
                trial.open[before] = run.open[before]
                trial.score[before] = run.score[before]
            filled = fill(field, organic, paid, plain, trial, slot, payer)
            if filled < 0:
                return -1
            bids = won_bids[slot]
            without[slot] = critical(field, trial, filled, position, payer, field.rival[position], bids)
            charges[slot] = charge(field.looks, slot, field.rank[position], field.bid[position], bids)
    return placed
