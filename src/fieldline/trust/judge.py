"""Everybody judged anew: who counts, what a merchant is measured by, and how it stands beside that."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.trust import buyers, index
from fieldline.trust.evidence import Evidence
from fieldline.trust.peers import Peers, peers, standing

Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """What a midnight finds; n pairs of buyer and merchant, M merchants."""

    anyone: Floats  # [n] how far each buyer counts in what others are measured by
    lasting: Floats  # [n] and in the merchant's own figures
    peers: Peers
    sums: Floats  # [M, 12]
    counts: Floats  # [M, 12]
    z: Floats  # [M, 4]
    known: Floats  # [M, 4]


def judge(evidence: Evidence, rows: NDArray[np.int64], trade: NDArray[np.int32], now: int) -> Judged:
    """Return who counts and how every merchant stands in each dimension.

    Args:
        evidence: only read; what faded was let go.
        rows: pairs of buyer and merchant that may count [n].
        trade: of each merchant [M], −1: none.
        now: ms.
    """
    buyer, shop, orders = evidence.buyer[rows], evidence.shop[rows], evidence.orders[rows]
    lives = evidence.visits[rows] > 0.0
    anyone, lasting = buyers.credibility(buyer, shop, orders, lives, len(evidence.shops))
    measured = peers(*index.tallied(evidence, rows, anyone, now), trade)
    sums, counts, *_ = index.tallied(evidence, rows, lasting, now)
    return Judged(anyone, lasting, measured, sums, counts, *standing(sums, counts, measured))
