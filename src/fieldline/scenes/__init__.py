"""Scenes: surfaces where people meet goods, and the chance that each of their slots is looked at.

e_k starts at the declared curve and is re-estimated from randomised requests, where the order owes nothing to
the engine: e_k = (n0·d_k + clicks_k) / (n0 + Σ p), with d the declared curve, p the predicted chance of a click
given a look of what stood in slot k, and n0 = 50 looks' worth of clicks; then e_0 is held at its declared value
and the curve is made non-increasing. Source: position-based model (Craswell et al., WSDM 2008).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Policy

PRIOR_CLICKS = 50.0

DEFAULT_LOOKS = {
    "video": tuple(round(0.93**k, 4) for k in range(6)),
    "live": tuple(round(0.90**k, 4) for k in range(6)),
    "mall": tuple(round(0.85**k, 4) for k in range(10)),
    "search": tuple(round(0.80**k, 4) for k in range(10)),
    "follow": tuple(round(0.95**k, 4) for k in range(6)),
    "local": tuple(round(0.88**k, 4) for k in range(6)),
}
"""Declared curves of the scenes that a new platform has."""


@dataclass(slots=True)
class Curve:
    """What randomised requests said about one scene."""

    declared: NDArray[np.float64]  # [K]
    clicks: NDArray[np.float64]  # [K]
    expected: NDArray[np.float64]  # [K]
    looks: NDArray[np.float64]  # [K], the estimate in use
    shelf: bool = False


@dataclass(slots=True)
class Scenes:
    """Every scene, by name; its number is its bit in an item's scenes."""

    numbers: dict[str, int] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def reduce(scenes: Scenes, policy: Policy) -> Scenes:
    """Take the policy's scenes; a scene whose declared curve did not change keeps what was learned."""
    for spec in policy.scenes:
        declared = np.array(spec.looks, np.float64)
        number = scenes.numbers.get(spec.name)
        zeros = np.zeros(len(declared), np.float64)
        fresh = Curve(declared, zeros, zeros.copy(), declared.copy(), spec.shelf)
        if number is None:
            scenes.numbers[spec.name] = len(scenes.curves)
            scenes.curves.append(fresh)
            scenes.names.append(spec.name)
        elif not np.array_equal(scenes.curves[number].declared, declared):
            scenes.curves[number] = fresh
    return scenes


def learn(scenes: Scenes, number: int, slot: int, clicked: bool, predicted: float) -> None:
    """Count one randomised impression.

    Args:
        number: the scene's.
        slot: from 0.
        clicked: whether it was clicked.
        predicted: chance of a click given a look, as predicted when it was shown.
    """
    curve = scenes.curves[number]
    curve.clicks[slot] += clicked
    curve.expected[slot] += predicted


def estimate(curve: Curve) -> NDArray[np.float64]:
    """Return e_k, shape [K], from a curve's counts (the formula stands at the top of this module)."""
    raw = (PRIOR_CLICKS * curve.declared + curve.clicks) / (PRIOR_CLICKS + curve.expected)
    raw = raw * (curve.declared[0] / max(raw[0], 1e-9))
    return np.minimum(np.minimum.accumulate(raw), 1.0)


def refresh(scenes: Scenes) -> None:
    """Put every scene's newest estimate into use."""
    for curve in scenes.curves:
        curve.looks = estimate(curve)
