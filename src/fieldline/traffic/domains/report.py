"""The report of domains: what each brought, from public to private, and how scenes led to each other."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from fieldline.errors import Refused
from fieldline.traffic.assured import date_of
from fieldline.traffic.domains.funnel import ALL, FIGURES, IMPRESSIONS, WIDTH, Daily, Table
from fieldline.traffic.domains.mix import Kept
from fieldline.traffic.domains.tags import CIRCLE, DOMAINS
from fieldline.traffic.state import State

TIERS = (("head", 0.01), ("middle", 0.20), ("tail", 1.0))
"""Tiers of creators by followers, and the share of all creators down to which each reaches."""
MOST_CIRCLES = 50
"""Merchants whose circles are told of, those with the most impressions there."""
TOUCHED = ("0", "1", "2+")


class DomainFigures(msgspec.Struct, frozen=True):
    """What one domain brought; a fan is one won outside the private domain in the 30 days before. Money: micro-yuan."""

    domain: str
    """Or `none`: of orders and follows that no touch led to."""
    impressions: int
    clicks: int
    follows: int
    orders: int
    gmv: int
    redemptions: int
    fan_impressions: int
    """Impressions, by new fans, of the creators whose fans they became; below likewise."""
    fan_orders: int
    fan_gmv: int


class DomainDay(msgspec.Struct, frozen=True):
    """What each domain brought on a day (UTC+8)."""

    day: str
    domains: tuple[DomainFigures, ...]


class Segment(msgspec.Struct, frozen=True):
    """What each domain brought of viewers with a trait, or on items of a category."""

    name: str
    domains: tuple[DomainFigures, ...]


class Journey(msgspec.Struct, frozen=True):
    """Orders by the scenes that led to them; empty: none did."""

    first: str
    """Of the first touch."""
    credited: str
    """Of the touch that is credited."""
    ordered: str
    """Of the click on what was ordered."""
    orders: int
    gmv: int


class Repeat(msgspec.Struct, frozen=True):
    """Orders by the number of scenes in which their buyer was touched before; no effect is claimed."""

    scenes: str
    """0, 1 or 2+."""
    orders: int
    returning: int
    """Those by buyers who had ordered from the merchant before."""


class Tier(msgspec.Struct, frozen=True):
    """What creators of a tier were shown."""

    name: str
    creators: int
    impressions: int
    share: float
    """Of all creators' impressions."""


class MixStanding(msgspec.Struct, frozen=True):
    """Where a mix stands."""

    scene: str
    domain: str
    share: float
    """As set."""
    floor: bool
    realised: float | None
    """Share of the places when the price moved last; None: it has not yet."""
    price: float
    """Yuan per look."""


class DomainReport(msgspec.Struct, frozen=True):
    """What domains brought from a first day to a last; of one merchant or creator, or of all."""

    first: str
    last: str
    merchant: str | None
    creator: str | None
    total: tuple[DomainFigures, ...]
    days: tuple[DomainDay, ...]
    channels: tuple[Segment, ...]
    """By category of the items; in the report of all only, like the next two and tiers."""
    circles: tuple[Segment, ...]
    """By merchants, of those with impressions near their viewers."""
    segments: tuple[Segment, ...]
    """By traits of viewers."""
    journeys: tuple[Journey, ...]
    repeats: tuple[Repeat, ...]
    tiers: tuple[Tier, ...]
    mixes: tuple[MixStanding, ...]


def domain_report(
    state: State, first: int, last: int, merchant: str | None = None, creator: str | None = None
) -> DomainReport:
    """Return what domains brought in a period, of the days that are kept.

    Args:
        state: only read.
        first: day, counted from 1970-01-01 in UTC+8.
        last: likewise, included.
        merchant: of one alone; None: of all.
        creator: likewise; its report has no journeys and repeats, which are the merchants'.

    Raises:
        Refused: a period that ends before it begins, a merchant or creator that nothing has, or both at once.

    Source: docs/algorithms/domains.md.
    """
    if last < first:
        raise Refused("to", "is before the first day")
    if merchant is not None and merchant not in state.goods.merchants:
        raise Refused("merchant", f"no merchant is called {merchant!r}")
    if creator is not None and (merchant is not None or creator not in state.content.creators):
        raise Refused(
            "creator",
            f"no creator is called {creator!r}" if merchant is None else "is asked for with a merchant",
        )
    days = {day: of_day for day, of_day in sorted(state.funnel.days.items()) if first <= day <= last}
    name = f"m:{merchant}" if merchant is not None else f"c:{creator}" if creator is not None else ALL
    owners = [of_day.owners for of_day in days.values()]
    every = owners if name == ALL else []
    traits = [of_day.traits for of_day in days.values()] if name == ALL else []
    return DomainReport(
        first=date_of(first),
        last=date_of(last),
        merchant=merchant,
        creator=creator,
        total=_figures(owners, name),
        days=tuple(DomainDay(date_of(day), _figures([days[day].owners], name)) for day in days),
        channels=_segments(every, "k:"),
        circles=_circles(every),
        segments=_segments(traits, ""),
        journeys=_journeys(state, days.values(), merchant) if creator is None else (),
        repeats=_repeats(days.values(), merchant) if creator is None else (),
        tiers=_tiers(state, every) if name == ALL else (),
        mixes=_mixes(state),
    )


def _figures(tables: Sequence[Table], name: str) -> tuple[DomainFigures, ...]:
    rows = [table[name] for table in tables if name in table]
    sums = [sum(of) for of in zip(*rows, strict=True)] if rows else [0] * (len(FIGURES) * WIDTH)
    return tuple(
        DomainFigures(domain, *sums[number::WIDTH]) for number, domain in enumerate((*DOMAINS, "none"))
    )


def _segments(tables: Sequence[Table], prefix: str) -> tuple[Segment, ...]:
    names = {name for table in tables for name in table if name.startswith(prefix)}
    found = [Segment(name.removeprefix(prefix), _figures(tables, name)) for name in names]
    return tuple(sorted(found, key=lambda of: (-sum(domain.gmv for domain in of.domains), of.name)))


def _circles(tables: Sequence[Table]) -> tuple[Segment, ...]:
    shown = Counter[str]()
    for table in tables:
        for name, row in table.items():
            if name.startswith("m:") and row[IMPRESSIONS * WIDTH + CIRCLE]:
                shown[name] += row[IMPRESSIONS * WIDTH + CIRCLE]
    most = sorted(shown, key=lambda name: (-shown[name], name))[:MOST_CIRCLES]
    return tuple(Segment(name[2:], _figures(tables, name)) for name in most)


def _journeys(state: State, days: Iterable[Daily], merchant: str | None) -> tuple[Journey, ...]:
    ways: dict[tuple[int, int, int], tuple[int, int]] = {}
    for of_day in days:
        for (seller, *scenes), (orders, gmv) in of_day.journeys.items():
            if merchant in (None, seller):
                key = (scenes[0], scenes[1], scenes[2])
                before = ways.get(key, (0, 0))
                ways[key] = (before[0] + orders, before[1] + gmv)
    name = (*state.scenes.names, "").__getitem__  # the last, too, of −1: no scene
    return tuple(
        Journey(name(key[0]), name(key[1]), name(key[2]), *ways[key])
        for key in sorted(ways, key=lambda key: (-ways[key][1], key))
    )


def _repeats(days: Iterable[Daily], merchant: str | None) -> tuple[Repeat, ...]:
    found = [[0, 0] for _ in TOUCHED]
    for of_day in days:
        for (seller, scenes), (orders, returning) in of_day.repeats.items():
            if merchant in (None, seller):
                found[scenes][0] += orders
                found[scenes][1] += returning
    return tuple(Repeat(name, *counts) for name, counts in zip(TOUCHED, found, strict=True))


def _tiers(state: State, tables: Sequence[Table]) -> tuple[Tier, ...]:
    creators = state.content.creators
    ids = [id for id in creators.ids if id]
    ids.sort(key=lambda id: (-state.content.facts[creators.find(id)].followers, id))
    blank = [0] * WIDTH
    shown = [sum(sum(table.get(f"c:{id}", blank)[:WIDTH]) for table in tables) for id in ids]
    whole, begin, tiers = max(sum(shown), 1), 0, list[Tier]()
    for name, reach in TIERS:
        end = max(round(reach * len(ids)), begin)
        of_tier = sum(shown[begin:end])
        tiers.append(Tier(name, end - begin, of_tier, of_tier / whole))
        begin = end
    return tuple(tiers)


def _mixes(state: State) -> tuple[MixStanding, ...]:
    kept = [(mix, state.mixes.of.get((mix.scene, mix.domain), Kept())) for mix in state.policy.mixes]
    return tuple(
        MixStanding(
            mix.scene, mix.domain, mix.share, mix.floor,
            now.realised if now.realised >= 0.0 else None, now.level * state.prices.score,
        )
        for mix, now in kept
    )  # fmt: skip
