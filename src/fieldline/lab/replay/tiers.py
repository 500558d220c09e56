"""Exposure tiers: what the most exposed authors hold as logged, and in the engine's slates."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.lab import metrics
from fieldline.traffic.domains.report import TIERS


class Tier(msgspec.Struct, frozen=True):
    """What one tier of authors holds: the top 1% of a ranking, the next 19%, or the rest."""

    name: str
    authors: int
    logged: float
    """Of all exposure in the log."""
    engine: float
    """Of all exposure in the engine's slates."""


class Tiers(msgspec.Struct, frozen=True):
    """Exposure by tier of the authors exposed in the log, who are ranked by it twice."""

    by_logged: tuple[Tier, ...]
    """Authors ranked by their exposure in the log."""
    by_engine: tuple[Tier, ...]
    """Authors ranked by their exposure in the engine's slates."""
    exposed_logged: int
    """Authors whom the log exposed: all that are ranked."""
    exposed_engine: int
    """Those of them who were in any slate of the engine."""
    outside: float
    """Share of the engine's exposure that went to authors whom the log never exposed; no tier has it."""


def tiers(logged: NDArray[np.float64], engine: NDArray[np.float64]) -> Tiers:
    """Return what the top 1% of the authors that the log exposed, the next 19% and the rest hold, by either ranking.

    Args:
        logged: exposure of each author in the log [a]; of equal ones the first ranks higher.
        engine: exposure of each in the engine's slates [a].
    """
    outside = float(engine[logged <= 0.0].sum() / max(engine.sum(), 1e-9))
    logged, engine = logged[logged > 0.0], engine[logged > 0.0]
    ends = [0, *(round(reach * len(logged)) for _, reach in TIERS)]
    sizes = np.diff(np.maximum.accumulate(ends)).tolist()

    def ranked(by: NDArray[np.float64]) -> tuple[Tier, ...]:
        names = [name for name, _ in TIERS]
        shares = (metrics.tier_shares(exposure, by, sizes) for exposure in (logged, engine))
        return tuple(Tier(*row) for row in zip(names, sizes, *shares, strict=True))

    return Tiers(ranked(logged), ranked(engine), len(logged), int((engine > 0.0).sum()), outside)
