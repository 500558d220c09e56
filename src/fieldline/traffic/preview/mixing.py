"""Mixes settled: the least price at which a domain has its share of the places for which it has a candidate.

Each request has its own draw around the price, as in deciding.
"""

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from fieldline.facts import Domain, Mix
from fieldline.traffic.domains.mix import price_of
from fieldline.traffic.domains.tags import DOMAINS
from fieldline.traffic.pace import HIGHEST
from fieldline.traffic.preview.placing import Floats, Ints, Told, place_in
from fieldline.traffic.preview.settle import BATCH, Counting, Floor, least

HALVINGS, ROUNDS = 12, 3
"""Halvings of a price, a mean score of which moves a share by up to five; rounds where one scene has several mixes
that are asked about."""

Key = tuple[str, str]
"""A scene and a domain."""


class Mixing(NamedTuple):
    """One decision's contenders, their scores without any mix's price."""

    of: Told
    scene: str
    domain: Ints  # [n]
    factor: Floats  # trust's, by which what a look is worth is multiplied [n]
    draw: float
    offered: tuple[Domain, ...]  # with a mix and a candidate


def settle_mixes(
    told: Sequence[Mixing],
    score: float,
    mixes: Sequence[Mix],
    levels: Mapping[Key, float],
    asked: Sequence[Key],
) -> Generator[None, None, dict[Key, Floor]]:
    """Find the least prices at which the sample gives the mixes that are asked about their shares.

    Args:
        told: contenders, without any mix's price.
        score: mean score of what is shown, yuan per look.
        mixes: of the policy.
        levels: prices as they stand, in mean scores, by scene and domain.
        asked: scenes and domains.

    Returns:
        By scene and domain; none where no slate of the sample has a candidate of it.
    """
    now, found, of_policy = dict(levels), dict[Key, Floor](), dict[Key, Mix]()
    for mix in mixes:
        of_policy[mix.scene, mix.domain] = mix
    for _ in range(ROUNDS if len(asked) > len({scene for scene, _ in asked}) else 1):
        for key in asked:
            offered = [of for of in told if of.scene == key[0] and key[1] in of.offered]
            if offered:
                low = 0.0 if of_policy[key].floor else -HIGHEST
                count = partial(_share, offered, of_policy, now, key, score)
                found[key] = yield from least(count, of_policy[key].share, low, HALVINGS)
                now[key] = found[key].price
    return found


def _share(
    told: Sequence[Mixing],
    mixes: Mapping[Key, Mix],
    levels: Mapping[Key, float],
    key: Key,
    score: float,
    level: float,
) -> Counting:
    """Return a domain's share of the places of one scene's slates, were its mix at a level and the others at theirs."""
    places = given = 0
    scene, which = key[0], DOMAINS.index(key[1])
    there = {**levels, key: level}
    priced = [
        (number, there[scene, domain], mixes[scene, domain].floor)
        for number, domain in enumerate(DOMAINS)
        if (scene, domain) in mixes and (scene, domain) in there
    ]
    for number, one in enumerate(told):
        by_domain = np.zeros(len(DOMAINS))
        for domain, at, floor in priced:
            by_domain[domain] = price_of(at, floor, one.draw)
        shown, _ = place_in(one.of, score * by_domain[one.domain] * one.factor)
        places += len(shown)
        given += int((one.domain[shown] == which).sum())
        if number % BATCH == BATCH - 1:
            yield
    return given / max(places, 1)
