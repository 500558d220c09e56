"""What cannot be: facts of behaviour that are refused before they are logged."""

from collections.abc import Sequence

from fieldline.errors import Refused, Unknown
from fieldline.facts import (
    Behaviour,
    Click,
    Contested,
    Delivery,
    Dialogue,
    Follow,
    Hate,
    Impression,
    Lead,
    Like,
    LongView,
    Order,
    Outcome,
    Redemption,
    Refund,
    Reply,
    Review,
    Service,
    Watched,
)
from fieldline.traffic import trusted
from fieldline.traffic.entries import too_late
from fieldline.traffic.outcomes import ERASED
from fieldline.traffic.state import State
from fieldline.units import DAY

REMEMBERED = 8 * DAY
"""How long an event's id is known, and how old an event may be."""


def check(state: State, event: Behaviour) -> None:
    """Refuse an event that cannot be: unknown ids, a time too far ahead or back.

    Raises:
        Unknown: an id that nothing has.
        Refused: a time; a refund of more than was paid.
    """
    check_time(state, event)
    match event:
        case Impression() | Click() | LongView() | Like() | Hate() | Watched():
            _check_slot(state, event.decision, event.item)
        case Follow():
            if event.decision is not None and event.item is not None:
                _check_slot(state, event.decision, event.item)
            elif event.decision is not None or event.item is not None:
                raise Refused("decision" if event.decision is None else "item", "is needed beside the other")
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.creator in state.content.creators, "creator", event.creator)
        case Order():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.product in state.goods.products, "product", event.product)
        case Refund():
            _check_refund(state, event, {})
        case Redemption():
            _known(event.order in state.outcomes.orders, "order", event.order)
        case Lead():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.merchant in state.goods.merchants, "merchant", event.merchant)
        case Outcome():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.item in state.shelf.names, "item", event.item)
            _known(event.scene in state.scenes.numbers, "scene", event.scene)
        case Delivery() | Review() | Reply() | Dialogue():
            _check_service(state, event)


def _check_service(state: State, event: Service) -> None:
    match event:
        case Delivery():
            _known(event.order in state.outcomes.orders, "order", event.order)
        case Review():
            bought = state.outcomes.orders.get(event.order)
            _known(bought is not None and bought.viewer != ERASED, "order", event.order)
        case Reply():
            _known(trusted.is_review(state, event.review), "review", event.review)
        case Dialogue():
            _known(event.viewer in state.people.names, "viewer", event.viewer)
            _known(event.merchant in state.goods.merchants, "merchant", event.merchant)


def _check_slot(state: State, decision: str, item: str) -> None:
    _known(decision in state.outcomes.decided, "decision", decision)
    shown = state.outcomes.open.get(decision)
    _known(shown is None or shown.viewer != ERASED, "decision", decision)
    if shown is not None and state.shelf.names.find(item) not in shown.items:
        raise Unknown("item", f"{item!r} is not in decision {decision!r}")


def check_batch(state: State, events: Sequence[tuple[int, Behaviour]]) -> None:
    """Refuse a batch as a whole where one of its events cannot be, given those before it.

    Args:
        state: what is known.
        events: each with its number in what was sent.

    Raises:
        Refused: naming the field, as `events[3].item`.
    """
    left: dict[str, int] = {}
    reviews: set[str] = set()
    for number, event in events:
        try:
            if isinstance(event, Refund):
                _check_refund(state, event, left)
            elif (isinstance(event, (Redemption, Delivery, Review)) and event.order in left) or (
                isinstance(event, Reply) and event.review in reviews
            ):
                check_time(state, event)
            else:
                check(state, event)
        except Refused as refused:
            raise type(refused)(f"events[{number}].{refused.field}", refused.reason) from None
        if isinstance(event, Order):
            left[event.id] = event.amount
        elif isinstance(event, Review):
            reviews.add(event.id)


def _check_refund(state: State, event: Refund, left: dict[str, int]) -> None:
    """Refuse a refund of what is not left of its order, and count it in what is left."""
    check_time(state, event)
    bought = state.outcomes.orders.get(event.order)
    if bought is None and event.order not in left:
        raise Unknown("order", f"no order is called {event.order!r}")
    rest = left[event.order] if event.order in left else bought.amount - bought.refunded if bought else 0
    if event.amount > rest:
        raise Refused("amount", "is more than what is left of the order")
    left[event.order] = rest - event.amount


def check_time(state: State, event: Behaviour | Contested) -> None:
    """Refuse an event too far from the engine's time.

    Raises:
        Refused: it is more than a day ahead or more than 8 days past.
    """
    if too_late(event.at, state.now):
        raise Refused("at", "is more than a day ahead of the engine's time")
    if event.at < state.now - REMEMBERED:
        raise Refused("at", "is more than 8 days past")


def _known(there: bool, field: str, id: str) -> None:
    if not there:
        raise Unknown(field, f"no {field} is called {id!r}")
