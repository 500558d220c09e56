"""Who asks for what, and what can be had for it: keyed draws, alike in all arms of an experiment."""

import numpy as np

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.lab.season.columns import (
    Crowd,
    Desk,
    Links,
    Places,
    Shelf,
)
from fieldline.lab.season.links import followed
from fieldline.lab.world.draws import Ints
from fieldline.lab.world.truth import (
    FOLLOW,
    LIVE,
    LOCAL,
    SEARCH,
    VIDEO,
    Visit,
)
from fieldline.traffic.kernels.words import LOOKS as FIRST_LOOK
from fieldline.traffic.kernels.words import MERCHANT_CAP

WHO, SCENE, WANTED, ANY, WHEN, STAY, MODE_RANDOM, MODE_SAMPLE, MAKER, MIXED = range(10)
"""Purposes of a request's own draws."""
NEAR, PROMOTED, FOLLOWED = 0.5, 0.15, 0.15
"""Shares of the candidates; of the follow feed's all may be followed makers'."""
START, STRIDE = 0, 1
STRIDES = np.array([7919, 8837, 9973, 10007, 11003, 12007, 13007, 14009])
"""Primes above the size of any partition but whole scenes of the largest markets."""


@njit
def ask(crowd: Crowd, key: np.uint64, own: np.uint64, hour: int) -> tuple[Visit, int]:
    """Return who asks, and for which category, −1 for none."""
    who = crowd.who[hour]
    viewer = np.searchsorted(who, uniform(own, np.uint64(WHO)) * who[-1], side="right")
    viewer = min(viewer, who.size - 1)
    scenes = crowd.scenes
    scene = np.searchsorted(scenes, uniform(own, np.uint64(SCENE)) * scenes[-1], side="right")
    visit = Visit(key, viewer, min(scene, scenes.size - 1))
    category = np.int64(-1)
    if visit.scene == SEARCH:
        category = np.int64(crowd.favourites[viewer, 2])
        if uniform(own, np.uint64(WANTED)) >= 0.7:
            category = np.int64(crowd.sold[int(uniform(own, np.uint64(ANY)) * crowd.sold.size)])
    return visit, int(category)


@njit
def draw_from(shelf: Shelf, desk: Desk, part: int, own: np.uint64, found: int, quota: int) -> int:
    """Append items of a partition that are not yet there, drawn evenly by a stride; return how many there are."""
    first = shelf.start[part]
    size = shelf.start[part + 1] - first
    if quota <= 0 or size == 0:
        return found
    key = np.uint64(mix(own + np.uint64(part + 1)))
    place = int(uniform(key, np.uint64(START)) * size)
    stride = STRIDES[int(uniform(key, np.uint64(STRIDE)) * STRIDES.size)] % size
    end = min(found + quota, desk.candidates.size)
    for _ in range(size):
        item = shelf.items[first + place]
        if found == end:
            break
        if desk.stamp[item] != desk.epoch[0]:
            desk.stamp[item] = desk.epoch[0]
            desk.candidates[found] = item
            found += 1
        place = (place + stride) % size
    return found


@njit
def retrieve(
    shelf: Shelf, places: Places, desk: Desk, crowd: Crowd, links: Links, seen: Ints, visit: Visit,
    category: int, own: np.uint64,
) -> int:  # fmt: skip
    """Write what can be had for a request, alike in all arms but for what the viewer has seen; return how many.

    A search has items of the category that it names alone; elsewhere 15% are under contract, 50% are of the viewer's
    favourite categories (or of the viewer's city), and the rest is anything of the scene. Where the engine knows who
    follows whom, the follow feed has what followed makers made, and others' works only where a slate cannot be filled
    with it; the other feeds have 15% of it.
    """
    desk.epoch[0] += 1
    limit, scene, viewer = places.limit, visit.scene, visit.viewer
    if category >= 0:
        part = places.category + scene * places.categories + category
        return int(draw_from(shelf, desk, part, own, 0, limit))
    if not shelf.by_clicks[scene]:
        for item in seen:
            if item >= 0:
                desk.stamp[item] = desk.epoch[0]
    found = 0
    if links.follows.shape[0] > 0 and scene in (FOLLOW, VIDEO, LIVE):
        quota = limit if scene == FOLLOW else int(limit * FOLLOWED)
        cap = int(shelf.words[scene, MERCHANT_CAP])
        found, filled = followed(links, desk, viewer, uniform(own, np.uint64(MAKER)), quota, cap)
        if scene == FOLLOW and filled >= shelf.words.shape[1] - FIRST_LOOK - 1:
            return int(draw_from(shelf, desk, places.promoted + scene, own, found, int(limit * PROMOTED)))
    found = draw_from(shelf, desk, places.promoted + scene, own, found, int(limit * PROMOTED))
    if scene == LOCAL:
        found = draw_from(shelf, desk, places.city + crowd.city[viewer], own, found, int(limit * NEAR))
    else:
        for n in range(3):
            favourite = crowd.favourites[viewer, n]
            part = places.category + scene * places.categories + favourite
            found = draw_from(shelf, desk, part, own, found, int(limit * NEAR / 3.0))
    return int(draw_from(shelf, desk, scene, own, found, limit - found))
