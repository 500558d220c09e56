"""The engine, facts in to facts out.

    facts ──► reduce ──► state ──► decide(request) ──► decision ──► the log ──► reduce

`reduce` folds one fact into the state and `decide` reads it; both are synchronous and deterministic: time
arrives inside facts, randomness is keyed by (seed, request id, purpose). A state belongs to its reducer, which
changes it in place and returns it. The same facts give the same state, bit for bit.
"""

from fieldline.contracts import book
from fieldline.errors import Conflict, Unknown
from fieldline.facts import (
    AnyFact,
    Assumed,
    Behaviour,
    CatalogueEntry,
    Click,
    Creator,
    Decision,
    Follow,
    Impression,
    LiveRoom,
    LongView,
    Merchant,
    Order,
    Outcome,
    Policy,
    Product,
    Refund,
    Tick,
    Typed,
    Video,
    Viewer,
    ViewerErased,
    Wish,
    WishPaused,
)
from fieldline.offers import contracts_of
from fieldline.traffic import behaviour, checks, entries, pace, showing
from fieldline.traffic.decide import decide
from fieldline.traffic.state import State, decode, encode, relink
from fieldline.traffic.ticks import tick

__all__ = ["State", "check", "decide", "decode", "encode", "init", "reduce"]


def init(policy: Policy) -> State:
    """Return the state before any fact, under a policy."""
    return reduce(State(policy=policy), policy)


def reduce(state: State, fact: AnyFact) -> State:
    """Return the state after one more fact, which must have been checked before it was logged."""
    state.now = max(state.now, getattr(fact, "at", 0))
    state.book.due.clear()
    match fact:
        case Decision():
            relink(state)
            showing.open_decision(state, fact)
        case Viewer() | Creator() | Merchant() | Product() | Video() | LiveRoom():
            entries.put_entry(state, fact)
        case Impression() | Click() | LongView() | Follow() | Order() | Refund() | Outcome():
            relink(state)
            behaviour.take(state, fact)
        case Wish():
            _wish(state, fact)
        case WishPaused():
            _pause(state, fact)
        case Policy():
            entries.put_policy(state, fact)
        case Assumed():
            relink(state)
            showing.assume_shown(state, fact)
        case ViewerErased():
            entries.forget_viewer(state, fact)
        case Tick():
            relink(state)
            tick(state, fact.at)
        case Typed():
            state.typed = fact.change
    return state


def check(state: State, fact: CatalogueEntry | Behaviour | Wish) -> None:
    """Refuse a fact that the state says cannot be.

    Raises:
        Unknown: it names what is not there.
        Refused: a field that cannot be so.
        Conflict: an edit of an older version, or a budget below what is already spent or reserved.
    """
    match fact:
        case Wish():
            _check_wish(state, fact)
        case Viewer() | Creator() | Merchant() | Product() | Video() | LiveRoom():
            entries.check(state, fact)
        case _:
            checks.check(state, fact)


def _wish(state: State, wish: Wish) -> None:
    contracts = contracts_of(wish)
    book.put(state.book, wish.id, wish.version, contracts)
    for number in state.book.wishes[wish.id]:
        pace.init(state.prices, number, state.book.contracts[number])
    book.enforce(state.book, wish.at)
    state.linked = False


def _pause(state: State, fact: WishPaused) -> None:
    if fact.paused:
        state.book.paused[fact.id] = fact.at
    else:
        state.book.paused.pop(fact.id, None)
    book.enforce(state.book, fact.at)
    state.linked = False


def _check_wish(state: State, wish: Wish) -> None:
    known = state.book.versions.get(wish.id, 0)
    if wish.version != known + 1:
        raise Conflict("version", f"is {wish.version}, but the next version is {known + 1}")
    for contract in contracts_of(wish):
        reach = contract.reach
        if reach.merchant and reach.merchant not in state.goods.merchants:
            raise Unknown("terms.merchant", f"no merchant is called {reach.merchant!r}")
        if reach.creator and reach.creator not in state.content.creators:
            raise Unknown("terms.creator", f"no creator is called {reach.creator!r}")
        for item in reach.items:
            if item not in state.shelf.names:
                raise Unknown("terms.items", f"no item is called {item!r}")
        number = state.book.names.find(contract.id)
        if number >= 0:
            taken = int(state.book.spent[number] + state.book.reserved[number])
            if contract.bids and contract.limit.budget < taken:
                raise Conflict("terms.budget", f"is below the {taken} micro-yuan already spent or reserved")
        if contract.horizon.end <= state.now:
            raise Conflict("terms.end", "is past")
