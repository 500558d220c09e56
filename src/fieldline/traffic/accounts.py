"""Accounts: what behaviour counts for, contract by contract: value in hand, tallies by day, arms of holdouts.

An order is credited to the last paid click on its merchant, else the last paid view. A contract whose goal counts
organic sales counts every order of its items while it runs; any other only what is credited to it, also after its
end. Value is gross at payment; where a contract counts net, expected refunds are booked at once and real ones as
they come: an order that was refunded gives its expectation back, any other after SETTLED.
"""

from collections.abc import Iterable

from fieldline.contracts import tally
from fieldline.contracts.book import full
from fieldline.contracts.horizon import day_of
from fieldline.contracts.tally import HELD, TREATED, Tally
from fieldline.draws import campaign_key, holdout_key, is_held
from fieldline.facts import Order, Product, Refund
from fieldline.traffic import worth
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.outcomes import NOBODY, Bought, Paid, Shown
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.shelf import contracts_on
from fieldline.traffic.state import State
from fieldline.units import DAY, YUAN

SETTLED = 15 * DAY
"""Age from which an order is no longer expected to be refunded."""
KEPT_DAYS = 60
QUICK_SHARE = 0.35
"""Share of orders that follow their click within minutes, until orders teach a better one."""


def tally_of(state: State, number: int, at: int) -> Tally:
    """Return a contract's tally of the day of an instant, a new one where there is none."""
    days, day = state.tallies.setdefault(number, {}), day_of(at)
    if day not in days:
        days[day] = Tally(holdout=state.book.contracts[number].holdout)
    return days[day]


def forget(state: State, at: int) -> None:
    """Drop the tallies of days long past, and buyers whose next order counts anew."""
    cohort, before = state.outcomes.cohort, at - worth.AGES * DAY
    state.outcomes.cohort = {key: made for key, made in cohort.items() if made >= before}
    oldest = day_of(at) - KEPT_DAYS
    for days in state.tallies.values():
        for day in [day for day in days if day < oldest]:
            del days[day]


def forget_viewer(tallies: dict[int, dict[int, Tally]], viewer: int) -> None:
    """Let what a viewer bought stand in the tallies under nobody's name."""
    for days in tallies.values():
        for of_day in days.values():
            for totals in of_day.of_arm:
                if viewer in totals:
                    totals[-1] = totals.get(-1, 0) + totals.pop(viewer)


def count_paid_look(state: State, shown: Shown, k: int) -> None:
    """Count a rendered paid slot: an impression, its charge, and what the goal owes for it."""
    number, charge = shown.contracts[k], shown.charges[k]
    of_day = tally_of(state, number, shown.at)
    of_day.owed += state.book.goal.item(number) * charge / YUAN
    of_day.assured |= state.book.contracts[number].assured
    for slot, gained, own, others in shown.displaced:
        if slot == k:
            of_day.gained += gained
            of_day.from_own += own
            of_day.from_others += others
    _add(state, number, shown.at, shown.scene, shown.viewer, shown.items[k],
         ((tally.IMPRESSIONS, 1), (tally.SPEND, charge)))  # fmt: skip


def count_predicted(state: State, number: int, at: int, yuan: float) -> None:
    """Count predicted value for a contract that counts no other."""
    _count_value(state, number, at, yuan, events=0)


def count_reward(state: State, shown: Shown, k: int, at: int, kind: str) -> None:
    """Count an observed click or long view towards the contracts on its item that value it."""
    item, payer = shown.items[k], shown.contracts[k]
    if payer >= 0 and kind == "click":
        state.worth.clicks[payer] += 1.0
        _add(state, payer, at, shown.scene, shown.viewer, item, ((tally.CLICKS, 1),))
    on_item = contracts_on(state.shelf, item).tolist()
    for number in dict.fromkeys((*on_item, payer) if payer >= 0 else on_item):
        contract = state.book.contracts[number]
        limit = contract.limit
        if kind == "long_view":
            state.worth.long_views[number] += 1.0
        yuan = getattr(contract.meter, kind)
        if yuan and not limit.predicted and (limit.counts_organic or number == payer):
            _count_value(state, number, at, yuan)


def expect_value(state: State, shown: Shown, k: int) -> None:
    """Count what a rendered slot is predicted to bring to the contracts on it, whoever pays for it."""
    look, prices = shown.looks[k], state.prices
    for slot, number, value in shown.values:
        if slot == k:
            prices.foretold[number] += look * value
            prices.young[number, 0] += QUICK_SHARE * look * value
            prices.young[number, 1] += (1.0 - QUICK_SHARE) * look * value


def count_order(state: State, event: Order, viewer: int, paid: Paid, item: int) -> None:
    """Count an order for every contract on what it bought, and for the one that it is credited to.

    Args:
        state: changed in place.
        event: the order.
        viewer: number of the buyer.
        paid: what it is credited to.
        item: the item that it came from.
    """
    book, merchant = state.book, state.goods.products[event.product].merchant
    items = state.shelf.of_product.get(event.product, [])
    on_items = dict.fromkeys(int(c) for i in items for c in contracts_on(state.shelf, i))
    storewide = tuple(dict.fromkeys((*on_items, paid.contract))) if paid is not NOBODY else tuple(on_items)
    returning = merchant in state.people.bought[viewer]
    rate = state.goods.products[event.product].refund_rate
    bought = Bought(event.at, viewer, event.amount, 0, rate, paid.contract, paid.scene, item, returning, storewide)  # fmt: skip # noqa: E501
    for number in storewide:
        credit = number == paid.contract
        book.storewide[number] += event.amount
        figures = [(tally.ORDERS, 1), (tally.STOREWIDE, event.amount)]
        if credit:
            book.orders[number] += 1
            book.attributed[number] += event.amount
            figures += [(tally.PAID_ORDERS, 1), (tally.ATTRIBUTED, event.amount)]
        _book(state, bought, number, tuple(figures))
        _count_arm(state, number, bought, event.amount, 1)
        yuan = _order_value(state, number, bought, credit, event.amount)
        _count_sign(state, number, _worth_of(state, number, bought, event.amount))
        if yuan:
            _count_value(state, number, event.at, yuan)
            if book.contracts[number].meter.days:
                state.outcomes.cohort[number, viewer] = event.at
        if credit and book.contracts[number].limit.capacity and book.contracts[number].meter.order:
            _serve(state, number, event.at)
    state.outcomes.orders[event.id] = bought
    if rate and any(book.contracts[number].limit.net for number in storewide):
        state.outcomes.unsettled[event.id] = event.at
    worth.note_order(state.worth, viewer, merchant, event.amount / YUAN, event.at)


def count_refund(state: State, event: Refund) -> None:
    """Count a refund where its order counted."""
    bought = state.outcomes.orders.get(event.order)
    if bought is None:
        return
    bought.refunded += event.amount
    settles = state.outcomes.unsettled.pop(event.order, None) is not None
    for number in bought.storewide:
        credit = number == bought.contract
        state.book.storewide[number] -= event.amount
        figures = [(tally.REFUNDED, event.amount)]
        if credit:
            state.book.attributed[number] -= event.amount
            figures.append((tally.ATTRIBUTED_REFUNDED, event.amount))
        _book(state, bought, number, tuple(figures))
        contract = state.book.contracts[number]
        if contract.limit.net and _counts(state, number, credit):
            expected = bought.refund_rate * bought.amount if settles else 0.0
            _count_value(
                state, number, bought.at, contract.meter.gmv * (expected - event.amount) / YUAN, events=0
            )


def settle(state: State, at: int) -> None:
    """Give back the refunds that were expected of orders too old for one."""
    outcomes = state.outcomes
    while outcomes.unsettled:
        id, made = next(iter(outcomes.unsettled.items()))
        if made > at - SETTLED:
            break
        del outcomes.unsettled[id]
        bought = outcomes.orders.get(id)
        for number in bought.storewide if bought else ():
            contract = state.book.contracts[number]
            if bought and contract.limit.net and _counts(state, number, number == bought.contract):
                yuan = contract.meter.gmv * bought.refund_rate * bought.amount / YUAN
                _count_value(state, number, bought.at, yuan, events=0)


def count_fan(state: State, merchant: str, viewer: int, paid: Paid, at: int) -> None:
    """Count a new fan of a merchant for the contract that it is credited to."""
    there = _of_merchant(state, merchant)
    for number in there if paid is NOBODY else dict.fromkeys((*there, paid.contract)):
        contract = state.book.contracts[number]
        if not (contract.meter.follow or contract.meter.fan_days):
            continue
        state.worth.follows[number] += 1.0
        _count_sign(state, number, worth.follow_worth(state.worth, number, contract, at))
        if number == paid.contract:
            figures = ((tally.FOLLOWS, 1),)
            _add(state, number, at, paid.scene, viewer, paid.item, figures)
            _count_value(state, number, at, worth.follow_worth(state.worth, number, contract, at))


def value_fans(state: State) -> None:
    """Bring what a fan may buy up to date: the mean net price of a merchant's products."""
    for number, contract in enumerate(state.book.contracts):
        if contract.meter.fan_days:
            items = [
                item
                for item in state.shelf.of_merchant.get(contract.merchant, [])
                if isinstance(state.shelf.facts[item], Product)
            ]
            state.worth.mean_price[number] = state.shelf.rows[items, NET_PRICE].mean() if items else 0.0


def count_lead(state: State, viewer: int, paid: Paid, at: int, visit: bool) -> None:
    """Count a qualified lead, or a visit, for the contract that it is credited to."""
    meter = state.book.contracts[paid.contract].meter
    if meter.visit if visit else meter.lead:
        state.worth.leads[paid.contract] += 1.0
    _count_call(state, viewer, paid, at, visit)


def count_redemption(state: State, bought: Bought, at: int) -> None:
    """Count a voucher's use as a visit, for the contract that its order is credited to where that pays for visits."""
    if bought.contract >= 0 and state.book.contracts[bought.contract].meter.visit:
        paid = Paid(bought.at, bought.contract, bought.scene, bought.item)
        _count_call(state, bought.viewer, paid, at, visit=True)


def _count_call(state: State, viewer: int, paid: Paid, at: int, visit: bool) -> None:
    number = paid.contract
    contract = state.book.contracts[number]
    yuan = contract.meter.visit if visit else contract.meter.lead
    _add(state, number, at, paid.scene, viewer, paid.item, ((tally.VISITS if visit else tally.LEADS, 1),))
    if yuan:
        _count_sign(state, number, yuan)
        _count_value(state, number, at, yuan)
        if contract.limit.capacity:
            _serve(state, number, at)


def held_out(state: State, number: int, viewer: int, share: float) -> bool:
    """Return whether a viewer is in the share of viewers for whom a contract never bids."""
    if share == 0.0 or viewer < 0:
        return False
    key = holdout_key(state.policy.seed, state.people.names.ids[viewer])
    return is_held(key, campaign_key(state.book.contracts[number].wish), share)


def _serve(state: State, number: int, at: int) -> None:
    if day_of(at) != state.book.day:
        return  # it came late, and was served on its own day
    state.book.served_today[number] += 1
    if full(state.book, number):
        state.book.in_force[number] = False
        state.linked = False


def _of_merchant(state: State, merchant: str) -> Iterable[int]:
    items = state.shelf.of_merchant.get(merchant, [])
    return dict.fromkeys(int(c) for item in items for c in contracts_on(state.shelf, item))


def _counts(state: State, number: int, credit: bool) -> bool:
    limit = state.book.contracts[number].limit
    return not limit.predicted and (limit.counts_organic or credit)


def _order_value(state: State, number: int, bought: Bought, credit: bool, amount: int) -> float:
    """Return what an order is worth to a contract's goal, yuan; 0 where it does not count."""
    contract = state.book.contracts[number]
    meter = contract.meter
    if not _counts(state, number, credit):
        return 0.0
    if meter.days:
        before = state.outcomes.cohort.get((number, bought.viewer))
        if before is not None and bought.at < before + meter.days * DAY:
            return 0.0  # what is bought again was expected of the order before
    return _worth_of(state, number, bought, amount)


def _worth_of(state: State, number: int, bought: Bought, amount: int) -> float:
    """Return what an order is worth to a contract, yuan, whether its goal counts it or not."""
    contract = state.book.contracts[number]
    meter = contract.meter
    share = 1.0 - bought.refund_rate if contract.limit.net else 1.0
    share *= worth.repeat_factor(state.worth, meter.days, bought.at)
    if meter.incremental:
        share *= float(state.worth.incremental[bought.scene])
    return meter.gmv * share * amount / YUAN + meter.order


def _count_sign(state: State, number: int, yuan: float) -> None:
    state.book.signs[number] += yuan
    state.book.sign_count[number] += 1.0 if yuan else 0.0


def _count_value(state: State, number: int, at: int, yuan: float, events: int = 1) -> None:
    state.book.value[number] += yuan
    state.book.valued[number] += events
    state.book.value_squares[number] += yuan * yuan * events
    tally.count_value(tally_of(state, number, at), yuan, events)


def _count_arm(state: State, number: int, bought: Bought, amount: int, orders: int) -> None:
    of_day = tally_of(state, number, bought.at)
    arm = HELD if held_out(state, number, bought.viewer, of_day.holdout) else TREATED
    totals = of_day.of_arm[arm]
    totals[bought.viewer] = totals.get(bought.viewer, 0) + amount
    of_day.orders_of_arm[arm] += orders


def _book(state: State, bought: Bought, number: int, figures: tuple[tuple[int, int], ...]) -> None:
    scene = bought.scene if number == bought.contract else -1
    of_day = tally_of(state, number, bought.at)
    tally.add(of_day, hour_of(bought.at), scene, bought.returning, bought.item, figures)


def _add(
    state: State,
    number: int,
    at: int,
    scene: int,
    viewer: int,
    item: int,
    figures: tuple[tuple[int, int], ...],
) -> None:
    merchant = state.book.contracts[number].merchant
    returning = viewer >= 0 and merchant in state.people.bought[viewer]
    tally.add(tally_of(state, number, at), hour_of(at), scene, returning, item, figures)
