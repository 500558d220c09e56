"""What the predictor knows of a viewer and of an item, as hashed feature ids.

A viewer's features and an item's are disjoint sets, so that each folds into its own side. Rates are smoothed
and binned on the log-odds scale, ⌊2·ln(p/(1 − p))⌋ with p = (hits + prior·strength)/(looks + strength);
counts on the log scale, ⌊log2(1 + looks)⌋. The last items watched long enter as the row's bag.
"""

import math
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import mix
from fieldline.facts import LiveRoom, Product, Video, Viewer
from fieldline.traffic.kernels.fm import BAG

VIEWER, SCENE, HOUR, SINCE, LOOKS, CLICKS, LONGS, CLICKS_HERE, LONGS_HERE = range(1, 10)
RECENT_ITEM, RECENT_CATEGORY = 10, 11
LOOKS_HERE = 21
ITEM, CREATOR, CATEGORY, ITEM_LOOKS, ITEM_CLICKS, ITEM_LONGS = range(12, 18)
CREATOR_LOOKS, CREATOR_CLICKS, CREATOR_LONGS = range(18, 21)

PRIOR_CLICKS, PRIOR_LONGS = 0.4, 0.3
VIEWER_STRENGTH, HERE_STRENGTH, ITEM_STRENGTH = 10.0, 5.0, 20.0
"""Looks that the prior rate counts for."""

VIEWER_TRAITS, ITEM_TRAITS = 32, 12
"""Most words that count; further ones are left out."""
MOST_RECENT = 64
"""Most items that a viewer's ring may hold."""
VIEWER_FEATURES = 10 + VIEWER_TRAITS + 2 * MOST_RECENT
ITEM_FEATURES = 9 + ITEM_TRAITS
WIDEST = VIEWER_FEATURES + ITEM_FEATURES


class ViewerColumns(NamedTuple):
    """What is known of viewers, by number."""

    traits: NDArray[np.int32]  # [V, A] slots, −1 = none
    counts: NDArray[np.float32]  # [V, 3] looks, clicks, long views
    recent: NDArray[np.int32]  # [V, R] ring of the items last watched long, −1 = none
    recent_end: NDArray[np.int32]  # [V] how many were ever put into the ring
    here: NDArray[np.float32]  # [V, S, 3] looks, clicks, long views in each scene; none in scenes beyond


class ItemColumns(NamedTuple):
    """What is known of items and their creators, by number."""

    traits: NDArray[np.int32]  # [I, S] slots, −1 = none
    counts: NDArray[np.float32]  # [I, 3] looks, clicks, long views
    creator: NDArray[np.int32]  # [I], −1 = none
    category: NDArray[np.int32]  # [I], −1 = none
    creator_counts: NDArray[np.float32]  # [C, 3]


def slot_of_word(word: str, slots: int) -> int:
    """Return the slot of a categorical word, the same on every machine."""
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little") % slots


def viewer_traits(fact: Viewer, slots: int) -> NDArray[np.int32]:
    """Return the slots of a viewer's traits, int32 [32], −1 = none."""
    return _padded([f"viewer {trait}" for trait in fact.traits], VIEWER_TRAITS, slots)


def item_traits(fact: Video | LiveRoom | Product, slots: int) -> NDArray[np.int32]:
    """Return the slots of what does not change about an item, int32 [12], −1 = none.

    Its kind; a video's length in half-octaves of seconds and its traits; a product's price in octaves.
    """
    words = [f"item kind={type(fact).__name__}"]
    if isinstance(fact, Video):
        words.append(f"item length={int(2.0 * math.log2(1.0 + fact.duration_ms / 1_000))}")
        words += [f"item {trait}" for trait in fact.traits]
    elif isinstance(fact, Product):
        words.append(f"item price={fact.price.bit_length()}")
    return _padded(words, ITEM_TRAITS, slots)


@njit(inline="always")
def slot_of(kind: int, a: int, b: int, slots: int) -> int:
    """Return the slot of a numbered feature, or of a pair of numbers."""
    word = mix(np.uint64(kind) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(np.int64(a)))
    return int(mix(word + np.uint64(np.int64(b) + 1) * np.uint64(0xD1342543DE82EF95)) % np.uint64(slots))


@njit(inline="always")
def rate_bin(hits: float, looks: float, prior: float, strength: float) -> int:
    """Return the bin of a smoothed rate, half a unit of log-odds wide: −20 … 19."""
    p = (hits + prior * strength) / (looks + strength)
    p = min(max(p, 5e-5), 1.0 - 5e-5)
    return math.floor(2.0 * math.log(p / (1.0 - p)))


@njit(inline="always")
def count_bin(count: float) -> int:
    """Return the octave of a count: 0 for 0, 1 for 1 and 2, 2 for 3 to 6, …"""
    return int(math.log2(1.0 + max(count, 0.0)))


@njit(inline="always")
def _click_bin(clicks: float, looks: float) -> int:
    found: int = rate_bin(clicks, looks, PRIOR_CLICKS, ITEM_STRENGTH)
    return found


@njit(inline="always")
def _long_bin(longs: float, looks: float) -> int:
    found: int = rate_bin(longs, looks, PRIOR_LONGS, ITEM_STRENGTH)
    return found


@njit
def viewer_features(
    viewers: ViewerColumns,
    items: ItemColumns,
    viewer: int,
    scene: int,
    hour: int,
    since_ms: int,
    slots: int,
    out: NDArray[np.int32],
) -> int:
    """Write a viewer's features at a moment and return how many.

    Args:
        viewers, items: columns.
        viewer: number; below 0, someone of whom nothing is known: scene and hour are left.
        scene: number, −1 = unknown (left out).
        hour: of the day, −1 = unknown (left out).
        since_ms: since the viewer's last look, −1 = unknown (left out).
        slots: of the predictor's table.
        out: int32 [≥ VIEWER_FEATURES], overwritten from 0.

    Returns:
        n; out[:n] are the features, the bag last.
    """
    n = 0
    if viewer < 0:  # nobody we know, or who opted out: where and when alone
        if scene >= 0:
            out[n] = slot_of(SCENE, scene, 0, slots)
            n += 1
        if hour >= 0:
            out[n] = slot_of(HOUR, hour, 0, slots)
            n += 1
        return n
    out[n] = slot_of(VIEWER, viewer, 0, slots)
    n += 1
    for trait in viewers.traits[viewer]:
        if trait >= 0:
            out[n] = trait
            n += 1
    looks, clicks, longs = viewers.counts[viewer]
    click_bin = rate_bin(clicks, looks, PRIOR_CLICKS, VIEWER_STRENGTH)
    long_bin = rate_bin(longs, looks, PRIOR_LONGS, VIEWER_STRENGTH)
    out[n] = slot_of(LOOKS, count_bin(looks), 0, slots)
    out[n + 1] = slot_of(CLICKS, click_bin, 0, slots)
    out[n + 2] = slot_of(LONGS, long_bin, 0, slots)
    n += 3
    if scene >= 0:
        out[n] = slot_of(SCENE, scene, 0, slots)
        here = viewers.here[viewer, scene] if scene < viewers.here.shape[1] else np.zeros(3, np.float32)
        looks, clicks, longs = here
        out[n + 1] = slot_of(LOOKS_HERE, count_bin(looks), scene, slots)
        out[n + 2] = slot_of(CLICKS_HERE, rate_bin(clicks, looks, PRIOR_CLICKS, HERE_STRENGTH), scene, slots)
        out[n + 3] = slot_of(LONGS_HERE, rate_bin(longs, looks, PRIOR_LONGS, HERE_STRENGTH), scene, slots)
        n += 4
    if hour >= 0:
        out[n] = slot_of(HOUR, hour, 0, slots)
        n += 1
    if since_ms >= 0:
        out[n] = slot_of(SINCE, count_bin(since_ms / 60_000.0), max(scene, 0), slots)
        n += 1
    for item in viewers.recent[viewer]:
        if item >= 0:
            out[n] = slot_of(RECENT_ITEM, item, 0, slots) | BAG
            out[n + 1] = slot_of(RECENT_CATEGORY, items.category[item], 0, slots) | BAG
            n += 2
    return n


@njit
def item_features(items: ItemColumns, item: int, slots: int, out: NDArray[np.int32]) -> int:
    """Write an item's features as it stands now and return how many.

    Args:
        items: columns.
        item: number.
        slots: of the predictor's table.
        out: int32 [≥ ITEM_FEATURES], overwritten from 0.

    Returns:
        n; out[:n] are the features.
    """
    n = 0
    out[n] = slot_of(ITEM, item, 0, slots)
    n += 1
    for trait in items.traits[item]:
        if trait >= 0:
            out[n] = trait
            n += 1
    looks, clicks, longs = items.counts[item]
    out[n] = slot_of(CATEGORY, items.category[item], 0, slots)
    out[n + 1] = slot_of(ITEM_LOOKS, count_bin(looks), 0, slots)
    out[n + 2] = slot_of(ITEM_CLICKS, _click_bin(clicks, looks), 0, slots)
    out[n + 3] = slot_of(ITEM_LONGS, _long_bin(longs, looks), 0, slots)
    n += 4
    creator = items.creator[item]
    if creator >= 0:
        looks, clicks, longs = items.creator_counts[creator]
        out[n] = slot_of(CREATOR, creator, 0, slots)
        out[n + 1] = slot_of(CREATOR_LOOKS, count_bin(looks), 0, slots)
        out[n + 2] = slot_of(CREATOR_CLICKS, _click_bin(clicks, looks), 0, slots)
        out[n + 3] = slot_of(CREATOR_LONGS, _long_bin(longs, looks), 0, slots)
        n += 4
    return n


@njit
def count(
    viewers: ViewerColumns,
    items: ItemColumns,
    viewer: int,
    item: int,
    scene: int,
    click: float,
    long_view: float,
) -> None:
    """Count one look, with what came of it, for item, creator and viewer (if known); a long view enters the ring."""
    creator = items.creator[item]
    items.counts[item, 0] += np.float32(1.0)
    items.counts[item, 1] += np.float32(click)
    items.counts[item, 2] += np.float32(long_view)
    if creator >= 0:
        items.creator_counts[creator, 0] += np.float32(1.0)
        items.creator_counts[creator, 1] += np.float32(click)
        items.creator_counts[creator, 2] += np.float32(long_view)
    if viewer < 0:
        return
    viewers.counts[viewer, 0] += np.float32(1.0)
    viewers.counts[viewer, 1] += np.float32(click)
    viewers.counts[viewer, 2] += np.float32(long_view)
    if 0 <= scene < viewers.here.shape[1]:
        viewers.here[viewer, scene, 0] += np.float32(1.0)
        viewers.here[viewer, scene, 1] += np.float32(click)
        viewers.here[viewer, scene, 2] += np.float32(long_view)
    if long_view > 0.5:
        end = viewers.recent_end[viewer]
        viewers.recent[viewer, end % viewers.recent.shape[1]] = item
        viewers.recent_end[viewer] = end + 1


def _padded(words: list[str], width: int, slots: int) -> NDArray[np.int32]:
    padded = np.full(width, -1, np.int32)
    found = [slot_of_word(word, slots) for word in words[:width]]
    padded[: len(found)] = found
    return padded
