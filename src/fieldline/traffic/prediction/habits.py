"""Habits: how a viewer's looks went in each scene, how the last one went, and how much was liked before the log."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown


@dataclass(slots=True)
class Habits:
    """Columns by viewer's number."""

    scenes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 1, 3), np.float32))
    """Each viewer's looks, clicks and long views by scene, [V, S, 3]."""
    last: NDArray[np.float32] = field(default_factory=lambda: np.full((16, 2), np.nan, np.float32))
    """Whether each viewer's newest look was clicked and watched long, NaN = none."""
    hearted: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Each viewer's likes from before the log."""


def place(habits: Habits, viewer: int, hearted: int) -> None:
    """Make room for a viewer, who liked so many items before the log.

    Args:
        habits: changed in place.
        viewer: number.
        hearted: how many.
    """
    habits.scenes = grown(habits.scenes, viewer + 1)
    habits.last = grown(habits.last, viewer + 1, np.nan)
    habits.hearted = grown(habits.hearted, viewer + 1)
    habits.hearted[viewer] = hearted


def enter(habits: Habits, scene: int) -> None:
    """Make room for a scene, in which `features.count` then counts."""
    missing = scene + 1 - habits.scenes.shape[1]
    if missing > 0:
        habits.scenes = np.pad(habits.scenes, ((0, 0), (0, missing), (0, 0)))


def forget(habits: Habits, viewer: int) -> None:
    """Take all that is counted of a viewer away."""
    habits.scenes[viewer] = 0.0
    habits.last[viewer] = np.nan
    habits.hearted[viewer] = 0.0
