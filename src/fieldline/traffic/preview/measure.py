"""Measuring: what one slate is expected to bring, always at today's weights, whatever dials it was decided under."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import key_of, unit_of
from fieldline.facts import Decision, Policy
from fieldline.people import whom
from fieldline.traffic.domains.mix import lift
from fieldline.traffic.domains.tags import DOMAINS
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.prediction import responses
from fieldline.traffic.preview.views import shown_now, trust_by_item
from fieldline.traffic.shelf import product_of
from fieldline.traffic.state import State
from fieldline.units import HOUR, YUAN

REQUESTS, VIEWER, GMV, REVENUE, PLACES, PAID, TRUSTED, SELLING, NEW = range(9)
"""Sums of a slate: 1; yuan of viewer value, of expected GMV, of charges; places, those paid; Σ looks·trust and Σ looks
of items with a merchant; looks of new works."""
SUMS = 9

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Row = np.ndarray[tuple[int], np.dtype[np.void]]


class Known(NamedTuple):
    """What measuring reads of items, as it stands today."""

    trust: Floats  # [I] NaN where there is no merchant
    new: NDArray[np.bool_]  # [I]
    creator: Ints  # [I] −1: none
    makers: NDArray[np.bool_]  # [C] creators with something to show


class Slate(NamedTuple):
    """What one decision is expected to bring."""

    viewer: str
    sums: Floats  # [9]
    items: Ints  # [k]
    looks: Floats  # [k]
    organic: NDArray[np.bool_]  # [k]


def known_of(state: State) -> Known:
    """Return what measuring reads of items; new is a work whose clock began within `newcomer_hours`."""
    count = len(state.shelf.facts)
    born = state.organic.newcomers.born[:count]
    new = (born >= 0) & (born <= state.now) & (state.now < born + state.policy.newcomer_hours * HOUR)
    creator = state.shelf.creator[:count].astype(np.int64)
    makers = np.zeros(len(state.content.facts), bool)
    makers[creator[shown_now(state) & (creator >= 0)]] = True
    return Known(trust_by_item(state), new, creator, makers)


def measured(state: State, known: Known, policy: Policy, decision: Decision) -> Slate:
    """Return what a slate is expected to bring.

    Args:
        state: of today, only read.
        known: of its items.
        policy: that the slate was decided under.
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
    sums[VIEWER] = float(looks @ _viewer_values(state, policy, decision, rows))
    sums[GMV] = float(orders @ np.array([_price(state, item) for item in items.tolist()]).reshape(-1))
    sums[REVENUE] = sum(slot.charge for slot in decision.slots) / YUAN
    sums[PLACES], sums[PAID] = len(items), paid.sum()
    sums[TRUSTED], sums[SELLING] = float(looks[sells] @ trust[sells]), float(looks[sells].sum())
    sums[NEW] = float(looks[known.new[items]].sum())
    return Slate(decision.viewer, sums, items, looks, ~paid)


def _viewer_values(state: State, policy: Policy, decision: Decision, rows: Row) -> Floats:
    """Return what a look at each place is worth to its viewer at today's weights, yuan [k]: no mix's price in it."""
    now, items = state.policy, rows["item"].astype(np.int32)
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
        value -= lift(state.mixes, policy, decision.scene, domains, state.prices.score, draw)[0]
    return value


def _price(state: State, item: int) -> float:
    product = product_of(state.shelf.facts[item])
    known = state.goods.products.get(product) if product else None
    return known.price / YUAN if known else 0.0
