"""What the demonstration's merchants and creators ask for: twelve contracts a day of the market."""

from collections.abc import Iterator

import msgspec
import numpy as np

from fieldline.draws import key_of, unit_of
from fieldline.lab.world import LOCAL_TIME, World
from fieldline.lab.world.catalogue import item_id
from fieldline.lab.world.goods import VIDEO
from fieldline.lab.world.people import TAIL
from fieldline.offers import cold_start, storewide
from fieldline.units import DAY, YUAN, Instant

MERCHANTS = 8
NEWCOMERS = 4
NEWCOMER_VIDEOS = 2
LOOKS = 400
GOALS = (3.0, 4.0, 5.0, 6.0)
BUDGET_PER_PRODUCT = (30.0, 150.0)
"""Yuan a day, turn and turn about: a budget that is meant to bind, and one that leaves it to the goal."""


class Wished(msgspec.Struct, frozen=True):
    """A contract as POST /v1/contracts takes it."""

    id: str
    offer: str
    owner: str
    terms: storewide.Terms | cold_start.Terms


def day_end(at: Instant) -> Instant:
    """Return the next midnight of the market's own clock."""
    return Instant((at + LOCAL_TIME) // DAY * DAY + DAY - LOCAL_TIME)


def wishes(world: World, at: Instant) -> Iterator[Wished]:
    """Yield the contracts of the rest of a day: 8 storewide ones and 4 cold starts of two videos each.

    The same merchants promote every day; each day other small creators start. Budgets and looks are cut to
    the share of the day that is left.

    Args:
        world: the market.
        at: when they are made; their ids say the day.

    Yields:
        Contracts that end at the market's midnight.
    """
    end = day_end(at)
    left = (end - at) / DAY
    day = (at + LOCAL_TIME) // DAY
    owned = np.diff(world.merchants.product_ptr)
    for n, merchant in enumerate(np.argsort(-owned, kind="stable")[: 2 * MERCHANTS : 2]):
        budget = BUDGET_PER_PRODUCT[n % 2] * float(owned[merchant]) * left
        name = f"merchant-{merchant:06d}"
        yield Wished(
            id=f"storewide-{day}-{merchant:06d}",
            offer=storewide.NAME,
            owner=name,
            terms=storewide.Terms(
                merchant=name,
                budget=max(int(budget * YUAN), YUAN),
                goal=GOALS[n % len(GOALS)],
                start=at,
                end=end,
            ),
        )
    for creator in _newcomers(world, day):
        works = np.flatnonzero((world.items.kind == VIDEO) & (world.items.creator == creator))
        newest = works[np.argsort(world.items.age[works], kind="stable")][:NEWCOMER_VIDEOS]
        yield Wished(
            id=f"cold-start-{day}-{creator:06d}",
            offer=cold_start.NAME,
            owner=f"creator-{creator:06d}",
            terms=cold_start.Terms(
                creator=f"creator-{creator:06d}",
                items=tuple(item_id(world.items, int(item)) for item in newest),
                looks=max(LOOKS * left, 1.0),
                start=at,
                end=end,
            ),
        )


def _newcomers(world: World, day: int) -> list[int]:
    tail = np.flatnonzero(world.creators.tier == TAIL)
    key = key_of(world.seed, f"{day}", "newcomers")
    luck = np.array([unit_of(key, int(creator)) for creator in tail])
    return [int(creator) for creator in tail[np.argsort(luck)][:NEWCOMERS]]
