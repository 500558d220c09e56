"""The slate kernel: against the same auction in NumPy, against the memory, and from a cold process."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic import oracle
from fieldline.traffic.allocate import NO_EXTRA, NOT_GIVEN, SLOT, Desk, Rules, allocate
from fieldline.traffic.kernels.score import AHEAD, prefetch, score
from fieldline.traffic.rows import (
    BIAS,
    BIDS,
    FLAGS,
    NET_PRICE,
    ORGANIC_PRICE,
    SCENES,
    SHOWN,
    TRUST,
    VECTOR,
    WIDTH,
)
from fieldline.traffic.toy import Market, market_at_random, rules_by_hand

CANDIDATES = 2_000
SLOTS = 10
ROUNDS = 9
HEAD = 64

WARM = """
import fieldline.compiled, numba, time
begun = time.process_time()
from fieldline.traffic.warm import warm
warm()
print(time.process_time() - begun)
"""


def measure() -> dict[str, float]:
    """Return the kernel's figures.

    Returns:
        kernel_speedup: CPU time of the vectorised NumPy auction over that of `allocate`, at 2,000 candidates of
            a table larger than the last-level cache; the NumPy version tells no contenders.
        kernel_us, numpy_us: both, in microseconds a request.
        gather_fraction: rows scored per second over rows whose two cache lines are merely touched per second.
        score_ns_per_row, touch_ns_per_row: both.
        warm_start_cpu_s: CPU seconds after `import numba` until every serving kernel has answered, all compiled
            before.
    """
    market = market_at_random(1, table_size(), contracts=200, promoted=0.1, bid_scale=1.0)
    rules = rules_by_hand(
        (0.9 * 0.85 ** np.arange(SLOTS)).tolist(),
        ad_price=0.002, max_ads=3, first_ad=1, ad_gap=2, merchant_cap=2, category_cap=4,
    )  # fmt: skip
    shuffled = np.random.default_rng(2).permutation(len(market.index.rows)).astype(np.int32)
    requests = shuffled[: len(shuffled) // CANDIDATES * CANDIDATES].reshape(-1, CANDIDATES)
    return speedup(market, rules, requests) | gathering(market, rules, requests) | warm_start()


def table_size() -> int:
    """Return how many rows take one and a half times the last-level cache, at least a million and at most four."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    cache = max((int(size.read_text().strip().removesuffix("K")) * 1_024 for size in sizes), default=0)
    return min(max(1_000_000, int(1.5 * cache) // (4 * WIDTH)), 4_000_000)


def cpu_of(run: Callable[[NDArray[np.int32]], Any], requests: NDArray[np.int32]) -> float:
    """Return CPU seconds per request."""
    begun = time.process_time()
    for candidates in requests:
        run(candidates)
    return (time.process_time() - begun) / len(requests)


def speedup(market: Market, rules: Rules, requests: NDArray[np.int32]) -> dict[str, float]:
    """Return how many times as fast as NumPy the kernel answers; both are checked to give the same slots."""
    desk = Desk(CANDIDATES, SLOTS, rules.explained)

    def kernel(candidates: NDArray[np.int32]) -> NDArray[np.void]:
        return allocate(candidates, market.viewer, 0, market.index, market.prices, rules, desk).slots

    def plain(candidates: NDArray[np.int32]) -> NDArray[np.void]:
        return answer_in_numpy(candidates, market, rules)

    for candidates in requests[:20]:
        ours, theirs = kernel(candidates), plain(candidates)
        if (ours["item"] != theirs["item"]).any() or not np.allclose(ours["charge"], theirs["charge"]):
            raise RuntimeError("the kernel and its NumPy version disagree")
    times: list[tuple[float, float]] = []
    for turn in range(ROUNDS):
        batch = requests[turn * 100 % (len(requests) - 100) :][:100]
        times.append((cpu_of(kernel, batch), cpu_of(plain, batch[:30])))
    ours_s, theirs_s = median(a for a, _ in times), median(b for _, b in times)
    return {"kernel_speedup": theirs_s / ours_s, "kernel_us": ours_s * 1e6, "numpy_us": theirs_s * 1e6}


def answer_in_numpy(candidates: NDArray[np.int32], market: Market, rules: Rules) -> NDArray[np.void]:
    """Return the slots of a request: all scored and priced at once, then the auction among the best 64."""
    item = np.sort(candidates)
    index, prices = market.index, market.prices
    rows = index.rows[item]
    whole = rows.view(np.int32)
    logit = np.einsum("ntd,td->nt", rows[:, :VECTOR].reshape(-1, 3, 8), market.viewer[:VECTOR].reshape(3, 8))
    logit += rows[:, BIAS : BIAS + 3] + market.viewer[BIAS : BIAS + 3]
    chances = oracle.sigmoid(logit.astype(np.float64))
    goods = chances[:, 0] * chances[:, 2] * rows[:, NET_PRICE]
    organic = (rules.viewer_value * chances[:, 1] + rules.goods_value * goods) * rows[:, TRUST]
    organic += rows[:, ORGANIC_PRICE]
    organic[(whole[:, FLAGS] & SHOWN == 0) | (whole[:, SCENES] & 1 == 0)] = -np.inf

    promoted = np.flatnonzero((whole[:, FLAGS] & BIDS != 0) & (organic > -np.inf))
    starts = index.first_contract[item[promoted]]
    counts = index.first_contract[item[promoted] + 1] - starts
    owner = np.repeat(np.arange(len(promoted)), counts)
    entry = index.contracts[
        np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + starts[owner]
    ]
    ordered = chances[promoted, 0] * chances[promoted, 2]
    facts = np.column_stack([np.ones(len(promoted)), chances[promoted, :2], goods[promoted], ordered])
    worth = np.einsum("ij,ij->i", prices.meter[0, entry], facts[owner])
    offer = np.minimum(prices.alpha[entry] * worth, prices.bid_cap[entry])
    order = np.lexsort((entry, -offer, owner))
    leading = np.zeros(len(order), np.bool_)
    leading[:1] = True
    leading[1:] = owner[order][1:] != owner[order][:-1]
    best = order[leading]
    after = order[np.minimum(np.flatnonzero(leading) + 1, len(order) - 1)] if len(order) else order
    contract = np.full(len(item), -1, np.int32)
    bid, rival, value = np.zeros((3, len(item)))
    won = promoted[owner[best]]
    bid[won], value[won] = offer[best], worth[best]
    rival[won] = np.where(owner[after] == owner[best], np.where(after == best, 0.0, offer[after]), 0.0)
    contract[won] = np.where(offer[best] > 0, entry[best], -1)

    paid = np.where(bid > 0, organic - rules.ad_price + bid, -np.inf)
    head = np.union1d(np.argpartition(-organic, HEAD)[:HEAD], np.argpartition(-paid, HEAD)[:HEAD])
    short = oracle.Market(
        item[head], index.merchant[item[head]], index.category[item[head]], rows[head], chances[head],
        goods[head], organic[head], contract[head], bid[head], rival[head], value[head],
    )  # fmt: skip
    rank = oracle.ranks(short, rules)
    run = oracle.fill(short, rules, rank, short.bid)
    slots = np.zeros(len(run), SLOT)
    looks = np.append(rules.looks, 0.0)
    steps = looks[:-1] - looks[1:]
    for slot, place in enumerate(run):
        n = place.position
        without, charge = slot, 0.0
        if place.sold:
            trial = oracle.run_without(short, rules, rank, run, slot)
            without = oracle.place_in(trial, n, len(rules.looks))
            bids = oracle.critical(short, rules, trial, n, int(rank[n]), place.payer, float(short.rival[n]))
            charge = float(steps[slot : rank[n]] @ np.minimum(short.bid[n], bids[slot:]))
        slots[slot] = (
            short.item[n], place.payer, rank[n], without, charge,
            short.bid[n] if place.sold else 0.0, short.value[n] if place.sold else 0.0, short.organic[n],
        )  # fmt: skip
    return slots


@njit
def touch(candidates: NDArray[np.int32], rows: NDArray[np.float32]) -> float:
    """Read one word of each of a row's two cache lines, asked for as far ahead as scoring asks."""
    flat = rows.reshape(-1)
    total = np.float32(0.0)
    for j in range(candidates.size):
        if j + AHEAD < candidates.size:
            ahead = np.int64(candidates[j + AHEAD]) * WIDTH
            prefetch(flat, ahead)
            prefetch(flat, ahead + 16)
        start = np.int64(candidates[j]) * WIDTH
        total += flat[start] + flat[start + 16]
    return total


def gathering(market: Market, rules: Rules, requests: NDArray[np.int32]) -> dict[str, float]:
    """Return how near scoring comes to the speed at which the same rows can be fetched in the same order."""
    rows = market.index.rows
    logit, plain = np.zeros((2, 3, CANDIDATES), np.float32)
    flags, chance, organic = np.zeros(CANDIDATES, np.int32), np.zeros((4, CANDIDATES)), np.zeros(CANDIDATES)

    def scored(candidates: NDArray[np.int32]) -> None:
        score(
            candidates, market.viewer, 1, rules.words, rows, NOT_GIVEN, NO_EXTRA,
            logit, plain, flags, chance, organic,
        )  # fmt: skip

    def touched(candidates: NDArray[np.int32]) -> None:
        touch(candidates, rows)

    scored(requests[0])
    touched(requests[0])
    times: list[tuple[float, float]] = []
    share = len(requests) // ROUNDS
    for turn in range(ROUNDS):
        batch = requests[turn * share : (turn + 1) * share]
        times.append((cpu_of(scored, batch[::2]), cpu_of(touched, batch[1::2])))
    ours, limit = median(a for a, _ in times), median(b for _, b in times)
    return {
        "gather_fraction": limit / ours,
        "score_ns_per_row": ours / CANDIDATES * 1e9,
        "touch_ns_per_row": limit / CANDIDATES * 1e9,
    }


def warm_start() -> dict[str, float]:
    """Return the CPU seconds of warming in a fresh process, after a first one filled all caches."""
    with tempfile.TemporaryDirectory() as bytecode:
        surroundings = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        seconds = [
            float(subprocess.check_output([sys.executable, "-c", WARM], env=surroundings)) for _ in range(6)
        ]
    return {"warm_start_cpu_s": median(seconds[1:])}
