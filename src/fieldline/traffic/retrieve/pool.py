"""The pool: an index of one large partition's vectors, so that its best are found without scanning it whole.

An inverted file of 8-bit vectors (IVF-SQ8), searched by the largest inner product. It is derived from the
state and never logged or saved: built at a tick, used until enough has changed. Items that came since stand in
a tail and are always among those offered; items that left are dropped from what is found, which is why more is
asked for than is wanted; what is found is ordered by the vectors as they are now. Needs the extra `vectors`;
without it every partition is scanned exactly.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing

POOLED = 300_000
"""Items of a partition above which it has an index; up to there its exact scan costs no more (ADR 0014)."""

PAYS = 150
"""Items for each that is to be found, above which the index is quicker than the exact scan."""

OVER = 2
"""How many times more are found than are wanted: some left, others are better by their newest vectors."""

CHANGED = 0.05
"""Share of its items that may have come or left before an index is built again."""

DRIFT = 0.05
"""Share of their variance by which vectors may have moved before an index is built again."""

SAMPLE = 1_024
"""Vectors that are watched for drift."""

PROBED_NARROW, PROBED_WIDE = 1 / 10, 1 / 19
"""Share of the lists that a search looks into, at least, for vectors of less than 32 words and of more."""

READ = 8
"""Items that a search looks at for each that is wanted, at least."""

ROUNDS, LEARNED_FROM = 6, 40
"""Rounds of the clustering, and vectors a list that it learns from."""

NONE = np.zeros(0, np.int32)


Key = tuple[str | int, ...]


@dataclass(slots=True)
class Pool:
    """An index, and what has changed since it was built."""

    index: Any
    """A `faiss.IndexIVFScalarQuantizer` over [vector, bias, zeros] whose ids are item numbers."""
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
    kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    coarse = faiss.IndexFlatIP(rows.shape[1])
    index = faiss.IndexIVFScalarQuantizer(coarse, rows.shape[1], lists, kind, metric, False)
    index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid = seed, ROUNDS, LEARNED_FROM
    index.train(rows[:: max(1, len(rows) // (LEARNED_FROM * lists))])
    index.add_with_ids(rows, items.astype(np.int64))
    faiss.omp_set_num_threads(threads)
    here = np.zeros(int(items.max()) + 1, bool)
    here[items] = True
    some = np.arange(0, len(items), max(1, len(items) // SAMPLE))[:SAMPLE]
    some = some[np.argsort(items[some])]
    width = len(vectors) + 1
    return Pool(index, len(items), here, NONE, 0, items[some].copy(), rows[some, :width].copy())


def nearest(pool: Pool, query: NDArray[np.float32], wanted: int) -> NDArray[np.int32]:
    """Return the items of an index with the largest vector·query + bias, about, and all that came since.

    Args:
        pool: the index.
        query: [d].
        wanted: how many, before those that left are taken out.

    Returns:
        Item numbers [≤ wanted + tail], in no order that matters: the exact scores come after.
    """
    asked = np.zeros((1, pool.index.d), np.float32)
    asked[0, : len(query)] = query
    asked[0, len(query)] = 1.0
    least = PROBED_NARROW if len(query) < 31 else PROBED_WIDE
    probed = min(max(least, READ * wanted / pool.size), 1.0)
    pool.index.nprobe = max(1, int(pool.index.nlist * probed))
    found = pool.index.search(asked, min(wanted, pool.size))[1][0]
    found = found[found >= 0]
    return np.concatenate((found[pool.here[found]].astype(np.int32), pool.tail))


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


def _rows(vectors: NDArray[np.float32], biases: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return [n, d + 1] with zeros up to a whole number of 16 words, which the index's loops are made for."""
    width = len(vectors) + 1
    rows = np.zeros((len(biases), -(-width // 16) * 16), np.float32)
    rows[:, : width - 1] = vectors.T
    rows[:, width - 1] = biases
    return rows
