"""Retrieval: the index of one large partition, and the exact scan of small ones, by recall and queries a CPU-second.

Made vectors, 64 words an item, the last of them a bias; queries one at a time, on one thread, as serving does.
`clustered`, as learned vectors are: 1,000 clusters whose sizes fall as 1/rank, centres normal with the j-th of 63
words scaled by 1/√(1 + j), items (and viewers) around them with .7 of that spread; biases normal, half as wide as
the products are. `uniform`: every word of items and viewers uniform in (−1, 1): nothing to cluster by, for honesty.
"""

import argparse
import json
import os
import time
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from fieldline.traffic.kernels.scan import MARKS, products, scan
from fieldline.traffic.retrieve.pool import Pool, available, build, nearest

ITEMS, WORDS, QUERIES, BEST = 1_000_000, 64, 200, 500
CLUSTERS = 1_000
PARTITIONS = 50
ROUNDS = 5
SEED = 7

Floats = NDArray[np.float32]


class Made(NamedTuple):
    """Items and viewers."""

    vectors: Floats  # [63, I]
    biases: Floats  # [I]
    queries: Floats  # [Q, 63]


def clustered(items: int, queries: int, words: int = WORDS) -> Made:
    """Return vectors as learned ones are."""
    draw = np.random.default_rng(SEED)
    width = words - 1
    scale = (1.0 + np.arange(width)) ** -0.5
    share = 1.0 / (1.0 + np.arange(CLUSTERS))
    centres = draw.normal(size=(CLUSTERS, width)) * scale

    def around(count: int) -> Floats:
        of = draw.choice(CLUSTERS, count, p=share / share.sum())
        return (centres[of] + 0.7 * scale * draw.normal(size=(count, width))).astype(np.float32)

    vectors, asked = around(items), around(queries)
    spread = np.einsum("ij,ij->i", asked, vectors[draw.integers(0, items, queries)]).std()
    biases = (0.5 * spread * draw.normal(size=items)).astype(np.float32)
    return Made(np.ascontiguousarray(vectors.T), biases, asked)


def uniform(items: int, queries: int, words: int = WORDS) -> Made:
    """Return vectors without any structure."""
    draw = np.random.default_rng(SEED)
    vectors = draw.uniform(-1.0, 1.0, (words - 1, items)).astype(np.float32)
    biases = draw.uniform(-1.0, 1.0, items).astype(np.float32)
    return Made(vectors, biases, draw.uniform(-1.0, 1.0, (queries, words - 1)).astype(np.float32))


def measure(console: Console | None = None, items: int = ITEMS) -> dict[str, float]:
    """Return recall@500 and queries per CPU-second of the index over clustered vectors, and of the exact scan.

    Returns:
        recall_500, queries_per_cpu_s: the index, at the share of its lists that serving looks into.
        build_cpu_s: its building.
        scan_queries_per_cpu_s: the best 500 of one of fifty partitions, scanned exactly; recall 1.
        Without the extra `vectors` the last alone, and the reason is printed.
    """
    console = console or Console(stderr=True)
    made = clustered(items, QUERIES)
    figures = {"scan_queries_per_cpu_s": _scanned(made, items // PARTITIONS)}
    if not available():
        console.print("retrieval: the index is left out, for faiss-cpu (extra `vectors`) is not installed")
        return figures
    return _indexed(made) | figures


def _indexed(made: Made) -> dict[str, float]:
    begun = time.process_time()
    pool = build(np.arange(len(made.biases), dtype=np.int32), made.vectors, made.biases)
    built = time.process_time() - begun
    exact = [_exact(made, query) for query in made.queries]
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = [nearest(pool, query, BEST) for query in made.queries]
        rounds.append((time.process_time() - begun) / len(found))
    shares = [len(np.intersect1d(a, b)) / BEST for a, b in zip(found, exact, strict=True)]
    return {
        "recall_500": float(np.mean(shares)),
        "queries_per_cpu_s": 1.0 / median(rounds),
        "build_cpu_s": built,
    }


def _exact(made: Made, query: Floats) -> NDArray[np.int64]:
    scores = np.empty(len(made.biases), np.float32)
    products(made.vectors, made.biases, len(scores), query, scores)
    return np.argpartition(-scores, BEST)[:BEST]


def _scanned(made: Made, count: int) -> float:
    """Return queries per CPU-second of one partition's exact scan."""
    items = np.arange(count, dtype=np.int32)
    vectors, biases = np.ascontiguousarray(made.vectors[:, :count]), made.biases[:count].copy()
    scores, kept = np.zeros((2, count), np.float32), np.zeros((2, count + 1), np.int32)
    stamp, out = np.zeros(count, np.int32), np.zeros(BEST + 1, np.int32)
    rounds = []
    for number in range(ROUNDS + 1):
        begun = time.process_time()
        for k, query in enumerate(made.queries):
            mark = (number * len(made.queries) + k + 1) * MARKS + 1
            scan(items, vectors, biases, count, query, scores, kept, stamp, mark, out, 0, BEST)
        rounds.append((time.process_time() - begun) / len(made.queries))
    return 1.0 / median(rounds[1:])


def served(items: int, wanted: int) -> dict[str, float]:
    """Return microseconds of CPU of one query over the engine's own eight words and a bias: exact, and by index.

    Args:
        items: in the partition.
        wanted: best of them.
    """
    made = clustered(items, QUERIES, 9)
    numbers = np.arange(items, dtype=np.int32)
    pool: Pool = build(numbers, made.vectors, made.biases)
    scores, kept = np.zeros((2, items), np.float32), np.zeros((2, items + 1), np.int32)
    stamp, out = np.zeros(items, np.int32), np.zeros(wanted + 1, np.int32)
    exact_us, index_us, shares = [], [], []
    for k, query in enumerate(made.queries):
        begun = time.process_time()
        arguments = (scores, kept, stamp, (k + 1) * MARKS + 1, out, 0, wanted)
        scan(numbers, made.vectors, made.biases, items, query, *arguments)
        then = time.process_time()
        found = nearest(pool, query, 2 * wanted)
        index_us.append((time.process_time() - then) * 1e6)
        exact_us.append((then - begun) * 1e6)
        shares.append(len(np.intersect1d(out[:wanted], found)) / wanted)
    return {"exact_us": median(exact_us), "index_us": median(index_us), "recall": float(np.mean(shares))}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(prog="bench.retrieval", description=__doc__)
    parser.add_argument("--uniform", action="store_true", help="vectors without structure")
    parser.add_argument("--served", type=int, metavar="ITEMS", help="the engine's own width instead")
    parser.add_argument("--wanted", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=ITEMS)
    chosen = parser.parse_args()
    if chosen.served:
        print(json.dumps(served(chosen.served, chosen.wanted), indent=2))
    elif chosen.uniform:
        print(json.dumps(_indexed(uniform(chosen.items, QUERIES)), indent=2))
    else:
        print(json.dumps(measure(items=chosen.items), indent=2))
