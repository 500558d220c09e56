"""The simulated market, which owns the truth: who asks when, and what they do with the slate they are given.

It knows facts and nothing of the engine, so that no truth can leak into an estimate. Everything is a pure
function of the seed, the time and the slate.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from fieldline.draws import key_of, unit_of
from fieldline.facts import Behaviour, CatalogueEntry, Decision, LiveRoom, Place, Request
from fieldline.lab.world import catalogue as shelf
from fieldline.lab.world import truth as truth
from fieldline.lab.world.deeds import RENDER, SLOT_TIME, Shown, deeds, impression
from fieldline.lab.world.draws import Floats, picks
from fieldline.lab.world.goods import Items, Merchants, Products, make_items, make_merchants, make_products
from fieldline.lab.world.people import RHYTHMS, Creators, Viewers, make_creators, make_viewers
from fieldline.lab.world.words import SCENES, words
from fieldline.units import DAY, HOUR, SECOND, Instant

LOCAL_TIME = 8 * HOUR
"""The market's clock is eight hours ahead of UTC."""
BUCKET = 10 * SECOND
"""Requests are drawn bucket by bucket, so that any stretch of time can be asked for alone."""
SCENE_SHARES = np.array([0.50, 0.10, 0.14, 0.10, 0.10, 0.06])


@dataclass(frozen=True, slots=True)
class Size:
    """How many of everything a market has."""

    viewers: int
    creators: int
    merchants: int
    products: int
    videos: int
    rooms: int


SIZES = {
    "demo": Size(viewers=2_000, creators=300, merchants=150, products=600, videos=2_320, rooms=80),
    "season": Size(viewers=8_000, creators=1_900, merchants=1_500, products=3_000, videos=3_900, rooms=100),
    "bench": Size(viewers=20_000, creators=3_000, merchants=2_000, products=6_000, videos=13_600, rooms=400),
}


@dataclass(frozen=True, slots=True)
class World:
    """A made market: frozen arrays, all of them functions of the seed and the size."""

    seed: int
    size: Size
    viewers: Viewers
    creators: Creators
    merchants: Merchants
    products: Products
    items: Items
    nature: truth.Nature
    demand: Floats
    """Requests an hour by local hour [24]."""
    who: Floats
    """Running sum of viewers' requests an hour, by local hour [24, V]."""

    @staticmethod
    def make(seed: int, size: str | Size = "demo") -> "World":
        """Return the market of a seed.

        Args:
            seed: decides everything.
            size: `demo`, `bench` or counts of one's own.

        Returns:
            The market.

        Raises:
            ValueError: more merchants than creators or products, more rooms than merchants, or fewer videos
                than creators.
        """
        counts = SIZES[size] if isinstance(size, str) else size
        if counts.merchants > min(counts.creators, counts.products):
            raise ValueError("a market needs a creator and a product for every merchant")
        if counts.rooms > counts.merchants or counts.videos < counts.creators:
            raise ValueError("a market needs a merchant for every room and a video of every creator")
        merchants = make_merchants(seed, counts.merchants, counts.products)
        products = make_products(seed, merchants)
        creators = make_creators(seed, counts.creators, merchants.category)
        viewers = make_viewers(seed, counts.viewers, creators)
        items = make_items(
            seed,
            videos=counts.videos,
            rooms=counts.rooms,
            creators=creators,
            merchants=merchants,
            products=products,
        )
        rhythm = RHYTHMS / RHYTHMS.sum(axis=1, keepdims=True)
        who = np.cumsum(viewers.activity * rhythm[viewers.rhythm].T, axis=1)  # [24, V]
        for part in (viewers, creators, merchants, products, items):
            for field in fields(part):
                getattr(part, field.name).flags.writeable = False
        who.flags.writeable = False
        nature = _nature(viewers, merchants, products, items)
        return World(seed, counts, viewers, creators, merchants, products, items, nature, who[:, -1], who)


def _nature(viewers: Viewers, merchants: Merchants, products: Products, items: Items) -> truth.Nature:
    local = np.array([category.local for category in words().categories])[items.category]
    return truth.Nature(
        taste=viewers.taste,
        warmth=viewers.warmth,
        thrift=viewers.thrift,
        thirst=viewers.thirst,
        viewer_city=viewers.city,
        vector=items.vector,
        appeal=items.appeal,
        depth=items.depth,
        creator=items.creator,
        city=np.where(local & (items.merchant >= 0), merchants.city[items.merchant], -1).astype(np.int32),
        quality=products.quality,
        dearness=products.dearness,
        refund=products.refund,
        price=products.price,
        looks=truth.LOOKS,
        click_base=truth.CLICK_BASE,
        long_view_base=truth.LONG_VIEW_BASE,
        order_base=truth.ORDER_BASE,
    )


def catalogue(world: World, at: Instant) -> Iterator[CatalogueEntry]:
    """Yield all that the market's engine may know when the market opens, each after what it names.

    Args:
        world: the market.
        at: when it opens.

    Yields:
        Merchants, creators, viewers, products, videos, live rooms.
    """
    yield from shelf.merchants(world.seed, world.merchants)
    yield from shelf.creators(world.seed, world.creators, world.merchants)
    yield from shelf.viewers(world.viewers)
    yield from shelf.products(world.seed, world.products, world.merchants, world.items, at)
    yield from shelf.videos(world.seed, world.items, world.products, world.merchants, at)
    yield from live_rooms(world, at)


def live_rooms(world: World, at: Instant) -> Iterator[LiveRoom]:
    """Yield every live room as it is at a time: open or not, and what its host sells then."""
    yield from shelf.live_rooms(world.items, world.products, world.merchants, Instant(at + LOCAL_TIME), at)


def requests(world: World, start: Instant, end: Instant) -> Iterator[Request]:
    """Yield the requests of a stretch of time in the order of time; whatever was shown, people ask alike.

    The number in ten seconds is Poisson with the hour's mean; requests(a, c) is requests(a, b) and then
    requests(b, c).

    Args:
        world: the market.
        start: first instant.
        end: past the last instant.

    Yields:
        Requests with the time set.
    """
    for bucket in range(start // BUCKET, -(-end // BUCKET)):
        for request in _bucket(world, bucket):
            if request.at is not None and start <= request.at < end:
                yield request


def _bucket(world: World, bucket: int) -> list[Request]:
    hour = (bucket * BUCKET + LOCAL_TIME) % DAY // HOUR
    weekend = (bucket * BUCKET + LOCAL_TIME) // DAY % 7 in (2, 3)  # day 0 was a Thursday
    mean = world.demand[hour] * BUCKET / HOUR * (1.15 if weekend else 0.94)
    key = key_of(world.seed, f"{bucket}", "requests")
    count = _poisson(mean, unit_of(key))
    times = sorted(int(unit_of(key, 1 + n) * BUCKET) for n in range(count))
    return [_request(world, bucket, n, hour, Instant(bucket * BUCKET + time)) for n, time in enumerate(times)]


def _poisson(mean: float, draw: float) -> int:
    count, chance = 0, math.exp(-mean)
    below = chance
    while draw >= below and count < 10_000:
        count += 1
        chance *= mean / count
        below += chance
    return count


def _request(world: World, bucket: int, number: int, hour: int, at: Instant) -> Request:
    id_ = f"request-{bucket}-{number:02d}"
    key = key_of(world.seed, id_, "request")
    row = world.who[hour]
    viewer = min(bisect_left(row, unit_of(key, 0) * row[-1]), len(row) - 1)
    scene = int(picks(np.array(unit_of(key, 1)), SCENE_SHARES))
    category = None
    if scene == truth.SEARCH:
        favourite = world.viewers.favourites[viewer, 2]
        sold = world.merchants.category[int(unit_of(key, 3) * world.size.merchants)]
        category = words().categories[favourite if unit_of(key, 2) < 0.7 else sold].word
    place: Place | None = None
    if scene == truth.LOCAL:
        place = shelf.place_of(world.viewers, viewer)
    return Request(
        id=id_, viewer=f"viewer-{viewer:06d}", scene=SCENES[scene], at=at, category=category, place=place
    )


def respond(world: World, decision: Decision) -> list[Behaviour]:
    """Return what the viewer does with a slate, in the order of time, all of it after the decision.

    Args:
        world: the market.
        decision: the slate and whose it is.

    Returns:
        Impressions, clicks, long views, follows, orders and refunds; nothing where the slate never rendered.

    Raises:
        ValueError: the market has no such viewer, scene or item.
    """
    items = [slot.item for slot in decision.slots]
    return responses(world, decision.id, decision.viewer, decision.scene, items, at=Instant(decision.at))


def responses(
    world: World, decision: str, viewer: str, scene: str, items: Sequence[str], *, at: Instant
) -> list[Behaviour]:
    """Return what `respond` returns, from the ids alone: all that a client of the engine is told."""
    visit = visit_of(world, decision, viewer, scene)
    numbers = [shelf.item_number(world.items, item) for item in items]
    if not truth.rendered(visit.key):
        return []
    sold = [on_sale(world, number, at) for number in numbers]
    fates = truth.fates(world.nature, visit, np.array(numbers, np.int64), np.array(sold, np.int64)).tolist()
    found: list[Behaviour] = []
    for slot, (number, product, fate) in enumerate(zip(numbers, sold, fates, strict=True)):
        shown = _shown(world, decision, viewer, number, product)
        found.append(impression(shown, at))
        key = int(truth.item_key(visit.key, number))
        found += deeds(shown, truth.Fate(*fate), key, Instant(at + RENDER + slot * SLOT_TIME))
    return sorted(found, key=lambda fact: fact.at)


def _shown(world: World, decision: str, viewer: str, item: int, product: int) -> Shown:
    creator = int(world.items.creator[item])
    return Shown(
        decision=decision,
        viewer=viewer,
        item=shelf.item_id(world.items, item),
        creator=f"creator-{creator:06d}" if creator >= 0 else None,
        product=f"product-{product:06d}" if product >= 0 else None,
        price=int(world.products.price[product]) if product >= 0 else 0,
    )


def visit_of(world: World, decision: str, viewer: str, scene: str) -> truth.Visit:
    """Return a request as the truth reads it.

    Raises:
        ValueError: the market has no such viewer or scene.
    """
    prefix, _, digits = viewer.partition("-")
    if prefix != "viewer" or not digits.isdecimal() or int(digits) >= world.size.viewers:
        raise ValueError(f"this market has no viewer {viewer}")
    if scene not in SCENES:
        raise ValueError(f"this market has no scene {scene}")
    return truth.Visit(np.uint64(key_of(world.seed, decision, "fate")), int(digits), SCENES.index(scene))


def on_sale(world: World, item: int, at: Instant) -> int:
    """Return the number of the product that an item sells at a time; −1 for none, −2 for a closed room."""
    return shelf.on_sale(world.items, world.merchants, item, Instant(at + LOCAL_TIME))
