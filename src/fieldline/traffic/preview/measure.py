"""Measuring: what one slate is expected to bring, always at today's weights, whatever dials it was decided under."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import key_of, unit_of
from fieldline.facts import Decision, Domain
from fieldline.people import whom
from fieldline.traffic.domains.mix import lift
from fieldline.traffic.domains.tags import DOMAINS
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.prediction import responses
from fieldline.traffic.preview.pooled import Pooled, drawing
from fieldline.traffic.preview.views import shown_now, trust_by_item
from fieldline.traffic.shelf import product_of
from fieldline.traffic.state import State
from fieldline.units import HOUR, YUAN

REQUESTS, VIEWER, GMV, REVENUE, PLACES, PAID, TRUSTED, SELLING, NEW, POOLED, PUBLIC = range(11)
"""Sums of a slate: 1; yuan of viewer value, of expected GMV, of charges; places, those paid; Σ looks·trust and Σ looks
of items with a merchant; looks of new works; of works that draw on the pool asked about; places of the public domain,
and after it of the others."""
SUMS = PUBLIC + len(DOMAINS)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Row = np.ndarray[tuple[int], np.dtype[np.void]]


class Known(NamedTuple):
    """What measuring reads of items, as it stands today."""

    trust: Floats  # [I] NaN where there is no merchant
    new: NDArray[np.bool_]  # [I]
    creator: Ints  # [I] −1: none
    makers: NDArray[np.bool_]  # [C] creators with something to show
    pooled: NDArray[np.bool_]  # [I] drawing on the pool asked about


class Slate(NamedTuple):
    """What one decision is expected to bring."""

    viewer: str
    sums: Floats  # [15]
    items: Ints  # [k]
    looks: Floats  # [k]
    organic: NDArray[np.bool_]  # [k]
    scene: str
    domains: tuple[Domain, ...]  # [k]
    offered: tuple[Domain, ...]  # with a mix and a candidate


def known_of(state: State, pooled: Pooled | None = None) -> Known:
    """Return what measuring reads of items; new is a work whose clock began within `newcomer_hours`."""
    count = len(state.shelf.facts)
    born = state.organic.newcomers.born[:count]
    new = (born >= 0) & (born <= state.now) & (state.now < born + state.policy.newcomer_hours * HOUR)
    creator = state.shelf.creator[:count].astype(np.int64)
    makers = np.zeros(len(state.content.facts), bool)
    makers[creator[shown_now(state) & (creator >= 0)]] = True
    draws = drawing(state, pooled) if pooled else np.zeros(count, bool)
    return Known(trust_by_item(state), new, creator, makers, draws)


def measured(state: State, known: Known, view: State, decision: Decision) -> Slate:
    """Return what a slate is expected to bring.

    Args:
        state: of today, only read.
        known: of its items.
        view: that the slate was decided in.
        decision: the slate.
    """
    rows = np.frombuffer(decision.contenders, CONTENDER)[: len(decision.slots)]
    items, looks = rows["item"].astype(np.int64), np.array(decision.looks)
    orders = looks * rows["p_click"].astype(np.float64) * rows["p_order"]
    trust = known.trust[items]
    sells = ~np.isnan(trust)
    paid = np.array([slot.contract is not None for slot in decision.slots], bool)
    sums = np.zeros(SUMS)
    sums[REQUESTS] = 1.0
    sums[VIEWER] = float(looks @ _viewer_values(state, view, decision, rows))
    sums[GMV] = float(orders @ np.array([_price(state, item) for item in items.tolist()]).reshape(-1))
    sums[REVENUE] = sum(slot.charge for slot in decision.slots) / YUAN
    sums[PLACES], sums[PAID] = len(items), paid.sum()
    sums[TRUSTED], sums[SELLING] = float(looks[sells] @ trust[sells]), float(looks[sells].sum())
    sums[NEW] = float(looks[known.new[items]].sum())
    sums[POOLED] = float(looks[known.pooled[items]].sum())
    domains = tuple(slot.domain or DOMAINS[0] for slot in decision.slots)
    sums[PUBLIC:] = [domains.count(domain) for domain in DOMAINS]
    return Slate(decision.viewer, sums, items, looks, ~paid, decision.scene, domains, decision.offered)


def _viewer_values(state: State, view: State, decision: Decision, rows: Row) -> Floats:
    """Return what a look at each place is worth to its viewer at today's weights, yuan [k]: no mix's price in it."""
    now, policy, items = state.policy, view.policy, rows["item"].astype(np.int32)
    scene, who = state.scenes.numbers[decision.scene], state.people.names.find(decision.viewer)
    value = rows["viewer_value"].astype(np.float64)
    value += (now.viewer_value - policy.viewer_value) * rows["p_long"]
    worth = ("like_value", "follow_value", "hate_cost", "minute_value")
    if any(getattr(now, name) != getattr(policy, name) for name in worth):
        for dials, sign in ((now, 1.0), (policy, -1.0)):
            extra = responses.extra_value(state, whom(state.people, who), items, scene, decision.at, dials)
            value += sign * extra if len(extra) else 0.0
    if decision.relevance:
        value += (now.relevance_value - policy.relevance_value) * np.array(decision.relevance)
    if decision.ahead and policy.goods_value:
        names = [slot.item for slot in decision.slots]
        for ahead in decision.ahead:
            value[names.index(ahead.item)] += ahead.value * (now.goods_value / policy.goods_value - 1.0)
    if decision.offered:
        domains = np.array([DOMAINS.index(slot.domain or "public") for slot in decision.slots], np.int8)
        draw = unit_of(key_of(policy.seed, decision.id, "mix"))
        value -= lift(view.mixes, policy, decision.scene, domains, state.prices.score, draw)[0]
    return value


def _price(state: State, item: int) -> float:
    product = product_of(state.shelf.facts[item])
    known = state.goods.products.get(product) if product else None
    return known.price / YUAN if known else 0.0
