"""What is told of a merchant's trust: its index, how sure it is, what it is made of, and what would raise it."""

import msgspec
import numpy as np

from fieldline.errors import Unknown
from fieldline.traffic.shelf import trust_factor
from fieldline.traffic.state import State
from fieldline.traffic.trusted import weights_of
from fieldline.trust import index
from fieldline.trust.peers import DIMENSION, Floats
from fieldline.trust.signals import COUNT, DIMENSIONS, SIGNALS

TOLD = 0.1
"""Advice is given on what is known to at least this share."""


class SignalTold(msgspec.Struct, frozen=True):
    """One share that a dimension is made of."""

    name: str
    value: float | None
    """None: nothing was seen of it."""
    peers: float | None
    """The trade's, without this merchant; None: it has not been compared yet."""
    buyers: float
    """How many it is of, each buyer as far as they count."""


class DimensionTold(msgspec.Struct, frozen=True):
    """One of the four dimensions."""

    name: str
    weight: float
    score: float
    """Standard deviations from the trade, shrunk to 0."""
    level: float
    """The same as a share in [0, 1]; one half is the trade's average."""
    known: float
    """The share of it that evidence tells, in [0, 1)."""
    signals: tuple[SignalTold, ...]


class Advice(msgspec.Struct, frozen=True):
    """What holds a merchant back, and what coming to the trade's average would bring."""

    dimension: str
    signal: str
    value: float
    peers: float
    buyers: float
    gain: float
    """Of the index, were the dimension at the trade's average."""
    score_gain: float
    """Of the organic score of what it sells, as a share."""


class TrustTold(msgspec.Struct, frozen=True):
    """A merchant's index and all that it is made of."""

    merchant: str
    trust: float
    sd: float
    declared: float
    trade: str
    """The category in which it sells most; empty: it was not compared yet."""
    band: str
    """The likeliest of the three."""
    bands: dict[str, float]
    """The chance of each."""
    dimensions: tuple[DimensionTold, ...]
    advice: tuple[Advice, ...]
    """The greatest gain first."""


def told(state: State, merchant: str) -> TrustTold:
    """Return what is told of a merchant's trust.

    Args:
        state: only read.
        merchant: its id.

    Raises:
        Unknown: there is no such merchant.
    """
    fact = state.goods.merchants.get(merchant)
    if fact is None:
        raise Unknown("id", f"no merchant is called {merchant!r}")
    of, weights = state.trust.index, weights_of(state)
    shop = state.trust.evidence.shops.find(merchant)
    compared = 0 <= shop < len(of.trades)
    z, known = (of.z[shop], of.known[shop]) if compared else (np.zeros(4), np.zeros(4))
    score, spread = (float(column[0]) for column in _scored(z, known, fact.trust, weights))
    chances = dict(zip(index.BANDS, index.bands(score, known, weights), strict=True))
    signals = tuple(
        _signal(state, shop, number) if compared else SignalTold(SIGNALS[number].name, None, None, 0.0)
        for number in range(COUNT)
    )
    dimensions = tuple(
        DimensionTold(
            name,
            float(weights[number]),
            round(float(z[number]), 4),
            round(float(1.0 / (1.0 + np.exp(-index.GAIN * z[number]))), 4),
            round(float(known[number]), 4),
            tuple(signals[k] for k in np.flatnonzero(number == DIMENSION).tolist()),
        )
        for number, name in enumerate(DIMENSIONS)
    )
    return TrustTold(
        merchant,
        round(score, 4),
        round(spread, 4),
        fact.trust,
        of.trades[shop] if compared else "",
        max(index.BANDS, key=lambda band: chances[band]),
        {band: round(chance, 4) for band, chance in chances.items()},
        dimensions,
        _advice(state, z, known, fact.trust, dimensions) if compared else (),
    )


def _signal(state: State, shop: int, number: int) -> SignalTold:
    of = state.trust.index
    count = of.counts.item(shop, number)
    value = of.sums.item(shop, number) / count if count > 0.0 else None
    peers = of.peers.mean.item(shop, number)
    return SignalTold(
        SIGNALS[number].name, None if value is None else round(value, 4), round(peers, 4), round(count, 2)
    )


def _advice(
    state: State, z: Floats, known: Floats, declared: float, dimensions: tuple[DimensionTold, ...]
) -> tuple[Advice, ...]:
    weights = weights_of(state)
    now = float(_scored(z, known, declared, weights)[0][0])
    found = []
    for number, dimension in enumerate(dimensions):
        signal = _worst(dimension)
        if z[number] >= 0.0 or known[number] < TOLD or signal is None:
            continue
        level = z.copy()
        level[number] = 0.0
        then = float(_scored(level, known, declared, weights)[0][0])
        more = trust_factor(state.policy, then) / trust_factor(state.policy, now) - 1.0
        assert signal.value is not None and signal.peers is not None
        found.append(
            Advice(
                dimension.name, signal.name, signal.value, signal.peers, signal.buyers,
                round(then - now, 4), round(more, 4),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda advice: -advice.gain))


def _worst(dimension: DimensionTold) -> SignalTold | None:
    """Return the signal of a dimension that lies furthest below the trade's, weighed by what it is of."""
    below = [signal for signal in dimension.signals if signal.value is not None and signal.peers is not None]
    lost = {signal.name: signal.buyers * ((signal.peers or 0.0) - (signal.value or 0.0)) for signal in below}
    return max(below, key=lambda signal: lost[signal.name], default=None)


def _scored(z: Floats, known: Floats, declared: float, weights: Floats) -> tuple[Floats, Floats]:
    return index.scored(z[None], known[None], np.array([declared]), weights)
