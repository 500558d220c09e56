"""A logged day: what was asked, what was rendered, and what really came of it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fieldline import engine
from fieldline.contracts.horizon import day_of, day_start
from fieldline.errors import Refused
from fieldline.facts import AnyFact, Assumed, Behaviour, Decision, Impression, Order, Policy, Request, Tick
from fieldline.traffic.state import State
from fieldline.units import YUAN


@dataclass(frozen=True, slots=True)
class Asking:
    """One logged request, and which places of its slate were rendered."""

    request: Request
    paid: bool
    rendered: set[int]


@dataclass(slots=True)
class Day:
    """A logged day: the state in which it began, what happened in it, and what really came of it."""

    before: bytes
    events: list[Asking | AnyFact]
    after: State
    sold: dict[str, float]
    """Real GMV by merchant, yuan."""
    orders: int


def last_day(facts: Iterable[AnyFact]) -> int:
    """Return the last day (UTC+8) that a log holds whole, counted from 1970-01-01.

    Raises:
        Refused: it holds none.
    """
    instants = [fact.at for fact in facts if isinstance(fact, Tick | Decision)]
    if not instants:
        raise Refused("log", "has neither a request nor a tick")
    day = day_of(max(instants)) - 1
    if day_start(day) < min(instants):
        raise Refused("day", "is missing, and the log holds no whole day (UTC+8)")
    return day


def fold(facts: Iterable[AnyFact], day: int) -> Day:
    """Fold a log up to the end of a day, keeping the state in which the day began.

    Args:
        facts: of the log, from its beginning.
        day: counted from 1970-01-01 in UTC+8.

    Raises:
        Refused: the log ends before the day.
    """
    state = State(policy=Policy())
    found: Day | None = None
    open_: dict[str, tuple[Asking, tuple[str, ...]]] = {}
    for fact in facts:
        if isinstance(fact, Tick | Decision) and fact.at >= day_start(day):
            if fact.at >= day_start(day + 1):
                break
            if found is None:
                found = Day(engine.encode(state), [], state, defaultdict(float), 0)
        engine.reduce(state, fact)
        if found is not None:
            _note(found, fact, state, open_)
    if found is None:
        raise Refused("day", "is not in the log")
    return found


def _note(found: Day, fact: AnyFact, state: State, open_: dict[str, tuple[Asking, tuple[str, ...]]]) -> None:
    match fact:
        case Decision():
            request = Request(fact.id, fact.viewer, fact.scene, fact.at, slots=len(fact.slots) or None)
            asking = Asking(request, fact.paid or fact.randomised, set())
            open_[fact.id] = (asking, tuple(slot.item for slot in fact.slots))
            found.events.append(asking)
        case Impression() if fact.decision in open_:
            asking, items = open_[fact.decision]
            if fact.item in items:
                asking.rendered.add(items.index(fact.item))
        case Assumed() if fact.id in open_:
            asking, items = open_[fact.id]
            asking.rendered.update(range(len(items)))
        case Order():
            found.sold[state.goods.products[fact.product].merchant] += fact.amount / YUAN
            found.orders += 1
        case Assumed():
            pass
        case _ if not isinstance(fact, Behaviour):
            found.events.append(fact)
