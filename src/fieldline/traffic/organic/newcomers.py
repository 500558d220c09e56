"""Newcomers (S07): every approved new work is owed so many looks within so many hours.

The clock of a work starts when it is listed, or when it is approved where that is later; a work that is refused
has no price, and its clock starts anew once it is approved, its looks so far counting. One that is approved but
cannot be sold (no stock, a room that closed) has no price either, while its clock goes on.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts.grants import MILLION
from fieldline.contracts.horizon import CHINA
from fieldline.traffic.organic.floors import behind_of, floor_prices
from fieldline.units import HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

REFUSED = -1
"""In place of a work's start: it is not approved."""


@dataclass(slots=True)
class Newcomers:
    """Every work's clock and looks, by item number."""

    born: Ints = field(default_factory=lambda: np.full(16, REFUSED, np.int64))
    """When its clock started, ms; `REFUSED` where it is not approved."""
    given: Ints = field(default_factory=lambda: np.zeros(16, np.int64))
    """Looks at it so far, in micro-looks."""
    met: Ints = field(default_factory=lambda: np.zeros(16, np.int64))
    """When it had the looks that it was owed, ms; 0: it has not."""
    integral: Floats = field(default_factory=lambda: np.zeros(16))
    since: int = 0
    """When the dial was set to what it is; floors that were due before do not count in the report."""


def widen(newcomers: Newcomers, items: int) -> None:
    """Make room for so many items."""
    newcomers.born = grown(newcomers.born, items, REFUSED)
    newcomers.given = grown(newcomers.given, items)
    newcomers.met = grown(newcomers.met, items)
    newcomers.integral = grown(newcomers.integral, items)


def enter(newcomers: Newcomers, item: int, approved: bool, start: int) -> None:
    """Start, keep or stop a work's clock as its entry changes; a clock that runs is not moved.

    Args:
        newcomers: changed in place.
        item: its number.
        approved: whether it passed its review, and what it sells did.
        start: when its clock starts if it does not run, ms.
    """
    widen(newcomers, item + 1)
    if not approved:
        newcomers.born[item] = REFUSED
        newcomers.integral[item] = 0.0
    elif newcomers.born[item] == REFUSED:
        newcomers.born[item] = start


def note_look(newcomers: Newcomers, item: int, look: float, owed: float, at: int) -> None:
    """Count a look (e_k) at a work, and when it had all that it was owed."""
    newcomers.given[item] += round(look * MILLION)
    if owed and not newcomers.met[item] and newcomers.given[item] >= owed * MILLION:
        newcomers.met[item] = at


def planned_shares(shape: Floats, born: Ints, length: int, now: int) -> Floats:
    """Return the share of each work's time that has passed by now, as the day's shape weighs it [n].

    Args:
        shape: traffic of each hour of the day (UTC+8) [24].
        born: starts [n], ms.
        length: of the time, ms.
        now: ms.
    """
    begun = _weight_until(shape, born)
    whole = _weight_until(shape, born + length) - begun
    return np.clip((_weight_until(shape, np.minimum(born + length, now)) - begun) / whole, 0.0, 1.0)


def priced(
    newcomers: Newcomers, may_show: Flags, shape: Floats, owed: float, length: int, now: int
) -> Floats:
    """Return each work's price in units of the mean score of what is shown, and move the integrals [I].

    Args:
        newcomers: its integrals are changed in place.
        may_show: whether each item may be shown at all [I].
        shape: traffic of each hour of the day (UTC+8) [24].
        owed: looks, 0 for none.
        length: within which, ms.
        now: ms.

    Returns:
        0 for whatever is refused, not new any more, or has its looks; else what its shortfall asks for.
    """
    count = len(may_show)
    prices, integral = np.zeros(count), newcomers.integral[:count]
    due = np.flatnonzero(open_floors(newcomers, may_show, owed, length, now))
    kept = integral[due]
    integral[:] = 0.0
    if len(due):
        planned = planned_shares(shape, newcomers.born[due], length, now)
        behind = behind_of(planned, newcomers.given[due] / MILLION, owed)
        integral[due], prices[due] = floor_prices(kept, behind)
    return prices


def open_floors(newcomers: Newcomers, may_show: Flags, owed: float, length: int, now: int) -> Flags:
    """Return which works are still owed looks [I]."""
    count = len(may_show)
    born, given = newcomers.born[:count], newcomers.given[:count]
    new = (born != REFUSED) & (born <= now) & (now < born + length)
    return np.asarray(new & may_show & (given < owed * MILLION))


def _weight_until(shape: Floats, at: Ints) -> Floats:
    """Traffic since the first midnight (UTC+8) of all [n]."""
    hour = (at + CHINA) // HOUR
    summed = np.concatenate(([0.0], np.cumsum(shape)))
    part = (at + CHINA) % HOUR / HOUR
    return np.asarray(hour // 24 * summed[24] + summed[hour % 24] + part * shape[hour % 24])
