"""A day played once more: the log's requests and rendered places, the engine's slates, the model's outcomes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from fieldline import engine
from fieldline.contracts import book
from fieldline.facts import AnyFact, Decision, Wish
from fieldline.lab.twin.logged import Asking
from fieldline.traffic.forecast import hour_of
from fieldline.traffic.outcomes import Paid, Shown, Touch, credited
from fieldline.traffic.shelf import merchant_of, product_of
from fieldline.traffic.showing import CHANCES, render
from fieldline.traffic.state import State, hold_bids
from fieldline.units import YUAN


def _sums() -> dict[int, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Course:
    """What one arm's day came to; yuan, before calibration."""

    looks: dict[int, float] = field(default_factory=_sums)
    """By item."""
    paid_looks: dict[int, float] = field(default_factory=_sums)
    """By contract."""
    gmv: dict[int, float] = field(default_factory=_sums)
    squares: dict[int, float] = field(default_factory=_sums)
    """Σ of expected orders × price², by item."""
    attributed: dict[int, float] = field(default_factory=_sums)
    """GMV by the contract that it would be credited to."""
    attributed_squares: dict[int, float] = field(default_factory=_sums)
    spend: dict[int, float] = field(default_factory=_sums)
    hours: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))
    """Spend by contract and hour."""
    impressions: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    long_views: float = 0.0


def play(state: State, events: Iterable[Asking | AnyFact]) -> Course:
    """Play a day's requests; every contract counts what is predicted, since nothing is observed."""
    course = Course()
    _predict(state)
    for event in events:
        if isinstance(event, Asking):
            decision = engine.decide(state, event.request, event.paid)
            engine.reduce(state, decision)
            _show(state, decision, event.rendered, course)
        else:
            engine.reduce(state, event)
            if isinstance(event, Wish):
                _predict(state)
    return course


def _predict(state: State) -> None:
    for number, contract in enumerate(state.book.contracts):
        limit = msgspec.structs.replace(contract.limit, predicted=True)
        state.book.contracts[number] = msgspec.structs.replace(contract, limit=limit)


def _show(state: State, decision: Decision, rendered: set[int], course: Course) -> None:
    """Commit what was rendered of a slate, release the rest, and count what is expected of it."""
    shown = state.outcomes.open.pop(decision.id)
    chances = CHANCES.iter_unpack(decision.contenders[: len(shown.items) * CHANCES.size])
    for k, (item, (click, long_view, order)) in enumerate(zip(shown.items, chances, strict=True)):
        payer = shown.contracts[k]
        if k not in rendered:
            if payer >= 0:
                book.release(state.book, payer, shown.charges[k], shown.at)
                hold_bids(state, payer)
            continue
        render(state, shown, k, item)
        look, price = shown.looks[k], _price(state, item)
        sales = look * click * order
        course.looks[item] += look
        course.gmv[item] += sales * price
        course.squares[item] += sales * price * price
        course.long_views += look * long_view
        credit = _credited(state, shown, k)
        if credit >= 0:
            course.attributed[credit] += sales * price
            course.attributed_squares[credit] += sales * price * price
        if payer >= 0:
            charge = shown.charges[k] / YUAN
            course.paid_looks[payer] += look
            course.spend[payer] += charge
            course.hours[payer, hour_of(shown.at)] += charge
            course.impressions[payer] += 1


def _credited(state: State, shown: Shown, k: int) -> int:
    """Touch the viewer where the place is paid; return the contract that an order from it would be credited to."""
    merchant = merchant_of(state.shelf.facts[shown.items[k]], state.goods)
    if merchant is None:
        return -1
    if shown.contracts[k] >= 0:
        touch = state.outcomes.touches.setdefault((shown.viewer, merchant), Touch())
        touch.view = Paid(shown.at, shown.contracts[k], shown.scene, shown.items[k])
    policy = state.policy
    return credited(
        state.outcomes,
        shown.viewer,
        merchant,
        shown.at,
        policy.click_attribution_ms,
        policy.view_attribution_ms,
    ).contract


def _price(state: State, item: int) -> float:
    product = product_of(state.shelf.facts[item])
    return state.goods.products[product].price / YUAN if product else 0.0
