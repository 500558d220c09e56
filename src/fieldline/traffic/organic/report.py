"""Reports on organic prices: the Gini, newcomers' floors, pools and credits, and what each moved and cost."""

from typing import Literal

import msgspec
import numpy as np

from fieldline.contracts.grants import MILLION
from fieldline.contracts.horizon import CHINA, day_of
from fieldline.errors import Unknown
from fieldline.facts import API_VERSION
from fieldline.traffic.explain import PRICES
from fieldline.traffic.organic import newcomers, pools
from fieldline.traffic.organic.prices import ALL, GOODS, INCLUSION, LOOKS, NEWCOMER, VIEWER
from fieldline.traffic.rows import FLAGS, SHOWN
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR

LATELY = 7
"""Days that reports look back."""


class Effect(msgspec.Struct, frozen=True):
    """What a price did in the last seven days (UTC+8), expected at the time of each decision."""

    looks: float
    """Looks that went elsewhere than they would have without it."""
    viewer_value: float
    """Viewer value that this cost, yuan (below 0: it gained)."""
    goods_value: float
    """Value of sales that this cost, yuan."""
    viewer_share: float
    """The first cost as a share of all viewer value of those slates, were it not for the price."""
    goods_share: float


class InclusionReport(msgspec.Struct, frozen=True):
    """How equally creators are seen, and what holds it there."""

    at: int
    dial: float | None
    """The Gini aimed at from above; null: none."""
    gini: float
    """Of creators' looks, decayed over a day."""
    creators: int
    """Those with something to show, over whom it is taken."""
    weight: float
    """w: the price of a creator with the mean exposure is about 0.45·w mean scores of what is shown."""
    effect: Effect
    version: int = API_VERSION


class NewcomersReport(msgspec.Struct, frozen=True):
    """The floors of new works: what is owed, and whether it was given."""

    at: int
    looks: float
    """Owed to each. 0: nothing is."""
    hours: int
    due: int
    """Works whose time was over in the last seven days, all of it under these dials, and that may still be shown."""
    met: int
    """Those of them that had their looks in time."""
    share_met: float | None
    """Null where none was due."""
    hours_to_met: float | None
    """Median hours from a work's start to the last look that it was owed, over those met."""
    open: int
    """Works that are still owed looks."""
    asked_share: float | None
    """What those are still owed, as a share of the looks that as many hours bring at yesterday's and today's pace."""
    effect: Effect
    version: int = API_VERSION


class PoolMember(msgspec.Struct, frozen=True):
    """One member's part of a pool, in millionths of a look."""

    kind: Literal["merchant", "creator"]
    id: str
    granted: int
    """By what it spent, where the pool matches spend; else 0: it draws on the whole."""
    spent: int
    expired: int
    left: int
    """What it may still use."""


class PoolReport(msgspec.Struct, frozen=True):
    """A pool's statement in millionths of a look: granted = spent + expired + left."""

    id: str
    name: str
    owner: str
    status: Literal["waiting", "running", "paused", "ended"]
    start: int
    end: int
    looks: float
    """Its budget, in looks."""
    granted: int
    spent: int
    expired: int
    left: int
    price: float
    """What a look at an eligible item is lifted by now, yuan."""
    items: int
    """Items that it pays for now."""
    members: tuple[PoolMember, ...]
    version: int = API_VERSION


class PoolList(msgspec.Struct, frozen=True):
    """All pools, without their members."""

    items: tuple[PoolReport, ...]
    version: int = API_VERSION


class CreditsReport(msgspec.Struct, frozen=True):
    """A merchant's credit in millionths of a look: earned = used + expired + revoked + balance."""

    merchant: str
    earned: int
    used: int
    expired: int
    revoked: int
    """Taken back: what follows, and of orders that were sent back the rest."""
    revoked_unheard: int
    """Earned by buyers whom the merchant's trust does not hear: they live for one shop, or are its own accounts."""
    balance: int
    refused: int
    """Paid clicks that earned nothing."""
    ignored: int
    """Clicks and orders of such buyers, which earned nothing."""
    unheard: int
    """How many of its buyers are such, as of the last midnight."""
    given: float
    """Looks that credit gave its items."""
    taken: float
    """Looks that the credit of others took from its items."""
    version: int = API_VERSION


class NamedPrice(msgspec.Struct, frozen=True):
    """One organic price over all items."""

    name: str
    items: int
    """How many it lifts (or lowers) now."""
    mean: float
    """Over those, yuan per look."""
    highest: float
    effect: Effect


class OrganicReport(msgspec.Struct, frozen=True):
    """Every organic price with a name, and what each costs."""

    at: int
    mean_score: float
    """Of what is shown, without these prices, yuan per look."""
    prices: tuple[NamedPrice, ...]
    credit_given: float
    """Looks that credit gave."""
    credit_taken: float
    """Those of them that it took from merchants and creators who had none in that slate."""
    version: int = API_VERSION


def inclusion_report(state: State) -> InclusionReport:
    """Return how equally creators are seen, and what it costs."""
    held = state.organic.inclusion
    effect = _effect(state, INCLUSION)
    return InclusionReport(state.now, state.policy.gini, held.realised, held.creators, held.weight, effect)


def newcomers_report(state: State) -> NewcomersReport:
    """Return how the floors of new works stand."""
    held, policy, count = state.organic.newcomers, state.policy, len(state.shelf.facts)
    length, now = policy.newcomer_hours * HOUR, state.now
    there = (state.shelf.rows[:count].view(np.int32)[:, FLAGS] & SHOWN) != 0
    born, met, given = held.born[:count], held.met[:count], held.given[:count] / MILLION
    over = born + length
    due = (
        there
        & (born >= held.since)
        & (born != newcomers.REFUSED)
        & (over <= now)
        & (over > now - LATELY * DAY)
    )
    due &= policy.newcomer_looks > 0.0
    kept = due & (met > 0) & (met <= over)
    still = newcomers.open_floors(held, there, policy.newcomer_looks, length, now)
    owed = float((policy.newcomer_looks - given[still]).sum())
    brought = _looks_of(state) * policy.newcomer_hours / 24.0
    return NewcomersReport(
        at=now,
        looks=policy.newcomer_looks,
        hours=policy.newcomer_hours,
        due=int(due.sum()),
        met=int(kept.sum()),
        share_met=float(kept.sum() / due.sum()) if due.any() else None,
        hours_to_met=float(np.median((met - born)[kept]) / HOUR) if kept.any() else None,
        open=int(still.sum()),
        asked_share=owed / brought if brought else None,
        effect=_effect(state, NEWCOMER),
    )


def pool_report(state: State, id: str) -> PoolReport:
    """Return a pool's statement.

    Raises:
        Unknown: no pool is called so.
    """
    number = state.book.names.find(id)
    contract = state.book.contracts[number] if number >= 0 else None
    if contract is None or contract.grant is None:
        raise Unknown("id", f"no pool is called {id!r}")
    grant, book = contract.grant, state.book
    ledger = state.organic.pools.get(number, pools.Ledger())
    over = contract.wish in book.ended or contract.horizon.end <= state.now
    status: Literal["waiting", "running", "paused", "ended"] = "running"
    if over:
        status = "ended"
    elif contract.wish in book.paused:
        status = "paused"
    elif state.now < contract.horizon.start:
        status = "waiting"
    members = tuple(
        _member(state.shelf.groups.ids[group], member, 0 if over else pools.left_of(ledger, grant, group))
        for group, member in ledger.members.items()
        if group >= 0
    )
    return PoolReport(
        id=id,
        name=msgspec.json.decode(state.terms[contract.wish].terms)["name"],
        owner=contract.owner,
        status=status,
        start=contract.horizon.start,
        end=contract.horizon.end,
        looks=grant.looks,
        granted=ledger.granted,
        spent=ledger.spent,
        expired=ledger.expired,
        left=ledger.left,
        price=float(state.prices.mu[number]),
        items=int((state.organic.pool == number).sum()),
        members=members,
    )


def pools_report(state: State) -> PoolList:
    """Return every pool's statement without its members, the newest first."""
    ids = [contract.id for contract in state.book.contracts if contract.grant]
    return PoolList(
        tuple(msgspec.structs.replace(pool_report(state, id), members=()) for id in reversed(ids))
    )


def credits_report(state: State, merchant: str) -> CreditsReport:
    """Return what a merchant's paid exposure earned, and what became of it.

    Raises:
        Unknown: no merchant is called so.
    """
    if merchant not in state.goods.merchants:
        raise Unknown("id", f"no merchant is called {merchant!r}")
    held, effects = state.organic.credits, state.organic.effects
    shop = state.trust.evidence.shops.find(merchant)
    group = state.shelf.groups.find(f"m:{merchant}")
    items = np.flatnonzero(state.shelf.group[: len(state.shelf.facts)] == group) if group >= 0 else slice(0)
    return CreditsReport(
        merchant=merchant,
        earned=int(held.earned[items].sum()),
        used=int(held.used[items].sum()),
        expired=int(held.expired[items].sum()),
        revoked=int(held.revoked[items].sum()),
        revoked_unheard=int(held.unheard[items].sum()),
        balance=int(held.balance[items].sum()),
        refused=int(held.refused[items].sum()),
        ignored=int(held.ignored[items].sum()),
        unheard=sum(marked == shop for _, marked in state.trust.marks.pairs),
        given=float(effects.given[group]) if 0 <= group < len(effects.given) else 0.0,
        taken=float(effects.taken[group]) if 0 <= group < len(effects.taken) else 0.0,
    )


def organic_report(state: State) -> OrganicReport:
    """Return every organic price with a name, how high it stands, and what it costs."""
    organic, count = state.organic, len(state.shelf.facts)
    prices = []
    for name, price in enumerate(PRICES):
        amounts = organic.parts[:count, name]
        some = amounts[amounts != 0.0]
        mean, highest = (float(some.mean()), float(some.max())) if len(some) else (0.0, 0.0)
        prices.append(NamedPrice(price, len(some), mean, highest, _effect(state, name)))
    return OrganicReport(
        at=state.now,
        mean_score=state.prices.score,
        prices=tuple(prices),
        credit_given=float(organic.effects.given.sum()),
        credit_taken=float(organic.effects.taken.sum()),
    )


def _member(name: str, member: pools.Member, left: int) -> PoolMember:
    kind: Literal["merchant", "creator"] = "merchant" if name.startswith("m:") else "creator"
    return PoolMember(kind, name[2:], member.granted, member.spent, member.expired, left)


def _effect(state: State, price: int) -> Effect:
    days = state.organic.effects.days
    rows = [row for day, row in days.items() if day > day_of(state.now) - LATELY]
    total = np.sum(rows, axis=0) if rows else np.zeros((ALL + 1, 3))
    without = total[ALL] + total[:ALL].sum(axis=0)
    share = np.divide(total[price], without, out=np.zeros(3), where=without > 0.0)
    return Effect(*total[price, [LOOKS, VIEWER, GOODS]].tolist(), *share[[VIEWER, GOODS]].tolist())


def _looks_of(state: State) -> float:
    """Looks of a day at the pace of yesterday and today, in slates with named prices; 0 where there were none."""
    rows, today = state.organic.effects.days, day_of(state.now)
    known = [rows[day][ALL, LOOKS] for day in (today - 1, today) if day in rows]
    passed = (state.now + CHINA) % DAY / DAY + (len(known) - 1)
    return float(sum(known) / passed) if known and passed > 0.0 else 0.0
