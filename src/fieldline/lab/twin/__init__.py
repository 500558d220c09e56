"""The twin: a logged day played once more without and with one more campaign, before a yuan is spent.

Requests, and which places of a slate were rendered, are the log's; slates, charges and prices are the engine's own;
what viewers would have done is the model's. A slot's expected GMV is e·P(click)·P(order | click)·price, brought to
the level that the day really had: κ = (O + c)/(P + c), O and P being the day's real and expected GMV of all goods, c
five orders. Source: docs/algorithms/twin.md.
"""

from collections.abc import Callable, Iterable

import msgspec

from fieldline import engine
from fieldline.contracts.horizon import day_start
from fieldline.errors import Conflict, Refused
from fieldline.facts import AnyFact, Id, Wish, Word
from fieldline.lab.twin.answer import Answer, Band, Displaced, answer_of
from fieldline.lab.twin.course import play
from fieldline.lab.twin.logged import Asking, fold, last_day
from fieldline.offers import Campaign, terms_of
from fieldline.traffic.state import State
from fieldline.units import DAY

__all__ = ["Answer", "Asked", "Band", "Displaced", "asked_of", "twin"]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign that is not there yet."""

    id: Id
    offer: Word
    owner: Id
    terms: msgspec.Raw
    """The offer's; start and end are taken to be those of the day."""


def asked_of(data: bytes) -> Asked:
    """Return the campaign of a JSON file.

    Raises:
        Refused: it is no such file; the field is named.
    """
    try:
        return msgspec.json.decode(data, type=Asked)
    except msgspec.DecodeError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise Refused(path.rstrip("`").lstrip(".") or "campaign", reason) from None


def twin(read: Callable[[], Iterable[AnyFact]], asked: Asked, day: int | None = None) -> Answer:
    """Play a logged day without and with a campaign, and return what it would have done.

    Args:
        read: gives the log's facts from its beginning, as often as it is called.
        asked: the campaign.
        day: counted from 1970-01-01 in UTC+8; None: the last whole one of the log.

    Raises:
        Refused: the log has no such day, the offer is no campaign, or the terms cannot be; the field is named.
        Unknown: a merchant or item that the log does not know.
        Conflict: the log has a campaign of this id.
    """
    number = last_day(read()) if day is None else day
    logged = fold(read(), number)
    if not any(isinstance(event, Asking) for event in logged.events):
        raise Refused("day", "has no request in the log")
    without, with_it = engine.decode(logged.before), engine.decode(logged.before)
    contract = _add(with_it, asked, number)
    course, other = play(with_it, logged.events), play(without, logged.events)
    return answer_of(asked.id, number, contract, logged, (with_it, course), (without, other))


def _add(state: State, asked: Asked, day: int) -> int:
    """Add the campaign to a state for a day, with a day's part of its budget; return its contract's number."""
    if asked.id in state.book.versions:
        raise Conflict("id", f"is taken: the log has a campaign called {asked.id!r}")
    try:
        given = msgspec.json.decode(asked.terms, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise Refused("terms", str(error)) from None
    start, end = day_start(day), day_start(day + 1)
    whole = {"start": start, "end": end} | given
    terms = terms_of(_wish(asked, whole, state.now))
    if not isinstance(terms, Campaign):
        raise Refused("offer", f"is {asked.offer!r}, which has no budget to plan")
    share = min(1.0, DAY / max(terms.end - terms.start, 1))
    budget = min(round(terms.budget * share), terms.daily or terms.budget)
    moved = whole | {"start": start, "end": end, "budget": max(budget, 1), "daily": None, "confirmed": True}
    wish = _wish(asked, moved, state.now)
    engine.check(state, wish)
    engine.reduce(state, wish)
    return state.book.wishes[asked.id][0]


def _wish(asked: Asked, terms: dict[str, object], at: int) -> Wish:
    return Wish(asked.id, at, 1, asked.offer, asked.owner, msgspec.json.encode(terms).decode())
