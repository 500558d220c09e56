"""Campaigns: the terms that every promotion shares, what they become in a contract, and which edits they allow.

A campaign has a budget, a period, a schedule and a holdout; its units say which items run where and for whom;
a unit's creatives are the videos and live rooms that show its items. An offer adds its goal and says what a
look is worth to it.
"""

import math
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import ALL, HOURS, Audience, Contract, Horizon, Hours, Limit, Meter, Reach
from fieldline.contracts.horizon import week_hour
from fieldline.errors import Conflict, Refused
from fieldline.facts import Id, Name, Time, Wish, Word
from fieldline.offers.naming import Named, each, refuse_repeats
from fieldline.units import DAY, HOUR, MAX_MICROS

LONGEST = 366 * DAY

Roi = Annotated[float, Meta(gt=0.0, le=100.0, description="yuan of value per yuan of spend, at least")]
Cost = Annotated[float, Meta(ge=0.01, le=100_000.0, description="yuan per result, at most")]
Money = Annotated[int, Meta(ge=1, le=MAX_MICROS, description="millionths of a yuan")]
Assured = Annotated[bool, Meta(description="a day short of the goal beyond what chance explains is credited")]
Scenes = Annotated[
    tuple[Word, ...],
    Meta(max_length=64, description="where it bids (video, live, mall, search …); empty: all"),
]


class Unit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a campaign: what it uses, where, and for whom; one that names nothing uses all of the merchant."""

    id: Annotated[Id, Meta(description="unique within the campaign; reports are split by it")]
    name: Annotated[Name, Meta(description="for people")] = ""
    items: Annotated[tuple[Id, ...], Meta(max_length=1_000, description="products")] = ()
    creatives: Annotated[
        tuple[Id, ...], Meta(max_length=1_000, description="videos and live rooms that show them")
    ] = ()
    creators: Annotated[tuple[Id, ...], Meta(max_length=1_000, description="whose works it also uses")] = ()
    scenes: Annotated[
        tuple[Word, ...], Meta(max_length=64, description="some of the campaign's scenes; empty: all of them")
    ] = ()
    audience: Annotated[Audience, Meta(description="which viewers and requests; empty: all")] = ALL


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every promotion asks for."""

    merchant: Annotated[Id, Meta(description="whose goods it promotes; an edit cannot change it")]
    budget: Annotated[Money, Meta(description="millionths of a yuan; spend never passes it")]
    daily: Annotated[
        Money | None,
        Meta(description="millionths of a yuan a day (UTC+8), at most the budget; null: no such limit"),
    ] = None
    start: Annotated[Time, Meta(description="milliseconds since 1970-01-01 UTC; fixed once it runs")]
    end: Annotated[
        Time, Meta(description="milliseconds since 1970-01-01 UTC; at most 366 days after the start")
    ]
    hours: Annotated[
        Hours, Meta(description="168 times 0 or 1, Monday 00:00 in UTC+8 first; empty: all hours")
    ] = ""
    scenes: Scenes = ()
    units: Annotated[
        tuple[Unit, ...],
        Meta(
            max_length=200, description="empty: everything of the merchant, in all of the campaign's scenes"
        ),
    ] = ()
    holdout: Annotated[
        float,
        Meta(
            ge=0.0, le=0.5, description="share of viewers for whom it never bids, against whom it is measured"
        ),
    ] = 0.05
    confirmed: Annotated[
        bool, Meta(description="run it although the forecast says that the goal cannot be met")
    ] = False


class RoiCampaign(Campaign, frozen=True, kw_only=True):
    """A campaign that must return so much per yuan."""

    goal: Roi
    assured: Assured = True


class CostCampaign(Campaign, frozen=True, kw_only=True):
    """A campaign that may pay so much per result."""

    cost: Cost
    assured: Assured = True


def contract(
    wish: Wish, offer: str, terms: Campaign, meter: Meter, limit: Limit, assured: bool = False
) -> Contract:
    """Return the one contract that a campaign stands for.

    Args:
        wish: whose id and owner it takes.
        offer: the offer's name.
        terms: the campaign.
        meter: what a look is worth to it.
        limit: its goal and how that is counted; the budgets come from the terms.
        assured: whether it has a goal that is credited when missed.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    _check(terms)
    return Contract(
        id=wish.id,
        wish=wish.id,
        offer=offer,
        owner=wish.owner,
        reach=_reach(terms),
        meter=meter,
        limit=msgspec.structs.replace(limit, budget=terms.budget, daily=terms.daily or 0),
        horizon=Horizon(terms.start, terms.end, terms.hours),
        merchant=terms.merchant,
        holdout=terms.holdout,
        assured=assured,
    )


def names(terms: Campaign) -> Iterator[Named]:
    """Yield the merchant, scenes, items and creators that a campaign names, each with its field."""
    yield Named("terms.merchant", "merchant", terms.merchant)
    yield from each("terms.scenes", "scene", terms.scenes)
    for n, unit in enumerate(terms.units):
        field = f"terms.units[{n}]"
        yield from each(f"{field}.items", "item", unit.items)
        yield from each(f"{field}.creatives", "item", unit.creatives)
        yield from each(f"{field}.creators", "creator", unit.creators)
        yield from each(f"{field}.scenes", "scene", unit.scenes)


def editable(old: Campaign, new: Campaign, now: int) -> None:
    """Refuse an edit that would make another campaign of a campaign; all else may change at any time.

    Args:
        old: the terms in force.
        new: the terms asked for.
        now: ms UTC.

    Raises:
        Conflict: it changes the offer, the merchant, or the start of a campaign that has started.
    """
    if type(new) is not type(old):
        raise Conflict("offer", "cannot change")
    if new.merchant != old.merchant:
        raise Conflict("terms.merchant", f"cannot change; it is {old.merchant!r}")
    if old.start <= now and new.start != old.start:
        raise Conflict("terms.start", f"cannot move once the campaign runs; it is {old.start}")


def check_period(start: int, end: int) -> None:
    """Refuse a period that is empty or too long.

    Raises:
        Refused: "terms.end".
    """
    if end <= start:
        raise Refused("terms.end", "must be later than terms.start")
    if end - start > LONGEST:
        raise Refused("terms.end", f"is more than {LONGEST // DAY} days after terms.start")


def _check(terms: Campaign) -> None:
    check_period(terms.start, terms.end)
    if terms.daily is not None and terms.daily > terms.budget:
        raise Refused("terms.daily", f"is above terms.budget, which is {terms.budget}")
    if terms.hours and not _opens(terms):
        raise Refused("terms.hours", "opens no hour between terms.start and terms.end")
    refuse_repeats("terms.scenes", terms.scenes)
    seen = set[str]()
    for n, unit in enumerate(terms.units):
        field = f"terms.units[{n}]"
        if unit.id in seen:
            raise Refused(f"{field}.id", f"is {unit.id!r}, as that of an earlier unit")
        seen.add(unit.id)
        _check_unit(field, unit, terms.scenes)


def _check_unit(field: str, unit: Unit, scenes: tuple[str, ...]) -> None:
    refuse_repeats(f"{field}.items", unit.items)
    refuse_repeats(f"{field}.creatives", unit.creatives)
    refuse_repeats(f"{field}.creators", unit.creators)
    refuse_repeats(f"{field}.scenes", unit.scenes)
    for n, item in enumerate(unit.creatives):
        if item in unit.items:
            raise Refused(f"{field}.creatives[{n}]", f"names {item!r}, as the unit's items do")
    for n, scene in enumerate(unit.scenes):
        if scenes and scene not in scenes:
            raise Refused(f"{field}.scenes[{n}]", f"names {scene!r}, which is not one of terms.scenes")
    _check_audience(f"{field}.audience", unit.audience)


def _check_audience(field: str, audience: Audience) -> None:
    refuse_repeats(f"{field}.traits", audience.traits)
    refuse_repeats(f"{field}.without", audience.without)
    refuse_repeats(f"{field}.negatives", audience.negatives)
    refuse_repeats(f"{field}.negative_words", audience.negative_words)
    for n, word in enumerate(audience.negative_words):
        if not any(character.isalnum() for character in word):
            raise Refused(f"{field}.negative_words[{n}]", f"is {word!r}, which has no word in it")
    for n, trait in enumerate(audience.without):
        if trait in audience.traits:
            raise Refused(f"{field}.without[{n}]", f"names {trait!r}, as traits does")
    if audience.near is None and not math.isclose(audience.within_km, ALL.within_km):
        raise Refused(f"{field}.near", "is missing, but within_km is given")


def _opens(terms: Campaign) -> bool:
    first, last = terms.start // HOUR, (terms.end - 1) // HOUR
    hours = range(first, min(last, first + HOURS - 1) + 1)
    return any(terms.hours[week_hour(hour * HOUR)] == "1" for hour in hours)


def _reach(terms: Campaign) -> tuple[Reach, ...]:
    if not terms.units:
        return (Reach(merchant=terms.merchant, scenes=terms.scenes),)
    return tuple(reach for unit in terms.units for reach in _unit_reach(terms, unit))


def _unit_reach(terms: Campaign, unit: Unit) -> Iterator[Reach]:
    whole = Reach(unit=unit.id, scenes=unit.scenes or terms.scenes, audience=unit.audience)
    named = unit.items + unit.creatives
    if named:
        yield msgspec.structs.replace(whole, items=named, shown_by=not unit.creatives)
    for creator in unit.creators:
        yield msgspec.structs.replace(whole, creator=creator, merchant=terms.merchant)
    if not named and not unit.creators:
        yield msgspec.structs.replace(whole, merchant=terms.merchant)
