"""The auction in plain NumPy: what the kernel must equal. For tests and benches only, never for serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import is_held, unit_of
from fieldline.traffic.allocate import Index, Prices, Rules
from fieldline.traffic.gates import ALL_OPEN
from fieldline.traffic.kernels.draw import DRAWN_FROM
from fieldline.traffic.rows import BIAS, BIDS, FLAGS, NET_PRICE, ORGANIC_PRICE, SCENES, SHOWN, TRUST, VECTOR

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Market:
    """The candidates of a request in the order of their items; arrays are [n]."""

    item: NDArray[np.int32]
    merchant: NDArray[np.int32]
    category: NDArray[np.int32]
    rows: NDArray[np.float32]  # [n, 32]
    chances: Floats  # [n, 3] click, long view, order given a click
    goods: Floats  # g
    organic: Floats  # o, −∞ where not eligible
    contract: NDArray[np.int32]  # −1: nobody bids
    bid: Floats
    rival: Floats
    value: Floats


@dataclass(frozen=True, slots=True)
class Place:
    """One slot of a run."""

    position: int
    payer: int  # whose bid won it; −1: nobody's, −2: a rival's of the contract that does not bid
    score: float  # T
    open: bool  # an ad was allowed

    @property
    def sold(self) -> bool:
        """Return whether a bid won it."""
        return self.payer != -1


def sigmoid(x: Floats) -> Floats:
    """Return the kernels' rational logistic function, elementwise."""
    y = np.clip(x, -8.5, 8.5) * 0.5
    s = y * y
    top = y * (135135.0 + s * (17325.0 + s * (378.0 + s)))
    return 0.5 + 0.5 * top / (135135.0 + s * (62370.0 + s * (3150.0 + s * 28.0)))


def market_of(
    candidates: NDArray[np.int32],
    viewer: NDArray[np.float32],
    scene: int,
    index: Index,
    prices: Prices,
    rules: Rules,
    paid: bool,
    open_gates: NDArray[np.uint8] = ALL_OPEN,
    viewer_key: int = 0,
) -> Market:
    """Return the scored candidates with the highest and the next bid on each."""
    item = np.sort(candidates)
    rows = index.rows[item]
    terms = rows[:, :VECTOR].reshape(-1, 3, 8) * viewer[:VECTOR].reshape(3, 8)
    terms = terms[:, :, :4] + terms[:, :, 4:]
    terms = terms[:, :, :2] + terms[:, :, 2:]
    logit = (viewer[BIAS : BIAS + 3] + rows[:, BIAS : BIAS + 3]) + (terms[:, :, 0] + terms[:, :, 1])
    chances = sigmoid(logit.astype(np.float64))
    goods = chances[:, 0] * chances[:, 2] * rows[:, NET_PRICE]
    organic = (rules.viewer_value * chances[:, 1] + rules.goods_value * goods) * rows[:, TRUST] + rows[
        :, ORGANIC_PRICE
    ].astype(np.float64)
    flags = rows.view(np.int32)[:, FLAGS]
    eligible = (flags & SHOWN != 0) & (rows.view(np.int32)[:, SCENES] & (1 << scene) != 0)
    count = len(item)
    contract, bid, rival, value = (
        np.full(count, -1, np.int32),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
    )
    for n in np.flatnonzero(eligible & (flags & BIDS != 0) & paid):
        offers = []
        for j in bidders(index, prices, int(item[n]), open_gates, viewer_key):
            v = worth(prices.meter[scene, j], chances[n], goods[n])
            b = min(prices.alpha[j] * v, prices.bid_cap[j])
            if b > 0:
                offers.append((-b, j, v))
        if offers:
            offers.sort()
            contract[n], bid[n], value[n] = offers[0][1], -offers[0][0], offers[0][2]
            rival[n] = -offers[1][0] if len(offers) > 1 else 0.0
    return Market(
        item=item,
        merchant=index.merchant[item],
        category=index.category[item],
        rows=rows,
        chances=chances,
        goods=goods,
        organic=np.where(eligible, organic, -inf),
        contract=contract,
        bid=bid,
        rival=rival,
        value=value,
    )


def bidders(
    index: Index, prices: Prices, item: int, open_gates: NDArray[np.uint8], viewer_key: int
) -> list[int]:
    """Return who may bid on an item, ascending: α > 0, some gate of theirs open, the viewer not held out."""
    entries = range(index.first_contract[item], index.first_contract[item + 1])
    behind = [e for e in entries if len(open_gates) == 1 or open_gates[index.gate[e]]]
    return [
        j
        for j in sorted({int(index.contracts[e]) for e in behind})
        if prices.alpha[j] > 0
        and not is_held(viewer_key, int(prices.contract_key[j]), float(prices.holdout[j]))
    ]


def worth(meter: Floats, chances: Floats, goods: float) -> float:
    """Return v = look + click·p_click + long_view·p_long + gmv·g + order·p_click·p_order."""
    look, click, long_view, gmv, order = meter
    return float(
        look + click * chances[0] + long_view * chances[1] + gmv * goods + order * (chances[0] * chances[2])
    )


def winner_of(
    market: Market,
    rules: Rules,
    rank: NDArray[np.int64],
    bid: Floats,
    run: list[Place],
    free: NDArray[np.bool_],
    last_ad: float,
) -> tuple[int, bool, float, bool]:
    """Return who takes the next slot, whether by a bid, with what score, and whether an ad was allowed."""
    slot = len(run)
    looks = rules.words[-len(rules.looks) - 1 :]
    top = int(np.where(free, market.organic, -inf).argmax())
    best = float(market.organic[top])
    ads = sum(place.sold for place in run)
    opened = bool(
        ads < rules.max_ads and slot >= rules.first_ad and slot - last_ad > rules.ad_gap and looks[slot] > 0
    )
    if not opened or not bid.any():
        return top, False, best, opened
    gain = looks[slot] - looks[rank]
    able = free & (bid > 0) & (rank > slot) & (gain > 0)
    score = np.where(able, market.organic - rules.ad_price + bid * (gain / looks[slot]), -inf)
    own, score[top] = float(score[top]), -inf
    other = int(score.argmax())
    if score[other] <= best:
        return top, False, best, opened
    if own > score[other] or (own == score[other] and top < other):
        return top, True, own, opened
    return other, True, float(score[other]), opened


def fill(
    market: Market,
    rules: Rules,
    rank: NDArray[np.int64],
    bid: Floats,
    begun: Sequence[Place] = (),
    mute: int = -1,
) -> list[Place]:
    """Return the slate, slot by slot, for given bids (zeros: nobody bids) and organic ranks.

    The slots begun stand; after them the contract `mute` does not bid, and its rivals stand in.
    """
    bid = np.where((bid > 0) & (market.contract == mute), market.rival, bid)
    free = market.organic > -inf
    run: list[Place] = []
    last_ad = -inf
    for slot in range(len(rules.looks)):
        if slot < len(begun):
            winner, place = begun[slot].position, begun[slot]
        elif not free.any():
            break
        else:
            winner, sold, best, opened = winner_of(market, rules, rank, bid, run, free, last_ad)
            payer = int(market.contract[winner]) if sold else -1
            place = Place(winner, -2 if sold and payer == mute else payer, best, opened)
        run.append(place)
        last_ad = slot if place.sold else last_ad
        free[winner] = False
        for group, cap in ((market.merchant, rules.merchant_cap), (market.category, rules.category_cap)):
            here = group[winner]
            if here >= 0 and sum(group[place.position] == here for place in run) >= cap:
                free[group == here] = False
    return run


def ranks(market: Market, rules: Rules) -> NDArray[np.int64]:
    """Return each candidate's place if nobody bid; K: not shown."""
    slots = len(rules.looks)
    rank = np.full(len(market.item), slots)
    for slot, place in enumerate(fill(market, rules, rank, np.zeros(len(market.item)))):
        rank[place.position] = slot
    return rank


def place_in(run: list[Place], position: int, slots: int) -> int:
    """Return a candidate's slot in a run; K: not shown."""
    return next((slot for slot, place in enumerate(run) if place.position == position), slots)


def critical(
    market: Market, rules: Rules, run: list[Place], position: int, rank: int, contract: int, other: float
) -> list[float]:
    """Return, for each slot above a candidate's organic rank, the least bid that takes it or a better one.

    min_{m≤l} need_m, need_m = (T_m − o + theta)⁺·e_m/(e_m − e_r) against the run without the bid; from where
    the item stands in that run: 0, or the other bid on it if that put it there. ∞ over the contract's own items.
    """
    looks = rules.words[-len(rules.looks) - 1 :]
    place = place_in(run, position, len(rules.looks))
    bids: list[float] = []
    for slot in range(rank):
        need = inf
        if slot >= place:
            bids.append(other if run[place].sold else 0.0)
            continue
        own = slot < len(run) and run[slot].payer == contract
        if slot < len(run) and run[slot].open and not own and looks[slot] > looks[rank]:
            capped = any(
                group[position] >= 0
                and sum(group[before.position] == group[position] for before in run[:slot]) >= cap
                for group, cap in (
                    (market.merchant, rules.merchant_cap),
                    (market.category, rules.category_cap),
                )
            )
            if not capped:
                short = max(run[slot].score - market.organic[position] + rules.ad_price, 0.0)
                need = short * (looks[slot] / (looks[slot] - looks[rank]))
        bids.append(min(need, bids[-1] if bids else inf))
    return bids


def run_without(
    market: Market, rules: Rules, rank: NDArray[np.int64], run: list[Place], slot: int
) -> list[Place]:
    """Return the run in which the payer of a slot does not bid from there on; its rivals stand in."""
    return fill(market, rules, rank, market.bid, run[:slot], run[slot].payer)


def draw(market: Market, rules: Rules, key: int) -> tuple[list[Place], float]:
    """Return a Plackett–Luce slate from the top 20 and its exact chance."""
    pool = [n for n in np.lexsort((market.item, -market.organic)) if market.organic[n] > -inf][:DRAWN_FROM]
    if not pool:
        return [], 1.0
    top = market.organic[pool[0]]
    weight = {
        n: np.exp((market.organic[n] - top) / (rules.random_temperature * max(abs(top), 1e-9))) for n in pool
    }
    run: list[Place] = []
    chance = 1.0
    while weight and len(run) < len(rules.looks) and sum(weight.values()) > 0:
        total = sum(weight.values())
        target = unit_of(key, len(run)) * total
        reached = np.cumsum(list(weight.values()))
        pick = list(weight)[min(int(np.searchsorted(reached, target, side="right")), len(weight) - 1)]
        chance *= weight.pop(pick) / total
        run.append(Place(pick, -1, float(market.organic[pick]), False))
    return run, float(chance)
