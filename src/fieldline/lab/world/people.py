"""The made market's people: viewers with tastes, habits and a city; creators of three tiers."""

from dataclasses import dataclass

import numpy as np

from fieldline.lab.world.draws import Floats, Ints, normals, picks, shares, uniforms
from fieldline.lab.world.words import AGES, GENDERS, words

DIMENSIONS = 8
FOLLOWS = 10
HEAD, MID, TAIL = range(3)
FOLLOWERS = ((1e6, 2e7), (5e4, 1e6), (1e2, 5e4))
"""Fewest and most followers of a tier."""

RHYTHMS = np.array(
    [  # share of a day's requests by local hour, for four ways of living; rows are normalised when used
        [1, 0, 0, 0, 0, 1, 3, 6, 6, 3, 2, 3, 8, 6, 3, 2, 2, 3, 6, 8, 10, 11, 9, 4],
        [1, 0, 0, 0, 0, 1, 2, 3, 5, 8, 9, 7, 5, 7, 9, 9, 8, 5, 4, 5, 7, 7, 5, 2],
        [10, 8, 5, 2, 1, 0, 0, 1, 2, 2, 3, 4, 6, 5, 4, 4, 4, 4, 5, 7, 9, 11, 13, 13],
        [0, 0, 0, 0, 2, 6, 8, 8, 7, 7, 6, 5, 5, 3, 4, 6, 6, 6, 6, 8, 7, 4, 1, 0],
    ],
    np.float64,
)


@dataclass(frozen=True, slots=True)
class Viewers:
    """Everyone who watches: V viewers."""

    taste: Floats  # [V, 8], length 1
    warmth: Floats  # [V] added to every click's logit
    thrift: Floats  # [V] how much a high price puts off
    thirst: Floats  # [V] added to every order's logit
    activity: Floats  # [V] requests a day
    rhythm: Ints  # [V] row of RHYTHMS
    age: Ints  # [V]
    gender: Ints  # [V]
    city: Ints  # [V]
    spot: Floats  # [V, 2] degrees away from the city's centre
    favourites: Ints  # [V, 3] categories; the third has goods
    follows: Ints  # [V, 10] creators, ascending, −1 pads at the front


@dataclass(frozen=True, slots=True)
class Creators:
    """Everyone who makes videos or hosts: C creators; `shop` is the merchant whose account it is, or −1."""

    tier: Ints  # [C] HEAD, MID or TAIL
    followers: Ints  # [C]
    appeal: Floats  # [C] added to the click logit of all they make
    category: Ints  # [C]
    shop: Ints  # [C]
    style: Floats  # [C, 8]


def unit(vectors: Floats) -> Floats:
    """Return vectors at length 1, along the last axis."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def centres(seed: int) -> Floats:
    """Return each category's place among tastes, [categories, 8]."""
    return unit(normals(seed, "category", len(words().categories), DIMENSIONS))


def make_creators(seed: int, count: int, merchant_category: Ints) -> Creators:
    """Return creators of which 2% are head, 13% mid and the rest tail; the first of a shuffle are shops' own.

    Args:
        seed: the world's seed.
        count: how many, at least the number of merchants.
        merchant_category: int32 [M].

    Returns:
        C = count creators.
    """
    kinds = len(words().categories)
    place = np.argsort(uniforms(seed, "creator rank", count)) / count
    tier = np.where(place < 0.02, HEAD, np.where(place < 0.15, MID, TAIL)).astype(np.int32)
    low, high = np.log(np.array(FOLLOWERS)).T
    followers = np.exp(low[tier] + (high - low)[tier] * uniforms(seed, "followers", count))
    category = picks(uniforms(seed, "creator category", count), np.ones(kinds))
    shop = np.full(count, -1, np.int32)
    accounts = np.argsort(uniforms(seed, "shop account", count))[: len(merchant_category)]
    shop[accounts] = np.arange(len(merchant_category))
    category[accounts] = merchant_category
    return Creators(
        tier=tier,
        followers=followers.astype(np.int32),
        appeal=np.array([0.45, 0.2, 0.0])[tier] + 0.3 * normals(seed, "creator appeal", count),
        category=category,
        shop=shop,
        style=normals(seed, "style", count, DIMENSIONS) / np.sqrt(DIMENSIONS),
    )


def _favourites(seed: int, gender: Ints, age: Ints) -> Ints:
    categories = words().categories
    kinds, count = len(categories), len(gender)
    leaning = np.exp(0.8 * normals(seed, "leaning", len(GENDERS) * len(AGES), kinds))
    goods = np.array([bool(category.goods) for category in categories])
    group = gender * len(AGES) + age
    found = np.empty((count, 3), np.int32)
    draws = uniforms(seed, "favourites", 3, count)
    for g in range(len(leaning)):
        rows = group == g
        for j, weights in enumerate((leaning[g], leaning[g], leaning[g] * goods)):
            found[rows, j] = picks(draws[j, rows], weights)
    return found


def _follows(seed: int, favourites: Ints, creators: Creators) -> Ints:
    count = len(favourites)
    pull = np.sqrt(creators.followers.astype(np.float64))
    draws = uniforms(seed, "follows", FOLLOWS, count)
    wanted = 2 + picks(uniforms(seed, "follow count", count), np.ones(FOLLOWS - 1))
    chosen = np.full((count, FOLLOWS), -1, np.int32)
    for j in range(FOLLOWS):
        liked = favourites[:, j % 3] if j % 4 < 3 else np.full(count, -1, np.int32)  # one in four: anyone
        for category in np.unique(liked):
            weights = pull * (creators.category == category)
            rows = (liked == category) & (wanted > j)
            chosen[rows, j] = picks(draws[j, rows], weights if weights.any() else pull)
    chosen.sort(axis=1)
    chosen[:, 1:][chosen[:, 1:] == chosen[:, :-1]] = -1
    chosen.sort(axis=1)
    return chosen


def make_viewers(seed: int, count: int, creators: Creators) -> Viewers:
    """Return viewers whose age and gender lean towards categories, whose tastes are near their favourites.

    Args:
        seed: the world's seed.
        count: how many.
        creators: whom they may follow.

    Returns:
        V = count viewers.
    """
    gender = picks(uniforms(seed, "gender", count), np.ones(len(GENDERS)))
    age = picks(uniforms(seed, "age", count), np.array([0.2, 0.3, 0.25, 0.15, 0.1]))
    favourites = _favourites(seed, gender, age)
    pull = np.array([0.5, 0.3, 0.4])
    taste = np.einsum("j,vjd->vd", pull, centres(seed)[favourites])
    taste += 0.5 * normals(seed, "taste", count, DIMENSIONS) / np.sqrt(DIMENSIONS)
    level = np.exp(0.8 * normals(seed, "activity", count))
    return Viewers(
        taste=unit(taste),
        warmth=0.4 * normals(seed, "warmth", count),
        thrift=0.6 * np.exp(0.5 * normals(seed, "thrift", count)),
        thirst=0.5 * normals(seed, "thirst", count),
        activity=12.0 * level / level.mean(),
        rhythm=picks(uniforms(seed, "rhythm", count), np.array([0.45, 0.25, 0.15, 0.15])),
        age=age,
        gender=gender,
        city=picks(uniforms(seed, "city", count), 1.0 / np.arange(1, len(words().cities) + 1)),
        spot=0.08 * normals(seed, "spot", count, 2),
        favourites=favourites,
        follows=_follows(seed, favourites, creators),
    )


def videos_of(creators: Creators, count: int) -> Ints:
    """Return the creator of each of so many videos, ascending; the higher the tier, the more."""
    made = shares(count, np.array([3.0, 1.5, 1.0])[creators.tier])
    return np.repeat(np.arange(len(creators.tier), dtype=np.int32), made)
