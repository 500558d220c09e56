"""Content: creators, their videos and their live rooms; one reducer from facts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.facts import Creator, LiveRoom, Video


@dataclass(slots=True)
class Content:
    """Every creator by index, every video and live room by id."""

    creators: Names = field(default_factory=Names)
    facts: list[Creator] = field(default_factory=list)
    videos: dict[str, Video] = field(default_factory=dict)
    rooms: dict[str, LiveRoom] = field(default_factory=dict)
    counts: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 3), np.float32))
    """Looks, clicks and long views of each creator's items."""
    exposure: NDArray[np.float64] = field(default_factory=lambda: np.zeros(16, np.float64))
    """Looks given to each creator's items (sum of e_k over impressions)."""


def reduce(content: Content, fact: Creator | Video | LiveRoom) -> Content:
    """Fold one fact about content."""
    match fact:
        case Creator():
            creator = content.creators.add(fact.id)
            if creator == len(content.facts):
                content.facts.append(fact)
                content.counts = grown(content.counts, creator + 1)
                content.exposure = grown(content.exposure, creator + 1)
            else:
                content.facts[creator] = fact
        case Video():
            content.videos[fact.id] = fact
        case LiveRoom():
            content.rooms[fact.id] = fact
    return content


TIERS = (("head", 1_000_000), ("middle", 10_000), ("tail", 0))
"""Creator tiers by followers, from the top."""


def tier_of(creator: Creator) -> str:
    """Return a creator's tier by followers: head from a million, middle from ten thousand, else tail."""
    return next(name for name, least in TIERS if creator.followers >= least)


def exposure_by_tier(content: Content) -> dict[str, tuple[int, float]]:
    """Return for each tier how many creators it has and the looks that their items got."""
    tiers = {name: (0, 0.0) for name, _ in TIERS}
    for creator, looks in zip(content.facts, content.exposure, strict=False):
        count, total = tiers[tier_of(creator)]
        tiers[tier_of(creator)] = (count + 1, total + float(looks))
    return tiers
