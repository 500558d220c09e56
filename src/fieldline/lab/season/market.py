"""Opens a season: the world's items on the engine's shelves, a predictor that knows nothing, empty accounts."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.contracts.book import Book
from fieldline.draws import campaign_key, held, holdout_key
from fieldline.facts import LiveRoom, Policy, Product, Video, Viewer
from fieldline.lab.season.arm import Arm
from fieldline.lab.season.columns import (
    BINS_OF_CHANCE,
    CLICK_WORDS,
    LOOK_WORDS,
    ORDER_WORDS,
    PER_DOMAIN,
    PER_ITEM,
    PER_ROOM,
    TOTALS,
    TWENTIETH,
    YUANS,
    Accounts,
    Clicks,
    Crowd,
    Desk,
    Machine,
    Memory,
    Pen,
    Places,
    Queue,
    Rules,
    Shelf,
    Tallies,
    Terms,
    Waiting,
)
from fieldline.lab.season.plan import Plan
from fieldline.lab.world import SCENE_SHARES, World, catalogue, on_sale
from fieldline.lab.world.draws import Ints
from fieldline.lab.world.goods import LIVE, PRODUCT, VIDEO
from fieldline.lab.world.rooms import Rooms, slot_at
from fieldline.lab.world.words import SCENES, words
from fieldline.scenes import DEFAULT_LOOKS
from fieldline.traffic import rows as at
from fieldline.traffic.allocate import MOST_STEPS, rules_of
from fieldline.traffic.kernels.request import room_for
from fieldline.traffic.kernels.words import CATEGORY_CAP
from fieldline.traffic.prediction import delay
from fieldline.traffic.prediction.features import (
    VIEWER_TRAITS,
    WIDEST,
    ItemColumns,
    ViewerColumns,
    item_traits,
    viewer_traits,
)
from fieldline.traffic.prediction.machine import FactorizationMachine
from fieldline.traffic.prediction.sales import CATEGORY, CHANCE, ITEM, MERCHANT
from fieldline.traffic.solve import BINS
from fieldline.traffic.worth import Worth, meters, widen
from fieldline.units import YUAN, Instant

SLOTS = 6
SHELVES = (False, False, True, True, False, True)
"""Scenes whose items are ordered by clicks and may be shown again at once."""
RECENT = 8
"""Items watched long lately that the predictor reads of a viewer (serving: 20)."""
SEEN = 512
"""Items last shown to a viewer, which feeds do not show again."""
LABELS = 1 << 17
"""Looks that may wait for their labels at once."""
CLICKS = 1 << 19
"""Clicks that may wait for their orders at once."""
SEARCH, LOCAL = SCENES.index("search"), SCENES.index("local")


def scenes_of(world: World) -> NDArray[Any]:
    """Return which items may stand in which scene [6, I], as the catalogue says."""
    kind = world.items.kind
    local = np.array([category.local for category in words().categories])[world.items.category]
    video, product, live = kind == VIDEO, kind == PRODUCT, kind == LIVE
    placed = local & (world.items.merchant >= 0) & ~live
    return np.stack([video, live, product & ~local, product, video | live, placed])


def machine_of(world: World, settings: FactorizationMachine, policy: Policy, start: Instant) -> Machine:
    """Return a predictor that knows the catalogue and nothing else."""
    viewers, count = world.size.viewers, len(world.items.kind)
    params = settings.init()
    traits = np.full((viewers, VIEWER_TRAITS), -1, np.int32)
    item_words = []
    number = 0
    for fact in catalogue(world, start):
        if isinstance(fact, Viewer):
            traits[number] = viewer_traits(fact, settings.slots)
            number += 1
        elif isinstance(fact, Product | Video | LiveRoom):
            item_words.append(item_traits(fact, settings.slots))
    return Machine(
        table=params.table,
        bias=params.bias,
        viewers=ViewerColumns(
            traits,
            np.zeros((viewers, 3), np.float32),
            np.full((viewers, RECENT), -1, np.int32),
            np.zeros(viewers, np.int32),
            np.zeros((viewers, len(policy.scenes), 3), np.float32),
        ),
        items=ItemColumns(
            np.stack(item_words),
            np.zeros((count, 3), np.float32),
            world.items.creator.copy(),
            world.items.category.copy(),
            np.zeros((world.size.creators, 3), np.float32),
        ),
        last_look=np.full(viewers, -1, np.int64),
        rows=_rows(world, policy),
        exposure=np.zeros(count),
        orders=np.zeros(count),
        offset=np.full(count, math.log(CHANCE / (1.0 - CHANCE)), np.float32),
        deviation=np.full(count, math.sqrt(1.0 / CATEGORY + 1.0 / MERCHANT + 1.0 / ITEM), np.float32),
    )


def memory_of(world: World) -> Memory:
    """Return what the engine remembers of slates: nothing yet."""
    viewers = world.size.viewers
    return Memory(
        np.full((viewers, SEEN), -1, np.int32),
        np.zeros(viewers, np.int32),
        np.zeros((2, len(SCENES), SLOTS)),
    )


def shelf_of(world: World, policy: Policy, promoted: NDArray[np.bool_]) -> tuple[Shelf, Places]:
    """Return the items with their partitions.

    Args:
        world: the market.
        policy: the dials.
        promoted: [I], items under contract.
    """
    items, scenes = world.items, scenes_of(world)
    kinds, cities = len(words().categories), len(words().cities)
    city = np.where(items.merchant >= 0, world.merchants.city[items.merchant], -1)
    groups = [np.flatnonzero(row) for row in scenes]
    groups += [np.flatnonzero(row & (items.category == c)) for row in scenes for c in range(kinds)]
    groups += [np.flatnonzero(scenes[LOCAL] & (city == c)) for c in range(cities)]
    groups += [np.flatnonzero(row & promoted) for row in scenes]
    start = np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int32)
    owner = np.where(items.merchant >= 0, items.merchant, world.size.merchants + items.creator)
    shelf = Shelf(
        group=owner.astype(np.int32),
        category=items.category.copy(),
        product=items.product.copy(),
        words=np.stack([words_of(policy, scene, declared(scene)) for scene in range(len(SCENES))]),
        by_clicks=np.array(SHELVES, np.uint8),
        start=start,
        items=np.concatenate(groups).astype(np.int32),
    )
    first = len(SCENES)
    local = first + first * kinds
    return shelf, Places(first, kinds, local, local + cities, policy.candidate_limit)


def declared(scene: int) -> NDArray[Any]:
    """Return the looks that the engine is told at first for a scene's six slots."""
    return np.array(DEFAULT_LOOKS[SCENES[scene]][:SLOTS])


def words_of(policy: Policy, scene: int, looks: NDArray[Any]) -> NDArray[Any]:
    """Return a scene's rules as kernels read them; a search is not capped by the category that it names."""
    found = rules_of(policy, looks).words
    if scene == SEARCH:
        found[CATEGORY_CAP] = SLOTS
    return found


def _rows(world: World, policy: Policy) -> NDArray[Any]:
    rows = at.new_rows(len(world.items.kind))
    quality = world.merchants.quality[world.items.merchant]
    trust = np.where(world.items.merchant >= 0, 0.5 + 0.12 * quality, 0.5)
    rows[:, at.TRUST] = 1.0 + policy.trust_weight * (2.0 * np.clip(trust, 0.05, 0.95) - 1.0)
    whole = rows.view(np.int32)
    whole[:, at.FLAGS] = at.SHOWN
    whole[:, at.SCENES] = (scenes_of(world) << np.arange(len(SCENES))[:, None]).sum(axis=0)
    return rows


def promote(rows: NDArray[Any], promoted: NDArray[Any]) -> None:
    """Mark the items [I] on which contracts bid."""
    flags = rows.view(np.int32)[:, at.FLAGS]
    flags[:] = np.where(promoted, flags | at.BIDS, flags & ~at.BIDS)


def turn(
    world: World,
    rooms: Rooms,
    product: Ints,
    rows: NDArray[Any],
    released: NDArray[np.int64] | None,
    now: Instant,
) -> None:
    """Put what live rooms sell now on the shelf, close those whose hours are over, and hide what is yet to come.

    Args:
        world: the market.
        rooms: those with stays.
        product: what each item sells [I], changed.
        rows: packed rows [I, 32], changed.
        released: when each item is first shown, ms [I]; None: all are there.
        now: ms.
    """
    if len(rooms.offers):
        product[rooms.first :] = rooms.offers[:, slot_at(rooms, now)]
    else:
        for room in np.flatnonzero(world.items.kind == LIVE):
            product[room] = on_sale(world, int(room), now)
    which = np.maximum(product, 0)
    price = world.products.price[which] / YUAN * (1.0 - world.products.declared[which])
    rows[:, at.NET_PRICE] = np.where(product >= 0, price, 0.0)
    flags = rows.view(np.int32)[:, at.FLAGS]
    hidden = product < -1 if released is None else (product < -1) | (released > now)
    flags[:] = np.where(hidden, flags & ~at.SHOWN, flags | at.SHOWN)


def terms_of(world: World, plan: Plan, arm: Arm, book: Book, merchant: Ints) -> tuple[Terms, Rules]:
    """Return the contracts as requests meet them, and how their orders count; without a plan's, one that never bids.

    Args:
        world: the market.
        plan: whose contracts they are.
        arm: with what is done to them.
        book: the contracts.
        merchant: whose contract may stand on each item [I], −1: none.
    """
    count = max(len(book), 1)
    of_merchant = np.full(world.size.merchants, -1, np.int32)
    of_merchant[plan.merchants] = np.arange(len(book))
    contract = np.where(merchant >= 0, of_merchant[merchant], -1)
    split = np.array([c.holdout if arm.holdout is None else arm.holdout for c in book.contracts] or [0.0])
    holdout = split.copy()
    holdout[list(arm.off)] = np.maximum(holdout[list(arm.off)], arm.off_share)
    names = [f"viewer-{v:06d}" for v in range(world.size.viewers)]
    viewer_key = np.array([holdout_key(arm.policy.seed, name) for name in names], np.uint64)
    key = np.array([campaign_key(c.wish) for c in book.contracts] or [0], np.uint64)
    reward = [
        [c.meter.look, c.meter.click, c.meter.long_view, c.meter.gmv, c.meter.order] for c in book.contracts
    ]
    scene_value = np.ones((len(SCENES), count)) if arm.scene_value is None else arm.scene_value
    learned = Worth()
    widen(learned, count)
    meter = meters(learned, book, len(SCENES), 0)
    meter[:, :, 3:] *= arm.level
    meter *= scene_value[:, :, None]
    under = contract >= 0
    terms = Terms(
        first=np.concatenate([[0], np.cumsum(under)]).astype(np.int32),
        contract=contract[under].astype(np.int32),
        gate=np.zeros(int(under.sum()), np.int32),
        open_gates=np.ones(1, np.uint8),
        alpha=np.zeros(count),
        bid_cap=np.zeros(count),
        organic_price=np.zeros(count),
        meter=np.ascontiguousarray(meter),
        holdout=holdout,
        key=key,
        viewer_key=viewer_key,
        allowed=np.zeros(count, np.int64),
    )
    rules = Rules(
        of_merchant=of_merchant,
        held=_held(viewer_key, key, split),
        counts_organic=np.array([c.limit.counts_organic for c in book.contracts] or [False], np.uint8),
        net=np.array([c.limit.net for c in book.contracts] or [False], np.uint8),
        reward=np.array(reward or [[0.0] * 5]),
        scene_value=np.ascontiguousarray(scene_value, np.float64),
        kept=1.0 - world.products.declared,
    )
    return terms, rules


@njit
def _held(viewers: NDArray[Any], contracts: NDArray[Any], shares: NDArray[Any]) -> NDArray[Any]:
    found = np.zeros((viewers.size, contracts.size), np.uint8)
    for v in range(viewers.size):
        for c in range(contracts.size):
            found[v, c] = shares[c] > 0.0 and held(viewers[v], contracts[c], shares[c])
    return found


def accounts_of(world: World, count: int, days: int) -> Accounts:
    """Return empty accounts."""
    viewers, scenes = world.size.viewers, len(SCENES)
    money = np.zeros((9, count), np.int64)
    money[TWENTIETH] = -1
    return Accounts(
        money=money,
        yuan=np.zeros((YUANS, count)),
        supply=np.zeros((4, count, BINS)),
        by_day=np.zeros((days, 5, count), np.int64),
        value_by_day=np.zeros((days, count)),
        arms=np.zeros((days, count, 2, 3), np.int64),
        squares=np.zeros((days, count, 2)),
        scenes=np.zeros((days, count, scenes, 2), np.int64),
        today=np.zeros((viewers, count), np.float32),
        shown=np.zeros((count, 2)),
        touches=np.full((viewers, count, 2), -1, np.int64),
    )


def tallies_of(world: World, days: int, rooms: int = 0) -> Tallies:
    """Return empty tallies, of so many rooms with stays."""
    return Tallies(
        total=np.zeros((days, TOTALS), np.int64),
        by_scene=np.zeros((len(SCENES), 4), np.int64),
        feed_viewers=np.zeros((world.size.viewers, 3), np.int64),
        feed_items=np.zeros((len(world.items.kind), 3), np.int64),
        chances=np.zeros((days, 2, 2, BINS_OF_CHANCE), np.int64),
        tick=np.zeros(4, np.int64),
        score=np.zeros(1),
        items=np.zeros((len(world.items.kind), PER_ITEM)),
        prices=np.zeros((3, len(world.items.kind))),
        match=np.zeros(len(words().categories)),
        rooms=np.zeros((rooms, PER_ROOM)),
        domains=np.zeros((len(SCENES), 3, PER_DOMAIN)),
    )


def queue_of() -> Queue:
    """Return room for looks whose label window is open."""
    return Queue(np.zeros((LABELS, LOOK_WORDS)), np.zeros(2, np.int64))


def clicks_of(policy: Policy) -> Clicks:
    """Return room for clicks whose order window is open."""
    window = policy.order_window_ms
    return Clicks(
        rows=np.zeros((CLICKS, CLICK_WORDS)),
        ends=np.zeros(delay.STEPS + 1, np.int64),
        seen=np.zeros((2, delay.STEPS)),
        ages=delay.ages(window),
        usual=delay.usual(window),
        share=np.zeros(delay.STEPS),
    )


def waiting_of(room: int) -> Waiting:
    """Return room for so many orders and refunds."""
    return Waiting(
        np.zeros((room, ORDER_WORDS), np.int64), np.zeros((2, room), np.int64), np.zeros(2, np.int64)
    )


def crowd_of(world: World) -> Crowd:
    """Return who may ask for what."""
    viewers = world.viewers
    return Crowd(
        world.who, np.cumsum(SCENE_SHARES), viewers.favourites, world.merchants.category, viewers.city
    )


def desk_of(world: World, limit: int, explained: int) -> Desk:
    """Return room for one request of so many candidates, that tells of so many contenders."""
    items = len(world.items.kind)
    return Desk(
        candidates=np.zeros(limit + 1, np.int32),
        stamp=np.zeros(items, np.int32),
        epoch=np.zeros(1, np.int32),
        viewer=np.zeros(at.VIEWER_WIDTH, np.float32),
        room=np.zeros(room_for(limit, SLOTS, explained)),
        slots=np.zeros((SLOTS, 6)),
        contenders=np.zeros((SLOTS + explained, 17), np.float32),
        rest=np.zeros((1, 3), np.float32),
        steps=np.zeros((MOST_STEPS, 4), np.float32),
        columns=np.zeros((3, MOST_STEPS), np.float32),
        contracts=np.zeros(MOST_STEPS, np.int32),
        given=np.zeros((3, 0), np.float32),
        extra=np.zeros(limit + 1, np.float32),
        best=np.zeros(items),
        pen=Pen(np.zeros(WIDEST, np.int32), *(np.zeros(3, np.float32) for _ in range(3))),
    )
