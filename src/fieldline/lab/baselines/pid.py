"""PID control: two loops a contract, on observed ROI and on pacing; the more cautious one moves the multiplier.

    e_B = ln((d̄ + n)/(s̄ + n))       d̄, s̄: due and spent, decayed with a half-life of an hour; n = 0.1% of the budget
    e_R = ln((G + m)/(τ·S + m))      G observed value, S spend so far; m = 2% of the goal's value τ·B
    Δe-form: u = K_P·(e − e₁) + K_I·e + K_D·(e − 2e₁ + e₂), e₁ and e₂ one and two ticks ago, e held in [−1, 1]
    ln α ← ln α + min(u_B, u_R)

Being in velocity form it cannot wind up, and the loop that is not in charge follows. It starts with the fixed bid.
Source: Åström and Hägglund, PID Controllers (velocity form, selector control); Yang et al., bid optimization by
multivariable control (KDD 2019).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts.book import Book
from fieldline.lab.baselines import Bidders, Floats, bidders, bounded, close, due
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices

PROPORTIONAL, INTEGRAL, DERIVATIVE = 0.3, 0.03, 0.05
"""Per tick of five minutes: an error of e moves ln α by e within 33 ticks, under three hours."""
KEPT = 0.5 ** (1.0 / 12.0)
"""Of what was due and spent, kept from tick to tick: half after an hour."""
SMALL_SPEND, SMALL_VALUE = 0.001, 0.02


def moved(error: Floats, once: Floats, twice: Floats) -> Floats:
    """Return the step of ln α that one loop asks for.

    Args:
        error: [J], now; above 0: there is room.
        once: [J], a tick ago.
        twice: [J], two ticks ago.
    """
    return np.asarray(
        PROPORTIONAL * (error - once) + INTEGRAL * error + DERIVATIVE * (error - 2.0 * once + twice)
    )


def _column() -> Floats:
    return np.zeros(0)


def _pair() -> Floats:
    return np.zeros((0, 2))


@dataclass(slots=True)
class Pid:
    """What two loops a contract remember, by contract number."""

    known: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    spent: Floats = field(default_factory=_column)
    recent_due: Floats = field(default_factory=_column)
    recent_spend: Floats = field(default_factory=_column)
    once: Floats = field(default_factory=_pair)
    """[C, 2]: errors of pace and goal a tick ago."""
    twice: Floats = field(default_factory=_pair)

    def update(self, prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        """Move every contract's multiplier by the smaller step of its two loops.

        Args:
            prices: changed in place.
            book: budgets, spend, value observed.
            traffic: the forecast, already closed for this tick.
            now: ms.
            tick_ms: ms from tick to tick.
        """
        found = bidders(book, traffic, now, tick_ms)
        j, new = found.numbers, self._meet(len(book), found)
        self.recent_due[j] = KEPT * self.recent_due[j] + due(found, prices.requests, self.spent[j])
        self.recent_spend[j] = KEPT * self.recent_spend[j] + found.spent - self.spent[j]
        self.spent[j] = found.spent
        errors = self._errors(found)  # [2, J]: pace, goal
        once, twice = np.where(new, errors, self.once[j].T), np.where(new, errors, self.twice[j].T)
        steps = moved(errors, once, twice)
        self.once[j], self.twice[j] = errors.T, once.T
        has_goal = found.goal > 0.0
        first = np.where(has_goal, 1.0 / np.maximum(found.goal, 1e-9), 1.0)
        step = np.where(has_goal, np.minimum(steps[0], steps[1]), steps[0])
        prices.alpha[j] = bounded(np.where(new, first, prices.alpha[j]) * np.exp(step))
        close(prices)

    def _errors(self, found: Bidders) -> Floats:
        j = found.numbers
        spend = SMALL_SPEND * found.budget
        value = np.where(found.goal > 0.0, SMALL_VALUE * found.goal * found.budget, 1.0)
        pace = np.log((self.recent_due[j] + spend) / (self.recent_spend[j] + spend))
        goal = np.log((np.maximum(found.value, 0.0) + value) / (found.goal * found.spent + value))
        return np.asarray(np.clip(np.stack([pace, goal]), -1.0, 1.0))

    def _meet(self, count: int, found: Bidders) -> NDArray[np.bool_]:
        for name in ("known", "spent", "recent_due", "recent_spend", "once", "twice"):
            setattr(self, name, grown(getattr(self, name), count))
        new = ~self.known[found.numbers]
        self.known[found.numbers] = True
        return new
