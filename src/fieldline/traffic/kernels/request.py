"""One request from candidates to slate, as a single call without allocations."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.bids import Bidders, write_bids
from fieldline.traffic.kernels.charge import sell_slots
from fieldline.traffic.kernels.draw import draw
from fieldline.traffic.kernels.head import LANES, sort, take_head
from fieldline.traffic.kernels.landscape import climb
from fieldline.traffic.kernels.score import score
from fieldline.traffic.kernels.slate import NONE, Field, Order, Run, fill
from fieldline.traffic.kernels.tell import choose, write_contenders, write_contributions
from fieldline.traffic.kernels.words import AD_PRICE, EXPLAINED, LANDSCAPE, LOOKS, PAID, RANDOM, TEMPERATURE
from fieldline.traffic.rows import BIDS

HEAD = 64
"""How many of the best candidates are sorted at first."""


def room_for(candidates: int, slots: int, explained: int) -> int:
    """Return how many float64 words of scratch a request of that size takes."""
    return 17 * (candidates + 1) + slots * slots + 20 * slots + explained + LANES


@njit
def ints(room: NDArray[np.float64], start: int, count: int) -> NDArray[np.int32]:
    """Return `count` int32 words of a room of float64 words."""
    return room[start : start + (count + 1) // 2].view(np.int32)[:count]


@njit
def new_run(room: NDArray[np.float64], start: int, slots: int) -> Run:
    """Return an empty run in 5·slots words of the room, each int32 array in words of its own."""
    run = Run(
        ints(room, start, slots),
        ints(room, start + slots, slots),
        ints(room, start + 2 * slots, slots),
        room[start + 3 * slots : start + 4 * slots],
        ints(room, start + 4 * slots, 2 * slots).reshape(2, slots),
    )
    run.position[:] = -1
    run.payer[:] = NONE
    return run


@njit
def answer(
    candidates: NDArray[np.int32],  # [n]
    viewer: NDArray[np.float32],  # [27]
    scene_bit: int,
    mode: int,
    key: np.uint64,
    words: NDArray[np.float64],
    rows: NDArray[np.float32],  # [I, 32]
    merchant: NDArray[np.int32],  # [I]
    category: NDArray[np.int32],  # [I]
    first_contract: NDArray[np.int32],  # [I + 1]
    contracts: NDArray[np.int32],  # [nnz]
    alpha: NDArray[np.float64],  # [C]
    bid_cap: NDArray[np.float64],  # [C]
    organic_price: NDArray[np.float64],  # [C]
    meter: NDArray[np.float64],  # [C, 5] of the request's scene
    gate: NDArray[np.int32],  # [nnz]
    open_gates: NDArray[np.uint8],  # [G] 0: closed to this request; [1]: none is closed
    holdout: NDArray[np.float64],  # [C] share of viewers for whom it does not bid
    contract_key: NDArray[np.uint64],  # [C] of the holdout
    viewer_key: np.uint64,
    given: NDArray[np.float32],  # [3, n] logits of a model outside, NaN = none; or [3, 0]
    extra: NDArray[np.float32],  # [n] further value to the viewer, yuan per look; or [0]
    room: NDArray[np.float64],  # [room_for(n, K, explained)]
    slots_out: NDArray[np.float64],  # [≥ K, 6] out: rows of allocate.SLOT
    contenders_out: NDArray[np.float32],  # [≥ K + explained, 17] out; [0, 17]: no account is wanted
    contributions_out: NDArray[np.float32],  # [most, 3] out
    steps_out: NDArray[np.float32],  # [most, 4] out
) -> tuple[int, int, int, int, int, int, float]:
    """Answer one request.

    Returns:
        How many slots were filled, candidates eligible, contenders told, contributions there were, steps
        written and steps dropped; and the slate's chance.
    """
    count = candidates.size
    looks = words[LOOKS:]
    slots = looks.size - 1

    n = count + (count & 1)
    logit = room[: 3 * n // 2].view(np.float32).reshape(3, n)
    plain = room[3 * n // 2 : 3 * n].view(np.float32).reshape(3, n)
    chance = room[3 * n : 7 * n].reshape(4, n)  # columns past `count` are never read
    organic = room[7 * n : 7 * n + count]
    paid = room[8 * n : 8 * n + count]
    bid = room[9 * n : 9 * n + count]
    rival = room[10 * n : 10 * n + count]
    value = room[11 * n : 11 * n + count]
    half = n // 2
    flags = ints(room, 12 * n, count)
    contract = ints(room, 12 * n + half, count)
    rank = ints(room, 13 * n, count)
    place = ints(room, 13 * n + half, count)
    organic_order = ints(room, 14 * n, count)
    paid_order = ints(room, 14 * n + half, count)
    scratch = ints(room, 15 * n, count)
    merchants = ints(room, 15 * n + half, count)
    categories = ints(room, 16 * n, count)
    start = 16 * n + half
    lane = room[start : start + LANES]
    start += LANES
    nobody = new_run(room, start, slots)
    run = new_run(room, start + 5 * slots, slots)
    trial = new_run(room, start + 10 * slots, slots)
    start += 15 * slots
    won_bids = room[start : start + slots * slots].reshape(slots, slots)
    start += slots * slots
    needs = room[start : start + slots]
    charges = room[start + slots : start + 2 * slots]
    without = ints(room, start + 2 * slots, slots)
    told = ints(room, start + 3 * slots, slots + int(words[EXPLAINED]))

    eligible = score(
        candidates, viewer, scene_bit, words, rows, given, extra, logit, plain, flags, chance, organic
    )
    contract[:] = -1
    bid[:] = 0.0
    paid[:] = -np.inf
    rank[:] = slots
    place[:] = -1
    field = Field(candidates, merchants, categories, organic, paid, bid, rival, contract, rank, looks, words)
    drawn = (mode & RANDOM) != 0
    sell = (mode & PAID) != 0 and not drawn
    bidders = Bidders(
        first_contract, contracts, gate, alpha, bid_cap, meter, open_gates, holdout, contract_key, viewer_key
    )
    if sell:
        write_bids(
            candidates, flags, chance, organic, words[AD_PRICE], bidders,
            scratch, contract, bid, rival, value, paid,
        )  # fmt: skip

    want = max(HEAD, slots + int(words[EXPLAINED]))
    shown = -1
    propensity = 1.0
    while shown < 0:
        size, complete = take_head(organic, candidates, want, lane, organic_order)
        by_score = Order(organic_order[:size], complete)
        size = 0
        complete = True
        if sell:
            size, complete = take_head(paid, candidates, want, lane, paid_order)
        by_bid = Order(paid_order[:size], complete)
        for position in by_score.positions:
            merchants[position] = merchant[candidates[position]]
            categories[position] = category[candidates[position]]
        for position in by_bid.positions:
            merchants[position] = merchant[candidates[position]]
            categories[position] = category[candidates[position]]
        want = count + LANES  # if a cap keeps so many out that the heads end too early: sort all
        shown = fill(field, by_score, Order(paid_order[:0], True), nobody, nobody, np.int64(0), NONE)
        if shown < 0:
            continue
        for slot in range(shown):
            rank[nobody.position[slot]] = slot
        if drawn:
            shown, propensity = draw(organic, by_score.positions, words[TEMPERATURE], key, run.position, lane)
            charges[:] = 0.0
            for slot in range(shown):
                without[slot] = slot
        else:
            shown = sell_slots(field, by_score, by_bid, nobody, run, trial, won_bids, charges, without)

    whole = slots_out.view(np.int32)
    for slot in range(shown):
        position = run.position[slot]
        place[position] = slot
        whole[slot, 0] = candidates[position]
        sold = run.payer[slot] != NONE
        whole[slot, 1] = run.payer[slot]
        whole[slot, 2] = rank[position]
        whole[slot, 3] = without[slot]
        slots_out[slot, 2] = charges[slot]
        slots_out[slot, 3] = bid[position] if sold else 0.0
        slots_out[slot, 4] = value[position] if sold else 0.0
        slots_out[slot, 5] = organic[position]

    many = 0
    contributions = 0
    if contenders_out.shape[0] > 0:
        scratch[:] = 0
        many = choose(field, run.position[:shown], by_score, by_bid, told, scratch)
        write_contenders(
            field, told[:many], place, without, charges, logit, plain, chance, extra, value, contenders_out
        )
        contributions = write_contributions(
            field, told[:many], flags, first_contract, contracts, organic_price, contributions_out
        )

    written = 0
    dropped = 0
    if sell and (mode & LANDSCAPE) != 0:
        if not by_bid.complete:
            size, complete = take_head(paid, candidates, count + LANES, lane, paid_order)
            by_bid = Order(paid_order[:size], complete)
            for position in by_bid.positions:
                merchants[position] = merchant[candidates[position]]
                categories[position] = category[candidates[position]]
        climbing = by_bid.positions.size
        for j in range(count):  # who rests bids nothing, and would never learn what it could buy
            if (flags[j] & BIDS) != 0 and contract[j] < 0:
                merchants[j] = merchant[candidates[j]]
                categories[j] = category[candidates[j]]
                paid_order[climbing] = j
                climbing += 1
        sort(paid, candidates, paid_order, climbing)
        written, dropped = climb(
            field, paid_order[:climbing], run, shown, won_bids, place, chance, bidders, needs, steps_out
        )  # fmt: skip
    return shown, eligible, many, contributions, written, dropped, propensity
