"""Signals: what a merchant's index is made of, four dimensions and the shares that are counted in each.

Every signal is a share in [0, 1] of which more is better, so that all are shrunk, compared and shown alike.
"""

from typing import Literal, NamedTuple, get_args

Dimension = Literal["quality", "service", "content", "repeat"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


class Signal(NamedTuple):
    """One share that is counted."""

    name: str
    dimension: int
    part: float
    """How much of its information counts: signals that tell much the same share theirs."""
    usual: float
    """Its mean before any merchant was seen."""
    apart: float
    """How far merchants differ (sd) before any was seen."""


SIGNALS = (
    Signal("kept_money", 0, 0.5, 0.93, 0.05),
    Signal("kept_orders", 0, 0.5, 0.93, 0.05),
    Signal("stars", 0, 1.0, 0.80, 0.10),
    Signal("words", 0, 1.0, 0.70, 0.10),
    Signal("on_time", 1, 1.0, 0.90, 0.08),
    Signal("answered", 1, 1.0, 0.60, 0.12),
    Signal("solved", 1, 1.0, 0.80, 0.10),
    Signal("long_views", 2, 1.0, 0.30, 0.08),
    Signal("likes", 2, 1.0, 0.03, 0.02),
    Signal("welcome", 2, 1.0, 0.99, 0.005),
    Signal("again", 3, 1.0, 0.20, 0.08),
    Signal("visits", 3, 0.5, 0.10, 0.05),
)
"""kept_money, kept_orders: shares of a buyer's money and orders that were not given back; stars: (stars − 1)/4; words:
(tone + 1)/2; on_time: of deliveries with a promise; answered: 2^(−first wait/3 min); welcome: looks without "not
interested"; again: bought on another day, over the chance of it by now; visits: further days, four at most, a quarter
each, likewise."""

KEPT_MONEY, KEPT_ORDERS, STARS, WORDS, ON_TIME, ANSWERED, SOLVED = range(7)
LONG_VIEWS, LIKES, WELCOME, AGAIN, VISITS = range(7, 12)
COUNT = len(SIGNALS)
