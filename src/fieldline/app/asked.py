"""What people ask for beside catalogue, contracts and policy: choices, live rooms' plans, appeals, rulings, erasure.

It is checked against a state that has heard all that was typed before it, at whichever engine, and recorded with who
asked only while that is so; every engine that shares the records then takes it from there, once. Source: ADR 0021.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from fieldline import engine
from fieldline.app.journal import Journal
from fieldline.errors import Behind, Refused
from fieldline.facts import (
    Appeal,
    Asked,
    CatalogueEntry,
    Chosen,
    Personalised,
    Ruling,
    Staged,
    StagedOffer,
    ViewerErased,
)
from fieldline.ports import Commit
from fieldline.traffic.intents import words as chosen_words
from fieldline.traffic.staging import version_of
from fieldline.traffic.trusted import reviewed


class _Checked(NamedTuple):
    """What may be recorded, as things stand."""

    fact: Asked
    before: object | None
    after: object
    entry: CatalogueEntry | None = None
    """What changes in the catalogue with it."""


def choose(journal: Journal, choice: Chosen, by: str) -> Commit:
    """Take what a viewer chose for themselves: their intents, or whether they are treated personally.

    Opting out (or in) a second time changes nothing.

    Raises:
        Unknown: a viewer or a category that nothing has.
        Conflict: a correction of one who opted out.
    """

    def checked() -> _Checked | None:
        engine.check(journal.state, choice)
        before, after = chosen_words(journal.state, choice, journal.now())
        same = isinstance(choice, Personalised) and before == after
        return None if same else _Checked(choice, before, after)

    return _record(journal, checked, by)


def stage(
    journal: Journal, room: str, offers: tuple[StagedOffer, ...], by: str, version: int | None = None
) -> Commit:
    """Plan what a live room is about to sell, in place of its plan before.

    Args:
        journal: where.
        room: its id.
        offers: all of them.
        by: who asks.
        version: of the plan that is replaced; None: whatever it is.

    Raises:
        Unknown: a room or product that nothing has.
        Conflict: the plan is at another version.
        Refused: a closed room, an offer that cannot be.
    """

    def checked() -> _Checked:
        replaced = version_of(journal.state.staging, room) if version is None else version
        plan = Staged(room, journal.now(), replaced + 1, offers)
        engine.check(journal.state, plan)
        known = journal.state.staging.plans.get(room)
        return _Checked(plan, known.offers if known else (), offers)

    return _record(journal, checked, by)


def appeal(journal: Journal, fact: Appeal, by: str) -> Commit:
    """Take what a merchant or creator contests.

    Raises:
        Unknown: it is about what nothing has.
        Refused: it concerns another, or an item that was not refused.
        Conflict: an appeal about it is open or was upheld.
    """

    def checked() -> _Checked:
        engine.check(journal.state, fact)
        return _Checked(fact, None, fact)

    return _record(journal, checked, by)


def rule(journal: Journal, fact: Ruling, by: str) -> Commit:
    """Take what a person decided on an appeal; an item that is approved again by it is so in the records too.

    Raises:
        Unknown: there is no such appeal.
        Refused: it is the person's own.
    """

    def checked() -> _Checked:
        engine.check(journal.state, fact)
        case = journal.state.trust.appeals.cases[fact.appeal]
        if by == case.by:
            raise Refused("appeal", "is ruled on by another than who made it")
        return _Checked(fact, case.status, fact, reviewed(journal.state, fact))

    return _record(journal, checked, by)


def erase_viewer(journal: Journal, id: str, by: str) -> Commit:
    """Forget a viewer: from state and records now, from the log at compaction; at other engines once they hear of it.

    One whom nobody entered may have asked for slates, which the logs hold: they forget those all the same.
    """
    change = journal.records.erase_viewer(id, journal.now(), by)
    return journal.take_typed(change, ViewerErased(id, journal.now()))


def _record(journal: Journal, checked: Callable[[], _Checked | None], by: str) -> Commit:
    """Hear of everything, check, record (None: nothing); again where something was typed elsewhere in between."""
    while True:
        commit = journal.catch_up()
        found = checked()
        if found is None:
            return commit
        fact, before, after, entry = found
        was = None if before is None else _json(before)
        try:
            change = journal.records.put_asked(fact, by, was, _json(after), journal.state.typed, entry)
        except Behind:
            continue
        return journal.take_typed(change, fact, *([entry] if entry else ()))


def _json(words: object) -> str:
    return msgspec.json.encode(words).decode()
