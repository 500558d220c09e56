"""Chances of a Plackett–Luce draw: of a sequence, slot by slot, and of each item in each slot.

P(next = i | drawn so far) = w_i/Σ_{not yet drawn} w. The chance that item i comes at place k is that of a race of
exponential clocks with rates w in which exactly k others ring before i:

    P(i at k) = ∫ w_i·e^(−w_i·t)·P(k of the others rang by t) dt

an integral over log t, whose trapezoid sum converges to machine precision, for the integrand is analytic and dies
away exponentially at both ends. Source: Plackett (1975); Luce (1959); Trefethen & Weideman (SIAM Review 2014).
"""

import numpy as np

from fieldline.learn.ope.estimators import Floats, Ints

STEP = 0.3
"""Of log t."""
BEFORE, AFTER = 34.0, 3.7
"""Where the integral begins and ends: e^−34 of the first ring, e^3.7 = 40 times the mean of the last."""


def rates_of(scores: Floats, temperature: float) -> Floats:
    """Return the rates with which a draw picks among candidates: exp((o − o_top)/(T·max(|o_top|, 1e-9))).

    Args:
        scores: o [m], falling.
        temperature: T.
    """
    if not len(scores):
        return np.zeros(0)
    scale = temperature * max(abs(float(scores[0])), 1e-9)
    return np.asarray(np.exp((scores - scores[0]) / scale), np.float64)


def chances_of(rates: Floats, drawn: Ints) -> Floats:
    """Return the chance of each pick of a sequence, given those before it.

    Args:
        rates: [m].
        drawn: places [K] in the rates, −1 for what is not among them: its chance is 0.
    """
    left = rates.copy()
    chances = np.zeros(len(drawn))
    for slot, place in enumerate(drawn.tolist()):
        if place >= 0:
            chances[slot] = left[place] / max(float(left.sum()), 1e-300)
            left[place] = 0.0
    return chances


def places_of(rates: Floats, slots: int) -> Floats:
    """Return the chance [m, K] that each candidate comes at each of the first K places (the integral at the top).

    Args:
        rates: [m]; one of 0 is never drawn.
        slots: K.
    """
    found = np.zeros((len(rates), slots))
    live = np.flatnonzero(rates > 0.0)
    if not len(live):
        return found
    rate = rates[live]
    low = -BEFORE - np.log(rate.sum())
    high = AFTER - np.log(rate.min())
    time = np.exp(np.arange(low, high, STEP))  # [N]
    rang = -np.expm1(-rate[:, None] * time)  # [m, N] chance that a clock rang by then
    most = min(slots, len(live))
    counts = np.zeros((most, len(live), len(time)))  # [k, m, N] chance that k of the others rang
    counts[0] = 1.0
    for other in range(len(live)):
        step = np.where((np.arange(len(live)) == other)[:, None], 0.0, rang[other])  # not against itself
        before = counts[:-1] * step
        counts *= 1.0 - step
        counts[1:] += before
    density = STEP * rate[:, None] * time * np.exp(-rate[:, None] * time)  # [m, N], of ringing then
    found[live, :most] = np.einsum("kmn,mn->mk", counts, density)
    return found
