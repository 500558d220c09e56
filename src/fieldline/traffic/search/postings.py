"""Postings: for each term the items that have it, in one pool that grows and forgets in place.

A term's postings lie together with room to spare; one that outgrows its room moves to the pool's end with twice
as much. Their order tells of history, so nothing may depend on it: an item's score is summed in the query's order.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.compiled import njit

K1 = 1.2
B = 0.75
FULL = -1


@dataclass(slots=True)
class Postings:
    """Terms by number, items by number."""

    first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1_024, np.int64))
    used: NDArray[np.int32] = field(default_factory=lambda: np.zeros(1_024, np.int32))
    """How many items have each term."""
    room: NDArray[np.int32] = field(default_factory=lambda: np.zeros(1_024, np.int32))
    items: NDArray[np.int32] = field(default_factory=lambda: np.zeros(4_096, np.int32))
    counts: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4_096, np.float32))
    """How often the item has the term; in other fields than the title half as much."""
    end: int = 0


def post(
    postings: Postings, item: int, terms: NDArray[np.int32], counts: NDArray[np.float32], known: int
) -> None:
    """Enter an item under terms that it does not stand under.

    Args:
        postings: changed in place.
        item: its number.
        terms: int32 [n], each once.
        counts: float32 [n], how often.
        known: how many terms there are.
    """
    if known > len(postings.first):
        postings.first = grown(postings.first, known)
        postings.used = grown(postings.used, known)
        postings.room = grown(postings.room, known)
    while True:
        end = _append(
            item, terms, counts, postings.first, postings.used, postings.room,
            postings.items, postings.counts, postings.end,
        )  # fmt: skip
        if end != FULL:
            postings.end = end
            return
        postings.items = grown(postings.items, 2 * len(postings.items))
        postings.counts = grown(postings.counts, 2 * len(postings.counts))


def unpost(postings: Postings, item: int, terms: NDArray[np.int32]) -> None:
    """Take an item from under its terms [n]."""
    _remove(item, terms, postings.first, postings.used, postings.items, postings.counts)


@njit
def _append(
    item: int,
    terms: NDArray[np.int32],
    counts: NDArray[np.float32],
    first: NDArray[np.int64],
    used: NDArray[np.int32],
    room: NDArray[np.int32],
    items: NDArray[np.int32],
    pool: NDArray[np.float32],
    end: int,
) -> int:
    """Append one posting a term; return the pool's new end, or FULL with nothing changed."""
    want = 0
    for term in terms:
        if used[term] == room[term]:
            want += max(2, 2 * room[term])
    if end + want > items.size:
        return FULL
    for n in range(terms.size):
        term = terms[n]
        if used[term] == room[term]:
            for k in range(used[term]):
                items[end + k] = items[first[term] + k]
                pool[end + k] = pool[first[term] + k]
            first[term] = end
            room[term] = max(2, 2 * room[term])
            end += room[term]
        items[first[term] + used[term]] = item
        pool[first[term] + used[term]] = counts[n]
        used[term] += 1
    return end


@njit
def _remove(
    item: int,
    terms: NDArray[np.int32],
    first: NDArray[np.int64],
    used: NDArray[np.int32],
    items: NDArray[np.int32],
    pool: NDArray[np.float32],
) -> None:
    for term in terms:
        last = first[term] + used[term] - 1
        for k in range(first[term], last + 1):
            if items[k] == item:
                items[k] = items[last]
                pool[k] = pool[last]
                used[term] -= 1
                break


@njit
def bm25(
    terms: NDArray[np.int32],  # [q]
    weights: NDArray[np.float64],  # [q]
    lengths: NDArray[np.float32],  # [I] of the items' texts
    mean_length: float,
    first: NDArray[np.int64],
    used: NDArray[np.int32],
    items: NDArray[np.int32],
    counts: NDArray[np.float32],
    sums: NDArray[np.float64],  # [I] changed: what is found is added
    stamp: NDArray[np.int32],  # [I] changed: which items were touched in this epoch
    epoch: int,
    touched: NDArray[np.int32],  # [I] changed: those items
    found: int,
) -> int:
    """Add to each item its Σ weight·tf/(tf + k1·(1 − b + b·length/mean)) and return how many were touched by now."""
    for n in range(terms.size):
        term = terms[n]
        for k in range(first[term], first[term] + used[term]):
            item = items[k]
            if stamp[item] != epoch:
                stamp[item] = epoch
                sums[item] = 0.0
                touched[found] = item
                found += 1
            tf = np.float64(counts[k])
            sums[item] += weights[n] * tf / (tf + K1 * (1.0 - B + B * lengths[item] / mean_length))
    return found
