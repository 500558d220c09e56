"""The auction of one slate: who stands where, and whose bid won which slot.

Words: a *position* is a candidate's place in the request's list (arrays over positions are [n]); a *run* is
one filling of the slate; a *rank* is a slot in the run in which nobody bids, K where an item is not in it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.words import (
    AD_GAP,
    AD_PRICE,
    CATEGORY_CAP,
    FIRST_AD,
    MAX_ADS,
    MERCHANT_CAP,
)

NONE = np.int32(-1)
"""No position, no contract."""

RIVAL = np.int32(-2)
"""A contract that stands in for the mute one."""


class Field(NamedTuple):
    """The candidates of a request as the auction sees them."""

    item: NDArray[np.int32]  # [n]
    merchant: NDArray[np.int32]  # [n], known where a head is
    category: NDArray[np.int32]  # [n], likewise
    organic: NDArray[np.float64]  # [n] o, −∞: not eligible
    paid: NDArray[np.float64]  # [n] o − theta + b, −∞: nobody bids
    bid: NDArray[np.float64]  # [n] b, 0: nobody bids
    rival: NDArray[np.float64]  # [n] the next bid on the item, known where somebody bids
    contract: NDArray[np.int32]  # [n] who bids, −1: nobody
    rank: NDArray[np.int32]  # [n]
    looks: NDArray[np.float64]  # [K + 1] e_k, e_K = 0
    words: NDArray[np.float64]


class Order(NamedTuple):
    """Positions, the best first, and whether these are all there are."""

    positions: NDArray[np.int32]
    complete: bool


class Run(NamedTuple):
    """One filling of the slate, slot by slot."""

    position: NDArray[np.int32]  # [K]
    payer: NDArray[np.int32]  # [K] whose bid won the slot; NONE: nobody's, RIVAL: not the mute contract's
    open: NDArray[np.int32]  # [K] 1: an ad was allowed there
    score: NDArray[np.float64]  # [K] T, the winning score
    full: NDArray[np.int32]  # [2, K] merchants and categories at their caps, so far


class Capped(NamedTuple):
    """How many merchants and categories are at their caps."""

    merchants: int
    categories: int


@njit
def fits(field: Field, run: Run, placed: int, capped: Capped, position: int) -> bool:
    """Return whether a candidate is not yet in the run and no cap keeps it out."""
    merchant = field.merchant[position]
    category = field.category[position]
    for k in range(capped.merchants):
        if run.full[0, k] == merchant:
            return False
    for k in range(capped.categories):
        if run.full[1, k] == category:
            return False
    for k in range(placed):  # noqa: SIM110 (numba compiles no generator expressions)
        if run.position[k] == position:
            return False
    return True


@njit
def close_groups(field: Field, run: Run, placed: int, capped: Capped) -> Capped:
    """Return the groups at their caps after the last placed candidate."""
    merchant = field.merchant[run.position[placed - 1]]
    category = field.category[run.position[placed - 1]]
    merchants = 0
    categories = 0
    for k in range(placed):
        merchants += field.merchant[run.position[k]] == merchant
        categories += field.category[run.position[k]] == category
    more_merchants = capped.merchants
    more_categories = capped.categories
    if merchant >= 0 and merchants >= field.words[MERCHANT_CAP]:
        run.full[0, more_merchants] = merchant
        more_merchants += 1
    if category >= 0 and categories >= field.words[CATEGORY_CAP]:
        run.full[1, more_categories] = category
        more_categories += 1
    return Capped(more_merchants, more_categories)


@njit
def counted(field: Field, position: int, slot: int, mute: int) -> float:
    """Return a candidate's paid score at a slot, −∞ where nobody bids or there is nothing to sell.

    o − theta + b·(e_k − e_r)/e_k: only the increment over its organic rank counts. Where the contract `mute` is
    the highest bidder, its rival stands in.
    """
    bid = field.bid[position]
    if bid > 0.0 and field.contract[position] == mute:
        bid = field.rival[position]
    rank = field.rank[position]
    if bid <= 0.0 or slot >= rank or field.looks[slot] <= field.looks[rank]:
        return -np.inf
    share = (field.looks[slot] - field.looks[rank]) / field.looks[slot]
    return field.organic[position] - field.words[AD_PRICE] + bid * share


@njit
def beats(field: Field, score: float, position: int, best: float, best_position: int) -> bool:
    """Return whether a paid score wins over the best one so far; ties go to the lower item."""
    return score > best or (
        score == best and best > -np.inf and field.item[position] < field.item[best_position]
    )


@njit
def best_bidder(
    field: Field,
    paid: Order,
    plain: Run,
    run: Run,
    slot: int,
    capped: Capped,
    front: int,
    top: int,
    mute: int,
) -> tuple[int, float, bool]:
    """Return who but the best organic item has the best paid score at a slot, that score, and if it is sure."""
    slots = field.looks.size - 1
    best = -np.inf
    winner = NONE
    seen = front
    while seen < paid.positions.size:
        position = paid.positions[seen]
        if field.paid[position] < best:
            break
        if field.rank[position] == slots and position != top:
            score = counted(field, position, slot, mute)
            if beats(field, score, position, best, winner) and fits(field, run, slot, capped, position):
                winner, best = position, score
        seen += 1
    sure = True
    if seen == paid.positions.size and not paid.complete:
        last = paid.positions[-1]
        sure = field.paid[last] <= field.organic[top] or not beats(
            field, field.paid[last], last, best, winner
        )
    for rank in range(slot + 1, slots):
        position = plain.position[rank]
        if position < 0:
            break
        if position != top:
            score = counted(field, position, slot, mute)
            if beats(field, score, position, best, winner) and fits(field, run, slot, capped, position):
                winner, best = position, score
    return winner, best, sure


@njit
def fill(field: Field, organic: Order, paid: Order, plain: Run, run: Run, start: int, mute: int) -> int:
    """Fill the slate from a slot on; return how many slots are filled, or −1 if a head was too short to tell.

    Args:
        field: the candidates.
        organic: by organic score.
        paid: by o − theta + b; empty: nobody bids.
        plain: the run in which nobody bids (only read where somebody does).
        run: its slots before `start` stand, the others are filled.
        start: the first slot to fill.
        mute: the contract that does not bid, NONE: all do.
    """
    words = field.words
    first = 0  # in `organic`: all before are placed or capped for good
    front = 0  # in `paid`: likewise
    ads = 0
    last_ad = -1.0e9
    capped = Capped(0, 0)
    for slot in range(start):
        if run.payer[slot] != NONE:
            ads += 1
            last_ad = slot
        capped = close_groups(field, run, slot + 1, capped)
    for slot in range(start, field.looks.size - 1):
        while first < organic.positions.size and not fits(field, run, slot, capped, organic.positions[first]):
            first += 1
        if first == organic.positions.size:
            return slot if organic.complete else -1
        top = organic.positions[first]
        winner = top
        score = field.organic[top]
        run.payer[slot] = NONE
        run.open[slot] = (
            ads < words[MAX_ADS]
            and slot >= words[FIRST_AD]
            and slot - last_ad > words[AD_GAP]
            and field.looks[slot] > 0.0
        )
        if run.open[slot] and paid.positions.size > 0:
            while front < paid.positions.size and not fits(field, run, slot, capped, paid.positions[front]):
                front += 1
            other, best, sure = best_bidder(field, paid, plain, run, slot, capped, front, top, mute)
            if not sure:
                return -1
            if best > score:
                own = counted(field, top, slot, mute)  # the best organic item's bid can only save its place
                saved = beats(field, own, top, best, other)
                winner, score = (top, own) if saved else (other, best)
                run.payer[slot] = RIVAL if field.contract[winner] == mute else field.contract[winner]
                ads += 1
                last_ad = slot
        run.position[slot] = winner
        run.score[slot] = score
        capped = close_groups(field, run, slot + 1, capped)
    return field.looks.size - 1
