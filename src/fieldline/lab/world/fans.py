"""Followers in the made market: who follows whom, what following changes, and who is won while the days go by.

What the log's follow feed has above its first feed is put down to following: who follows an item's maker clicks,
watches and buys it more, wherever it is met, and the follow feed by itself is like the first one.
Source: bench/calibration.py, docs/algorithms/lab.md.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import uniform
from fieldline.lab.world.people import Viewers
from fieldline.lab.world.truth import FOLLOWS

NOT, BEFORE, WON = range(3)
"""Does not follow, did before the market opened, was won since."""
WINS = np.array([0.0040, 0.0082, 0.0128, 0.0193, 0.0040, 0.0128])
"""Follows per long view by scene, of a maker who is not followed yet; the follow feed's as the first one's."""

Follows = NDArray[np.uint8]


def nobody_follows() -> Follows:
    """Return a market in which following is not played."""
    return np.zeros((0, 0), np.uint8)


def follows_of(viewers: Viewers, creators: int) -> Follows:
    """Return who follows whom when the market opens [V, C]."""
    found = np.zeros((len(viewers.follows), creators), np.uint8)
    rows, places = np.nonzero(viewers.follows >= 0)
    found[rows, viewers.follows[rows, places]] = BEFORE
    return found


@njit
def wins(follows: Follows, key: np.uint64, viewer: int, creator: int, scene: int) -> bool:
    """Let a viewer who watched an item long follow its maker, by the item's own draw; return whether they do now.

    Args:
        follows: changed.
        key: of the item's draws at the request.
        viewer: number.
        creator: number, −1: nobody.
        scene: number.
    """
    if creator < 0 or follows.shape[0] == 0 or follows[viewer, creator] != NOT:
        return False
    if uniform(key, np.uint64(FOLLOWS)) >= WINS[scene]:
        return False
    follows[viewer, creator] = WON
    return True
