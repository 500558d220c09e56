"""The contracts of a season: mixed goals and budgets, drawn from the seed alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.lab.world import World
from fieldline.lab.world.draws import Floats, Ints, normals, uniforms
from fieldline.lab.world.goods import VIDEO
from fieldline.lab.world.words import words
from fieldline.units import DAY, HOUR, YUAN, Instant

START = Instant(20_000 * DAY - 8 * HOUR)
"""Midnight of Friday, 4 October 2024, in China."""
KINDS = ("storewide", "ads_roi", "cost_cap", "max_delivery")
SHARES = (0.6, 0.2, 0.1, 0.1)
STOREWIDE_GOALS, ADS_GOALS, COST_SHARES = (6.0, 20.0), (2.0, 7.0), (0.12, 0.4)
"""Ranges from which goals are drawn, even on the log scale; a target cost is a share of the mean price."""
LOOKED_AT = 160.0
"""Looks that an item gets in a day in an even-handed market of the season's size."""
CHANCE = 0.003
"""Orders per look that budgets reckon with."""
BUDGET_SPREAD = 0.8


@dataclass(frozen=True, slots=True)
class Plan:
    """Contracts, whose they are, and when the season runs."""

    contracts: tuple[Contract, ...]
    merchants: Ints  # [C]
    start: Instant
    days: int
    released: NDArray[np.int64] | None = None
    """[I] when each item is first shown, ms, 0: it is there from the first; None: all are there."""


def releases(world: World, share: float, hours: int, start: Instant = START) -> NDArray[np.int64]:
    """Return when each item is first shown [I], ms, 0 for what is there from the first.

    Args:
        world: its seed draws which videos are new, and when, evenly over half-hours.
        share: of the videos.
        hours: within which they are released.
        start: from when on.
    """
    count = len(world.items.kind)
    new = (world.items.kind == VIDEO) & (uniforms(world.seed, "released", count) < share)
    halves = np.floor(uniforms(world.seed, "release", count) * 2 * hours).astype(np.int64)
    return np.where(new, start + halves * (HOUR // 2), 0)


def plan_of(
    world: World,
    seed: int,
    contracts: int = 110,
    days: int = 7,
    holdout: float = 0.0,
    sold: NDArray[np.int64] | None = None,
) -> Plan:
    """Return contracts for the merchants with the most items among those that sell, one each.

    Kinds are dealt out in fixed shares (60% storewide, 20% ads-only, 10% cost cap, 10% maximum delivery). A goal is
    drawn log-uniformly from its kind's range; a target cost is such a share of the merchant's mean price. Budget =
    (what its items would sell in an even-handed market over the season)·exp(.8·z)/(goal), with 8 for a goal where
    there is none and 1/share for a target cost; z standard normal. Nothing depends on any run's results.

    Args:
        world: merchants and prices.
        seed: of the draws.
        contracts: how many; at most the merchants.
        days: length of the season and of every contract.
        holdout: share of viewers that every contract holds out.
        sold: [M] orders before the season; who had none buys no promotion. None: not asked.
    """
    local = np.array([category.local for category in words().categories])[world.merchants.category]
    items = np.bincount(world.items.merchant[world.items.merchant >= 0], minlength=world.size.merchants)
    idle = local if sold is None else local | (sold == 0)
    order = np.argsort(np.where(idle, 0, -items), kind="stable")
    merchants = order[:contracts].astype(np.int32)
    price = np.bincount(world.products.merchant, world.products.price) / np.diff(world.merchants.product_ptr)
    mean_price = price[merchants] / YUAN  # [C]
    kind = _dealt(seed, contracts)
    draw = uniforms(seed, "goal", contracts)
    ranges = np.array([STOREWIDE_GOALS, ADS_GOALS, COST_SHARES, (8.0, 8.0)])[kind]  # [C, 2]
    drawn = ranges[:, 0] * (ranges[:, 1] / ranges[:, 0]) ** draw
    ratio = np.where(kind == 2, 1.0 / drawn, drawn)
    sales = items[merchants] * LOOKED_AT * CHANCE * mean_price * days
    budget = sales * np.exp(BUDGET_SPREAD * normals(seed, "budget", contracts)) / ratio
    horizon = Horizon(START, START + days * DAY)
    made = tuple(
        _contract(n, int(merchants[n]), int(kind[n]), drawn, mean_price, budget, horizon, holdout)
        for n in range(contracts)
    )
    return Plan(made, merchants, START, days)


def _dealt(seed: int, contracts: int) -> Ints:
    edges = np.cumsum(SHARES)
    place = np.argsort(np.argsort(uniforms(seed, "kind", contracts)))
    return np.searchsorted(edges, (place + 0.5) / contracts).astype(np.int32)


def _contract(
    number: int,
    merchant: int,
    kind: int,
    drawn: Floats,
    price: Floats,
    budget: Floats,
    horizon: Horizon,
    holdout: float,
) -> Contract:
    meters = (
        Meter(gmv=1.0),
        Meter(gmv=1.0),
        Meter(order=float(drawn[number] * price[number])),
        Meter(gmv=1.0),
    )
    goal = (float(drawn[number]), float(drawn[number]), 1.0, 0.0)[kind]
    owner = f"merchant-{merchant:06d}"
    return Contract(
        id=f"{KINDS[kind]}-{number:03d}",
        wish=f"{KINDS[kind]}-{number:03d}",
        offer=KINDS[kind],
        owner=owner,
        reach=(Reach(merchant=owner),),
        meter=meters[kind],
        limit=Limit(budget=int(budget[number] * YUAN), goal=goal, counts_organic=kind == 0),
        horizon=horizon,
        holdout=holdout,
    )
