"""Credits (1+N, S33): a valid, well-matched paid click or order earns its item looks, which decay and are used up.

    b ← b·½^(Δt/half-life)        μ = cap·b/(b + 20)        in units of the mean score of what is shown

Balances are whole micro-looks, so that for every item, to the unit, earned = used + expired + revoked + balance.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts.grants import MILLION
from fieldline.units import HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HALF_PRICE = 20.0
"""Looks in hand at which the price is half of its cap."""
LEAST_KEPT = 1e-6
"""Share below which what may be taken back is reckoned anew before midnight, for the sake of floats."""
KNOWN = 50.0
"""Looks of a trade at which its click rate is trusted by half."""


def _looks() -> Ints:
    return np.zeros(16, np.int64)


@dataclass(slots=True)
class Credits:
    """Every item's account, in micro-looks."""

    balance: Ints = field(default_factory=_looks)
    earned: Ints = field(default_factory=_looks)
    used: Ints = field(default_factory=_looks)
    """Looks that it was given for them."""
    expired: Ints = field(default_factory=_looks)
    """Decayed before they were used."""
    revoked: Ints = field(default_factory=_looks)
    """Taken back, the order having been refunded or its buyer marked."""
    unheard: Ints = field(default_factory=_looks)
    """Those of them that were earned by buyers for whom nobody stands."""
    refused: Ints = field(default_factory=_looks)
    """Paid clicks that earned nothing: repeated within a day, a merchant's own, of a marked buyer, or below the quality
    gate."""
    ignored: Ints = field(default_factory=_looks)
    """Clicks and orders that earned nothing as nobody stands for the buyer."""
    by: dict[tuple[int, int], int] = field(default_factory=dict)
    """What each viewer earned each item, by both, as much as will have decayed to what is left: ÷ `kept`."""
    kept: float = 1.0
    """Share of what was there when `by` was last reckoned, at midnight as a rule, that has not decayed since."""
    rates: Floats = field(default_factory=lambda: np.zeros(0))
    """Click rate of each trade (category), as of the newest tick; empty while no gate needs it."""


def widen(held: Credits, items: int) -> None:
    """Make room for so many items."""
    for name in ("balance", "earned", "used", "expired", "revoked", "unheard", "refused", "ignored"):
        setattr(held, name, grown(getattr(held, name), items))


def earn(held: Credits, item: int, looks: float) -> None:
    """Give an item so many looks more."""
    held.balance[item] += round(looks * MILLION)
    held.earned[item] += round(looks * MILLION)


def use(held: Credits, item: int, amount: int) -> None:
    """Count micro-looks that an item was given for its credit, as far as it lasts."""
    taken = min(amount, held.balance.item(item))
    held.balance[item] -= taken
    held.used[item] += taken


def revoke(held: Credits, item: int, looks: float) -> None:
    """Take looks back that were earned by what did not last, as far as they are still there."""
    taken = min(round(looks * MILLION), held.balance.item(item))
    held.balance[item] -= taken
    held.revoked[item] += taken


def earn_by(held: Credits, viewer: int, item: int, looks: float) -> None:
    """Give an item so many looks more, for what a viewer did."""
    earn(held, item, looks)
    held.by[viewer, item] = held.by.get((viewer, item), 0) + round(looks * MILLION / held.kept)


def revoke_by(held: Credits, viewer: int, item: int, looks: float) -> None:
    """Take looks back that a viewer earned by what did not last, as far as they are still there."""
    revoke(held, item, looks)
    left = held.by.get((viewer, item), 0)
    if left:
        held.by[viewer, item] = max(left - round(looks * MILLION / held.kept), 0)


def take_back(held: Credits, viewer: int, item: int) -> None:
    """Take back what is left of all that a viewer earned an item: nobody stands for them."""
    before = held.revoked.item(item)
    revoke(held, item, held.by.pop((viewer, item)) * held.kept / MILLION)
    held.unheard[item] += held.revoked.item(item) - before


def reckon(held: Credits) -> None:
    """Reckon anew what may still be taken back, and let go of what has decayed to nothing."""
    left = {key: int(looks * held.kept) for key, looks in held.by.items()}
    held.by = {key: looks for key, looks in left.items() if looks}
    held.kept = 1.0


def forget_viewer(held: Credits, viewer: int) -> None:
    """Forget what a viewer earned; the items keep it."""
    held.by = {key: looks for key, looks in held.by.items() if key[0] != viewer}


def decay(held: Credits, passed: int, half_life_hours: float) -> None:
    """Let every balance fall by half in each half-life; what is lost is expired.

    Args:
        held: changed in place.
        passed: ms.
        half_life_hours: above 0.
    """
    share = 0.5 ** (passed / (half_life_hours * HOUR))
    held.kept *= share
    if held.kept < LEAST_KEPT:
        reckon(held)
    kept = np.floor(held.balance * share).astype(np.int64)
    held.expired += held.balance - kept
    held.balance = kept


def credit_prices(balance: Ints, cap: float) -> Floats:
    """Return each item's price in units of the mean score of what is shown: cap·b/(b + 20), concave in b.

    Args:
        balance: micro-looks [I].
        cap: what the price tends to.
    """
    looks = balance / MILLION
    return np.asarray(cap * looks / (looks + HALF_PRICE))


def trade_rates(counts: NDArray[np.float32], trade: NDArray[np.int32], trades: int) -> Floats:
    """Return each trade's click rate, shrunk to that of all trades over 50 looks [T].

    Args:
        counts: looks, clicks and long views of every item [I, 3].
        trade: category of each item [I].
        trades: how many categories there are.
    """
    looks = np.bincount(trade, counts[:, 0], trades)
    clicks = np.bincount(trade, counts[:, 1], trades)
    overall = clicks.sum() / max(looks.sum(), 1e-9)
    return np.asarray((clicks + KNOWN * overall) / (looks + KNOWN))
