"""The made market's goods and content: merchants, their products, and the items that show them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.lab.world.draws import Floats, Ints, normals, picks, shares, uniforms
from fieldline.lab.world.people import DIMENSIONS, Creators, centres, unit, videos_of
from fieldline.lab.world.words import words

PRODUCT, VIDEO, LIVE = range(3)
REFUNDS = {"taste": 0.04, "wear": 0.22, "living": 0.07, "tested": 0.09, "visit": 0.10}
"""Share of orders returned where a merchant is as good as most."""
AFFILIATES = 0.35
"""Share of the videos of creators without a shop, in categories with goods, that sell something."""
STAGE = 1_800_000
"""Milliseconds that a live room stays with one product."""


@dataclass(frozen=True, slots=True)
class Merchants:
    """Shops: M merchants; their products are product_ptr[m] … product_ptr[m + 1] − 1."""

    category: Ints  # [M]
    city: Ints  # [M]
    quality: Floats  # [M]
    product_ptr: Ints  # [M + 1]


@dataclass(frozen=True, slots=True)
class Products:
    """Things for sale: P products, sorted by merchant."""

    merchant: Ints  # [P]
    category: Ints  # [P]
    good: Ints  # [P] index among the category's goods
    price: NDArray[np.int64]  # [P] micro-yuan
    dearness: Floats  # [P] log of price over the good's typical price
    quality: Floats  # [P]
    refund: Floats  # [P] true share of orders returned
    declared: Floats  # [P] what the merchant says it is
    stock: Ints  # [P]


@dataclass(frozen=True, slots=True)
class Items:
    """All that can be shown: I items, products first (item i is product i), then videos, then live rooms."""

    kind: Ints  # [I] PRODUCT, VIDEO or LIVE
    vector: Floats  # [I, 8], length 1
    appeal: Floats  # [I] added to the click logit
    depth: Floats  # [I] added to the long-view logit
    category: Ints  # [I]
    creator: Ints  # [I], −1 for products
    product: Ints  # [I] what it sells (a live room: its merchant's first), −1 for none
    merchant: Ints  # [I], −1 for none
    age: NDArray[np.int64]  # [I] milliseconds since it appeared, when the market opens
    opens: Ints  # [I] local hour at which a live room opens, else 0
    hours: Ints  # [I] how long it stays open, else 0


def make_merchants(seed: int, count: int, products: int) -> Merchants:
    """Return merchants that share a number of products, a few of them many.

    Args:
        seed: the world's seed.
        count: how many.
        products: how many things for sale there are in all, at least the count.

    Returns:
        M = count merchants.
    """
    goods = np.array([bool(category.goods) for category in words().categories], np.float64)
    owned = shares(products, np.exp(0.9 * normals(seed, "merchant size", count)))
    return Merchants(
        category=picks(uniforms(seed, "merchant category", count), goods),
        city=picks(uniforms(seed, "merchant city", count), 1.0 / np.arange(1, len(words().cities) + 1)),
        quality=normals(seed, "merchant quality", count),
        product_ptr=np.concatenate([[0], np.cumsum(owned)]).astype(np.int32),
    )


def make_products(seed: int, merchants: Merchants) -> Products:
    """Return the merchants' products: better merchants are refunded less, and say so more truly.

    Args:
        seed: the world's seed.
        merchants: M merchants.

    Returns:
        P products, sorted by merchant.
    """
    categories = words().categories
    merchant = np.repeat(np.arange(len(merchants.category), dtype=np.int32), np.diff(merchants.product_ptr))
    count = len(merchant)
    category = merchants.category[merchant]
    kinds = np.array([len(c.goods) for c in categories])
    good = (uniforms(seed, "good", count) * kinds[category]).astype(np.int32)
    typical = np.array([categories[c].goods[g].price for c, g in zip(category, good, strict=True)])
    tenths = np.maximum(np.rint(typical * np.exp(0.25 * normals(seed, "price", count))), 5) * 10 - 1
    usual = np.array([REFUNDS.get(c.stories_of, 0.0) for c in categories])[category]
    quality = merchants.quality[merchant]
    refund = np.clip(usual * np.exp(-0.35 * quality + 0.25 * normals(seed, "refund", count)), 0.0, 0.6)
    return Products(
        merchant=merchant,
        category=category,
        good=good,
        price=(tenths * 100_000).astype(np.int64),
        dearness=np.log(tenths / 10 / typical),
        quality=0.5 * quality + 0.5 * normals(seed, "product quality", count),
        refund=refund,
        declared=np.clip(refund * np.exp(0.2 * normals(seed, "declared", count)), 0.0, 0.6),
        stock=np.exp(np.log(200) + np.log(100) * uniforms(seed, "stock", count)).astype(np.int32),
    )


def _sold(seed: int, creator: Ints, creators: Creators, merchants: Merchants) -> Ints:
    """Which product each video sells: a shop's account its own, others now and then one of their category."""
    count = len(creator)
    draw, which = uniforms(seed, "sells", count), uniforms(seed, "sold", count)
    shop = creators.shop[creator]
    partner = np.full(count, -1, np.int32)
    for category in np.unique(merchants.category):
        luck = uniforms(seed, f"partner {category}", count)
        sellers = np.flatnonzero(merchants.category == category)
        rows = creators.category[creator] == category
        partner[rows] = sellers[(luck[rows] * len(sellers)).astype(int)]
    merchant = np.where(shop >= 0, np.where(draw < 0.8, shop, -1), np.where(draw < AFFILIATES, partner, -1))
    first, owned = merchants.product_ptr[merchant], np.diff(merchants.product_ptr)[merchant]
    return np.where(merchant >= 0, first + (which * owned).astype(np.int32), -1).astype(np.int32)


def make_items(
    seed: int, *, videos: int, rooms: int, creators: Creators, merchants: Merchants, products: Products
) -> Items:
    """Return everything that can be shown, each near its category's place among tastes.

    Args:
        seed: the world's seed.
        videos: how many, at least the number of creators.
        rooms: how many live rooms, at most the number of merchants.
        creators: C creators.
        merchants: M merchants.
        products: P products.

    Returns:
        I = P + videos + rooms items.
    """
    goods = len(products.merchant)
    count = goods + videos + rooms
    kind = np.repeat(np.array([PRODUCT, VIDEO, LIVE], np.int32), [goods, videos, rooms])
    accounts = np.full(len(merchants.category), -1, np.int32)
    accounts[creators.shop[creators.shop >= 0]] = np.flatnonzero(creators.shop >= 0)
    hosts = np.argsort(uniforms(seed, "hosts", len(accounts)) - 0.2 * np.diff(merchants.product_ptr))[:rooms]
    video_creator = videos_of(creators, videos)
    creator = np.concatenate([np.full(goods, -1), video_creator, accounts[hosts]]).astype(np.int32)
    product = np.concatenate(
        [np.arange(goods), _sold(seed, video_creator, creators, merchants), merchants.product_ptr[hosts]]
    ).astype(np.int32)
    category = np.where(product >= 0, products.category[product], creators.category[creator]).astype(np.int32)
    stray = (product < 0) & (uniforms(seed, "stray", count) < 0.2)  # a video beside its maker's usual subject
    stories = np.array([not c.goods for c in words().categories], np.float64)
    category[stray] = picks(uniforms(seed, "stray to", count), stories)[stray]
    shared = np.where(creator >= 0, creators.appeal[creator], 0.0)
    made = np.where(creator[:, None] >= 0, creators.style[creator], 0.0)
    own = normals(seed, "item", count, DIMENSIONS) / np.sqrt(DIMENSIONS)
    live = kind == LIVE
    open_hours = picks(uniforms(seed, "hours", count), np.array([4.0, 3.0, 2.0, 1.0]))
    return Items(
        kind=kind,
        vector=unit(centres(seed)[category] + 0.45 * made + 0.45 * own),
        appeal=shared + 0.45 * normals(seed, "appeal", count),
        depth=0.5 * shared + 0.6 * normals(seed, "depth", count),
        category=category,
        creator=creator,
        product=product,
        merchant=np.where(product >= 0, products.merchant[product], -1).astype(np.int32),
        age=(-np.log1p(-uniforms(seed, "age", count)) * 864_000_000).astype(np.int64),
        opens=np.where(live, uniforms(seed, "opens", count) * 24, 0).astype(np.int32),
        hours=np.where(live, np.array([6, 10, 16, 24])[open_hours], 0).astype(np.int32),
    )
