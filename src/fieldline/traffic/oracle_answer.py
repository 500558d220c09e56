"""The oracle's whole answer: slots, account and landscape of a request, as `allocate.allocate` gives them."""

from collections.abc import Callable
from itertools import groupby
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic import oracle
from fieldline.traffic.allocate import MOST_STEPS, SLOT, Index, Prices, Rules, Slate
from fieldline.traffic.explain import CONTENDER, CONTRIBUTION
from fieldline.traffic.gates import ALL_OPEN
from fieldline.traffic.kernels.landscape import LOG_ALPHA_FLOOR
from fieldline.traffic.pace import STEP
from fieldline.traffic.rows import BIDS, FLAGS, ORGANIC_PRICE, TRUST


def allocate(
    candidates: NDArray[np.int32],
    viewer: NDArray[np.float32],
    scene: int,
    index: Index,
    prices: Prices,
    rules: Rules,
    *,
    paid: bool = True,
    landscape: bool = False,
    random_key: int | None = None,
    open_gates: NDArray[np.uint8] = ALL_OPEN,
    viewer_key: int = 0,
) -> Slate:
    """Return the slate of one request; the arguments are `allocate.allocate`'s, without the desk."""
    sell = paid and random_key is None
    market = oracle.market_of(candidates, viewer, scene, index, prices, rules, sell, open_gates, viewer_key)
    rank = oracle.ranks(market, rules)
    if random_key is None:
        run, propensity = oracle.fill(market, rules, rank, market.bid), 1.0
    else:
        run, propensity = oracle.draw(market, rules, random_key)
    looks = rules.words[-len(rules.looks) - 1 :]
    slots = np.zeros(len(run), SLOT)
    bids_of: dict[int, list[float]] = {}
    for slot, place in enumerate(run):
        n = place.position
        without, charge = slot, 0.0
        if place.sold:
            trial = oracle.run_without(market, rules, rank, run, slot)
            without = oracle.place_in(trial, n, len(rules.looks))
            bids_of[n] = oracle.critical(
                market, rules, trial, n, int(rank[n]), market.contract[n], market.rival[n]
            )
            for step in range(slot, int(rank[n])):
                charge += (looks[step] - looks[step + 1]) * min(market.bid[n], bids_of[n][step])
        slots[slot] = (
            market.item[n],
            place.payer,
            rank[n],
            without,
            charge,
            market.bid[n] if place.sold else 0.0,
            market.value[n] if place.sold else 0.0,
            market.organic[n],
        )
    contenders, contributions = account(market, rules, rank, run, slots, index, prices)
    steps = np.zeros(0, STEP)
    if landscape and sell:

        def values_of(n: int) -> list[tuple[int, float]]:
            chances, goods, item = market.chances[n], market.goods[n], int(market.item[n])
            return [
                (j, oracle.worth(prices.meter[scene, j], chances, goods))
                for j in oracle.bidders(index, prices, item, open_gates, viewer_key)
            ]

        steps = climb(market, rules, rank, run, bids_of, values_of)
    return Slate(
        slots.tobytes(),
        int((market.organic > -inf).sum()),
        contenders.tobytes(),
        contributions.tobytes(),
        steps[:MOST_STEPS].tobytes(),
        max(len(steps) - MOST_STEPS, 0),
        propensity,
    )


def paid_score(market: oracle.Market, rules: Rules) -> NDArray[np.float64]:
    """Return o − theta + b, −∞ where nobody bids."""
    return np.where(market.bid > 0, market.organic - rules.ad_price + market.bid, -inf)


def account(
    market: oracle.Market,
    rules: Rules,
    rank: NDArray[np.int64],
    run: list[oracle.Place],
    slots: NDArray[np.void],
    index: Index,
    prices: Prices,
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Return the slate's items and the best others, taken apart, and their organic prices."""
    best = np.maximum(market.organic, paid_score(market, rules))
    shown = [place.position for place in run]
    others = [n for n in np.lexsort((market.item, -best)) if best[n] > -inf and n not in shown]
    told = shown + others[: max(rules.explained - len(shown), 0)]
    contenders = np.zeros(len(told), CONTENDER)
    contributions = []
    for row, n in enumerate(told):
        slot = row if row < len(shown) else -1
        contenders[row] = (
            market.item[n],
            market.contract[n],
            slot,
            rank[n],
            slots[slot]["rank_without_bid"] if slot >= 0 else len(rules.looks),
            *market.chances[n],
            rules.viewer_value * market.chances[n, 1],
            rules.goods_value * market.goods[n],
            market.rows[n, TRUST],
            market.rows[n, ORGANIC_PRICE],
            market.organic[n],
            market.value[n],
            market.bid[n],
            market.rival[n],
            slots[slot]["charge"] if slot >= 0 else 0.0,
        )
        for j in index.contracts[
            index.first_contract[market.item[n]] : index.first_contract[market.item[n] + 1]
        ]:
            if prices.organic[j] != 0:
                contributions += [(row, j, prices.organic[j])]
    return contenders, np.array(contributions, CONTRIBUTION)


def climb(
    market: oracle.Market,
    rules: Rules,
    rank: NDArray[np.int64],
    run: list[oracle.Place],
    bids_of: dict[int, list[float]],
    values_of: Callable[[int], list[tuple[int, float]]],
) -> NDArray[np.void]:
    """Return the landscape's steps of every contract that may bid on every promoted candidate."""
    looks = rules.words[-len(rules.looks) - 1 :]
    paid = paid_score(market, rules)
    steps = []
    bidding = [int(n) for n in np.lexsort((market.item, -paid)) if paid[n] > -inf]
    promoted = market.rows.view(np.int32)[:, FLAGS] & BIDS != 0
    resting = np.flatnonzero((market.organic > -inf) & promoted & (market.contract < 0))
    for n in [*bidding, *resting.tolist()]:
        for j, v in values_of(n):
            if v <= 0:
                continue
            if j == market.contract[n] and n in bids_of:
                bids = bids_of[n]
            else:
                other = market.rival[n] if j == market.contract[n] else market.bid[n]
                bids = oracle.critical(market, rules, run, n, int(rank[n]), j, other)
            reached = [slot for slot in reversed(range(rank[n])) if bids[slot] < inf]
            for bid, slots in groupby(reached, key=lambda slot: bids[slot]):
                look = sum(float(looks[slot] - looks[slot + 1]) for slot in slots)
                if look > 0:
                    log_alpha = max(log(bid / v), LOG_ALPHA_FLOOR) if bid > 0 else LOG_ALPHA_FLOOR
                    steps.append((j, log_alpha, look * v, look * bid))
    return np.array(steps, STEP)
