"""The simulated market as a NumPy loop over requests, which `market.kernel` equals: for tests and benches."""

from math import gcd, inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.lab.market import Market, Result, Sums, played
from fieldline.lab.market import kernel as column
from fieldline.lab.market.kernel import NUMBER_KEY, OWN_KEY, Crowd, Shelf, Stretch
from fieldline.lab.world import truth
from fieldline.lab.world.draws import Floats, Ints
from fieldline.traffic import oracle
from fieldline.traffic.allocate import Rules
from fieldline.traffic.kernels.words import LOOKS
from fieldline.traffic.rows import BIAS, FLAGS, NET_PRICE, ORGANIC_PRICE, SCENES, SHOWN, TRUST, VECTOR
from fieldline.units import Instant

Words = NDArray[np.uint64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Slate(NamedTuple):
    """One slate."""

    item: Ints  # [K]
    contract: Ints  # [K], −1: organic
    charge: Floats  # [K] yuan


def simulate_plainly(market: Market, start: Instant, ticks: int) -> Result:
    """Return what `market.simulate` returns, request by request in NumPy."""
    with np.errstate(over="ignore"):  # the hashes wrap around
        return played(market, start, ticks, 1, _run)


def _run(stretch: Stretch, totals: Sums, spent: Sums) -> None:
    numbers = np.arange(1, stretch.crowd.past + 1, dtype=np.uint64)
    keys = _mix(stretch.crowd.key + numbers * NUMBER_KEY)
    own = _mix(keys ^ OWN_KEY)
    viewers = _pick(stretch.crowd.who, _uniform(own, column.WHO))
    scenes = _pick(stretch.crowd.scenes, _uniform(own, column.SCENE))
    place, stride = _uniform(own, column.START), _uniform(own, column.STRIDE)
    rules = [_rules(words) for words in stretch.shelf.words]
    for n in range(stretch.crowd.past):
        scene = int(scenes[n])
        candidates = _retrieve(stretch.shelf, stretch.crowd, scene, place[n], stride[n])
        visit = truth.Visit(keys[n], int(viewers[n]), scene)
        slate = _decide(stretch.shelf, visit, candidates, rules[scene])
        totals[0, column.CANDIDATES] += len(candidates)
        if _uniform(np.array([keys[n]]), truth.GONE)[0] >= truth.UNSEEN:
            _charge(slate, totals[0], spent[0])
            _respond(stretch, visit, slate.item, totals[0])


def _mix(x: Words) -> Words:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _uniform(keys: Words, counter: int) -> Floats:
    words = _mix(keys + np.uint64(counter + 1) * GOLDEN) >> np.uint64(11)
    return words.astype(np.float64) * (1.0 / 9007199254740992.0)


def _pick(edges: Floats, draws: Floats) -> Ints:
    found = np.searchsorted(edges, draws * edges[-1], side="right")
    return np.asarray(found.clip(max=len(edges) - 1), np.int32)


def _rules(words: Floats) -> Rules:
    value, goods, theta, *whole, temperature = words[:LOOKS].tolist()
    ads, first, gap, merchants, categories, explained = map(int, whole)
    return Rules(
        looks=words[LOOKS:-1],
        viewer_value=value,
        goods_value=goods,
        ad_price=theta,
        max_ads=ads,
        first_ad=first,
        ad_gap=gap,
        merchant_cap=merchants,
        category_cap=categories,
        explained=explained,
        random_temperature=temperature,
    )


def _retrieve(shelf: Shelf, crowd: Crowd, scene: int, place: float, stride: float) -> Ints:
    items = shelf.scene_items[shelf.scene_ptr[scene] : shelf.scene_ptr[scene + 1]]
    size = len(items)
    step = 1 + int(stride * (size - 1))
    while gcd(step, size) != 1:
        step += 1
    return items[(int(place * size) + np.arange(min(size, crowd.limit)) * step) % size]


def _decide(shelf: Shelf, visit: truth.Visit, candidates: Ints, rules: Rules) -> Slate:
    market = _scored(shelf, visit, np.sort(candidates), rules)
    rank = oracle.ranks(market, rules)
    run = oracle.fill(market, rules, rank, market.bid)
    at = np.array([place.position for place in run], np.int64)
    sold = np.array([place.sold for place in run], np.bool_)
    charges = np.zeros(len(run))
    looks = rules.words[LOOKS:]
    for slot in np.flatnonzero(sold):
        n = int(at[slot])
        trial = oracle.run_without(market, rules, rank, run, int(slot))
        bids = oracle.critical(market, rules, trial, n, int(rank[n]), int(market.contract[n]), 0.0)
        for step in range(slot, int(rank[n])):
            charges[slot] += (looks[step] - looks[step + 1]) * min(market.bid[n], bids[step])
    return Slate(market.item[at], np.where(sold, market.contract[at], -1).astype(np.int32), charges)


def _scored(shelf: Shelf, visit: truth.Visit, item: Ints, rules: Rules) -> oracle.Market:
    viewer = shelf.viewers[visit.viewer].copy()
    viewer[BIAS:] += shelf.scene_bias[visit.scene]
    rows = shelf.rows[item]
    terms = (rows[:, :VECTOR].T.copy() * viewer[:VECTOR, None]).reshape(3, 8, -1)
    terms = terms[:, :4] + terms[:, 4:]  # the kernel's order of summing
    terms = terms[:, :2] + terms[:, 2:]
    logit = (viewer[BIAS:, None] + rows[:, BIAS : BIAS + 3].T) + (terms[:, 0] + terms[:, 1])
    click, long_view, order = chances = oracle.sigmoid(logit.astype(np.float64))
    goods = click * order * rows[:, NET_PRICE]
    value = rules.viewer_value * long_view + rules.goods_value * goods
    whole = rows.view(np.int32)
    eligible = (whole[:, FLAGS] & SHOWN != 0) & (whole[:, SCENES] & (1 << visit.scene) != 0)
    first, last = shelf.first_contract[item], shelf.first_contract[item + 1]
    contract = np.where(last > first, shelf.contracts[np.minimum(first, len(shelf.contracts) - 1)], -1)
    meter = shelf.meter[contract].T  # at most one contract stands on an item here
    worth = meter[0] + meter[1] * click + meter[2] * long_view + meter[3] * goods
    most = np.minimum(shelf.alpha[contract] * worth, shelf.bid_cap[contract])
    bid = np.where(eligible & (contract >= 0), most, 0.0)
    return oracle.Market(
        item=item,
        merchant=shelf.group[item],
        category=shelf.category[item],
        rows=rows,
        chances=chances.T,
        goods=goods,
        organic=np.where(eligible, value * rows[:, TRUST] + rows[:, ORGANIC_PRICE].astype(np.float64), -inf),
        contract=np.where(bid > 0, contract, -1).astype(np.int32),
        bid=bid,
        rival=np.zeros(len(item)),
        value=np.where(bid > 0, worth, 0.0),
    )


def _charge(slate: Slate, total: Sums, spent: Sums) -> None:
    sold = slate.contract >= 0
    micros = (slate.charge[sold] * 1e6).astype(np.int64)
    np.add.at(spent, slate.contract[sold], micros)
    total[column.RENDERED] += len(slate.item)
    total[column.ADS] += sold.sum()
    total[column.CHARGED] += micros.sum()


def _respond(stretch: Stretch, visit: truth.Visit, items: Ints, total: Sums) -> None:
    nature = stretch.nature
    product = stretch.crowd.product[items]
    deep = _uniform(np.array([visit.key]), truth.DEPTH)[0] < nature.looks[visit.scene, : len(items)]
    seen = deep & (product >= -1)
    items, product = items[seen], product[seen]
    own = _mix(visit.key + (items + 1).astype(np.uint64) * truth.ITEM_KEY)
    click, long_view, order = _chances(nature, visit, items, product)
    clicked = _uniform(own, truth.CLICK) < click
    viewed = _uniform(own, truth.LONG_VIEW) < long_view
    followed = viewed & (nature.creator[items] >= 0) & (_uniform(own, truth.FOLLOWS) < truth.FOLLOWING)
    ordered = clicked & (_uniform(own, truth.ORDER) < order)
    amount = nature.price[product] * np.where(_uniform(own, truth.QUANTITY) < truth.TWO, 2, 1) * ordered
    refunded = _uniform(own, truth.REFUND) < nature.refund[product]
    total[column.LOOKS] += len(items)
    total[column.CLICKS] += clicked.sum()
    total[column.LONG_VIEWS] += viewed.sum()
    total[column.FOLLOWS] += followed.sum()
    total[column.ORDERS] += ordered.sum()
    total[column.GMV] += amount.sum()
    total[column.REFUNDED] += (amount * refunded).sum()


def _chances(
    nature: truth.Nature, visit: truth.Visit, items: Ints, product: Ints
) -> tuple[Floats, Floats, Floats]:
    near = nature.vector[items] @ nature.taste[visit.viewer]
    away = (nature.city[items] >= 0) & (nature.city[items] != nature.viewer_city[visit.viewer])
    far = np.where(away, truth.FAR, 0.0)
    click = nature.click_base[visit.scene] + truth.CLICK_TASTE * near + nature.appeal[items]
    long_view = nature.long_view_base[visit.scene] + truth.LONG_VIEW_TASTE * near + nature.depth[items]
    order = nature.order_base[visit.scene] + truth.ORDER_TASTE * near + 0.5 * nature.quality[product]
    order += nature.thirst[visit.viewer] - nature.thrift[visit.viewer] * nature.dearness[product] - far
    clicks = _logistic(click + nature.warmth[visit.viewer] - far)
    return clicks, _logistic(long_view), np.where(product >= 0, _logistic(order), 0.0)


def _logistic(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-x))
