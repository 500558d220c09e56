"""Lists that need no vector, ranked at ticks: what is trending in each scene, and what is fresh there."""

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.traffic.retrieve.partitions import LISTED, Partition, Partitions
from fieldline.traffic.rows import LONG_VIEW
from fieldline.units import HOUR

HALF_LIFE = 12 * HOUR
"""Time after which a click or a long view counts half as trending."""

FEW_LOOKS = 100.0
"""Looks below which an item is fresh, whatever its age."""


def rank(
    partitions: Partitions, counts: NDArray[np.float32], uploaded: NDArray[np.int64], elapsed_ms: int
) -> None:
    """Bring heat up to date and rank every scene's trending and fresh items anew.

    heat ← heat·2^(−elapsed/12 h) + what came since;   trending: the most heat, ties by the lower number;
    fresh: of those with fewer than 100 looks the newest, ties by the higher number.

    Args:
        partitions: changed in place.
        counts: looks, clicks and long views of each item [≥ I, 3].
        uploaded: since when each item may be shown, ms [≥ I].
        elapsed_ms: since this was last done.
    """
    count = len(partitions.keys_of)
    partitions.heat = grown(partitions.heat, count)
    partitions.counted = grown(partitions.counted, count)
    heat, counted, now = partitions.heat[:count], partitions.counted[:count], counts[:count, 1:3]
    heat *= np.float32(0.5 ** (elapsed_ms / HALF_LIFE))
    heat += now - counted
    counted[:] = now
    for key, partition in partitions.by_key.items():
        if key[0] == "scene":
            scene, items = int(key[1]), partition.items[: partition.count]
            partitions.trending[scene] = _hottest(items, heat[items, _column(partition)])
            partitions.fresh[scene] = _newest(items[counts[items, 0] < FEW_LOOKS], uploaded)


def _column(partition: Partition) -> int:
    return 1 if partition.task == LONG_VIEW else 0


def _hottest(items: NDArray[np.int32], heat: NDArray[np.float32]) -> NDArray[np.int32]:
    least = 1e-3
    if len(heat) > LISTED:
        least = max(least, float(np.partition(heat, len(heat) - LISTED)[len(heat) - LISTED]))
    hot = np.flatnonzero(heat >= least)
    found: NDArray[np.int32] = items[hot][np.lexsort((items[hot], -heat[hot]))][:LISTED]
    return found


def _newest(items: NDArray[np.int32], uploaded: NDArray[np.int64]) -> NDArray[np.int32]:
    listed = uploaded[items]
    if len(items) > LISTED:
        least = np.partition(listed, len(items) - LISTED)[len(items) - LISTED]
        items, listed = items[listed >= least], listed[listed >= least]
    found: NDArray[np.int32] = items[np.lexsort((-items, -listed))][:LISTED]
    return found
