"""Retrieval: which items compete for a request, from contiguous partitions scanned exactly.

A partition is the list of the items of one scene, one category or one geo cell in a scene, or under contract in
a scene, with its items' vectors beside it. A partition that fits its share of the candidates is taken whole; a
larger one gives its best by predicted long view (content) or click (goods). A followed creator gives the newest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.facts import Place
from fieldline.traffic.kernels.scan import begin, scan, take_back
from fieldline.traffic.rows import BIAS, CLICK, DIMENSIONS, LONG_VIEW

CELL_DEGREES = 0.1
"""Side of a geo cell: about 11 km of latitude."""

FOLLOWED, NEAR, CATEGORY, PROMOTED = 0.10, 0.25, 0.50, 0.25
"""Most of the candidates that each source may give; the scene's own partition gives the rest."""

NEWEST = 20
"""Items that one followed creator may give."""

FEW = 50
"""Candidates below which items shown lately come back."""

NOTHING = np.zeros(0, np.int32)

Key = tuple[str | int, ...]


@dataclass(slots=True)
class Partition:
    """Items that share a key, in the order in which they came."""

    task: int
    items: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((DIMENSIONS, 16), np.float32))
    biases: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    count: int = 0


@dataclass(slots=True)
class Partitions:
    """All partitions by key."""

    by_key: dict[Key, Partition] = field(default_factory=dict)
    of_creator: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """Each creator's items, newest first."""
    keys_of: list[tuple[Key, ...]] = field(default_factory=list)
    """Each item's partitions."""
    upcoming: list[tuple[int, int]] = field(default_factory=list)
    """(listed at, item) of items whose time has not come."""


@dataclass(slots=True)
class Scratch:
    """Room for one request's retrieval; no part of the state."""

    stamp: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    epoch: int = 0
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, 16), np.float32))
    kept: NDArray[np.int32] = field(default_factory=lambda: np.zeros((2, 17), np.int32))
    out: NDArray[np.int32] = field(default_factory=lambda: np.zeros(20_000, np.int32))


def cell_of(place: Place) -> tuple[int, int]:
    """Return the geo cell of a place."""
    return int(place.latitude // CELL_DEGREES), int(place.longitude // CELL_DEGREES)


def keys_of(scenes: tuple[int, ...], category: str, place: Place | None) -> tuple[Key, ...]:
    """Return the partitions that an item belongs to."""
    keys: list[Key] = []
    for scene in scenes:
        keys += [("scene", scene), ("category", scene, category)]
        if place:
            keys.append(("cell", scene, *cell_of(place)))
    return tuple(keys)


def enter(
    partitions: Partitions,
    item: int,
    keys: tuple[Key, ...],
    shelves: tuple[bool, ...],
    row: NDArray[np.float32],
) -> None:
    """Put an item into its partitions, leaving those that it no longer belongs to.

    Args:
        partitions: changed in place.
        item: its number.
        keys: where it belongs.
        shelves: by scene number, whether it orders by clicks.
        row: the item's packed row.
    """
    leave(partitions, item, keys)
    for key in keys:
        partition = partitions.by_key.get(key)
        if partition is None:
            shelf = shelves[int(key[1])]
            partition = partitions.by_key[key] = Partition(CLICK if shelf else LONG_VIEW)
        if key not in partitions.keys_of[item]:
            _append(partition, item, row)
    partitions.keys_of[item] = keys


def leave(partitions: Partitions, item: int, but: tuple[Key, ...] = ()) -> None:
    """Take an item out of its partitions, but for those named."""
    while len(partitions.keys_of) <= item:
        partitions.keys_of.append(())
    for key in partitions.keys_of[item]:
        if key not in but:
            _remove(partitions.by_key[key], item)
    partitions.keys_of[item] = tuple(key for key in partitions.keys_of[item] if key in but)


def refresh(partitions: Partitions, rows: NDArray[np.float32]) -> None:
    """Copy the items' newest vectors from their rows [I, 32] beside every partition."""
    for partition in partitions.by_key.values():
        items = partition.items[: partition.count]
        first = partition.task * DIMENSIONS
        partition.vectors[:, : partition.count] = rows[items, first : first + DIMENSIONS].T
        partition.biases[: partition.count] = rows[items, BIAS + partition.task]


def gathered(items: NDArray[np.int32], rows: NDArray[np.float32], shelf: bool) -> Partition:
    """Return a partition of some items, in order of their numbers.

    Args:
        items: [n], ascending.
        rows: packed rows [I, 32].
        shelf: whether it orders by clicks.
    """
    task = CLICK if shelf else LONG_VIEW
    vectors = rows[items, task * DIMENSIONS : (task + 1) * DIMENSIONS]
    return Partition(
        task, items, np.ascontiguousarray(vectors.T), rows[items, BIAS + task].copy(), len(items)
    )


def retrieve(
    partitions: Partitions,
    scratch: Scratch,
    viewer: NDArray[np.float32],
    scene: int,
    *,
    limit: int,
    forced: NDArray[np.int32],
    seen: NDArray[np.int32],
    promoted: Partition | None,
    category: str | None,
    follows: Iterable[str],
    place: Place | None,
) -> NDArray[np.int32]:
    """Return a request's candidates: those forced, then followed, near, of the category, promoted, of the scene.

    Args:
        partitions: where to look.
        scratch: overwritten.
        viewer: the viewer's side of the predictor [27].
        scene: its number.
        limit: most candidates.
        forced: items that must be there.
        seen: items that the viewer was shown lately, −1 = none; they come back only where little else is left.
        promoted: the scene's items with contracts in force.
        category: asked for, or None.
        follows: creator ids that the viewer follows.
        place: where the viewer is, or None.

    Returns:
        Item numbers [n ≤ limit], each once; a view that the next call overwrites.
    """
    scratch.epoch += 1
    scratch.stamp = grown(scratch.stamp, len(partitions.keys_of))
    if len(scratch.out) <= limit + len(forced):
        scratch.out = np.zeros(limit + len(forced) + 1, np.int32)
    stamp, epoch, out = scratch.stamp, scratch.epoch, scratch.out
    limit = max(limit, len(forced))
    newest = _newest(partitions, follows)
    found = begin(forced, seen, newest, int(limit * FOLLOWED), stamp, epoch, out, limit)
    by_key = partitions.by_key
    for partition, part in (
        (by_key.get(("cell", scene, *cell_of(place))) if place else None, NEAR),
        (by_key.get(("category", scene, category)) if category else None, CATEGORY),
        (promoted, PROMOTED),
        (by_key.get(("scene", scene)), 1.0),
    ):
        if partition:
            found = _from(scratch, partition, viewer, found, min(limit - found, int(limit * part)))
    if found < FEW:
        found = int(take_back(seen, stamp, epoch, out, found, min(FEW, limit) - found))
    return out[:found]


def _from(scratch: Scratch, partition: Partition, viewer: NDArray[np.float32], found: int, quota: int) -> int:
    count = partition.count
    if quota <= 0:
        return found
    if scratch.scores.shape[1] < count:
        scratch.scores = np.zeros((2, 2 * count), np.float32)
        scratch.kept = np.zeros((2, 2 * count + 1), np.int32)
    first = partition.task * DIMENSIONS
    return int(
        scan(
            partition.items, partition.vectors, partition.biases, count, viewer[first : first + DIMENSIONS],
            scratch.scores, scratch.kept, scratch.stamp, scratch.epoch, scratch.out, found, quota,
        )
    )  # fmt: skip


def _newest(partitions: Partitions, follows: Iterable[str]) -> NDArray[np.int32]:
    of_creator = partitions.of_creator
    newest = [of_creator[name][:NEWEST] for name in follows if name in of_creator]
    return np.concatenate(newest) if newest else NOTHING


def _append(partition: Partition, item: int, row: NDArray[np.float32]) -> None:
    count = partition.count
    partition.items = grown(partition.items, count + 1)
    partition.biases = grown(partition.biases, count + 1)
    if partition.vectors.shape[1] <= count:
        partition.vectors = np.pad(partition.vectors, ((0, 0), (0, partition.vectors.shape[1])))
    first = partition.task * DIMENSIONS
    partition.items[count] = item
    partition.vectors[:, count] = row[first : first + DIMENSIONS]
    partition.biases[count] = row[BIAS + partition.task]
    partition.count = count + 1


def _remove(partition: Partition, item: int) -> None:
    place = int(np.flatnonzero(partition.items[: partition.count] == item)[0])
    last = partition.count - 1
    partition.items[place] = partition.items[last]
    partition.vectors[:, place] = partition.vectors[:, last]
    partition.biases[place] = partition.biases[last]
    partition.count = last
