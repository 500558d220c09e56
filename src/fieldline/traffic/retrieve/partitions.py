"""Partitions: the items of one scene, of one category or geo cell in a scene, with their vectors beside them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.facts import Place
from fieldline.traffic.retrieve import pool
from fieldline.traffic.retrieve.cells import Cell, cell_of
from fieldline.traffic.retrieve.pool import POOLED, Key, Pool, Pools
from fieldline.traffic.rows import BIAS, CLICK, DIMENSIONS, LONG_VIEW

LISTED = 256
"""Items that a scene's list of trending or of fresh items holds."""

NOTHING = np.zeros(0, np.int32)


@dataclass(slots=True)
class Partition:
    """Items that share a key, in the order in which they came; content orders by long views, goods by clicks."""

    task: int
    items: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((DIMENSIONS, 16), np.float32))
    biases: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    count: int = 0


@dataclass(slots=True)
class Partitions:
    """All partitions by key, and what is kept beside them."""

    by_key: dict[Key, Partition] = field(default_factory=dict)
    cells: dict[int, dict[Cell, None]] = field(default_factory=dict)
    """By scene, the geo cells that an item was ever in."""
    of_creator: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    """Each creator's items, newest first."""
    keys_of: list[tuple[Key, ...]] = field(default_factory=list)
    """Each item's partitions."""
    upcoming: list[tuple[int, int]] = field(default_factory=list)
    """(listed at, item) of items whose time has not come."""
    heat: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 2), np.float32))
    """Clicks and long views of each item, those of half a day ago counting half."""
    counted: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 2), np.float32))
    """Clicks and long views of each item when its heat was last brought up to date."""
    trending: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    """By scene, the items with the most heat, as of the newest tick."""
    fresh: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    """By scene, items that few have seen, the newest first."""
    pools: Pools = field(default_factory=Pools)
    """Indexes of the large ones."""


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
    """Put an item into its partitions, leaving those that it no longer belongs to; new to a scene, it is fresh.

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
        scene = int(key[1])
        if partition is None:
            partition = partitions.by_key[key] = Partition(CLICK if shelves[scene] else LONG_VIEW)
            if key[0] == "cell":
                partitions.cells.setdefault(scene, {})[int(key[2]), int(key[3])] = None
        if key not in partitions.keys_of[item]:
            _append(partition, item, row)
            pool.came(partitions.pools, key, item)
            if key[0] == "scene":
                known = partitions.fresh.get(scene, NOTHING)[: LISTED - 1]
                partitions.fresh[scene] = np.concatenate((np.array([item], np.int32), known))
    partitions.keys_of[item] = keys


def leave(partitions: Partitions, item: int, but: tuple[Key, ...] = ()) -> None:
    """Take an item out of its partitions, but for those named."""
    while len(partitions.keys_of) <= item:
        partitions.keys_of.append(())
    for key in partitions.keys_of[item]:
        if key not in but:
            _remove(partitions.by_key[key], item)
            pool.went(partitions.pools, key, item)
            if key[0] == "scene":
                for lists in (partitions.trending, partitions.fresh):
                    scene = int(key[1])
                    if scene in lists:
                        lists[scene] = lists[scene][lists[scene] != item]
    partitions.keys_of[item] = tuple(key for key in partitions.keys_of[item] if key in but)


def refresh(partitions: Partitions, rows: NDArray[np.float32]) -> None:
    """Copy the items' newest vectors from their rows [I, 32] beside every partition."""
    for partition in partitions.by_key.values():
        items = partition.items[: partition.count]
        first = partition.task * DIMENSIONS
        partition.vectors[:, : partition.count] = rows[items, first : first + DIMENSIONS].T
        partition.biases[: partition.count] = rows[items, BIAS + partition.task]


def index(partitions: Partitions) -> None:
    """Build the indexes that large partitions lack or have outgrown, where the extra `vectors` is there."""
    large = [key for key, partition in partitions.by_key.items() if partition.count > POOLED]
    pools = partitions.pools.by_key
    for key in [key for key in pools if key not in large]:
        del pools[key]
    for key in large if pool.available() else ():
        partition = partitions.by_key[key]
        if key not in pools or _stale(pools[key], partition):
            count = partition.count
            items, vectors = partition.items[:count].copy(), partition.vectors[:, :count]
            pools[key] = pool.build(items, vectors, partition.biases[:count])


def gathered(items: NDArray[np.int32], rows: NDArray[np.float32], task: int) -> Partition:
    """Return a partition of some items [n] as their packed rows [I, 32] are now, ordered by a task's chances."""
    vectors = rows[items, task * DIMENSIONS : (task + 1) * DIMENSIONS]
    return Partition(
        task, items, np.ascontiguousarray(vectors.T), rows[items, BIAS + task].copy(), len(items)
    )


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


def _stale(indexed: Pool, partition: Partition) -> bool:
    places = np.flatnonzero(np.isin(partition.items[: partition.count], indexed.watched))
    now = np.column_stack((partition.vectors[:, places].T, partition.biases[places]))
    order = np.argsort(partition.items[places])
    return pool.stale(indexed, partition.items[places][order], now[order])
