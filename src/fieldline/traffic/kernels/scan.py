"""Retrieval's kernel: the best of one partition, exactly, by one product per item.

A stamp tells whether an item is among this request's candidates and who brought it: base + source, base being
16 times a number that grows from request to request, so that every older stamp lies below it.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.head import largest, sort
from fieldline.traffic.rows import DIMENSIONS, FLAGS, SCENES, SHOWN

MARKS = 16
ASIDE = MARKS - 1
BUCKETS = 1024
SAMPLE = 256


@njit
def take(
    items: NDArray[np.int32],
    count: int,
    stamp: NDArray[np.int32],
    mark: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append a partition's items that are not yet among the candidates, in order, up to a quota.

    Args:
        items: [≥ count] item numbers.
        count: how many of them.
        stamp: [I], changed in place.
        mark: base + source.
        out: [≥ found + quota] candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    base = mark - mark % MARKS
    end = min(found + quota, out.shape[0])
    for k in range(count):
        if found == end:
            break
        item = items[k]
        if stamp[item] < base:
            stamp[item] = mark
            out[found] = item
            found += 1
    return found


@njit
def take_shown(
    items: NDArray[np.int32],
    rows: NDArray[np.float32],
    scene: int,
    stamp: NDArray[np.int32],
    mark: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append of a list of items those that may be shown in a scene, else as `take`.

    Args:
        items: [n] item numbers.
        rows: packed rows [I, 32].
        scene: its bit number.
        stamp: [I], changed in place.
        mark: base + source.
        out: [≥ found + quota] candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    base = mark - mark % MARKS
    end = min(found + quota, out.shape[0])
    words = rows.view(np.int32)
    for item in items:
        if found == end:
            break
        if stamp[item] < base and words[item, FLAGS] & SHOWN and (words[item, SCENES] >> scene) & 1:
            stamp[item] = mark
            out[found] = item
            found += 1
    return found


@njit
def begin(
    forced: NDArray[np.int32],
    seen: NDArray[np.int32],
    followed: NDArray[np.int32],
    trending: NDArray[np.int32],
    fresh: NDArray[np.int32],
    most_followed: int,
    most_trending: int,
    most_fresh: int,
    rows: NDArray[np.float32],
    scene: int,
    stamp: NDArray[np.int32],
    base: int,
    out: NDArray[np.int32],
    limit: int,
) -> int:
    """Write the candidates that need no scan: items forced, then those of the sources that are lists.

    Args:
        forced: item numbers.
        seen: item numbers, −1 = none: stamped as if they were candidates, so that no source gives them.
        followed, trending, fresh: item numbers, sources 2, 3 and 4.
        most_followed, most_trending, most_fresh: most of each.
        rows: packed rows [I, 32].
        scene: its bit number.
        stamp: [I], changed in place.
        base: this request's.
        out: candidates, changed in place.
        limit: most candidates.

    Returns:
        How many candidates there are.
    """
    found = take(forced, forced.size, stamp, base, out, 0, limit)
    for item in seen:
        if item >= 0 and stamp[item] < base:
            stamp[item] = base + ASIDE
    found = take_shown(followed, rows, scene, stamp, base + 2, out, found, min(limit - found, most_followed))
    found = take_shown(trending, rows, scene, stamp, base + 3, out, found, min(limit - found, most_trending))
    return take_shown(fresh, rows, scene, stamp, base + 4, out, found, min(limit - found, most_fresh))


@njit
def take_back(
    seen: NDArray[np.int32],
    stamp: NDArray[np.int32],
    mark: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append items that were set aside, up to a quota, where nothing else is left to show.

    Args:
        seen: item numbers, −1 = none.
        stamp: [I], changed in place.
        mark: base + source.
        out: candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    aside = mark - mark % MARKS + ASIDE
    for item in seen:
        if item >= 0 and stamp[item] == aside and quota > 0 and found < out.shape[0]:
            stamp[item] = mark
            out[found] = item
            found += 1
            quota -= 1
    return found


@njit
def scan(
    items: NDArray[np.int32],
    vectors: NDArray[np.float32],
    biases: NDArray[np.float32],
    count: int,
    query: NDArray[np.float32],
    scores: NDArray[np.float32],
    kept: NDArray[np.int32],
    stamp: NDArray[np.int32],
    mark: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append a partition's items: all that are not yet candidates where they fit, else its best.

    Args:
        items: [≥ count] item numbers.
        vectors: [d, ≥ count].
        biases: [≥ count].
        count: how many items.
        query: [d].
        scores: [2, ≥ count], overwritten.
        kept: [2, ≥ count + 1], overwritten.
        stamp: [I], changed in place.
        mark: base + source.
        out: candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    if count <= quota:
        return take(items, count, stamp, mark, out, found, quota)
    products(vectors, biases, count, query, scores[0])
    return best(items, count, scores, kept, stamp, mark, out, found, quota)


@njit(fastmath=True)
def products(
    vectors: NDArray[np.float32], biases: NDArray[np.float32], count: int, query: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> None:  # fmt: skip
    """Score a partition: bias + vector · query, for vectors stored dimension by dimension.

    Args:
        vectors: [d, ≥ count].
        biases: [≥ count].
        count: how many items.
        query: [d].
        scores: [≥ count], changed in place.
    """
    if query.size == DIMENSIONS:  # a constant, so that the loop is unrolled
        for k in range(count):
            total = biases[k]
            for d in range(DIMENSIONS):
                total += vectors[d, k] * query[d]
            scores[k] = total
        return
    scores[:count] = biases[:count]
    for d in range(query.size):
        word = query[d]
        for k in range(count):
            scores[k] += vectors[d, k] * word


@njit
def best(
    items: NDArray[np.int32],
    count: int,
    scores: NDArray[np.float32],
    kept: NDArray[np.int32],
    stamp: NDArray[np.int32],
    mark: int,
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Append the best-scored items of a partition that are not yet candidates, up to a quota.

    A threshold guessed from a sample of the scores sets aside those that may be among the best; it is lowered
    until enough are, so the chosen set is exact and owes nothing to storage order.

    Args:
        items: [≥ count] item numbers.
        count: how many items.
        scores: [2, ≥ count]; the second row is overwritten.
        kept: [2, ≥ count + 1], overwritten.
        stamp: [I], changed in place.
        mark: base + source.
        out: [≥ found + quota + 1] candidates, changed in place.
        found: how many candidates there are.
        quota: most to add.

    Returns:
        How many candidates there are now.
    """
    quota = min(quota, out.size - 1 - found, count)
    sample = scores[0, : count : max(count // SAMPLE, 1)].astype(np.float64)
    share = quota / count
    above = 0
    while True:
        share = min(share + 0.03, 1.0)
        place = int((1.0 - share) * sample.size)
        least = largest(sample, sample.size - 1 - place) if place > 0 else -np.inf
        above = _set_aside(items, count, np.float32(least), scores, kept, stamp, mark - mark % MARKS)
        if above >= quota or place == 0:
            break
        share *= 2.0
    if above == 0:
        return found
    end = _choose(kept[1, :above], scores[1, :above], kept[0], out, found, quota)
    for item in out[found:end]:
        stamp[item] = mark
    return end


@njit
def _set_aside(
    items: NDArray[np.int32],
    count: int,
    least: float,
    scores: NDArray[np.float32],
    kept: NDArray[np.int32],
    stamp: NDArray[np.int32],
    base: int,
) -> int:
    """Write the items not yet candidates that reach a threshold, and their scores, to the second rows.

    Both passes go without a branch: scores are random, and a branch guesses wrong.
    """
    places, fresh_items = kept[0], kept[1]
    all_scores, fresh_scores = scores[0], scores[1]
    above = np.uint64(0)
    for k in range(count):
        places[above] = k
        above += np.uint64(all_scores[k] >= least)
    fresh = np.uint64(0)
    for k in places[: np.int64(above)]:
        item = items[k]
        fresh_items[fresh] = item
        fresh_scores[fresh] = all_scores[k]
        fresh += np.uint64(stamp[item] < base)
    return np.int64(fresh)


@njit(fastmath=True)  # or the two minima and maxima would be taken one by one
def _span(scores: NDArray[np.float32]) -> tuple[float, float]:
    low, top = scores[0], scores[0]
    for score in scores:
        low, top = min(low, score), max(top, score)
    return low, top


@njit
def _choose(
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
    edge: NDArray[np.int32],
    out: NDArray[np.int32],
    found: int,
    quota: int,
) -> int:
    """Take whole buckets of scores from the top, and of the one that does not fit the best by score, then number."""
    low, top = _span(scores)
    scale = np.float32((BUCKETS - 1) / max(top - low, np.float32(1e-12)))
    sizes = np.zeros(BUCKETS, np.int32)
    for score in scores:
        sizes[int((score - low) * scale)] += 1
    room, bucket = quota, BUCKETS - 1
    while bucket >= 0 and sizes[bucket] <= room:
        room -= sizes[bucket]
        bucket -= 1
    many = 0
    for j in range(items.size):  # without a branch, as above
        place = int((scores[j] - low) * scale)
        out[found] = items[j]
        found += place > bucket
        edge[many] = j
        many += place == bucket
    sort(scores, items, edge, many)
    for j in edge[: min(room, many)]:
        out[found] = items[j]
        found += 1
    return found
