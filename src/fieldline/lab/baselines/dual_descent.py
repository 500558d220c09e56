"""Plain dual descent: two shadow prices a contract, each moved by what its limit saw in the last tick.

    β ← β·exp(η·(s/d − 1))                     budget: s spent, d due in the tick (mirror step, entropy)
    ρ ← max(0, ρ − η·(v − τ·s)/(τ·d))          goal: v observed in the tick (Euclidean step: it may be 0)
    α = (1 + ρ)/(β + ρ·τ),   η = 1/√(ticks of the horizon)

It starts at β = τ (1 without a goal) and ρ = 0, so with the fixed bid. Nothing is forecast but traffic; conversions
count when they arrive. Source: Balseiro, Lu, Mirrokni, dual mirror descent (ICML 2020); Feng, Padmanabhan, Wang,
online bidding with a return on spend constraint (arXiv 2208.13713).
"""

from dataclasses import dataclass, field

import numpy as np

from fieldline.columns import grown
from fieldline.contracts.book import Book
from fieldline.lab.baselines import Bidders, Floats, bidders, bounded, close, due
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices
from fieldline.traffic.solve import HIGH, LOW


def descended(
    beta: Floats, rho: Floats, spend: Floats, value: Floats, due: Floats, goal: Floats, rate: Floats
) -> tuple[Floats, Floats]:
    """Return both shadow prices after one tick; a tick in which nothing was due moves neither.

    Args:
        beta: [J] of the budget, value per yuan.
        rho: [J] of the goal.
        spend: [J] of the tick, yuan.
        value: [J] observed in the tick, yuan.
        due: [J], yuan.
        goal: [J], τ; 0: none.
        rate: [J], η.
    """
    moved = due > 0.0
    per_due = 1.0 / np.where(moved, due, 1.0)
    next_beta = np.clip(beta * np.exp(rate * (spend * per_due - 1.0)), np.exp(-HIGH), np.exp(-LOW))
    slack = (value - goal * spend) * per_due / np.maximum(goal, 1e-9)
    next_rho = np.where(goal > 0.0, np.maximum(0.0, rho - rate * slack), 0.0)
    return np.where(moved, next_beta, beta), np.where(moved, next_rho, rho)


@dataclass(slots=True)
class DualDescent:
    """The shadow prices and what was counted up to the last tick, by contract number."""

    beta: Floats = field(default_factory=lambda: np.zeros(0))
    """0: not yet priced."""
    rho: Floats = field(default_factory=lambda: np.zeros(0))
    spent: Floats = field(default_factory=lambda: np.zeros(0))
    value: Floats = field(default_factory=lambda: np.zeros(0))

    def update(self, prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        """Move both shadow prices of every contract by one step and bid at them.

        Args:
            prices: changed in place.
            book: budgets, spend, value observed.
            traffic: the forecast, already closed for this tick.
            now: ms.
            tick_ms: ms from tick to tick.
        """
        found = bidders(book, traffic, now, tick_ms)
        self._meet(len(book), found)
        j = found.numbers
        self.beta[j], self.rho[j] = descended(
            self.beta[j],
            self.rho[j],
            found.spent - self.spent[j],
            found.value - self.value[j],
            due(found, prices.requests, self.spent[j]),
            found.goal,
            1.0 / np.sqrt(np.maximum(found.ticks, 1.0)),
        )
        self.spent[j], self.value[j] = found.spent, found.value
        prices.alpha[j] = bounded((1.0 + self.rho[j]) / (self.beta[j] + self.rho[j] * found.goal))
        close(prices)

    def _meet(self, count: int, found: Bidders) -> None:
        for name in ("beta", "rho", "spent", "value"):
            setattr(self, name, grown(getattr(self, name), count))
        new = self.beta[found.numbers] == 0.0
        self.beta[found.numbers[new]] = np.where(found.goal[new] > 0.0, found.goal[new], 1.0)
