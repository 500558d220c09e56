"""The catalogue, contracts and the policy as people type them: checked, recorded with who did it, logged and folded.

The records come first because they can refuse; what they took and the log did not is found at the next start.
"""

from collections.abc import Sequence

import msgspec

from fieldline import engine
from fieldline.app.journal import Journal
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import (
    CatalogueEntry,
    Policy,
    Wish,
    WishEnded,
    WishPaused,
)
from fieldline.ports import Commit


def upsert(journal: Journal, entries: Sequence[CatalogueEntry]) -> Commit:
    """Insert or replace catalogue entries, all or none.

    Raises:
        Refused: naming the field, as `line 3: price`.
    """
    for number, entry in enumerate(entries, 1):
        try:
            engine.check(journal.state, entry)
        except Refused as refused:
            raise type(refused)(f"line {number}: {refused.field}", refused.reason) from None
    change = journal.records.put_entries(entries, journal.now())
    return journal.take_typed(change, *entries)


def entry(journal: Journal, kind: str, id: str) -> CatalogueEntry:
    """Return one catalogue entry.

    Raises:
        Unknown: there is none.
    """
    entry = journal.records.entry(kind, id)
    if entry is None:
        raise Unknown("id", f"no {kind.replace('_', ' ')} is called {id!r}")
    return entry


def entries(journal: Journal, kind: str, after: str = "", limit: int = 100) -> Sequence[CatalogueEntry]:
    """Return catalogue entries of a kind in the order of their ids, from past one of them."""
    return journal.records.entries(kind, after, limit)


def put_contract(
    journal: Journal, id: str, offer: str, owner: str, terms: bytes, by: str, version: int | None = None
) -> Wish:
    """Create (version None) or edit (the version being edited) a contract through its offer.

    Raises:
        Refused: naming the field of the terms.
        Unknown: an offer, merchant, creator or item that nothing has; a contract to edit.
        Conflict: an id that is taken, an older version, a budget below what is spent.
    """
    journal.catch_up()
    known = journal.records.wish(id)
    if version is None and known:
        raise Conflict("id", f"a contract called {id!r} is there; edit it with its version")
    if version is not None:
        if not known:
            raise Unknown("id", f"no contract is called {id!r}")
        if known[0].version != version:
            raise Conflict("version", f"is {version}, but the contract is at {known[0].version}")
    wish = Wish(id, journal.now(), (version or 0) + 1, offer, owner, terms.decode())
    engine.check(journal.state, wish)
    old = known[0] if known else None
    change = journal.node.record(old, wish, by) if journal.node else journal.records.put_wish(wish, by)
    journal.take_typed(change, wish).wait()
    journal.lease(journal.state.book.wishes[id])
    return wish


def pause_contract(journal: Journal, id: str, paused: bool, by: str) -> None:
    """Pause or resume a contract.

    Raises:
        Unknown: there is none.
        Conflict: it was ended.
    """
    wish(journal, id)
    if id in journal.state.book.ended:
        raise Conflict("id", f"{id!r} was ended and stays so")
    change = journal.records.pause_wish(id, paused, journal.now(), by)
    journal.take_typed(change, WishPaused(id, journal.now(), paused)).wait()


def end_contract(journal: Journal, id: str, by: str) -> None:
    """End a contract for good before its time; a second end changes nothing.

    Raises:
        Unknown: there is none.
    """
    wish(journal, id)
    if id not in journal.state.book.ended:
        change = journal.records.end_wish(id, journal.now(), by)
        journal.take_typed(change, WishEnded(id, journal.now())).wait()


def wish(journal: Journal, id: str) -> tuple[Wish, bool]:
    """Return a contract as it was asked for, and whether it is paused.

    Raises:
        Unknown: there is none.
    """
    known = journal.records.wish(id)
    if known is None:
        raise Unknown("id", f"no contract is called {id!r}")
    return known


def wishes(journal: Journal, after: str = "", limit: int = 100) -> Sequence[tuple[Wish, bool]]:
    """Return contracts in the order of their ids, from past one of them."""
    return journal.records.wishes(after, limit)


def policy(journal: Journal) -> Policy:
    """Return every dial as it stands."""
    return journal.state.policy


def set_policy(journal: Journal, policy: Policy, by: str) -> Commit:
    """Set every dial; scenes can be added and re-declared, not taken away.

    Raises:
        Refused: a scene is missing, or its curve is empty or increases.
    """
    names = {scene.name for scene in policy.scenes}
    for name in journal.state.scenes.names:
        if name not in names:
            raise Refused("scenes", f"must keep {name!r}")
    for number, scene in enumerate(policy.scenes):
        falls = all(a >= b for a, b in zip(scene.looks, scene.looks[1:], strict=False))
        if not scene.looks or not falls or scene.looks[0] <= 0.0:
            raise Refused(f"scenes[{number}].looks", "must begin above 0 and not increase")
    stamped = msgspec.structs.replace(policy, at=journal.now())
    before, after = (msgspec.json.encode(dials).decode() for dials in (journal.state.policy, stamped))
    journal.records.note("policy", by, journal.now(), before, after)
    return journal.take(stamped)
