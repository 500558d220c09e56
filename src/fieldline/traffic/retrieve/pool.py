"""The pool: an index of one large partition's vectors, so that its best are found without scanning it whole.

An inverted file of 8-bit vectors (IVF-SQ8): faiss clusters them by distance, which makes lists of even length; a
query looks into the lists whose centres have the largest product with it, and scans them by the engine's own kernel
(ADR 0014). It is derived from the state and never logged or saved: built at a tick, used until enough has changed.
Items that came since stand in a tail and are always among those offered; items that left are dropped from what is
found, which is why more is asked for than is wanted; what is found is ordered by the vectors as they are now. Needs
the extra `vectors`; without it every partition is scanned exactly.
"""

import math
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing
from fieldline.traffic.kernels.lists import AT_ONCE, pack, products, scan_lists
from fieldline.traffic.kernels.scan import MARKS, best

POOLED = 100_000
"""Items of a partition above which it has an index (ADR 0014)."""

PAYS = 75
"""Items for each that is to be found, above which the index is quicker than the exact scan."""

OVER = 2
"""How many times more are found than are wanted: some left, others are better by their newest vectors."""

CHANGED = 0.05
"""Share of its items that may have come or left before an index is built again."""

DRIFT = 0.05
"""Share of their variance by which vectors may have moved before an index is built again."""

SAMPLE = 1_024
"""Vectors that are watched for drift."""

PROBED_NARROW, PROBED_WIDE = 1 / 20, 1 / 43
"""Share of the lists that a search looks into, at least, for vectors of less than 32 words and of more."""

READ = 8
"""Items that a search looks at for each that is wanted, at least."""

ROUNDS, LEARNED_FROM = 6, 40
"""Rounds of the clustering, and vectors a list that it learns from."""

NONE = np.zeros(0, np.int32)


Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """Items by list, over [vector, bias, zeros] of d words."""

    centroids: NDArray[np.float32]  # [d, L]
    start: NDArray[np.int64]  # [L + 1] where each list begins
    numbers: NDArray[np.int32]  # [n] items by list
    words: NDArray[np.uint8]  # [n·d] as `kernels.lists.pack` writes them
    step: NDArray[np.float32]  # [d] what one of 255 steps is worth


@dataclass(slots=True)
class Pool:
    """An index, and what has changed since it was built."""

    lists: Lists
    size: int
    """Items that it was built from."""
    here: NDArray[np.bool_]
    """By number, whether the index holds the item and it has not left since."""
    tail: NDArray[np.int32]
    """Items that came since."""
    left: int
    """How many left since."""
    watched: NDArray[np.int32]
    """Some that it was built from, ascending."""
    then: NDArray[np.float32]
    """What was indexed of them [≤ 1,024, d + 1]."""
    stamp: NDArray[np.int32] = field(repr=False)
    """Scratch by item number."""
    epoch: int = 0


class Pools:
    """The indexes of large partitions by key, derived from the state and never saved."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[Key, Pool] = {}


def came(pools: Pools, key: Key, item: int) -> None:
    """Offer an item that came into a partition from the next request on."""
    pool = pools.by_key.get(key)
    if pool is not None:
        pool.tail = np.append(pool.tail, np.int32(item))


def went(pools: Pools, key: Key, item: int) -> None:
    """Offer an item that left a partition no longer."""
    pool = pools.by_key.get(key)
    if pool is None:
        return
    if item < len(pool.here) and pool.here[item]:
        pool.here[item] = False
        pool.left += 1
    else:
        pool.tail = pool.tail[pool.tail != item]


def available() -> bool:
    """Return whether the extra `vectors` is installed."""
    return find_spec("faiss") is not None


def build(
    items: NDArray[np.int32], vectors: NDArray[np.float32], biases: NDArray[np.float32], seed: int = 1
) -> Pool:
    """Return an index of items; the same items in the same order give the same index.

    Args:
        items: numbers [n].
        vectors: [d, n].
        biases: [n].
        seed: of the clustering.

    Raises:
        Missing: the extra `vectors` is not installed.
    """
    try:
        faiss: Any = import_module("faiss")
    except ImportError:
        raise Missing("faiss-cpu", "vectors") from None
    rows = _rows(vectors, biases)
    lists = lists_of(len(items))
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # the sums of several threads would come in any order
    centres = faiss.IndexFlatL2(rows.shape[1])
    clusters = faiss.Clustering(rows.shape[1], lists)
    clusters.seed, clusters.niter, clusters.max_points_per_centroid = seed, ROUNDS, LEARNED_FROM
    clusters.min_points_per_centroid = 1
    clusters.train(rows[:: max(1, len(rows) // (LEARNED_FROM * lists))], centres)
    belongs = centres.search(rows, 1)[1][:, 0]
    faiss.omp_set_num_threads(threads)
    centroids = faiss.vector_to_array(clusters.centroids).reshape(lists, rows.shape[1])
    packed = _packed(items, rows, centroids, belongs)
    here = np.zeros(int(items.max()) + 1, bool)
    here[items] = True
    some = np.arange(0, len(items), max(1, len(items) // SAMPLE))[:SAMPLE]
    some = some[np.argsort(items[some])]
    width = len(vectors) + 1
    watched, then = items[some].copy(), rows[some, :width].copy()
    return Pool(packed, len(items), here, NONE, 0, watched, then, np.zeros(len(here), np.int32))


def nearest(pool: Pool, query: NDArray[np.float32], wanted: int) -> NDArray[np.int32]:
    """Return the items of an index with the largest vector·query + bias, about, and all that came since.

    Args:
        pool: the index.
        query: [d].
        wanted: how many, before those that left are taken out.

    Returns:
        Item numbers [≤ wanted + tail], in no order that matters: the exact scores come after.
    """
    lists, least = pool.lists, PROBED_NARROW if len(query) < 31 else PROBED_WIDE
    asked = np.zeros(len(lists.step), np.float32)
    asked[: len(query)] = query
    asked[len(query)] = 1.0
    count = lists.centroids.shape[1]
    probed = max(1, int(count * min(max(least, READ * wanted / pool.size), 1.0)))
    closeness = np.empty(count, np.float32)
    products(lists.centroids, asked, closeness)
    near = np.argpartition(closeness, count - probed)[count - probed :]
    room = int((lists.start[near + 1] - lists.start[near]).sum())
    scores, numbers = np.empty((2, room), np.float32), np.empty(room, np.int32)
    scan_lists(lists.words, lists.start, lists.numbers, near, asked * lists.step, scores[0], numbers)
    pool.epoch += 1
    if pool.epoch * MARKS >= 1 << 31:
        pool.stamp[:], pool.epoch = 0, 1
    wanted, kept = min(wanted, room), np.empty((2, room + 1), np.int32)
    found = np.empty(wanted + 1, np.int32)
    many = best(numbers, room, scores, kept, pool.stamp, pool.epoch * MARKS, found, 0, wanted)
    found = found[:many]
    return np.concatenate((found[pool.here[found]], pool.tail))


def stale(pool: Pool, items: NDArray[np.int32], rows: NDArray[np.float32]) -> bool:
    """Return whether so many came or left, or vectors moved so far, that an index is to be built again.

    Args:
        pool: the index.
        items: those of the watched that are still there, ascending [m].
        rows: their vectors and biases now [m, d + 1].
    """
    if len(pool.tail) + pool.left > CHANGED * pool.size:
        return True
    then = pool.then[np.isin(pool.watched, items)]
    if len(then) == 0:
        return True
    moved = float(np.square(rows - then).sum())
    return moved > DRIFT * float(np.square(then - then.mean(axis=0)).sum())


def lists_of(count: int) -> int:
    """Return into how many lists so many items are clustered: 4·√n, as a power of two."""
    return int(2 ** round(math.log2(4.0 * math.sqrt(count))))


def _packed(
    items: NDArray[np.int32],
    rows: NDArray[np.float32],
    centroids: NDArray[np.float32],
    belongs: NDArray[np.int64],
) -> Lists:
    least, most = rows.min(axis=0), rows.max(axis=0)
    step = np.maximum(most - least, np.float32(1e-12)) / np.float32(255.0)
    order = np.argsort(belongs, kind="stable").astype(np.int32)
    start = np.zeros(len(centroids) + 1, np.int64)
    np.cumsum(np.bincount(belongs, minlength=len(centroids)), out=start[1:])
    words = np.empty(rows.size, np.uint8)
    pack(np.rint((rows - least) / step).astype(np.uint8), order, start, words)
    return Lists(np.ascontiguousarray(centroids.T), start, items[order], words, step.astype(np.float32))


def _rows(vectors: NDArray[np.float32], biases: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return [n, d] of vector, bias and zeros up to a whole number of the words that are multiplied at once."""
    width = len(vectors) + 1
    rows = np.zeros((len(biases), -(-width // AT_ONCE) * AT_ONCE), np.float32)
    rows[:, : width - 1] = vectors.T
    rows[:, width - 1] = biases
    return rows
