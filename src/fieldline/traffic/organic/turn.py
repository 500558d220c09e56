"""The turn of organic prices: what entries, dials and ticks change in them."""

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts.grants import MILLION, Eligible
from fieldline.contracts.horizon import day_of
from fieldline.facts import Policy
from fieldline.goods import trust_of
from fieldline.traffic.forecast import planned_share
from fieldline.traffic.organic import credit, inclusion, newcomers, pools
from fieldline.traffic.organic.floors import behind_of, floor_prices
from fieldline.traffic.organic.prices import CREDIT, INCLUSION, NEWCOMER, POOL, widen
from fieldline.traffic.rows import FLAGS, SHOWN
from fieldline.traffic.shelf import product_of
from fieldline.traffic.state import State
from fieldline.units import HOUR

KEPT = 32
"""Days of which it is known what prices moved."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def note_item(state: State, item: int, start: int) -> None:
    """Take an item's new entry: its newcomer's clock, and no pool's price until the next tick finds it eligible.

    Args:
        state: changed in place; the item stands on the shelf already.
        item: its number.
        start: when its clock starts if it does not run, ms.
    """
    organic, fact = state.organic, state.shelf.facts[item]
    widen(organic, item + 1)
    sold = product_of(fact)
    product = state.goods.products.get(sold) if sold else None
    newcomers.enter(organic.newcomers, item, fact.approved and (product is None or product.approved), start)
    if organic.parts[item, POOL] != 0.0:
        organic.parts[item, POOL], organic.pool[item] = 0.0, -1
        state.shelf.named[item] = organic.parts[item].sum()


def note_policy(state: State, before: Policy) -> None:
    """Begin the newcomers' report anew where their dials were moved."""
    after = state.policy
    if (before.newcomer_looks, before.newcomer_hours) != (after.newcomer_looks, after.newcomer_hours):
        state.organic.newcomers.since = max(state.now, after.at)


def turn(state: State, at: int) -> None:
    """Solve every named price again at a tick, and put their sums on the shelf.

    Args:
        state: changed in place; contracts' prices are solved already.
        at: ms.
    """
    organic, shelf, policy = state.organic, state.shelf, state.policy
    count, score = len(shelf.facts), state.prices.score
    passed = at - state.ticked if state.ticked else policy.tick_ms
    widen(organic, count)
    flags = shelf.rows[:count].view(np.int32)[:, FLAGS]
    there = ((flags & SHOWN) != 0) & (shelf.uploaded[:count] <= at)
    parts = np.zeros((count, len(organic.parts[0])))
    parts[:, INCLUSION] = _include(state, there, passed)
    parts[:, NEWCOMER] = newcomers.priced(
        organic.newcomers, there, state.traffic.shape, policy.newcomer_looks, policy.newcomer_hours * HOUR, at
    )
    parts *= score
    parts[:, POOL] = _pool(state, there, at)
    credit.decay(organic.credits, passed, policy.earned.half_life_hours)
    balance = organic.credits.balance[:count]
    parts[:, CREDIT] = score * credit.credit_prices(balance, policy.earned.cap) * there
    if policy.earned.least_match:
        trades = len(shelf.categories)
        organic.credits.rates = credit.trade_rates(shelf.counts[:count], shelf.category[:count], trades)
    organic.parts[:count] = parts
    organic.on = bool(organic.parts[:count].any())
    shelf.named[:count] = organic.parts[:count].sum(axis=1)
    if day_of(at) > day_of(state.ticked):
        days = organic.effects.days
        organic.effects.days = {day: row for day, row in days.items() if day > day_of(at) - KEPT}


def _include(state: State, there: Flags, passed: int) -> Floats:
    """Move the weight of inclusion, and return what each item's creator is worth [I], in mean scores."""
    held, creator = state.organic.inclusion, state.shelf.creator[: len(there)]
    held.exposure = inclusion.faded(grown(held.exposure, len(state.content.facts)), passed)
    makers = np.unique(creator[there & (creator >= 0)])
    exposure = held.exposure[makers]
    held.realised, held.creators = inclusion.gini(exposure), len(makers)
    if state.policy.gini is None:
        held.integral = held.weight = 0.0
        return np.zeros(len(there))
    held.integral, held.weight = inclusion.steer(held.integral, held.realised, state.policy.gini, passed)
    prices = np.zeros(len(held.exposure) + 1)  # the last is of what has no creator
    prices[makers] = inclusion.creator_prices(exposure, held.weight)
    return np.asarray(prices[np.where(there, creator, -1)])


def _pool(state: State, there: Flags, at: int) -> Floats:
    """Bring the pools' accounts up to a tick, and return the price of the pool that pays for each item [I], yuan."""
    organic, book, shelf = state.organic, state.book, state.shelf
    trust: Floats | None = None
    numbers, has = [], []
    for number in [n for n, contract in enumerate(book.contracts) if contract.grant]:
        contract = book.contracts[number]
        assert contract.grant is not None
        ledger = organic.pools.setdefault(number, pools.Ledger())
        live = number in book.wishes[contract.wish] and contract.wish not in book.ended
        if at >= contract.horizon.end or not live:
            pools.expire(ledger)
        elif at >= contract.horizon.start:
            trust = trust_of_items(state) if trust is None else trust
            fits = there & eligible_now(state, contract.grant.eligible, trust)
            _grant(state, number, shelf.group[: len(there)][fits], at)
            if book.in_force[number]:
                numbers.append(number)
                has.append(fits & _with_looks(state, number, len(there)))
    first = np.full(len(there), -1, np.int64)
    if numbers:
        first = pools.first_pool(book.end[numbers], np.array(has))
    found = np.array([*numbers, -1])[first]
    organic.pool[: len(there)] = found
    return np.where(found >= 0, state.prices.mu[found], 0.0)


def _grant(state: State, number: int, groups: NDArray[np.int32], at: int) -> None:
    """Grant what a pool's rule gives by now; one that matches spend has a price of its own making."""
    book, contract, ledger = state.book, state.book.contracts[number], state.organic.pools[number]
    terms = contract.grant
    assert terms is not None
    most = int(terms.looks * MILLION) // book.engines.item(number)
    if terms.matching is None:
        pools.grant(ledger, most)
        return
    spent: dict[int, int] = {}
    for other, of in enumerate(book.contracts):
        if of.merchant:
            group = state.shelf.groups.find(f"m:{of.merchant}")
            spent[group] = spent.get(group, 0) + book.spent.item(other)
    pools.begin(ledger, spent)
    members = set(groups.tolist())
    for group in sorted(members & spent.keys()):
        pools.match(ledger, group, spent[group], terms.matching, most)
    integral, mu = state.prices.integral, state.prices.mu
    if not ledger.granted or not book.in_force[number]:
        integral[number] = mu[number] = 0.0
        return
    planned = planned_share(state.traffic, contract.horizon.start, contract.horizon.end, at)
    behind = behind_of(np.array([planned]), np.array([float(ledger.spent)]), float(ledger.granted))
    summed, price = floor_prices(integral[[number]], behind)
    integral[number], mu[number] = summed[0], state.prices.score * price[0]


def eligible_now(state: State, named: Eligible, trust: Floats) -> Flags:
    """Return which items a grant is for [I].

    Args:
        state: only read.
        named: the rule.
        trust: of each item's merchant [I].
    """
    shelf, count = state.shelf, len(state.shelf.facts)
    return pools.eligible(
        named,
        np.array([shelf.groups.find(f"m:{name}") for name in named.merchants], np.int64),
        np.array([state.content.creators.find(name) for name in named.creators], np.int64),
        np.array([shelf.categories.find(name) for name in named.categories], np.int64),
        pools.Works(shelf.group[:count], shelf.creator[:count], shelf.category[:count], shelf.uploaded[:count], trust),
    )  # fmt: skip


def _with_looks(state: State, number: int, count: int) -> Flags:
    """Return whose items may still use a pool [I]."""
    ledger, terms = state.organic.pools[number], state.book.contracts[number].grant
    assert terms is not None
    groups = state.shelf.group[:count]
    if terms.matching is None and not terms.member_looks:
        return np.full(count, ledger.left > 0)
    left = np.array([pools.left_of(ledger, terms, group) for group in range(len(state.shelf.groups))])
    return np.asarray((groups >= 0) & (left[groups] > 0))


def trust_of_items(state: State) -> Floats:
    """Return the trust of each item's merchant, a newcomer's where there is none [I]."""
    names = state.shelf.groups.ids
    of_group = [trust_of(state.goods, name[2:] if name.startswith("m:") else None) for name in names]
    return np.array([*of_group, 0.5])[state.shelf.group[: len(state.shelf.facts)]]
