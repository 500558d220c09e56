"""The simulated market at full speed: the engine's own slate kernel and the world's truth, without the facts.

What facts, logs and learning cost is left out; predictions are the truth's logits with a standing error. For
mechanisms on many requests; the demonstration goes through facts and the whole engine.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import key_of, unit_of
from fieldline.facts import Policy
from fieldline.lab.market.kernel import TOTALS, Crowd, Desk, Shelf, Stretch, run
from fieldline.lab.world import LOCAL_TIME, SCENE_SHARES, World, on_sale
from fieldline.lab.world.draws import Floats, Ints, normals, uniforms
from fieldline.lab.world.goods import LIVE, PRODUCT, STAGE, VIDEO
from fieldline.lab.world.truth import (
    CLICK_BASE,
    CLICK_TASTE,
    LONG_VIEW_BASE,
    LONG_VIEW_TASTE,
    LOOKS,
    ORDER_BASE,
    ORDER_TASTE,
)
from fieldline.lab.world.words import SCENES, words
from fieldline.traffic import rows as at
from fieldline.traffic.allocate import rules_of
from fieldline.traffic.kernels.request import room_for
from fieldline.traffic.kernels.words import EXPLAINED
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant

Sums = NDArray[np.int64]
Play = Callable[[Stretch, Sums, Sums], None]
"""Plays a stretch and adds to the totals [threads, 11] and the spending [threads, C]."""

TICK = 5 * MINUTE
SLOTS = 6
NOISE = 0.5
"""Standard deviation of the predictions' persistent error, in log-odds."""


@dataclass(frozen=True, slots=True)
class Market:
    """A world, put on shelves for the kernel, with contracts at standing prices."""

    world: World
    shelf: Shelf
    budgets: NDArray[np.int64]  # [C] micro-yuan a day
    limit: int
    """Most candidates of a request."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a simulation: whole numbers only."""

    requests: int
    totals: NDArray[np.int64]  # [11] columns of `market.kernel`
    spent: NDArray[np.int64]  # [C] micro-yuan


def scenes_of(world: World) -> NDArray[np.bool_]:
    """Return which items may stand in which scene [6, I], as the catalogue says."""
    kind = world.items.kind
    local = np.array([category.local for category in words().categories])[world.items.category]
    video, product, live = kind == VIDEO, kind == PRODUCT, kind == LIVE
    placed = local & (world.items.merchant >= 0) & ~live
    return np.stack([video, live, product & ~local, product, video | live, placed])


def open_market(world: World, policy: Policy, *, contracts: int, limit: int = 2_000) -> Market:
    """Return a market in which the largest merchants promote all they sell at standing multipliers.

    Args:
        world: people, goods and the truth.
        policy: the dials.
        contracts: how many merchants promote.
        limit: most candidates of a request.

    Returns:
        The market; its predictions err by .5 (standard deviation, log-odds) for each item and task.
    """
    scenes = scenes_of(world)
    promoting = np.argsort(-np.diff(world.merchants.product_ptr), kind="stable")[:contracts]
    contract_of = np.full(world.size.merchants, -1, np.int32)
    contract_of[promoting] = np.arange(contracts)
    merchant = world.items.merchant
    contract = np.where(merchant >= 0, contract_of[merchant], -1)
    looks = LOOKS[:, :SLOTS]
    luck = uniforms(world.seed, "multipliers", contracts)
    shelf = Shelf(
        rows=_rows(world, policy, scenes, contract >= 0),
        group=np.where(merchant >= 0, merchant, world.size.merchants + world.items.creator).astype(np.int32),
        category=world.items.category.copy(),
        first_contract=np.concatenate([[0], np.cumsum(contract >= 0)]).astype(np.int32),
        contracts=contract[contract >= 0].astype(np.int32),
        alpha=0.1 + 0.5 * luck,
        bid_cap=np.full(contracts, np.inf),
        organic=np.zeros(contracts),
        meter=np.tile(np.array([0.0, 0.0, 0.0, 1.0, 0.0]), (contracts, 1)),
        gate=np.zeros((contract >= 0).sum(), np.int32),
        open_gates=np.ones(1, np.uint8),
        holdout=np.zeros(contracts),
        contract_key=np.zeros(contracts, np.uint64),
        words=np.stack([rules_of(policy, looks[scene].copy()).words for scene in range(len(SCENES))]),
        scene_ptr=np.concatenate([[0], np.cumsum(scenes.sum(axis=1))]).astype(np.int32),
        scene_items=np.concatenate([np.flatnonzero(row) for row in scenes]).astype(np.int32),
        viewers=_viewers(world),
        scene_bias=np.stack([CLICK_BASE, LONG_VIEW_BASE, ORDER_BASE], axis=1).astype(np.float32),
    )
    owned = np.diff(world.merchants.product_ptr)[promoting]
    return Market(world, shelf, (owned * 20 * YUAN).astype(np.int64), limit)


def _viewers(world: World) -> NDArray[np.float32]:
    sides = np.zeros((world.size.viewers, at.VIEWER_WIDTH), np.float32)
    for task, strength in enumerate((CLICK_TASTE, LONG_VIEW_TASTE, ORDER_TASTE)):
        sides[:, task * at.DIMENSIONS : (task + 1) * at.DIMENSIONS] = strength * world.viewers.taste
    sides[:, at.BIAS + at.CLICK] = world.viewers.warmth
    sides[:, at.BIAS + at.ORDER] = world.viewers.thirst
    return sides


def _rows(
    world: World, policy: Policy, scenes: NDArray[np.bool_], promoted: NDArray[np.bool_]
) -> NDArray[np.float32]:
    items, products = world.items, world.products
    count = len(items.kind)
    rows = at.new_rows(count)
    for task in range(len(at.TASKS)):
        rows[:, task * at.DIMENSIONS : (task + 1) * at.DIMENSIONS] = items.vector
    error = NOISE * normals(world.seed, "prediction error", len(at.TASKS), count)
    sells, product = items.product >= 0, items.product
    order = 0.5 * products.quality[product] - world.viewers.thrift.mean() * products.dearness[product]
    rows[:, at.BIAS + at.CLICK] = items.appeal + error[at.CLICK]
    rows[:, at.BIAS + at.LONG_VIEW] = items.depth + error[at.LONG_VIEW]
    rows[:, at.BIAS + at.ORDER] = np.where(sells, order, -9.0) + error[at.ORDER]
    net = products.price[product] / YUAN * (1.0 - products.declared[product])
    rows[:, at.NET_PRICE] = np.where(sells, net, 0.0)
    trust = np.where(items.merchant >= 0, 0.5 + 0.12 * world.merchants.quality[items.merchant], 0.5)
    rows[:, at.TRUST] = 1.0 + policy.trust_weight * (2.0 * np.clip(trust, 0.0, 1.0) - 1.0)
    whole = rows.view(np.int32)
    whole[:, at.FLAGS] = at.SHOWN | np.where(promoted, at.BIDS, 0)
    whole[:, at.SCENES] = (scenes << np.arange(len(SCENES))[:, None]).sum(axis=0)
    return rows


def desk_of(market: Market) -> Desk:
    """Return a thread's room."""
    room = room_for(market.limit, SLOTS, int(market.shelf.words[0, EXPLAINED]))
    return Desk(
        candidates=np.zeros(market.limit, np.int32),
        viewer=np.zeros(at.VIEWER_WIDTH, np.float32),
        room=np.zeros(room),
        slots=np.zeros((SLOTS, 6)),
        contenders=np.zeros((0, 17), np.float32),
        rest=np.zeros((1, 4), np.float32),
        given=np.zeros((3, 0), np.float32),
        extra=np.zeros(0, np.float32),
    )


def crowd_of(market: Market, start: Instant, product: Ints) -> Crowd:
    """Return the requests of the five minutes from a time on."""
    world = market.world
    hour = (start + LOCAL_TIME) % DAY // HOUR
    key = key_of(world.seed, f"{start}", "stretch")
    count = int(world.demand[hour] * TICK / HOUR + unit_of(key))
    who: Floats = world.who[hour]
    return Crowd(np.uint64(key), 0, count, market.limit, who, np.cumsum(SCENE_SHARES), product)


def sold_at(market: Market, start: Instant) -> Ints:
    """Return what each item sells at a time; −1: nothing, −2: a closed live room."""
    product = market.world.items.product.copy()
    for room in np.flatnonzero(market.world.items.kind == LIVE):
        product[room] = on_sale(market.world, int(room), start)
    return product


def simulate(market: Market, start: Instant, ticks: int, *, threads: int = 1) -> Result:
    """Play so many five-minute ticks; a contract that has spent its budget stops at the next tick.

    Args:
        market: at its standing prices; not changed.
        start: the first tick's time.
        ticks: how many.
        threads: how many to use; the result is the same for any number.

    Returns:
        The sums.
    """
    desks = [desk_of(market) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:

        def play(stretch: Stretch, totals: Sums, spent: Sums) -> None:
            list(pool.map(run, _dealt(stretch, threads), desks, totals, spent))

        return played(market, start, ticks, threads, play)


def played(market: Market, start: Instant, ticks: int, threads: int, play: Play) -> Result:
    """Return the sums of so many ticks, each played by a function that adds to sums of its threads."""
    totals = np.zeros((threads, TOTALS), np.int64)
    spent = np.zeros((threads, len(market.budgets)), np.int64)
    requests, stage, shelf, product = 0, -1, market.shelf, market.world.items.product
    for tick in range(ticks):
        moment = Instant(start + tick * TICK)
        if (moment + LOCAL_TIME) // STAGE != stage:
            stage = (moment + LOCAL_TIME) // STAGE
            product = sold_at(market, moment)
            shelf = shelf._replace(rows=_staged(shelf.rows, product))
        left = market.budgets > spent.sum(axis=0)
        open_shelf = shelf._replace(alpha=np.where(left, market.shelf.alpha, 0.0))
        crowd = crowd_of(market, moment, product)
        play(Stretch(market.world.nature, open_shelf, crowd), totals, spent)
        requests += crowd.past
    return Result(requests, totals.sum(axis=0), spent.sum(axis=0))


def _dealt(stretch: Stretch, threads: int) -> list[Stretch]:
    past = stretch.crowd.past
    edges = [past * thread // threads for thread in range(threads + 1)]
    return [
        stretch._replace(crowd=stretch.crowd._replace(first=first, past=last))
        for first, last in pairwise(edges)
    ]


def _staged(rows: NDArray[np.float32], product: Ints) -> NDArray[np.float32]:
    staged = at.new_rows(len(rows))
    staged[:] = rows
    flags = staged.view(np.int32)[:, at.FLAGS]
    flags[:] = np.where(product < -1, flags & ~at.SHOWN, flags | at.SHOWN)
    return staged
