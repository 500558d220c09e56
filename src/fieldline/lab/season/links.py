"""What a season's engine makes of who follows whom: the follow feed, a source of the others, a share of the places."""

import numpy as np

from fieldline.compiled import njit
from fieldline.facts import Policy
from fieldline.lab.season.columns import Bytes, Desk, Links, Money
from fieldline.lab.world.draws import Ints
from fieldline.lab.world.words import SCENES
from fieldline.traffic.domains.mix import SPREAD, Kept, Mixes, update

PRIVATE = "private"
"""The domain of followed makers' items."""


def no_links() -> Links:
    """Return that the engine knows of nobody whom they follow."""
    none = np.zeros(0, np.int32)
    return Links(np.zeros((0, 0), np.uint8), none, none, np.zeros(len(SCENES)), _nothing_counted())


def links_of(follows: Bytes, creator: Ints) -> Links:
    """Return what the engine knows of follows, with nothing counted yet.

    Args:
        follows: who follows whom [V, C], as known.
        creator: of each item [I], −1: none.
    """
    made = np.argsort(creator, kind="stable")
    made = made[creator[made] >= 0]
    counts = np.bincount(creator[made], minlength=follows.shape[1])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return Links(follows, start, made.astype(np.int32), np.zeros(len(SCENES)), _nothing_counted())


def _nothing_counted() -> Money:
    return np.zeros((2, len(SCENES)), np.int64)


def price(links: Links, mixes: Mixes, policy: Policy) -> None:
    """Bring the prices that keep followed makers' share of scenes' places up to date, as ticks do.

    Args:
        links: changed: levels; what was counted is taken.
        mixes: changed: where each price stands.
        policy: with the mixes; floors are not played.
    """
    for number, scene in enumerate(SCENES):
        places, given = links.counted[:, number].tolist()
        if places:
            kept = mixes.of.setdefault((scene, PRIVATE), Kept())
            kept.places += places
            kept.given += given
    links.counted[:] = 0
    update(mixes, policy)
    for number, scene in enumerate(SCENES):
        kept_now = mixes.of.get((scene, PRIVATE))
        links.level[number] = kept_now.level if kept_now else 0.0


@njit
def followed(links: Links, desk: Desk, viewer: int, draw: float, quota: int, cap: int) -> tuple[int, int]:
    """Write a viewer's followed makers' items first; return how many, and how many places they may have at once.

    Args:
        links: what is known.
        desk: its candidates and stamps are changed.
        viewer: number.
        draw: the request's own, from [0, 1): where among the makers it begins.
        quota: most of them.
        cap: most places of one maker in a slate.
    """
    end, found, places = min(quota, desk.candidates.size), 0, 0
    makers = links.follows.shape[1]
    for n in range(makers):
        creator = (int(draw * makers) + n) % makers
        if links.follows[viewer, creator] == 0:
            continue
        before = found
        for place in range(links.start[creator], links.start[creator + 1]):
            item = links.items[place]
            if found < end and desk.stamp[item] != desk.epoch[0]:
                desk.stamp[item] = desk.epoch[0]
                desk.candidates[found] = item
                found += 1
        places += min(found - before, cap)
    return found, places


@njit
def is_private(links: Links, creator: Ints, viewer: int, item: int) -> bool:
    """Return whether a viewer is known to follow an item's maker."""
    maker = creator[item]
    return bool(maker >= 0 and links.follows.shape[0] > 0 and links.follows[viewer, maker] != 0)


@njit
def add_mix(
    links: Links,
    desk: Desk,
    creator: Ints,
    viewer: int,
    level: float,
    score: float,
    draw: float,
    count: int,
) -> bool:
    """Add the price of followed makers' items to what a look at them is worth; return whether there is a candidate.

    Args:
        links: what is known.
        desk: its extra values are changed.
        creator: of each item [I], −1: none.
        viewer: number.
        level: in mean scores.
        score: mean score of what is shown, yuan per look.
        draw: the request's own, from [0, 1).
        count: of candidates.
    """
    added = np.float32(score * (level + SPREAD * (2.0 * draw - 1.0))) if level != 0.0 else np.float32(0.0)
    some = False
    for n in range(count):
        if is_private(links, creator, viewer, desk.candidates[n]):
            some = True
            desk.extra[n] += added
    return some
