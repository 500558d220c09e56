"""What a paid placement took, and from whom: counted in looks, from the ranks that a decision logs."""

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOBODY = -1


class Displaced(msgspec.Struct, frozen=True):
    """Per slot, in looks; 0 where nobody paid."""

    kept: Floats
    """[K], looks that the same item would have had anyway."""
    gained: Floats
    """[K], looks beyond those: own + others."""
    own: Floats
    """[K], looks taken from other items of its owner."""
    others: Floats
    """[K], looks taken from everybody else."""


def displacement(
    looks: Floats,
    organic_rank: Ints,
    contract: Ints,
    owner: Ints,
    organic_owner: Ints | None = None,
) -> Displaced:
    """Return for each paid slot how many looks it had anyway, and from whom it took the rest.

    The item at slot k with organic rank r had e_r anyway. Each step l of its way up, k ≤ l < r, is worth e_l − e_{l+1},
    taken in equal parts from those who went down over the same step: as many go down over a step as up.

    Args:
        looks: [K], e_k, not increasing.
        organic_rank: [K], r of the item in each slot; K: not shown if nobody bid.
        contract: [K], who pays; −1: nobody.
        owner: [K], whose item stands in the slot; −1: unknown.
        organic_owner: [K], whose item would stand in each slot if nobody bid, where it is not shown now; −1 or
            without it: unknown, and counted with the others.

    Returns:
        kept + gained = e_k and own + others = gained for each paid slot.

    Raises:
        ValueError: if the arrays are not of one length.
    """
    slots = len(looks)
    pushed = np.full(slots, NOBODY, np.int64) if organic_owner is None else organic_owner
    if {slots} != {len(organic_rank), len(contract), len(owner), len(pushed)}:
        raise ValueError("one value for each slot")
    place = np.arange(slots)
    paid = contract != NOBODY
    steps = looks - np.append(looks[1:], 0.0)  # [K], e_l − e_{l+1}
    gone = ~np.isin(place, organic_rank)  # [K], organic ranks whose items are not shown
    before = looks[np.minimum(organic_rank, slots - 1)] * (organic_rank < slots)  # [K], e_r
    kept = np.where(paid, np.minimum(before, looks), 0.0)
    gained = np.where(paid, looks - kept, 0.0)
    own = np.zeros(slots)
    for step in range(slots):
        rising = (place <= step) & (step < organic_rank)
        sinking = (organic_rank <= step) & (step < place)
        losers = np.concatenate([owner[sinking], pushed[gone & (place <= step)]])
        for slot in np.flatnonzero(rising & paid & (owner != NOBODY)):
            share = float(np.sum(losers == owner[slot])) / float(np.sum(rising))
            own[slot] += steps[step] * min(share, 1.0)
    return Displaced(kept, gained, own, gained - own)
