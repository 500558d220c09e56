"""What decisions, looks, clicks, orders and refunds change in organic prices' accounts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts.grants import MILLION
from fieldline.contracts.horizon import day_of
from fieldline.facts import Decision, Order, Refund
from fieldline.traffic import trusted
from fieldline.traffic.explain import CONTENDER, CONTRIBUTION, NAMED
from fieldline.traffic.organic import credit, newcomers, pools
from fieldline.traffic.organic.moved import Caps, Moved, moved, shares
from fieldline.traffic.organic.prices import ALL, CREDIT, LOOKS, POOL, parts_of
from fieldline.traffic.outcomes import Paid, Shown
from fieldline.traffic.shelf import merchant_of, price_items
from fieldline.traffic.state import State
from fieldline.units import DAY

ORDERS = NAMED - CREDIT
"""What stands for credit among what a slot moved."""

WORDS = CONTENDER.itemsize // 4
SLOT, VALUES, TRUST, SCORE = 2, slice(8, 10), 10, 12
"""Words of a contender, which are quicker to read than its fields."""

Floats = NDArray[np.float64]


class Moves(NamedTuple):
    """What named prices moved in one slate."""

    slots: list[tuple[int, int, int]]
    """(slot, contract of a pool or `ORDERS`, micro-looks): what its impressions will have used."""
    mean_score: float | None
    """Of the slate without them, yuan per look; None: they moved nothing."""


NOTHING = Moves([], None)


class _Told(NamedTuple):
    """A decision's contenders, by column [n]."""

    slot: NDArray[np.int64]
    score: Floats
    value: Floats  # [n, 2] viewer value and goods value, trust in them
    group: NDArray[np.int64]
    category: NDArray[np.int64]
    parts: Floats  # [n, 4] named prices
    pool: NDArray[np.int64]
    paid: NDArray[np.int64]  # 1: its slot is paid for


def note_decision(state: State, decision: Decision, items: list[int], contracts: list[int]) -> Moves:
    """Count what named prices moved in a slate, and return it for its impressions.

    Args:
        state: changed in place.
        decision: as logged.
        items: number of each slot's item.
        contracts: who pays for each slot, −1: nobody.
    """
    organic = state.organic
    if not organic.on or decision.randomised or not items:
        return NOTHING
    told = _told(state, decision, contracts)
    found = _moved(state, decision, told)
    by = shares(found.looks, told.parts) * (told.paid[:, None] == 0)
    _count(state, decision, told, found, by)
    slots = [
        (k, int(told.pool[k]) if name == POOL else ORDERS, round(float(by[k, name]) * MILLION))
        for k in range(len(items))
        for name in (POOL, CREDIT)
        if by[k, name] > 0.0
    ]
    return Moves(slots, found.mean_score)


def note_look(state: State, shown: Shown, k: int, item: int) -> None:
    """Count an impression's look for its creator and its floor, and spend what it moved from pool and credit."""
    organic, look, policy = state.organic, shown.looks[k], state.policy
    creator = state.shelf.creator[item]
    if creator >= 0:
        organic.inclusion.exposure = grown(organic.inclusion.exposure, creator + 1)
        organic.inclusion.exposure[creator] += look
    newcomers.note_look(organic.newcomers, item, look, policy.newcomer_looks, shown.at)
    for slot, source, amount in shown.moved:
        if slot == k and source == ORDERS:
            credit.use(organic.credits, item, amount)
        elif slot == k:
            _spend(state, source, item, amount)


def note_click(state: State, shown: Shown, k: int, at: int) -> None:
    """Let a paid click earn its item credit, where it is valid and well matched; before its touch is noted."""
    earned, organic, item = state.policy.earned, state.organic, shown.items[k]
    if not earned.per_click or shown.contracts[k] < 0:
        return
    merchant = merchant_of(state.shelf.facts[item], state.goods)
    if not (_is_valid(state, shown.viewer, merchant, at) and _is_matched(state, shown, k)):
        organic.credits.refused[item] += 1
    elif merchant and trusted.unheard(state, shown.viewer, merchant, orders=False):
        organic.credits.refused[item] += 1
        organic.credits.ignored[item] += 1
    else:
        credit.earn_by(organic.credits, shown.viewer, item, earned.per_click)


def note_order(state: State, event: Order, paid: Paid, item: int) -> None:
    """Let an order that is credited to a paid look or click earn its item credit."""
    earned, held = state.policy.earned, state.organic.credits
    if not earned.per_order or paid.contract < 0 or item < 0:
        return
    merchant, viewer = state.goods.products[event.product].merchant, state.people.names.find(event.viewer)
    if _is_own(state, event.viewer, merchant):
        return
    if trusted.unheard(state, viewer, merchant, orders=True):
        held.ignored[item] += 1
    else:
        credit.earn_by(held, viewer, item, earned.per_order)
        state.outcomes.orders[event.id].earned = earned.per_order


def note_refund(state: State, event: Refund) -> None:
    """Take back, in the share that is refunded, what an order earned; before the refund is counted."""
    bought = state.outcomes.orders.get(event.order)
    if bought is None or not bought.earned or not bought.amount:
        return
    merchant = merchant_of(state.shelf.facts[bought.item], state.goods)
    if not _is_disowned(state, bought.viewer, merchant):  # else it was taken back
        looks = bought.earned * event.amount / bought.amount
        credit.revoke_by(state.organic.credits, bought.viewer, bought.item, looks)


def take_back(state: State) -> None:
    """Take back, at a midnight, what buyers earned whom trust has marked or whom their merchant calls its own."""
    held, items = state.organic.credits, state.shelf.facts
    for viewer, item in list(held.by):
        if _is_disowned(state, viewer, merchant_of(items[item], state.goods)):
            credit.take_back(held, viewer, item)
    credit.reckon(held)


def _spend(state: State, number: int, item: int, amount: int) -> None:
    ledger, terms, group = (
        state.organic.pools[number],
        state.book.contracts[number].grant,
        state.shelf.group.item(item),
    )
    assert terms is not None
    spent = pools.spend(ledger, terms, group, amount)
    state.book.looks[number] += spent / MILLION
    if pools.left_of(ledger, terms, group) == 0:
        _stop(state, number, group if ledger.left else -1)


def _stop(state: State, number: int, group: int) -> None:
    """Take a pool's price off what it has no looks left for: all, or one member's."""
    organic, shelf = state.organic, state.shelf
    which = organic.pool == number
    if group >= 0:
        which &= shelf.group[: len(which)] == group
    if not which.any():
        return
    organic.pool[which] = -1
    organic.parts[which, POOL] = 0.0
    count = len(shelf.facts)
    shelf.named[:count] = organic.parts[:count].sum(axis=1)
    if state.linked:
        price_items(shelf, state.prices.mu)


def _told(state: State, decision: Decision, contracts: list[int]) -> _Told:
    raw = np.frombuffer(decision.contenders, np.float32).reshape(-1, WORDS)
    whole, shelf = raw.view(np.int32), state.shelf
    item = whole[:, 0]
    rows = np.frombuffer(decision.contributions, CONTRIBUTION)
    parts, pool = parts_of(rows, frozenset(state.organic.pools), len(raw))
    paid = np.zeros(len(raw), np.int64)
    paid[: len(contracts)] = [contract >= 0 for contract in contracts]
    return _Told(
        slot=whole[:, SLOT].astype(np.int64),
        score=raw[:, SCORE].astype(np.float64),
        value=(raw[:, VALUES] * raw[:, TRUST : TRUST + 1]).astype(np.float64),
        group=shelf.group[item].astype(np.int64),
        category=shelf.category[item].astype(np.int64),
        parts=parts,
        pool=pool,
        paid=paid,
    )


def _moved(state: State, decision: Decision, told: _Told) -> Moved:
    slots, looks, policy = len(decision.slots), np.array(decision.looks), state.policy
    price = told.parts.sum(axis=1)
    if (
        len(price) == slots < decision.candidates
    ):  # the others were not logged: all looks of what is lifted count
        gained = np.where(told.parts.max(axis=1) > 0.0, looks[told.slot], 0.0)
        return Moved(gained, 0.0, 0.0, float((told.score - price).mean()))
    mixed = decision.category is None and not decision.searched
    caps = Caps(policy.merchant_cap, policy.category_cap if mixed else slots)
    return moved(told.slot, looks, told.score, price, told.value, told.group, told.category, told.paid, caps)


def _count(state: State, decision: Decision, told: _Told, found: Moved, by: Floats) -> None:
    """Add a slate to what prices moved and cost, and to whom credit cost looks."""
    effects, slots = state.organic.effects, len(decision.slots)
    day = day_of(decision.at)
    row = effects.days.get(day)
    if row is None:
        row = effects.days[day] = np.zeros((ALL + 1, 3))
    looks = by.sum(axis=0)
    total = float(looks.sum())
    if total > 0.0:
        cost = np.array((1.0, found.viewer_value / total, found.goods_value / total))
        row[:ALL] += looks[:, None] * cost
    row[ALL, LOOKS] += sum(decision.looks)
    row[ALL, LOOKS + 1 :] += np.array(decision.looks) @ told.value[:slots]
    if looks[CREDIT] > 0.0:
        _displace(
            state, told.group.tolist(), by[:, CREDIT].tolist(), found.looks.tolist(), looks[CREDIT] / total
        )


def _displace(
    state: State, groups: list[int], given: list[float], moved_by_all: list[float], share: float
) -> None:
    """Count whom credit gave looks, and from whom without any it took its share of what was moved."""
    effects = state.organic.effects
    effects.given = grown(effects.given, len(state.shelf.groups))
    effects.taken = grown(effects.taken, len(state.shelf.groups))
    gaining = {group for group, looks in zip(groups, given, strict=True) if looks > 0.0}
    for group, looks, change in zip(groups, given, moved_by_all, strict=True):
        if group < 0:
            continue
        effects.given[group] += looks
        if change < 0.0 and group not in gaining:
            effects.taken[group] -= change * share


def _is_valid(state: State, viewer: int, merchant: str | None, at: int) -> bool:
    """Whether a paid click counts: of a known viewer, not the merchant's own, the first on its ads in a day."""
    if viewer < 0 or merchant is None or _is_own(state, state.people.names.ids[viewer], merchant):
        return False
    touch = state.outcomes.touches.get((viewer, merchant))
    return touch is None or touch.click.contract < 0 or abs(at - touch.click.at) >= DAY


def _is_disowned(state: State, viewer: int, merchant: str | None) -> bool:
    """Whether all that a viewer earned a merchant was taken back, or is at the next midnight."""
    if viewer < 0 or merchant is None:
        return False
    return trusted.marked(state, viewer, merchant) or _is_own(state, state.people.names.ids[viewer], merchant)


def _is_own(state: State, viewer: str, merchant: str | None) -> bool:
    fact = state.goods.merchants.get(merchant) if merchant else None
    return fact is not None and viewer in fact.accounts


def _is_matched(state: State, shown: Shown, k: int) -> bool:
    """Whether the click was as likely, as predicted, as the item's trade has them, times the dial."""
    rates, category = state.organic.credits.rates, state.shelf.category.item(shown.items[k])
    least = state.policy.earned.least_match
    rate = float(rates[category]) if 0 <= category < len(rates) else 0.0
    return shown.clicks[k] >= least * rate
