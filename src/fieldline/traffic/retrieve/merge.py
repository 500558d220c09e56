"""Merging: one list of candidates from all sources, each within its share, each item once."""

from dataclasses import dataclass, field

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.facts import Sources
from fieldline.traffic.kernels.scan import MARKS, begin, scan, take_back
from fieldline.traffic.retrieve.sources import (
    LISTED_SOURCES,
    SCANNED_SOURCES,
    SOURCES,
    Ask,
    Best,
    followed,
    fresh,
    trending,
)

FEW = 50
"""Candidates below which items shown lately come back."""

FIRST_SCANNED = SOURCES.index(SCANNED_SOURCES[0].__name__)
AGAIN = SOURCES.index("again")
MOST_EPOCHS = (1 << 31) // MARKS - 1


@dataclass(slots=True)
class Scratch:
    """Room for one request's retrieval; no part of the state."""

    stamp: NDArray[np.int32] = field(default_factory=lambda: np.zeros(16, np.int32))
    """By item: 16·epoch + which source brought it, where that is this request's epoch."""
    epoch: int = 0
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros((2, 16), np.float32))
    kept: NDArray[np.int32] = field(default_factory=lambda: np.zeros((2, 17), np.int32))
    out: NDArray[np.int32] = field(default_factory=lambda: np.zeros(20_000, np.int32))


def retrieve(
    ask: Ask,
    scratch: Scratch,
    sources: Sources,
    forced: NDArray[np.int32],
    seen: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return a request's candidates: those forced, then each source's within its share, the scene's best as the rest.

    Args:
        ask: what sources may read.
        scratch: overwritten.
        sources: the share of the candidates that each source may give; what one leaves, guess-you-like takes.
        forced: items that must be there.
        seen: items that the viewer was shown lately, −1 = none; they come back only where little else is left.

    Returns:
        Item numbers [n ≤ limit], each once; a view that the next call overwrites.

    Source: ADR 0014.
    """
    scratch.stamp = grown(scratch.stamp, len(ask.partitions.keys_of))
    scratch.epoch += 1
    if scratch.epoch > MOST_EPOCHS:
        scratch.stamp[:] = 0
        scratch.epoch = 1
    limit = max(ask.limit, len(forced))
    if len(scratch.out) <= limit:
        scratch.out = np.zeros(limit + 1, np.int32)
    stamp, base, out = scratch.stamp, scratch.epoch * MARKS, scratch.out
    shares = structs.astuple(sources)
    found = begin(
        forced, seen, followed(ask), trending(ask), fresh(ask),
        int(limit * shares[0]), int(limit * shares[1]), int(limit * shares[2]),
        ask.rows, ask.scene, stamp, base, out, limit,
    )  # fmt: skip
    for number, source in enumerate(SCANNED_SOURCES):
        place = len(LISTED_SOURCES) + number
        share = int(limit * shares[place]) if place < len(shares) else limit
        offers = source(ask)
        end = min(found + share, limit)
        for left in range(len(offers), 0, -1):
            if found < end:
                found = _from(
                    scratch, offers[-left], base + FIRST_SCANNED + number, found, (end - found) // left
                )
    if found < FEW:
        found = int(take_back(seen, stamp, base + AGAIN, out, found, min(FEW, limit) - found))
    return out[:found]


def brought(scratch: Scratch, items: NDArray[np.int32], count: int, source: str) -> NDArray[np.int32]:
    """Take one source's items as the candidates of a request of their own, and return them.

    Args:
        scratch: overwritten.
        items: [n], each once.
        count: how many items there are in all.
        source: its name.
    """
    scratch.stamp = grown(scratch.stamp, count)
    scratch.stamp[items] = SOURCES.index(source)
    return items


def source_of(scratch: Scratch, item: int) -> str:
    """Return which source brought a candidate of the last retrieval, the first that offered it."""
    return SOURCES[scratch.stamp.item(item) % MARKS]


def _from(scratch: Scratch, best: Best, mark: int, found: int, quota: int) -> int:
    partition, query = best
    count = partition.count
    if scratch.scores.shape[1] < count:
        scratch.scores = np.zeros((2, 2 * count), np.float32)
        scratch.kept = np.zeros((2, 2 * count + 1), np.int32)
    return int(
        scan(
            partition.items, partition.vectors, partition.biases, count, query,
            scratch.scores, scratch.kept, scratch.stamp, mark, scratch.out, found, quota,
        )
    )  # fmt: skip
