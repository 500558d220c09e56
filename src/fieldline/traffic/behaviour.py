"""Behaviour into the state: what viewers did with what they were shown."""

from fieldline import goods, people
from fieldline.facts import Behaviour, Click, Follow, Impression, LongView, Order, Outcome, Refund
from fieldline.traffic import model
from fieldline.traffic.outcomes import Bought, Clicked, Shown, Touch, credited, ordered, wait_for_order
from fieldline.traffic.shelf import contracts_on, merchant_of, product_of, refresh
from fieldline.traffic.showing import render
from fieldline.traffic.state import State
from fieldline.units import YUAN


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
    if shown is None or shown.rendered[k] or event.at - shown.at > state.policy.label_window_ms:
        return
    shown.rendered[k] = True
    item, contract = shown.items[k], shown.contracts[k]
    render(state, shown, k, item)
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


def _reward(state: State, shown: Shown, k: int, kind: str) -> None:
    """Count an observed click or long view towards the contracts that value it."""
    for number in contracts_on(state.shelf, shown.items[k]):
        contract = state.book.contracts[number]
        counts = contract.limit.counts_organic or number == shown.contracts[k]
        if counts and not contract.limit.predicted:
            state.book.value[number] += getattr(contract.meter, kind)


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
