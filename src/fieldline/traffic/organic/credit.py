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
    """Taken back, the order having been refunded."""
    refused: Ints = field(default_factory=_looks)
    """Paid clicks that earned nothing: repeated within a day, a merchant's own, or below the quality gate."""
    rates: Floats = field(default_factory=lambda: np.zeros(0))
    """Click rate of each trade (category), as of the newest tick; empty while no gate needs it."""


def widen(held: Credits, items: int) -> None:
    """Make room for so many items."""
    for name in ("balance", "earned", "used", "expired", "revoked", "refused"):
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


def decay(held: Credits, passed: int, half_life_hours: float) -> None:
    """Let every balance fall by half in each half-life; what is lost is expired.

    Args:
        held: changed in place.
        passed: ms.
        half_life_hours: above 0.
    """
    kept = np.floor(held.balance * 0.5 ** (passed / (half_life_hours * HOUR))).astype(np.int64)
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
