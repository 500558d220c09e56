"""Opens a season: the world as kernels read it, what viewers have lived through, and whom the engine knows."""

from dataclasses import dataclass

import numpy as np

from fieldline.contracts.book import Book
from fieldline.facts import Policy
from fieldline.lab.season.arm import Arm, Life
from fieldline.lab.season.columns import (
    Clicks,
    Links,
    Machine,
    Memory,
    Queue,
    Stage,
    Waiting,
    Windows,
)
from fieldline.lab.season.links import links_of, no_links
from fieldline.lab.season.market import (
    SLOTS,
    accounts_of,
    clicks_of,
    crowd_of,
    machine_of,
    memory_of,
    promote,
    queue_of,
    shelf_of,
    tallies_of,
    terms_of,
    waiting_of,
)
from fieldline.lab.season.others import others_of
from fieldline.lab.season.plan import Plan
from fieldline.lab.season.staged import no_stays, nothing_ahead
from fieldline.lab.season.study import SETTINGS
from fieldline.lab.world import LOCAL_TIME, World
from fieldline.lab.world.days import Days, Lived, days_of, nothing_lived
from fieldline.lab.world.draws import Ints
from fieldline.lab.world.fans import follows_of
from fieldline.lab.world.rooms import Rooms, no_rooms, pulled, rooms_of
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.staging import Staging
from fieldline.units import DAY, YUAN, Instant

WAITING = 1 << 20
"""Most orders of a run."""


@dataclass(slots=True)
class Opening:
    """What viewers have lived through and the engine has learned before the first contract begins."""

    seed: int
    warm: int
    life: Life
    lived: Lived
    machine: Machine
    memory: Memory
    queue: Queue
    clicks: Clicks
    waiting: Waiting
    traffic: Traffic
    staging: Staging
    score: float


def fresh(world: World, seed: int, warm: int, first: Instant, policy: Policy, life: Life) -> Opening:
    """Return a market in which nothing has happened yet.

    Args:
        world: the market.
        seed: of requests and outcomes.
        warm: days that will be played before the first contract begins.
        first: their first instant.
        policy: the dials.
        life: what of viewers' lives the market plays.
    """
    follows = follows_of(world.viewers, world.size.creators) if life.fans else None
    return Opening(
        seed=seed,
        warm=warm,
        life=life,
        lived=nothing_lived(world.size.viewers, len(world.items.kind), world.size.merchants, follows),
        machine=machine_of(world, SETTINGS, policy, first),
        memory=memory_of(world),
        queue=queue_of(),
        clicks=clicks_of(policy),
        waiting=waiting_of(WAITING),
        traffic=Traffic(first=first),
        staging=Staging(),
        score=0.0,
    )


def rooms_in(world: World, plan: Plan, life: Life) -> Rooms:
    """Return the live rooms' plans for a season, or none where stays are not played."""
    if not life.rooms:
        return no_rooms(len(world.items.kind))
    parts = world.items, world.products, world.merchants
    return rooms_of(world.seed, *parts, plan.start, plan.days + 1, LOCAL_TIME)


def stage_of(
    world: World, plan: Plan, arm: Arm, opening: Opening, book: Book, told: Rooms, first: int
) -> Stage:
    """Return everything that a season's kernels read and write.

    Args:
        world: the market.
        plan: its contracts and days.
        arm: what is done.
        opening: what was before; its rows learn which items are promoted.
        book: with the contracts.
        told: the rooms as their hosts planned them.
        first: number of the first day; below 0 of the days before the season.
    """
    policy, count = arm.policy, max(len(plan.contracts), 1)
    sellers = _sellers(world, told)
    promoting = np.zeros(world.size.merchants, bool)
    promoting[plan.merchants] = True
    promoted = (sellers >= 0) & promoting[sellers]
    promote(opening.machine.rows, promoted)
    shelf, places = shelf_of(world, policy, promoted)
    terms, rules = terms_of(world, plan, arm, book, sellers)
    return Stage(
        days=_truth(world, plan, opening, first),
        lived=opening.lived,
        machine=opening.machine,
        memory=opening.memory,
        shelf=shelf,
        terms=terms,
        rules=rules,
        accounts=accounts_of(world, count, plan.days + 1),
        tallies=tallies_of(world, plan.days + 1, len(told.offers)),
        queue=opening.queue,
        clicks=opening.clicks,
        waiting=opening.waiting,
        crowd=crowd_of(world),
        places=places,
        windows=Windows(
            policy.label_window_ms,
            policy.order_window_ms,
            policy.click_attribution_ms,
            policy.view_attribution_ms,
        ),
        rooms=pulled(told, world.seed, arm.pulled) if arm.pulled else told,
        stays=no_stays(len(told.offers)),
        ahead=nothing_ahead(),
        links=_links(world, opening, arm),
        others=others_of(
            arm.policies.others,
            policy.random_share,
            len(world.items.kind),
            plan.days + 1,
            SLOTS,
            policy.candidate_limit,
        ),
    )


def mean_price(world: World, merchant: int) -> float:
    """Return the mean price of a merchant's products less the refunds that it declares, yuan."""
    own = slice(world.merchants.product_ptr[merchant], world.merchants.product_ptr[merchant + 1])
    net = world.products.price[own] * (1.0 - world.products.declared[own])
    return float(net.mean()) / YUAN


def _sellers(world: World, rooms: Rooms) -> Ints:
    """The shop whose contract may stand on each item [I], −1: none; hosts who sell for others promote nobody."""
    sellers = world.items.merchant.copy()
    sellers[rooms.first :][rooms.mixed] = -1
    return sellers


def _links(world: World, opening: Opening, arm: Arm) -> Links:
    known, follows = arm.policies.follows, opening.lived.follows
    if known == "unknown":
        return no_links()
    if not opening.life.fans:
        raise ValueError("the market was opened without followers")
    return links_of(follows.copy() if known == "before" else follows, world.items.creator)


def _truth(world: World, plan: Plan, opening: Opening, first: int) -> Days:
    start = plan.start if first else plan.start - opening.warm * DAY
    return days_of(
        world.seed, world.nature, world.items.category, world.products.category, world.products.merchant,
        start, opening.warm + plan.days + 2, -opening.warm, opening.life.fans,
    )  # fmt: skip
