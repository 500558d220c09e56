"""Ripening: clicks grow older, and at each age say whether an order came of them; orders grow old enough to be kept."""

import numpy as np

from fieldline.traffic.outcomes import ripe
from fieldline.traffic.prediction import after, delay, model, sales
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.state import State


def ripen(state: State, at: int) -> None:
    """Learn from every click that has come to one of the ages of `traffic.prediction.delay` by now.

    Args:
        state: changed in place.
        at: ms.
    """
    ages = delay.ages(state.policy.order_window_ms)
    share = np.empty(delay.STEPS)
    delay.passed(state.delays.seen, delay.usual(state.policy.order_window_ms), share)
    for step, click in ripe(state.outcomes, ages.tolist(), at):
        came = delay.look(state.delays.seen, ages, step, click.delay) and not click.told
        exposure = share.item(step) - click.exposed
        click.exposed, click.told = share.item(step), click.told or came
        sales.count(state.sales, click.item, exposure, came)
        model.learn_order(state, click.viewer, click.item, click.scene, click.at, exposure, came)


def settle_orders(state: State, at: int) -> None:
    """Learn from every order that is old enough, and bring items' net prices up to date with what orders came to.

    Args:
        state: changed in place.
        at: ms.
    """
    old = 0
    for id in state.after.waiting:
        bought = state.outcomes.orders.get(id)
        if bought is not None and bought.at + after.SETTLED > at:
            break
        if bought is not None and bought.item >= 0 and bought.amount > 0:
            returned = bought.refunded / bought.amount
            after.note_settled(state.after, bought.item, returned, bought.refund_rate, bought.redeemed)
        old += 1
    del state.after.waiting[:old]
    if state.after.moved:
        reprice(state)


def reprice(state: State) -> None:
    """Bring items' net prices up to date: list price · basket · (1 − refunds).

    Args:
        state: changed in place.
    """
    shelf, count = state.shelf, len(state.shelf.facts)
    group, category, declared = shelf.group[:count], shelf.category[:count], shelf.declared[:count]
    kept = 1.0 - after.refunds(state.after, declared, group, category)
    shelf.worth[:count] = after.baskets(state.after, group) * kept / np.maximum(1.0 - declared, 1e-9)
    shelf.rows[:count, NET_PRICE] = shelf.net[:count] * shelf.worth[:count]
    state.after.moved = False
