"""How models outside did, kept with the state: what was asked of them, and two of them on the same impressions.

Nothing here calls a model. Decisions say what was predicted, events say what came of it, so that the figures are
the same after every recovery, with or without the models' files.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Decision
from fieldline.traffic.rows import TASKS

COMPARED = TASKS[:2]
"""Tasks whose label is known when a decision closes."""
BINS, WIDEST = 128, 8.0
"""Bins of the log-odds, from −8 to 8, in which impressions are counted for the AUC."""
LEAST = 1e-6
"""Chances are kept so far from 0 and 1."""
FORGET = 0.01
"""Weight of a request in the share of silence of late."""


class Beside(msgspec.Struct, gc=False):
    """What the live model and the one beside it said of an open decision's slots."""

    live: str
    shadow: str
    chances: bytes
    """float32 [2, slots, 2]: live and shadow, click and long view; NaN: nothing said."""


@dataclass(slots=True)
class Outside:
    """The models that decisions were made with of late, and what became of it since both came."""

    live: str = ""
    """Empty: the embedded one."""
    shadow: str = ""
    """Empty: none."""
    since: int = 0
    requests: int = 0
    rescored: int = 0
    """Candidates that the live model was asked about."""
    fallbacks: int = 0
    """Those of them whose chances the embedded one gave, the model having none."""
    silence: float = 0.0
    """Share of fallbacks of late."""
    unsaid: int = 0
    """Impressions of which the shadow had said nothing."""
    impressions: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(COMPARED)))
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, len(COMPARED))))
    """Sums of −ln(chance of what came), live and shadow."""
    bins: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, len(COMPARED), 2, BINS)))
    """Impressions by model, task, label and log-odds."""


class Compared(NamedTuple):
    """Two models on the same impressions of one task."""

    task: str
    impressions: int
    log_loss: tuple[float, float]
    """Live, shadow."""
    auc: tuple[float | None, float | None]
    """Live, shadow; None where all labels are alike."""


def note(outside: Outside, decision: Decision) -> Outside:
    """Return the models' record after one more decision; other models begin a new one."""
    if (decision.model, decision.shadow_model) != (outside.live, outside.shadow):
        outside = Outside(decision.model, decision.shadow_model, decision.at)
    if decision.rescored:
        outside.requests += 1
        outside.rescored += decision.rescored
        outside.fallbacks += decision.fallbacks
        outside.silence += FORGET * (decision.fallbacks / decision.rescored - outside.silence)
    return outside


def beside(decision: Decision, chances: list[tuple[float, float, float]]) -> Beside | None:
    """Return what to keep of a decision until it closes; None where no model stood beside the live one.

    Args:
        decision: with what the shadow said.
        chances: the live model's, slot by slot: click, long view, order.
    """
    if not decision.shadow:
        return None
    told = np.frombuffer(decision.shadow, np.float32).reshape(-1, len(TASKS))
    live = np.array(chances, np.float32).reshape(-1, len(TASKS))
    kept = np.stack([live, told])[:, :, : len(COMPARED)]
    return Beside(decision.model, decision.shadow_model, kept.tobytes())


def compare(outside: Outside, told: Beside, slot: int, look: float, labels: tuple[bool, bool]) -> None:
    """Count one rendered slot for both models: q = e·p is the chance that it was looked at, and what came of it.

    Args:
        outside: changed in place; other models than those that it is about are left out.
        told: what both said.
        slot: which.
        look: e, chance that the slot was looked at.
        labels: whether it was clicked and watched long.
    """
    if (told.live, told.shadow) != (outside.live, outside.shadow):
        return
    chances = np.frombuffer(told.chances, np.float32).reshape(2, -1, len(COMPARED))[:, slot]
    if np.isnan(chances).any():
        outside.unsaid += 1
        return
    for task, label in enumerate(labels):
        outside.impressions[task] += 1.0
        for model in range(2):
            chance = min(max(look * float(chances[model, task]), LEAST), 1.0 - LEAST)
            outside.losses[model, task] -= math.log(chance if label else 1.0 - chance)
            outside.bins[model, task, int(label), bin_of(chance)] += 1.0


def bin_of(chance: float) -> int:
    """Return the bin of a chance: ⌊(ln(q/(1 − q)) + 8)·8⌋, between 0 and 127."""
    odds = math.log(chance / (1.0 - chance))
    return min(max(int((odds + WIDEST) * BINS / (2.0 * WIDEST)), 0), BINS - 1)


def compared(outside: Outside) -> tuple[Compared, ...]:
    """Return how the two models did on the same impressions, task by task; nothing before the first one."""
    return tuple(
        Compared(
            name,
            int(outside.impressions[task]),
            (
                float(outside.losses[0, task] / outside.impressions[task]),
                float(outside.losses[1, task] / outside.impressions[task]),
            ),
            (auc(outside.bins[0, task]), auc(outside.bins[1, task])),
        )
        for task, name in enumerate(COMPARED)
        if outside.impressions[task] > 0.0
    )


def auc(bins: NDArray[np.float64]) -> float | None:
    """Return the chance that an impression with the label stands above one without, ties (equal bins) counting half.

    Args:
        bins: [2, B] impressions without and with the label, by ascending score.

    Returns:
        None where all have the same label.
    """
    without, having = bins
    pairs = without.sum() * having.sum()
    if pairs == 0.0:
        return None
    below = np.concatenate([[0.0], np.cumsum(without)[:-1]])
    return float((having * (below + 0.5 * without)).sum() / pairs)
