"""The made market as facts: names, titles and what a platform would know of everyone and everything."""

from collections.abc import Iterator

import numpy as np

from fieldline.draws import key_of, unit_of
from fieldline.facts import Creator, LiveRoom, Merchant, Place, Product, Video, Viewer
from fieldline.lab.world.goods import LIVE, STAGE, VIDEO, Items, Merchants, Products
from fieldline.lab.world.people import Creators, Viewers
from fieldline.lab.world.words import AGES, GENDERS, Pair, words
from fieldline.units import DAY, HOUR, Instant

PREFIXES = ("product", "video", "live")
"""An item's id begins with the word of its kind and ends in its number of that kind."""
CLOSED = -2
"""Stands for the product of a live room that is not open."""


def _pick(options: tuple[Pair, ...], seed: int, name: str, purpose: str) -> Pair:
    return options[int(unit_of(key_of(seed, name, purpose)) * len(options))]


def _word(options: tuple[str, ...], seed: int, name: str, purpose: str) -> str:
    return options[int(unit_of(key_of(seed, name, purpose)) * len(options))]


def item_id(items: Items, item: int) -> str:
    """Return an item's id: product-000012, video-000345, live-000006."""
    kind = items.kind[item]
    return f"{PREFIXES[kind]}-{item - np.searchsorted(items.kind, kind):06d}"


def item_number(items: Items, id_: str) -> int:
    """Return the number of an item's id.

    Raises:
        ValueError: the market has no such item.
    """
    prefix, _, digits = id_.partition("-")
    if prefix in PREFIXES and digits.isdecimal():
        kind = PREFIXES.index(prefix)
        item = int(np.searchsorted(items.kind, kind)) + int(digits)
        if item < len(items.kind) and items.kind[item] == kind and item_id(items, item) == id_:
            return item
    raise ValueError(f"this market has no item {id_}")


def shop_name(seed: int, merchants: Merchants, merchant: int) -> Pair:
    """Return a merchant's name, such as 山野食品旗舰店, Shanye Foods Flagship."""
    name = f"merchant-{merchant:06d}"
    trade = words().categories[merchants.category[merchant]]
    brand = _pick(words().brands, seed, name, "brand")
    if trade.local:
        city = words().cities[merchants.city[merchant]]
        return f"{brand[0]}{trade.trade[0]}（{city.name}店）", f"{brand[1]} {trade.trade[1]}"
    shop = _pick(words().shops, seed, name, "shop")
    return f"{brand[0]}{trade.trade[0]}{shop[0]}", f"{brand[1]} {trade.trade[1]} {shop[1]}"


def merchants(seed: int, made: Merchants) -> Iterator[Merchant]:
    """Yield the merchants; their trust shows a little of their quality."""
    trust = np.clip(0.5 + 0.12 * made.quality, 0.05, 0.95)
    for m in range(len(made.category)):
        name = shop_name(seed, made, m)
        yield Merchant(f"merchant-{m:06d}", f"{name[0]} · {name[1]}", round(float(trust[m]), 2))


def creators(seed: int, made: Creators, shops: Merchants) -> Iterator[Creator]:
    """Yield the creators; a shop's own account bears the shop's name."""
    for c in range(len(made.tier)):
        id_ = f"creator-{c:06d}"
        if made.shop[c] >= 0:
            zh, en = shop_name(seed, shops, int(made.shop[c]))
        else:
            home, person, habit = (
                _pick(getattr(words(), part), seed, id_, part) for part in ("homes", "people", "habits")
            )
            zh, en = f"{home[0]}{person[0]}{habit[0]}", f"{person[1]} {home[1]}{habit[1] and ','}{habit[1]}"
        yield Creator(id_, f"{zh} · {en}", int(made.followers[c]))


def place_of(made: Viewers, viewer: int) -> Place:
    """Return where a viewer lives."""
    city = words().cities[made.city[viewer]]
    off = made.spot[viewer]
    return Place(round(city.latitude + float(off[0]), 4), round(city.longitude + float(off[1]), 4))


def viewers(made: Viewers) -> Iterator[Viewer]:
    """Yield the viewers with the traits that a platform would know; never their tastes."""
    for v in range(len(made.city)):
        yield Viewer(
            id=f"viewer-{v:06d}",
            traits=(
                f"age={AGES[made.age[v]]}",
                f"gender={GENDERS[made.gender[v]]}",
                f"city={words().cities[made.city[v]].word}",
            ),
            follows=tuple(f"creator-{c:06d}" for c in made.follows[v] if c >= 0),
            place=place_of(made, v),
        )


def product_title(seed: int, made: Products, product: int) -> Pair:
    """Return a product's title, such as 手工牛肉干 500g, beef jerky."""
    id_ = f"product-{product:06d}"
    good = words().categories[made.category[product]].goods[made.good[product]]
    make, size = _word(good.makes, seed, id_, "make"), _word(good.sizes, seed, id_, "size")
    return f"{make}{good.name[0]} {size}", good.name[1]


def _shop_place(seed: int, made: Merchants, merchant: int) -> Place | None:
    if not words().categories[made.category[merchant]].local:
        return None
    city = words().cities[made.city[merchant]]
    key = key_of(seed, f"merchant-{merchant:06d}", "place")
    return Place(
        round(city.latitude + 0.2 * (unit_of(key, 0) - 0.5), 4),
        round(city.longitude + 0.2 * (unit_of(key, 1) - 0.5), 4),
    )


def products(seed: int, made: Products, shops: Merchants, items: Items, at: Instant) -> Iterator[Product]:
    """Yield the products; a local one also stands in the scene `local`, at its shop's place."""
    for p in range(len(made.merchant)):
        category = words().categories[made.category[p]]
        merchant = int(made.merchant[p])
        title = product_title(seed, made, p)
        yield Product(
            id=f"product-{p:06d}",
            merchant=f"merchant-{merchant:06d}",
            price=int(made.price[p]),
            stock=int(made.stock[p]),
            category=category.word,
            title=f"{title[0]} · {title[1]}",
            scenes=("search", "local") if category.local else ("mall", "search"),
            refund_rate=round(float(made.declared[p]), 3),
            place=_shop_place(seed, shops, merchant),
            listed_at=at - int(items.age[p]),
        )


def videos(seed: int, items: Items, goods: Products, shops: Merchants, at: Instant) -> Iterator[Video]:
    """Yield the videos; those that sell something are titled after it."""
    for item in np.flatnonzero(items.kind == VIDEO):
        id_ = item_id(items, int(item))
        category = words().categories[items.category[item]]
        product, merchant = int(items.product[item]), int(items.merchant[item])
        which = (
            goods.good[product] if product >= 0 else unit_of(key_of(seed, id_, "good")) * len(category.goods)
        )
        good = category.goods[int(which)] if category.goods else None
        zh, en = _pick(words().titles(category), seed, id_, "title")
        if good:
            zh, en = zh.format(zh=good.name[0]), en.format(en=good.name[1])
        place = _shop_place(seed, shops, merchant) if merchant >= 0 else None
        yield Video(
            id=id_,
            creator=f"creator-{items.creator[item]:06d}",
            category=category.word,
            title=f"{zh} · {en[:1].upper()}{en[1:]}",
            scenes=("video", "follow", "local") if place else ("video", "follow"),
            product=f"product-{product:06d}" if product >= 0 else None,
            duration_ms=8_000 + int(unit_of(key_of(seed, id_, "duration")) ** 2 * 172_000),
            place=place,
            uploaded_at=at - int(items.age[item]),
        )


def on_sale(items: Items, shops: Merchants, item: int, local_time: Instant) -> int:
    """Return what an item sells at a time: a live room shows its merchant's products, half an hour each.

    Args:
        items: the market's.
        shops: the merchants.
        item: its number.
        local_time: the time on the market's own clock.

    Returns:
        A product's number; −1 for none, CLOSED for a room that is not open.
    """
    if items.kind[item] != LIVE:
        return int(items.product[item])
    if (local_time // HOUR - items.opens[item]) % 24 >= items.hours[item]:
        return CLOSED
    first, last = shops.product_ptr[items.merchant[item]], shops.product_ptr[items.merchant[item] + 1]
    return int(first + local_time // STAGE % (last - first))


def live_rooms(
    items: Items, goods: Products, shops: Merchants, local_time: Instant, at: Instant
) -> Iterator[LiveRoom]:
    """Yield every live room as it is at a time; one that is closed has ended."""
    for item in np.flatnonzero(items.kind == LIVE):
        product = on_sale(items, shops, int(item), local_time)
        category = words().categories[items.category[item]]
        today = local_time // DAY * DAY + int(items.opens[item]) * HOUR
        opened = today if today <= local_time else today - DAY
        shown = product if product >= 0 else int(items.product[item])
        good = category.goods[goods.good[shown]]
        yield LiveRoom(
            id=item_id(items, int(item)),
            creator=f"creator-{items.creator[item]:06d}",
            category=category.word,
            title=f"{good.name[0]}专场直播 · Live: {good.name[1]}",
            product=f"product-{shown:06d}",
            merchant=f"merchant-{items.merchant[item]:06d}",
            place=None,
            started_at=opened - (local_time - at),
            ended_at=None if product >= 0 else opened - (local_time - at) + int(items.hours[item]) * HOUR,
        )
