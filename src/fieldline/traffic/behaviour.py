"""Behaviour into the state: what viewers did with what they were shown."""

from fieldline import goods, people
from fieldline.facts import (
    Behaviour,
    Click,
    Delivery,
    Dialogue,
    Follow,
    Hate,
    Impression,
    Lead,
    Like,
    LiveRoom,
    LongView,
    Order,
    Outcome,
    Redemption,
    Refund,
    Reply,
    Review,
    Watched,
)
from fieldline.traffic import accounts, intents, staging, trusted, worth
from fieldline.traffic.domains import noting
from fieldline.traffic.organic import counting as moving
from fieldline.traffic.outcomes import (
    NOBODY,
    Clicked,
    Paid,
    Shown,
    Touch,
    credited,
    ordered,
    wait_for_order,
)
from fieldline.traffic.prediction import after, model, responses
from fieldline.traffic.search import counting
from fieldline.traffic.shelf import merchant_of, product_of, refresh
from fieldline.traffic.showing import render
from fieldline.traffic.state import State


def take(state: State, event: Behaviour) -> None:
    """Fold one event; one whose id was taken before changes nothing."""
    if event.id in state.outcomes.seen:
        return
    state.outcomes.seen[event.id] = event.at
    intents.note_event(state, event)
    match event:
        case Impression():
            _impression(state, event)
        case Click():
            _click(state, event)
        case LongView():
            _long_view(state, event)
        case Like() | Hate() | Watched():
            _response(state, event)
        case Follow():
            _follow(state, event)
        case Order():
            _order(state, event)
        case Refund():
            _refund(state, event)
        case Redemption():
            _redemption(state, event)
        case Lead():
            _lead(state, event)
        case Outcome():
            _outcome(state, event)
        case Delivery() | Review() | Reply() | Dialogue():
            trusted.take(state, event)


def _impression(state: State, event: Impression) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.rendered[k] or event.at - shown.at > state.policy.label_window_ms:
        return
    shown.rendered[k] = True
    item, contract = shown.items[k], shown.contracts[k]
    render(state, shown, k, item)
    if contract >= 0:
        _touch(state, shown, item, view=Paid(event.at, contract, shown.scene, item, shown.query))


def _click(state: State, event: Click) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.clicked[k]:
        return
    shown.clicked[k] = True
    item, payer = shown.items[k], shown.contracts[k]
    accounts.count_reward(state, shown, k, event.at, "click")
    counting.count_click(state, shown, k)
    noting.note_touch(state, shown, k, event.at, click=True)
    if product_of(state.shelf.facts[item]) and shown.viewer >= 0:
        wait_for_order(
            state.outcomes, event.id, Clicked(event.at, shown.viewer, shown.scene, item, query=shown.query)
        )
    moving.note_click(state, shown, k, event.at)
    if payer >= 0:
        _touch(state, shown, item, click=Paid(event.at, payer, shown.scene, item, shown.query))


def _long_view(state: State, event: LongView) -> None:
    shown, k = _slot(state, event)
    if shown is None or shown.watched[k]:
        return
    shown.watched[k] = True
    accounts.count_reward(state, shown, k, event.at, "long_view")
    noting.note_touch(state, shown, k, event.at, click=False)


def _response(state: State, event: Like | Hate | Watched) -> None:
    item = state.shelf.names.find(event.item)
    if isinstance(event, Watched) and item >= 0 and isinstance(state.shelf.facts[item], LiveRoom):
        staging.note_stay(state.staging, item, event.ms)
    shown, k = _slot(state, event)
    if shown is None:
        return
    match event:
        case Like():
            shown.liked[k] = True
        case Hate():
            shown.hated[k] = True
        case Watched():
            shown.watched_ms[k] = max(shown.watched_ms[k], event.ms)


def _follow(state: State, event: Follow) -> None:
    shown, k = _slot(state, event)
    if shown is not None:
        shown.followed[k] = event.following
    viewer = state.people.names.find(event.viewer)
    known = event.creator in state.people.follows[viewer]
    people.reduce(state.people, event)
    if not event.following:
        noting.note_unfollow(state, event, viewer)
    if not event.following or known:
        return
    items = state.shelf.of_creator.get(event.creator, [])
    sellers = dict.fromkeys(merchant_of(state.shelf.facts[item], state.goods) for item in items)
    merchants = [merchant for merchant in sellers if merchant]
    noting.note_follow(state, event, viewer, merchants, shown, k)
    for merchant in merchants:
        if worth.note_fan(state.worth, viewer, merchant, event.at):
            paid = _credited(state, viewer, merchant, event.at)
            accounts.count_fan(state, merchant, viewer, paid, event.at)


def _order(state: State, event: Order) -> None:
    viewer = state.people.names.find(event.viewer)
    goods.reduce(state.goods, event)
    items = state.shelf.of_product.get(event.product, [])
    for item in items:
        refresh(state.shelf, item, state.goods, state.scenes, state.policy)
    merchant = state.goods.products[event.product].merchant
    paid = _credited(state, viewer, merchant, event.at)
    click = ordered(state.outcomes, viewer, items, event.at)
    item = click.item if click else state.shelf.names.find(event.product)
    accounts.count_order(state, event, viewer, paid, item)
    moving.note_order(state, event, paid, item)
    if item >= 0:
        after.note_order(state.after, event.id, item, event.amount, state.goods.products[event.product].price)
    counting.count_order(state, event.amount, event.at, merchant, paid, click)
    noting.note_order(state, event, viewer, merchant, click)
    bought = state.people.bought[viewer]
    bought[merchant] = bought.get(merchant, 0) + 1
    trusted.note_order(state, event, viewer, merchant)


def _refund(state: State, event: Refund) -> None:
    goods.reduce(state.goods, event)
    moving.note_refund(state, event)
    accounts.count_refund(state, event)
    trusted.note_refund(state, event)


def _redemption(state: State, event: Redemption) -> None:
    bought = state.outcomes.orders.get(event.order)
    if bought is not None and not bought.redeemed:
        bought.redeemed = True
        accounts.count_redemption(state, bought, event.at)
        noting.note_redemption(state, bought, event.at)


def _lead(state: State, event: Lead) -> None:
    viewer = state.people.names.find(event.viewer)
    paid = _credited(state, viewer, event.merchant, event.at)
    if event.qualified and paid is not NOBODY:
        accounts.count_lead(state, viewer, paid, event.at, event.visit)


def _outcome(state: State, event: Outcome) -> None:
    viewer, item = state.people.names.find(event.viewer), state.shelf.names.find(event.item)
    watched = event.watched_ms
    responses.learn(
        state, viewer, item, state.scenes.numbers[event.scene], event.at,
        labels=(
            float(event.like or 0), float(event.follow or 0), float(event.hate or 0),
            responses.share_of(watched or 0),
        ),
        weights=(
            float(event.like is not None), float(event.follow is not None), float(event.hate is not None),
            float(watched is not None),
        ),
    )  # fmt: skip
    model.learn(
        state, viewer, item, state.scenes.numbers[event.scene], event.at,
        labels=(float(event.click), float(event.long_view), 0.0), weights=(1.0, 1.0, 0.0),
    )  # fmt: skip


def _slot(
    state: State, event: Impression | Click | LongView | Like | Hate | Watched | Follow
) -> tuple[Shown | None, int]:
    if event.decision is None or event.item is None:
        return None, -1
    shown = state.outcomes.open.get(event.decision)
    if shown is None:
        return None, -1
    item = state.shelf.names.find(event.item)
    return (shown, shown.items.index(item)) if item in shown.items else (None, -1)


def _credited(state: State, viewer: int, merchant: str, at: int) -> Paid:
    policy = state.policy
    return credited(
        state.outcomes, viewer, merchant, at, policy.click_attribution_ms, policy.view_attribution_ms
    )


def _touch(state: State, shown: Shown, item: int, click: Paid = NOBODY, view: Paid = NOBODY) -> None:
    merchant = merchant_of(state.shelf.facts[item], state.goods)
    if merchant is None or shown.viewer < 0:
        return
    touch = state.outcomes.touches.setdefault((shown.viewer, merchant), Touch())
    touch.click = touch.click if click is NOBODY else click
    touch.view = touch.view if view is NOBODY else view
