"""Units: money, time and chance as types of their own."""

from typing import NewType

Micros = NewType("Micros", int)
"""Money in millionths of a yuan (int64)."""

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01 UTC (int64)."""

Prob = NewType("Prob", float)
"""A chance in [0, 1]."""

YUAN = 1_000_000
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_MICROS = 9_000_000_000_000_000
"""Nine billion yuan: above any budget, with room to add a thousand of them in int64."""


def micros(yuan: float) -> Micros:
    """Return an amount in yuan as whole micro-yuan, rounded down so that a charge never exceeds its bid."""
    return Micros(int(yuan * YUAN // 1))


def in_yuan(amount: Micros) -> float:
    """Return an amount of micro-yuan as yuan, for reading and for scores; never for accounts."""
    return amount / YUAN
