"""The funnel: what each domain brought, day by day, and what is kept of viewers to know which domain brought it.

A touch is a click or a long view. An order is credited to the viewer's last click on the merchant's items within the
click window, else to the last long view within the view window, whoever paid for it; a follow to the place where
it was pressed, else to the last touch on the creator's items by the same rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fieldline.contracts.horizon import day_of
from fieldline.units import DAY

FIGURES = (
    "impressions",
    "clicks",
    "follows",
    "orders",
    "gmv",
    "redemptions",
    "fan_impressions",
    "fan_orders",
    "fan_gmv",
)
IMPRESSIONS, CLICKS, FOLLOWS, ORDERS, GMV, REDEMPTIONS, FAN_IMPRESSIONS, FAN_ORDERS, FAN_GMV = range(9)
"""What is counted by domain. A fan is one won outside the private domain within NEW_FAN; money is micro-yuan."""
ALL = "*"
"""The name under which all is counted."""

UNCREDITED = 4
"""In the place of a domain: no touch is to be credited."""
WIDTH = UNCREDITED + 1
KEPT_DAYS = 30
NEW_FAN = 30 * DAY
MOST_TRAILS = 64
"""Merchants, and creators, whose touches are kept of one viewer: those touched last."""
MOST_TRAITS = 256
"""Traits that are told apart in a day, the first that come."""


Table = dict[str, list[int]]
"""Figures of whatever has a name: figure f of domain d at f·5 + d, the fifth domain being UNCREDITED."""


class Deed(NamedTuple):
    """A touch: when, in which scene, of which domain, on which item."""

    at: int = -1
    scene: int = -1
    domain: int = UNCREDITED
    item: int = -1


NO_DEED = Deed()


class Trail(msgspec.Struct, gc=False):
    """A viewer's touches on the items of one merchant or creator, since none was older than the click window."""

    first_scene: int
    last_at: int
    scenes: int = 0
    """Those touched in, one bit each."""
    click: Deed = NO_DEED
    view: Deed = NO_DEED


class Won(msgspec.Struct, gc=False):
    """When, and in which domain, a viewer was won as a fan."""

    at: int
    domain: int


@dataclass(slots=True)
class Daily:
    """What a day (UTC+8) brought."""

    owners: Table = field(default_factory=dict)
    """Of all, of each merchant `m:`, creator `c:` and category `k:`."""
    traits: Table = field(default_factory=dict)
    """Of all viewers with a trait."""
    journeys: dict[tuple[str, int, int, int], list[int]] = field(default_factory=dict)
    """Orders and micro-yuan by merchant, scenes of the first touch, of the credited one and of the order; −1: none."""
    repeats: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """Orders, and those of returning buyers, by merchant and scenes touched in (0, 1, 2: more than one)."""


@dataclass(slots=True)
class Funnel:
    """What domains brought, and what is kept of viewers for it, of none who opted out."""

    days: dict[int, Daily] = field(default_factory=dict)
    of_merchant: dict[int, dict[int, Trail]] = field(default_factory=dict)
    """By viewer and seller (number of its group), those touched last at the end."""
    of_creator: dict[int, dict[int, Trail]] = field(default_factory=dict)
    fans: dict[int, dict[int, Won]] = field(default_factory=dict)
    """By viewer and creator: who was won outside the private domain."""


def daily(funnel: Funnel, at: int) -> Daily:
    """Return the figures of the day of an instant, new ones where there are none."""
    return funnel.days.setdefault(day_of(at), Daily())


def count(
    table: Table, names: Iterable[str], figure: int, domain: int, amount: int = 1, most: int | None = None
) -> None:
    """Add to one figure of several names.

    Args:
        table: changed in place.
        names: whose.
        figure: which of FIGURES.
        domain: by number, or UNCREDITED.
        amount: how much.
        most: names that the table may hold; further ones are not counted.
    """
    place = figure * WIDTH + domain
    for name in names:
        row = table.get(name)
        if row is None:
            if most is not None and len(table) >= most:
                continue
            row = table[name] = [0] * (len(FIGURES) * WIDTH)
        row[place] += amount


def touch(trails: dict[int, Trail], of: int, deed: Deed, click: bool, window: int) -> None:
    """Add a touch to a viewer's trail on a merchant or creator; after a longer pause a new trail begins.

    Args:
        trails: of the viewer, changed in place.
        of: number of the merchant's group or of the creator.
        deed: the touch.
        click: whether it is a click.
        window: how long a touch counts, ms.
    """
    trail = trails.pop(of, None)
    if trail is None or deed.at - trail.last_at > window:
        trail = Trail(deed.scene, deed.at)
    trail.last_at = max(trail.last_at, deed.at)
    trail.scenes |= 1 << deed.scene
    if click:
        trail.click = deed
    else:
        trail.view = deed
    trails[of] = trail
    if len(trails) > MOST_TRAILS:
        del trails[next(iter(trails))]


def credited(trail: Trail | None, at: int, click_ms: int, view_ms: int) -> Deed:
    """Return the touch that an order or follow is credited to, or NO_DEED.

    Args:
        trail: of the viewer on the merchant or creator.
        at: when it was, ms.
        click_ms: how long a click counts.
        view_ms: how long a long view counts.
    """
    if trail is None:
        return NO_DEED
    if trail.click.at >= 0 and 0 <= at - trail.click.at <= click_ms:
        return trail.click
    return trail.view if trail.view.at >= 0 and 0 <= at - trail.view.at <= view_ms else NO_DEED


def forget(funnel: Funnel, at: int, window: int) -> None:
    """Drop days, trails and fans that are too old to tell anything.

    Args:
        funnel: changed in place.
        at: now, ms.
        window: how long a touch counts, ms.
    """
    oldest = day_of(at) - KEPT_DAYS + 1
    for day in [day for day in funnel.days if day < oldest]:
        del funnel.days[day]
    funnel.of_merchant = _younger(funnel.of_merchant, at - window)
    funnel.of_creator = _younger(funnel.of_creator, at - window)
    kept = (
        (viewer, {creator: won for creator, won in of.items() if won.at >= at - NEW_FAN})
        for viewer, of in funnel.fans.items()
    )
    funnel.fans = {viewer: of for viewer, of in kept if of}


def forget_viewer(funnel: Funnel, viewer: int) -> None:
    """Drop what is kept of a viewer; what they did stands in the figures under nobody's name."""
    funnel.of_merchant.pop(viewer, None)
    funnel.of_creator.pop(viewer, None)
    funnel.fans.pop(viewer, None)


def _younger(trails: dict[int, dict[int, Trail]], oldest: int) -> dict[int, dict[int, Trail]]:
    kept = (
        (viewer, {of: trail for of, trail in trails_of.items() if trail.last_at >= oldest})
        for viewer, trails_of in trails.items()
    )
    return {viewer: of for viewer, of in kept if of}
