"""The engine, facts in to facts out.

    facts ──► reduce ──► state ──► decide(request) ──► decision ──► the log ──► reduce

`reduce` folds one fact into the state and `decide` reads it; both are synchronous and deterministic: time
arrives inside facts, randomness is keyed by (seed, request id, purpose). A state belongs to its reducer, which
changes it in place and returns it. The same facts give the same state, bit for bit.
"""

from fieldline import wishes
from fieldline.facts import (
    AnyFact,
    Appeal,
    Assumed,
    Behaviour,
    CatalogueEntry,
    Chosen,
    Click,
    Contested,
    Creator,
    Decision,
    Delivery,
    Dialogue,
    Follow,
    Hate,
    Impression,
    IntentCorrected,
    IntentsReset,
    Lead,
    Leased,
    Like,
    LiveRoom,
    LongView,
    Merchant,
    Order,
    Outcome,
    Personalised,
    Policy,
    Product,
    Redemption,
    Refund,
    Reply,
    Review,
    Ruling,
    Staged,
    Tick,
    Typed,
    Video,
    Viewer,
    ViewerErased,
    Watched,
    Wish,
    WishEnded,
    WishPaused,
)
from fieldline.traffic import behaviour, checks, entries, intents, showing, staging, trusted
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
            intents.note_decision(state, fact)
        case Viewer() | Creator() | Merchant() | Product() | Video() | LiveRoom() | Staged():
            entries.put_entry(state, fact)
        case (
            Impression()
            | Click()
            | LongView()
            | Like()
            | Hate()
            | Watched()
            | Follow()
            | Order()
            | Refund()
            | Redemption()
            | Lead()
            | Outcome()
            | Delivery()
            | Review()
            | Reply()
            | Dialogue()
        ):
            relink(state)
            behaviour.take(state, fact)
        case Wish():
            wishes.put(state, fact)
        case WishPaused():
            wishes.pause(state, fact)
        case WishEnded():
            wishes.end(state, fact)
        case Leased():
            wishes.lease(state, fact)
        case Policy():
            entries.put_policy(state, fact)
        case Assumed():
            relink(state)
            showing.assume_shown(state, fact)
        case Personalised() | IntentCorrected() | IntentsReset() | ViewerErased() | Appeal() | Ruling():
            entries.heed(state, fact)
        case Tick():
            relink(state)
            tick(state, fact.at)
        case Typed():
            state.typed = fact.change
    return state


def check(state: State, fact: CatalogueEntry | Behaviour | Contested | Staged | Wish | Chosen) -> None:
    """Refuse a fact that the state says cannot be.

    Raises:
        Unknown: it names what is not there.
        Refused: a field that cannot be so.
        Conflict: an edit of an older version, a budget below what is already spent or reserved, or a correction
            by a viewer who opted out.
        OutOfReach: a goal that the forecast says cannot be met, and that nobody confirmed.
    """
    match fact:
        case Wish():
            wishes.check(state, fact)
        case Viewer() | Creator() | Merchant() | Product() | Video() | LiveRoom():
            entries.check(state, fact)
        case Personalised() | IntentCorrected() | IntentsReset():
            intents.check(state, fact)
        case Staged():
            staging.check(state.staging, state.shelf, fact)
        case Appeal() | Ruling():
            checks.check_time(state, fact)
            trusted.check(state, fact)
        case _:
            checks.check(state, fact)
