"""Mix: a price on a domain's items that keeps its share of a scene's places, by integral control.

    p = m·(u + 0.1·x)
    u ← clip(u + 0.8·(share set − s)/g, −3.5, 3.5)
    g ← clip((|Δs| − 0.05)/|Δu|, max(0.4, 0.9·g), 5)

m is the mean score of what is shown (yuan per look), s the share of the last places, g how much of a share one mean
score was seen to move. x is drawn from [−1, 1] for each request: where scores lie close together one price for all
would give the domain every place or none, and no share between. Counted are the places of slates for which the domain
had a candidate; u moves at the first tick after 200 of them. Of a floor p never falls below nought.
"""

from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Decision, Domain, Mix, Policy
from fieldline.traffic.domains.tags import DOMAINS

ENOUGH = 200
"""Places by which a share is known well enough to move the price."""
STEP, HIGHEST = 0.8, 3.5
"""How much of what is missing one move makes up for; the highest price, in mean scores."""
SPREAD = 0.1
"""How far the price of a request lies from the others' at most, in mean scores."""
CHANCE, FADE, LEAST, STEEPEST = 0.05, 0.9, 0.4, 0.5 / SPREAD
"""Change of a share that may be chance; what is left of a response by the next move; its bounds."""


class Kept(msgspec.Struct, gc=False):
    """Where one mix stands."""

    level: float = 0.0
    """The price, in mean scores."""
    last: float = 0.0
    """The level before."""
    response: float = 1.0
    """Share of places that one mean score moves."""
    places: int = 0
    """Of slates for which the domain had a candidate, since the price moved last."""
    given: int = 0
    """Those of them that the domain had."""
    realised: float = -1.0
    """Share at the last move, −1: none yet."""


@dataclass(slots=True)
class Mixes:
    """Every mix of the policy, by scene and domain."""

    of: dict[tuple[str, str], Kept] = field(default_factory=dict)


def lift(
    mixes: Mixes, policy: Policy, scene: str, domains: NDArray[np.int8], score: float, draw: float
) -> tuple[NDArray[np.float32], tuple[Domain, ...]]:
    """Return what each candidate's domain adds to its score, and the domains with a mix that have a candidate.

    Args:
        mixes: with the prices.
        policy: with the mixes.
        scene: of the request.
        domains: int8 [n], of the candidates.
        score: mean score of what is shown, yuan per look.
        draw: from [0, 1), the request's own.

    Returns:
        float32 [n] yuan per look, and the domains.
    """
    added = np.zeros(len(domains), np.float32)
    offered: list[Domain] = []
    for mix in policy.mixes:
        if mix.scene == scene:
            members = domains == DOMAINS.index(mix.domain)
            if members.any():
                offered.append(mix.domain)
                kept = mixes.of.get((scene, mix.domain))
                if kept is not None:
                    added[members] += np.float32(score * price_of(kept.level, mix.floor, draw))
    return added, tuple(offered)


def price_of(level: float, floor: bool, draw: float) -> float:
    """Return what a mix adds to a request's scores, in mean scores.

    Args:
        level: u.
        floor: whether the mix is the least share.
        draw: from [0, 1), the request's own.
    """
    price = level + SPREAD * (2.0 * draw - 1.0) if level else 0.0
    return max(price, 0.0) if floor else price


def note_decision(mixes: Mixes, decision: Decision) -> None:
    """Count the places of a slate for the mixes that had a candidate for it."""
    for domain in decision.offered:
        kept = mixes.of.setdefault((decision.scene, domain), Kept())
        kept.places += len(decision.slots)
        kept.given += sum(slot.domain == domain for slot in decision.slots)


def update(mixes: Mixes, policy: Policy) -> None:
    """Move the price of every mix that has seen enough places; one that the policy no longer sets is forgotten.

    Args:
        mixes: changed in place.
        policy: with the mixes.
    """
    set_now: dict[tuple[str, str], Mix] = {(mix.scene, mix.domain): mix for mix in policy.mixes}
    mixes.of = {key: kept for key, kept in mixes.of.items() if key in set_now}
    for key, kept in mixes.of.items():
        if kept.places >= ENOUGH:
            _move(kept, set_now[key].share, -HIGHEST if not set_now[key].floor else 0.0)


def _move(kept: Kept, share: float, lowest: float) -> None:
    realised, moved = kept.given / kept.places, abs(kept.level - kept.last)
    seen = (abs(realised - kept.realised) - CHANCE) / moved if kept.realised >= 0.0 and moved else 0.0
    kept.response = min(max(LEAST, FADE * kept.response, seen), STEEPEST)
    kept.last, kept.realised = kept.level, realised
    kept.level = min(max(kept.level + STEP * (share - realised) / kept.response, lowest), HIGHEST)
    kept.places = kept.given = 0
