"""An arm of an experiment: who controls the prices, and what is done to the market."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.facts import Policy
from fieldline.lab.season.organic import Policies
from fieldline.traffic import pace
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices

Controller = Callable[[Prices, Book, Traffic, int, int], None]
"""(prices, book, traffic, now ms, tick ms): prices change in place."""

POLICY = Policy(ad_load=0.34, explained=0, candidate_limit=160)
"""Six slots with at most two ads, 160 candidates; all else as the engine has it."""


@dataclass(frozen=True, slots=True)
class Shock:
    """A stretch in which more or fewer requests are possible than usual."""

    start: int
    """Hours since the season began."""
    end: int
    """Past the last hour."""
    factor: float


@dataclass(frozen=True, slots=True)
class Life:
    """What of viewers' lives a market plays beside looks and orders."""

    rooms: bool = False
    """Whether they stay in live rooms and meet later offers there; a room then sells each for ten minutes."""
    fans: bool = False
    """Whether they follow makers, and like what those make."""


PLAIN = Life()
"""Looks and orders alone."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What one run does; arms share all random numbers."""

    name: str = "fieldline"
    controller: Controller = pace.update
    standing: NDArray[np.float64] | None = None
    """Multipliers [C] for the whole run, or [T, C] tick by tick, instead of what the controller sets; 0: no bid."""
    holdout: float | None = None
    """Share of viewers that every contract holds out; None: as its contract says."""
    off: tuple[int, ...] = ()
    """Contracts that do not bid."""
    off_share: float = 1.0
    """Share of viewers, by the key of the holdout, for whom those do not bid."""
    shocks: tuple[Shock, ...] = ()
    pulled: float = 0.0
    """Share of live rooms' planned offers that are pulled just before their start."""
    level: float = 1.0
    """Factor on the chance of an order that is served to bids; what is learned stays as it is."""
    scene_value: NDArray[np.float64] | None = None
    """Factors [S, C] on value by scene: of bids, and of orders by the scene that they are credited to
    (where organic value does not count)."""
    policy: Policy = field(default=POLICY)
    """Its dials of organic prices (Gini, newcomers, credit) hold from the season's start."""
    policies: Policies = field(default=Policies())
