"""Worth: what a look is worth to each contract in each scene, with the rates that only time teaches.

What a contract pays for may come long after the click: a fan's purchases, a second order, a lead that qualifies.
Each is counted at once, at what it is expected to become, from ratios over everybody whose time has come:

    repeat(T) = 1 + Σ_{d<T} r_d,   r_d = bought again at age d / first orders that lived through age d (yuan per yuan)
    fan(T)    = Σ_{d<T} f_d · mean price,   f_d = orders of fans at age d / fans that lived through age d

so that nobody waits T days for a label, and nothing counts as missing before its time (S34, S35). Rates per
contract borrow from the pool while they are young: follows per long view from what is usual, leads per click from the
merchant's other contracts, which borrow from other merchants'.
Source: docs/algorithms/pricing.md; the ratio is that of a Kaplan–Meier estimate for recurrent events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts import Contract
from fieldline.contracts.book import Book
from fieldline.contracts.horizon import day_of, day_start
from fieldline.traffic.forecast import SCENES
from fieldline.units import DAY

Floats = NDArray[np.float64]

CHANNELS = 5
"""Yuan per look, click, long view, yuan of net GMV, and order."""
AGES = 90
"""Days after a first order or a follow that are told apart."""
FOLLOWS_PER_LONG_VIEW, FOLLOW_STRENGTH = 0.02, 200.0
LEADS_PER_CLICK, LEAD_STRENGTH = 0.03, 100.0
REPEATS_A_DAY, REPEAT_STRENGTH = 0.004, 2_000.0
"""Yuan bought again a day per yuan of first orders, before any was seen; and the yuan that this counts for."""
FAN_ORDERS_A_DAY, FAN_STRENGTH = 0.003, 200.0
BUSY, CAPACITY_STEP, HIGHEST_PRICE = 0.85, 0.15, 0.95
"""Load from which capacity has a price; how fast that moves a tick; and its highest, as a share of value."""


def _ages() -> Floats:
    return np.zeros(AGES, np.float64)


def _per_contract() -> Floats:
    return np.zeros(16, np.float64)


@dataclass(slots=True)
class Worth:
    """What was learned of what comes later."""

    follows: Floats = field(default_factory=_per_contract)
    """[C] follows after looks at its items."""
    long_views: Floats = field(default_factory=_per_contract)
    leads: Floats = field(default_factory=_per_contract)
    """[C] qualified leads and visits credited to it."""
    clicks: Floats = field(default_factory=_per_contract)
    """[C] clicks on its paid impressions."""
    price: Floats = field(default_factory=_per_contract)
    """[C] price of its capacity, as a share of value."""
    mean_price: Floats = field(default_factory=_per_contract)
    """[C] mean net price of its merchant's products, yuan; kept for those that value what fans buy."""
    incremental: Floats = field(default_factory=lambda: np.ones(SCENES))
    """[scenes] share of attributed GMV that would not have come without contracts, as holdouts tell."""
    first_orders: dict[tuple[int, str], int] = field(default_factory=dict)
    """When each viewer first ordered from each merchant, of late."""
    fans: dict[tuple[int, str], int] = field(default_factory=dict)
    """Since when each viewer follows a creator of each merchant, of late."""
    ordered_on: dict[int, float] = field(default_factory=dict)
    """Yuan of first orders by day."""
    followed_on: dict[int, float] = field(default_factory=dict)
    """New fans by day."""
    repeats: Floats = field(default_factory=_ages)
    """[90] yuan bought again, by days since the first order."""
    fan_orders: Floats = field(default_factory=_ages)
    """[90] orders of fans, by days since they followed."""


COLUMNS = ("follows", "long_views", "leads", "clicks", "price", "mean_price")


def widen(worth: Worth, count: int) -> None:
    """Make room for a number of contracts."""
    for name in COLUMNS:
        setattr(worth, name, grown(getattr(worth, name), count))


def note_order(worth: Worth, viewer: int, merchant: str, yuan: float, at: int) -> None:
    """Learn from an order: a first one begins to wait for others, a later one is a repeat; a fan's is a fan's."""
    since = worth.first_orders.get((viewer, merchant))
    day = day_of(at)
    if since is None:
        worth.first_orders[viewer, merchant] = at
        worth.ordered_on[day] = worth.ordered_on.get(day, 0.0) + yuan
    elif 0 <= (age := (at - since) // DAY) < AGES:
        worth.repeats[age] += yuan
    followed = worth.fans.get((viewer, merchant))
    if followed is not None and 0 <= (age := (at - followed) // DAY) < AGES:
        worth.fan_orders[age] += 1.0


def note_fan(worth: Worth, viewer: int, merchant: str, at: int) -> bool:
    """Learn that a viewer follows a merchant's creator; return whether it is a new fan."""
    if (viewer, merchant) in worth.fans:
        return False
    worth.fans[viewer, merchant] = at
    day = day_of(at)
    worth.followed_on[day] = worth.followed_on.get(day, 0.0) + 1.0
    return True


def forget(worth: Worth, now: int) -> None:
    """Drop buyers and fans that are past the ages told apart (their days still count)."""
    before = now - AGES * DAY
    worth.first_orders = {key: at for key, at in worth.first_orders.items() if at >= before}
    worth.fans = {key: at for key, at in worth.fans.items() if at >= before}


def forget_viewer(worth: Worth, viewer: int) -> None:
    """Take a viewer out of what is waited for."""
    worth.first_orders = {key: at for key, at in worth.first_orders.items() if key[0] != viewer}
    worth.fans = {key: at for key, at in worth.fans.items() if key[0] != viewer}


def repeat_factor(worth: Worth, days: int, now: int) -> float:
    """Return what a yuan of a first order is expected to become within so many days, itself included."""
    if days == 0:
        return 1.0
    risk = _exposed(worth.ordered_on, now, days)
    rate = (worth.repeats[:days] + REPEATS_A_DAY * REPEAT_STRENGTH) / (risk + REPEAT_STRENGTH)
    return 1.0 + float(rate.sum())


def fan_value(worth: Worth, number: int, days: int, now: int) -> float:
    """Return what a new fan of a contract's owner is expected to buy within so many days, yuan."""
    risk = _exposed(worth.followed_on, now, days)
    rate = (worth.fan_orders[:days] + FAN_ORDERS_A_DAY * FAN_STRENGTH) / (risk + FAN_STRENGTH)
    return float(rate.sum()) * worth.mean_price.item(number)


def follow_worth(worth: Worth, number: int, contract: Contract, now: int) -> float:
    """Return what one more fan is worth to a contract, yuan."""
    meter = contract.meter
    return meter.follow + (fan_value(worth, number, meter.fan_days, now) if meter.fan_days else 0.0)


def leads_per_click(worth: Worth, contracts: Sequence[Contract]) -> Floats:
    """Return how many qualified leads (or visits, where it asks for those) a paid click brings each contract [C].

    (k·r + leads)/(k + clicks), k = 100 clicks, where r is the same of the merchant's other contracts, over an r of
    other merchants' contracts, over .03. Contracts that ask for leads and those that ask for visits tell nothing of
    each other.

    Args:
        worth: learned counts.
        contracts: by number.

    Source: Bühlmann credibility (1967), level by level, each level without the one below it.
    """
    rate = np.full(len(contracts), LEADS_PER_CLICK)
    for asks in ("lead", "visit"):
        found = [number for number, contract in enumerate(contracts) if getattr(contract.meter, asks)]
        if not found:
            continue
        _, whose = np.unique([contracts[number].merchant for number in found], return_inverse=True)
        leads, clicks = worth.leads[found], worth.clicks[found]
        of_merchant = np.bincount(whose, leads)[whose], np.bincount(whose, clicks)[whose]
        above = _borrowed(LEADS_PER_CLICK, leads.sum() - of_merchant[0], clicks.sum() - of_merchant[1])
        above = _borrowed(above, of_merchant[0] - leads, of_merchant[1] - clicks)
        rate[found] = _borrowed(above, leads, clicks)
    return rate


def _borrowed(above: Floats | float, leads: Floats, clicks: Floats) -> Floats:
    return np.asarray((LEAD_STRENGTH * above + leads) / (LEAD_STRENGTH + clicks))


def price_capacity(worth: Worth, book: Book, share_of_day: float) -> None:
    """Move the price of every capacity: price += .15·(load − .85), in [0, .95].

    load = half of what is served of the day's capacity, half of that over the share of the day that has passed.

    Args:
        worth: changed in place.
        book: what was served today.
        share_of_day: share of the day's traffic that has passed.
    """
    for number in np.flatnonzero(book.in_force[: len(book)]):
        capacity = book.contracts[number].limit.capacity
        if capacity:
            used = book.served_today[number] / capacity
            load = 0.5 * used + 0.5 * used / max(share_of_day, 0.05)
            moved = worth.price[number] + CAPACITY_STEP * (load - BUSY)
            worth.price[number] = min(max(moved, 0.0), HIGHEST_PRICE)


def meters(worth: Worth, book: Book, scenes: int, now: int, redeemed: Floats | None = None) -> Floats:
    """Return what each contract pays for in each scene: yuan per look, click, long view, yuan of g and order.

    Args:
        worth: learned rates.
        book: the contracts.
        scenes: how many.
        now: ms.
        redeemed: share of each owner's orders whose vouchers are used in the store, a visit each [C]; None: nobody's.

    Returns:
        float64 [scenes, C, 5]; C ≥ 1.
    """
    count = len(book)
    plain = np.zeros((max(count, 1), CHANNELS))
    share = np.ones((scenes, max(count, 1)))
    leads = leads_per_click(worth, book.contracts)
    repeats = {days: repeat_factor(worth, days, now) for days in {c.meter.days for c in book.contracts}}
    for number, contract in enumerate(book.contracts):
        meter = contract.meter
        plain[number] = meter.look, meter.click, meter.long_view, meter.gmv * repeats[meter.days], meter.order
        if meter.lead or meter.visit:
            plain[number, 1] += (meter.lead + meter.visit) * leads.item(number)
        if meter.visit and redeemed is not None:
            plain[number, 4] += meter.visit * redeemed.item(number)
        if meter.follow or meter.fan_days:
            rate = (worth.follows[number] + FOLLOWS_PER_LONG_VIEW * FOLLOW_STRENGTH) / (
                worth.long_views[number] + FOLLOW_STRENGTH
            )
            plain[number, 2] += rate * follow_worth(worth, number, contract, now)
        if meter.incremental:
            share[:, number] = worth.incremental[:scenes]
    plain[:count] *= (1.0 - worth.price[:count])[:, None]
    return plain[None] * share[:, :, None]


def _exposed(began: dict[int, float], now: int, days: int) -> Floats:
    """How much of what began has lived through each age, in parts of a day: it began evenly over its day."""
    ages = np.zeros(days)
    for day, amount in began.items():
        past = np.clip((now - day_start(day)) / DAY - np.arange(days), 0.0, 2.0)
        ages += amount * np.where(past < 1.0, past**2 / 2.0, 1.0 - (2.0 - past) ** 2 / 2.0)
    return ages
