"""What the second machine reads of a look: rates of each response, of the viewer, the item and its creator.

A rate is pooled with its task's prior before it is binned, by half units of log-odds: a viewer's counts as much as
half a response would be, an item's or a creator's as one and a half,

    p = (responses + c)/(looks + c/prior),   c = ½ or 1½

so that rare responses are shrunk over more looks than frequent ones. Viewer's and item's features are disjoint sets.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.responses import TASKS
from fieldline.traffic.prediction.features import (
    CATEGORY,
    CLICKS,
    CREATOR,
    HOUR,
    ITEM,
    LONGS,
    LOOKS,
    PRIOR_CLICKS,
    PRIOR_LONGS,
    SCENE,
    VIEWER,
    VIEWER_STRENGTH,
    count_bin,
    rate_bin,
    slot_of,
)

PRIORS = (0.015, 0.0015, 0.001, 0.07)
"""Means of a like, a follow, a hate and the watched share before anything is learned."""
VIEWER_RESPONSES, ITEM_RESPONSES = 0.5, 1.5
"""Responses that the prior counts for."""
LIKES_PER_LONG_VIEW, LONG_VIEW_STRENGTH = 0.03, 10.0
VIEWER_RATE, VIEWER_LIKES, VIEWER_LIKES_PER_LONG_VIEW = 40, 50, 51
ITEM_RATE, CREATOR_RATE = 60, 70
"""Kinds of features; a rate's is that of its task, from here on."""


class Told(NamedTuple):
    """What is known of responses, by number: of each task how many looks tell it, then the sum of its labels."""

    viewers: NDArray[np.float32]  # [V, 8]
    items: NDArray[np.float32]  # [I, 8]
    creators: NDArray[np.float32]  # [C, 8]


@njit(inline="always")
def response_bin(told: NDArray[np.float32], task: int, responses: float) -> int:
    """Return the bin of a task's pooled rate, half a unit of log-odds wide.

    Args:
        told: [8] looks and sums of labels.
        task: number.
        responses: that the prior counts for.
    """
    prior = PRIORS[task]
    found: int = rate_bin(told[TASKS + task], told[task], prior, responses / prior)
    return found


@njit
def viewer_marks(
    traits: NDArray[np.int32],
    counts: NDArray[np.float32],
    told: NDArray[np.float32],
    viewer: int,
    scene: int,
    hour: int,
    slots: int,
    out: NDArray[np.int32],
) -> int:
    """Write a viewer's features at a moment and return how many.

    Args:
        traits: [A] hashed, −1 = none.
        counts: [3] looks, clicks, long views.
        told: [8] looks and sums of labels of each response.
        viewer: number; below 0, someone of whom nothing is known: scene and hour are left.
        scene, hour: −1 = unknown (left out).
        slots: of the table.
        out: overwritten from 0.
    """
    n = 0
    if scene >= 0:
        out[n] = slot_of(SCENE, scene, 0, slots)
        n += 1
    if hour >= 0:
        out[n] = slot_of(HOUR, hour, 0, slots)
        n += 1
    if viewer < 0:
        return n
    out[n] = slot_of(VIEWER, viewer, 0, slots)
    out[n + 1] = slot_of(LOOKS, count_bin(counts[0]), 0, slots)
    out[n + 2] = slot_of(CLICKS, rate_bin(counts[1], counts[0], PRIOR_CLICKS, VIEWER_STRENGTH), 0, slots)
    out[n + 3] = slot_of(LONGS, rate_bin(counts[2], counts[0], PRIOR_LONGS, VIEWER_STRENGTH), 0, slots)
    likes = told[TASKS]
    out[n + 4] = slot_of(VIEWER_LIKES, count_bin(likes), 0, slots)
    per_long = rate_bin(likes, counts[2], LIKES_PER_LONG_VIEW, LONG_VIEW_STRENGTH)
    out[n + 5] = slot_of(VIEWER_LIKES_PER_LONG_VIEW, per_long, 0, slots)
    n += 6
    for task in range(TASKS):
        out[n] = slot_of(VIEWER_RATE + task, response_bin(told, task, VIEWER_RESPONSES), 0, slots)
        n += 1
    for trait in traits:
        if trait >= 0:
            out[n] = trait % slots
            n += 1
    return n


@njit
def item_marks(
    traits: NDArray[np.int32],
    category: int,
    creator: int,
    told: Told,
    item: int,
    slots: int,
    out: NDArray[np.int32],
) -> int:
    """Write an item's features as it stands now and return how many.

    Args:
        traits: [S] hashed, −1 = none.
        category: number.
        creator: number, −1 = none.
        told: looks and sums of labels of each response.
        item: number.
        slots: of the table.
        out: overwritten from 0.
    """
    out[0] = slot_of(ITEM, item, 0, slots)
    out[1] = slot_of(CATEGORY, category, 0, slots)
    n = 2
    for task in range(TASKS):
        out[n] = slot_of(ITEM_RATE + task, response_bin(told.items[item], task, ITEM_RESPONSES), 0, slots)
        n += 1
    if creator >= 0:
        out[n] = slot_of(CREATOR, creator, 0, slots)
        n += 1
        for task in range(TASKS):
            rate = response_bin(told.creators[creator], task, ITEM_RESPONSES)
            out[n] = slot_of(CREATOR_RATE + task, rate, 0, slots)
            n += 1
    for trait in traits:
        if trait >= 0:
            out[n] = trait % slots
            n += 1
    return n


@njit
def count_responses(
    told: Told,
    viewer: int,
    item: int,
    creator: int,
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Count one look's known responses for its item and, where there are any, its creator and viewer."""
    for task in range(TASKS):
        if weights[task] == np.float32(0.0):
            continue
        told.items[item, task] += np.float32(1.0)
        told.items[item, TASKS + task] += labels[task]
        if creator >= 0:
            told.creators[creator, task] += np.float32(1.0)
            told.creators[creator, TASKS + task] += labels[task]
        if viewer >= 0:
            told.viewers[viewer, task] += np.float32(1.0)
            told.viewers[viewer, TASKS + task] += labels[task]
