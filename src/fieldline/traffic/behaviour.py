"""Behaviour into the state: what viewers did with what they were shown."""

from collections.abc import Sequence
from struct import Struct

import numpy as np

from fieldline import goods, people, scenes
from fieldline.contracts import book
from fieldline.errors import Refused, Unknown
from fieldline.facts import (
    Assumed,
    Behaviour,
    Click,
    Decision,
    Follow,
    Impression,
    LongView,
    Order,
    Outcome,
    Refund,
)
from fieldline.traffic import model
from fieldline.traffic.entries import too_late
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.outcomes import (
    Bought,
    Clicked,
    Shown,
    Touch,
    credited,
    ordered,
    refusal_weight,
    wait_for_order,
)
from fieldline.traffic.pace import SCORE_FORGET, STEP, add_steps
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.shelf import contracts_on, merchant_of, product_of, refresh
from fieldline.traffic.state import State, hold_bids
from fieldline.units import DAY, YUAN

assert CONTENDER.fields is not None
P_CLICK = int(CONTENDER.fields["p_click"][1])
CHANCES = Struct(f"<{P_CLICK}x3f{CONTENDER.itemsize - P_CLICK - 12}x")
"""A contender's three chances among its bytes."""
REMEMBERED = 8 * DAY
"""How long an event's id is known, and how old an event may be."""


def check(state: State, event: Behaviour) -> None:
    """Refuse an event that cannot be: unknown ids, a time too far ahead or back.

    Raises:
        Unknown: an id that nothing has.
        Refused: a time; a refund of more than was paid.
    """
    _check_time(state, event)
    match event:
        case Impression() | Click() | LongView():
            _known(event.decision in state.outcomes.decided, "decision", event.decision)
            shown = state.outcomes.open.get(event.decision)
            _known(shown is None or shown.viewer >= 0, "decision", event.decision)
            if shown is not None and state.shelf.names.find(event.item) not in shown.items:
                raise Unknown("item", f"{event.item!r} is not in decision {event.decision!r}")
        case Follow():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.creator in state.content.creators, "creator", event.creator)
        case Order():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.product in state.goods.products, "product", event.product)
        case Refund():
            _check_refund(state, event, {})
        case Outcome():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.item in state.shelf.names, "item", event.item)
            _known(event.scene in state.scenes.numbers, "scene", event.scene)


def check_batch(state: State, events: Sequence[tuple[int, Behaviour]]) -> None:
    """Refuse a batch as a whole where one of its events cannot be, given those before it.

    Args:
        state: what is known.
        events: each with its number in what was sent.

    Raises:
        Refused: naming the field, as `events[3].item`.
    """
    left: dict[str, int] = {}
    for number, event in events:
        try:
            if isinstance(event, Refund):
                _check_refund(state, event, left)
            else:
                check(state, event)
        except Refused as refused:
            raise type(refused)(f"events[{number}].{refused.field}", refused.reason) from None
        if isinstance(event, Order):
            left[event.id] = event.amount


def take(state: State, event: Behaviour) -> None:
    """Fold one event; one whose id was taken before changes nothing."""
    if event.id in state.outcomes.seen:
        return
    state.outcomes.seen[event.id] = event.at
    match event:
        case Impression():
            _impression(state, event)
        case Click():
            _click(state, event)
        case LongView():
            _long_view(state, event)
        case Follow():
            people.reduce(state.people, event)
        case Order():
            _order(state, event)
        case Refund():
            _refund(state, event)
        case Outcome():
            _outcome(state, event)


def open_decision(state: State, decision: Decision) -> None:
    """Reserve a decision's charges and wait for what comes of it."""
    names = state.book.names
    items = [state.shelf.names.find(slot.item) for slot in decision.slots]
    contracts = [names.find(slot.contract) if slot.contract else -1 for slot in decision.slots]
    charges = [slot.charge for slot in decision.slots]
    for k, contract in enumerate(contracts):
        if contract >= 0 and not book.reserve(state.book, contract, charges[k]):
            contracts[k], charges[k] = -1, 0
        elif contract >= 0:
            hold_bids(state, contract)
    count = len(items)
    chances = _chances(decision.contenders, count)
    values = _values(state, items, chances)
    if decision.paid:
        _count_request(state, decision, contracts, values)
    state.traffic.requests += 1
    state.decisions += 1
    state.outcomes.decided[decision.id] = decision.at
    state.outcomes.open[decision.id] = Shown(
        at=decision.at,
        viewer=state.people.names.find(decision.viewer),
        scene=state.scenes.numbers[decision.scene],
        items=items,
        contracts=contracts,
        charges=charges,
        looks=list(decision.looks),
        clicks=[click for click, _, _ in chances],
        values=values,
        randomised=decision.randomised,
        rendered=[False] * count,
        clicked=[False] * count,
        watched=[False] * count,
    )


def close_decision(state: State, id: str) -> None:
    """Release what was not rendered of a decision and learn from what was."""
    shown = state.outcomes.open.pop(id)
    for k, item in enumerate(shown.items):
        contract = shown.contracts[k]
        if not shown.rendered[k]:
            if contract >= 0:
                book.release(state.book, contract, shown.charges[k])
                hold_bids(state, contract)
            continue
        if shown.randomised:
            scenes.learn(state.scenes, shown.scene, k, shown.clicked[k], shown.clicks[k])
        if shown.viewer < 0:
            continue
        clicked, watched = shown.clicked[k], shown.watched[k]
        seen = 1.0 if clicked or watched else refusal_weight(shown.looks[k], shown.clicks[k])
        model.learn(
            state,
            shown.viewer,
            item,
            shown.scene,
            shown.at,
            labels=(float(clicked), float(watched), 0.0),
            weights=(seen, seen, 0.0),
        )


def assume_shown(state: State, fact: Assumed) -> None:
    """Take a decision's slate as shown, for accounts only: charges commit, predicted values count."""
    shown = state.outcomes.open.pop(fact.id)
    for k, item in enumerate(shown.items):
        _render(state, shown, k, item)


def learn_order(state: State, click: Clicked, came: bool) -> None:
    """Learn that a click is without an order so far, or, when one comes, take that back and learn the order.

    Every click counts as refused at once, so that the predicted chance never runs ahead of slow orders; an order
    then adds the step of (label 1, weight 1) and of (label 0, weight −1): per click the steps add up to p − y.
    """
    steps = ((1.0, 1.0), (0.0, -1.0)) if came else ((0.0, 1.0),)
    for label, weight in steps:
        model.learn(
            state, click.viewer, click.item, click.scene, click.at,
            labels=(1.0, 0.0, label), weights=(0.0, 0.0, weight),
        )  # fmt: skip


def _impression(state: State, event: Impression) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.rendered[k]:
        return
    shown.rendered[k] = True
    item, contract = shown.items[k], shown.contracts[k]
    _render(state, shown, k, item)
    if contract >= 0:
        _touch(state, shown, item, view=(event.at, contract))


def _click(state: State, event: Click) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.clicked[k]:
        return
    shown.clicked[k] = True
    item = shown.items[k]
    _reward(state, shown, k, "click")
    if product_of(state.shelf.facts[item]) and shown.viewer >= 0:
        click = Clicked(event.at, shown.viewer, shown.scene, item)
        wait_for_order(state.outcomes, event.id, click)
        learn_order(state, click, came=False)
    if shown.contracts[k] >= 0:
        _touch(state, shown, item, click=(event.at, shown.contracts[k]))


def _long_view(state: State, event: LongView) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.watched[k]:
        return
    shown.watched[k] = True
    _reward(state, shown, k, "long_view")


def _order(state: State, event: Order) -> None:
    viewer = state.people.names.find(event.viewer)
    goods.reduce(state.goods, event)
    items = state.shelf.of_product.get(event.product, [])
    for item in items:
        refresh(state.shelf, item, state.goods, state.scenes, state.policy)
    merchant = state.goods.products[event.product].merchant
    policy, outcomes, accounts = state.policy, state.outcomes, state.book
    contract = credited(
        outcomes, viewer, merchant, event.at, policy.click_attribution_ms, policy.view_attribution_ms
    )
    if contract >= 0:
        accounts.orders[contract] += 1
        accounts.attributed[contract] += event.amount
    storewide = dict.fromkeys(int(c) for item in items for c in contracts_on(state.shelf, item))
    for number in storewide:
        accounts.storewide[number] += event.amount
        limit = accounts.contracts[number].limit
        if not limit.predicted and (limit.counts_organic or number == contract):
            net = 1.0 - state.goods.products[event.product].refund_rate
            accounts.value[number] += accounts.contracts[number].meter.gmv * net * event.amount / YUAN
    outcomes.orders[event.id] = Bought(event.at, event.amount, 0, contract, tuple(storewide))
    click = ordered(outcomes, viewer, items)
    if click:
        learn_order(state, click, came=True)


def _refund(state: State, event: Refund) -> None:
    goods.reduce(state.goods, event)
    bought = state.outcomes.orders.get(event.order)
    if bought is None:
        return
    bought.refunded += event.amount
    if bought.contract >= 0:
        state.book.attributed[bought.contract] -= event.amount
    for number in bought.storewide:
        state.book.storewide[number] -= event.amount


def _outcome(state: State, event: Outcome) -> None:
    viewer, item = state.people.names.find(event.viewer), state.shelf.names.find(event.item)
    model.learn(
        state, viewer, item, state.scenes.numbers[event.scene], event.at,
        labels=(float(event.click), float(event.long_view), 0.0), weights=(1.0, 1.0, 0.0),
    )  # fmt: skip


def _slot(state: State, event: Impression | Click | LongView) -> tuple[Shown | None, int]:
    shown = state.outcomes.open.get(event.decision)
    if shown is None:
        return None, -1
    item = state.shelf.names.find(event.item)
    return (shown, shown.items.index(item)) if item in shown.items else (None, -1)


def _render(state: State, shown: Shown, k: int, item: int) -> None:
    """Commit what a slot's impression costs, and count the look that it gives."""
    look, payer = shown.looks[k], shown.contracts[k]
    if shown.viewer >= 0:
        people.shown(state.people, shown.viewer, item)
    creator = state.shelf.creator[item]
    if creator >= 0:
        state.content.exposure[creator] += look
    for number in contracts_on(state.shelf, item):
        state.book.looks[number] += look
    for slot, number, value in shown.values:
        limit = state.book.contracts[number].limit
        if slot == k and limit.predicted and (limit.counts_organic or number == payer):
            state.book.value[number] += look * value
    if payer >= 0:
        state.book.paid_looks[payer] += look
        book.commit(state.book, payer, shown.charges[k])
        hold_bids(state, payer)


def _reward(state: State, shown: Shown, k: int, kind: str) -> None:
    """Count an observed click or long view towards the contracts that value it."""
    for number in contracts_on(state.shelf, shown.items[k]):
        contract = state.book.contracts[number]
        counts = contract.limit.counts_organic or number == shown.contracts[k]
        if counts and not contract.limit.predicted:
            state.book.value[number] += getattr(contract.meter, kind)


def _chances(contenders: bytes, count: int) -> list[tuple[float, float, float]]:
    """Return the predicted click, long view and order of a decision's slots, its first contenders."""
    return list(CHANCES.iter_unpack(contenders[: count * CHANCES.size]))


def _values(
    state: State, items: list[int], chances: list[tuple[float, float, float]]
) -> list[tuple[int, int, float]]:
    """Return (slot, contract, v) for each bidding contract on each slot's item."""
    shelf, contracts = state.shelf, state.book.contracts
    start = shelf.contract_start.item
    return [
        (k, number, contracts[number].meter.of(*chances[k], shelf.rows.item(item, NET_PRICE)))
        for k, item in enumerate(items)
        if start(item) < start(item + 1)
        for number in shelf.contract[start(item) : start(item + 1)].tolist()
        if contracts[number].bids
    ]


def _count_request(
    state: State, decision: Decision, contracts: list[int], values: list[tuple[int, int, float]]
) -> None:
    """Tell the prices what this request offered and gave."""
    prices = state.prices
    prices.requests += 1
    for k, number, value in values:
        if contracts[k] != number:
            prices.organic[number] += decision.looks[k] * value
    scores = [slot.score for slot in decision.slots]
    if scores:
        mean = sum(scores) / len(scores)
        prices.score += (mean - prices.score) * (1.0 - SCORE_FORGET if prices.score else 1.0)
    if decision.sampled:
        prices.samples += 1
        steps = np.frombuffer(decision.landscape, STEP)
        add_steps(
            prices.supply_value, prices.supply_cost,
            steps["contract"], steps["log_alpha"], steps["value"], steps["charge"],
        )  # fmt: skip


def _touch(
    state: State,
    shown: Shown,
    item: int,
    click: tuple[int, int] | None = None,
    view: tuple[int, int] | None = None,
) -> None:
    merchant = merchant_of(state.shelf.facts[item], state.goods)
    if merchant is None or shown.viewer < 0:
        return
    touch = state.outcomes.touches.setdefault((shown.viewer, merchant), Touch())
    touch.click = click or touch.click
    touch.view = view or touch.view


def _check_refund(state: State, event: Refund, left: dict[str, int]) -> None:
    """Refuse a refund of what is not left of its order, and count it in what is left."""
    _check_time(state, event)
    bought = state.outcomes.orders.get(event.order)
    if bought is None and event.order not in left:
        raise Unknown("order", f"no order is called {event.order!r}")
    rest = left[event.order] if event.order in left else bought.amount - bought.refunded if bought else 0
    if event.amount > rest:
        raise Refused("amount", "is more than what is left of the order")
    left[event.order] = rest - event.amount


def _check_time(state: State, event: Behaviour) -> None:
    if too_late(event.at, state.now):
        raise Refused("at", "is more than a day ahead of the engine's time")
    if event.at < state.now - REMEMBERED:
        raise Refused("at", "is more than 8 days past")


def _known(there: bool, field: str, id: str) -> None:
    if not there:
        raise Unknown(field, f"no {field} is called {id!r}")
