"""The stores in process memory: for tests and for the laboratory, which keeps nothing."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fieldline.errors import Behind, LogWriteError
from fieldline.facts import Asked, CatalogueEntry, ViewerErased, Wish, WishEnded, WishPaused, matter
from fieldline.stores import bookkeeping, typed
from fieldline.stores.segment import Damage
from fieldline.stores.snapshot import KEPT
from fieldline.units import Instant, Micros


class MemoryCommit:
    """A promise that is kept already."""

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def done(self) -> bool:
        """Return True."""
        return True

    def add_done_callback(self, fn: "Callable[[MemoryCommit], object]") -> None:
        """Call `fn(commit)` at once."""
        fn(self)


class MemoryLog:
    """An event log in a list."""

    recovered: tuple[Damage, ...] = ()

    def __init__(self) -> None:
        self._records: list[bytes] = []
        self._open = True
        self.start = 0
        self.closed = 0

    @property
    def end(self) -> int:
        """Return the position that the next record will have."""
        return self.start + len(self._records)

    def append(self, payloads: Sequence[bytes]) -> MemoryCommit:
        """Append records in order.

        Raises:
            LogWriteError: the log is closed.
            ValueError: a payload is empty.
        """
        if not all(payloads):
            raise ValueError("a log record has at least one byte")
        if not self._open:
            raise LogWriteError("the log is closed")
        self._records.extend(payloads)
        return MemoryCommit()

    def seal(self) -> MemoryCommit:
        """Let compaction take all that was appended."""
        self.closed = self.end
        return MemoryCommit()

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (position, payload) of the records from a position on that are there when reading begins."""
        low = max(start - self.start, 0)
        yield from enumerate(self._records[low:], self.start + low)

    def get(self, position: int) -> bytes:
        """Return one record.

        Raises:
            IndexError: no such record: not appended, or dropped after compaction.
        """
        if not self.start <= position < self.end:
            raise IndexError(f"the log has no record {position}")
        return self._records[position - self.start]

    def drop(self, before: int) -> tuple[Path, ...]:
        """Forget the closed records before a position."""
        keep = min(max(before, self.start), self.closed)
        self._records = self._records[keep - self.start :] if keep > self.start else self._records
        self.start = max(keep, self.start)
        return ()

    def close(self) -> None:
        """Take no more records."""
        self._open = False


class MemorySnapshots:
    """The two newest snapshots in a list."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, bytes]] = []

    def save(self, position: int, state: bytes) -> None:
        """Keep a snapshot and drop the older ones but one."""
        others = [kept for kept in self._kept if kept[0] != position]
        self._kept = sorted([*others, (position, state)])[-KEPT:]

    def newest(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot, or None."""
        return self._kept[-1] if self._kept else None

    def positions(self) -> tuple[int, ...]:
        """Return the positions of the kept snapshots, oldest first."""
        return tuple(position for position, _ in self._kept)


class MemoryLedger:
    """Double-entry money in dictionaries."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[str, Instant, str]] = {}
        self._legs: dict[str, tuple[tuple[str, Micros], ...]] = {}
        self._postings: list[tuple[str, Micros]] = []
        self._balances: dict[str, int] = {}

    def post(self, key: str, at: Instant, postings: Sequence[tuple[str, Micros]], note: str = "") -> bool:
        """Post an entry; return False when the key was posted before with the same postings.

        Raises:
            UnbalancedEntry: fewer than two postings, or they do not sum to zero.
            KeyReused: the key was posted before with other postings.
            Overdrawn: an allowance would be below zero.
            Refused: an amount or a balance is outside int64.
        """
        changes = bookkeeping.net_changes(postings)
        digest = bookkeeping.digest_of(postings)
        known = self._entries[key][0] if key in self._entries else None
        if bookkeeping.repeated(key, known, digest):
            return False
        self._balances.update(bookkeeping.settled(self._balances, changes))
        self._entries[key] = (digest, at, note)
        self._legs[key] = tuple(postings)
        self._postings.extend(postings)
        return True

    def posted(self, key: str) -> dict[str, Micros] | None:
        """Return what the entry of a key changed each account by; None where nothing was posted under it."""
        return bookkeeping.by_account(self._legs[key]) if key in self._legs else None

    def balance(self, account: str) -> Micros:
        """Return an account's balance; 0 where nothing was ever posted."""
        return Micros(self._balances.get(account, 0))

    def balances(self, prefix: str = "") -> dict[str, Micros]:
        """Return the balance of every account whose name begins with a prefix, in the order of the names."""
        return {
            name: Micros(self._balances[name]) for name in sorted(self._balances) if name.startswith(prefix)
        }

    def verify(self) -> tuple[bookkeeping.Difference, ...]:
        """Return the accounts whose kept balance is not the sum of their postings."""
        return bookkeeping.differences(self._balances, self._postings)

    def close(self) -> None:
        """Let go of nothing."""


class MemoryRecords:
    """The catalogue, wishes, what else was asked for, and the audit of all of it in dictionaries."""

    def __init__(self) -> None:
        self._catalogue: dict[str, dict[str, tuple[CatalogueEntry, int]]] = {}
        self._wishes: dict[str, tuple[Wish, int]] = {}
        self._pauses: dict[str, tuple[WishPaused, int]] = {}
        self._ends: dict[str, tuple[WishEnded, int]] = {}
        self._asked: dict[tuple[str, str, str], tuple[Asked, int]] = {}
        self._erased: dict[str, tuple[ViewerErased, int]] = {}
        self._heard: dict[str, int] = {}
        self._audit: list[typed.Line] = []
        self._lines = 0
        self._change = 0

    def put_entries(self, entries: Iterable[CatalogueEntry], at: Instant, by: str = "api") -> int:
        """Insert or replace catalogue entries; return the last change's number.

        An entry that is there already, word for word, is no change.
        """
        for entry in list(entries):
            kind = typed.kind_of(entry)
            kept = self._catalogue.setdefault(kind, {})
            before = kept[entry.id][0] if entry.id in kept else None
            if before == entry:
                continue
            kept[entry.id] = (entry, self._next())
            if before is not None and kind != typed.UNAUDITED:
                self._note(
                    typed.subject_of(kind, entry.id),
                    at,
                    by,
                    typed.text_of(before),
                    typed.text_of(entry),
                )
        return self._change

    def entry(self, kind: str, id: str) -> CatalogueEntry | None:
        """Return one catalogue entry."""
        kept = self._catalogue.get(kind, {}).get(id)
        return kept[0] if kept else None

    def entries(self, kind: str, after: str = "", limit: int = 100) -> list[CatalogueEntry]:
        """Return catalogue entries of a kind in the order of their ids, from past one of them."""
        kept = self._catalogue.get(kind, {})
        return [kept[name][0] for name in _page(kept, after, limit)]

    def put_wish(self, wish: Wish, by: str) -> int:
        """Store a new or edited wish with an audit line of who did it; return the change's number.

        Raises:
            Conflict: its version is not above the stored one.
        """
        before = self._wishes[wish.id][0] if wish.id in self._wishes else None
        typed.check_version(wish, before)
        self._wishes[wish.id] = (wish, self._next())
        if wish.id in self._pauses:
            self._pauses[wish.id] = (self._pauses[wish.id][0], self._next())
        was = None if before is None else typed.wish_text(before)
        self._note(typed.subject_of("wish", wish.id), wish.at, by, was, typed.wish_text(wish))
        return self._change

    def pause_wish(self, id: str, paused: bool, at: Instant, by: str) -> int:
        """Pause or resume a wish with an audit line; return the change's number.

        Raises:
            Unknown: there is no such wish.
        """
        if (stored := self.wish(id)) is None:
            raise typed.unknown("wish", id)
        if stored[1] != paused:
            self._pauses[id] = (WishPaused(id, at, paused), self._next())
            self._note(typed.subject_of("wish", id), at, by, *typed.pause_texts(paused))
        return self._change

    def end_wish(self, id: str, at: Instant, by: str) -> int:
        """End a wish before its time with an audit line; return the change's number.

        A wish that was ended already is not changed.

        Raises:
            Unknown: there is no such wish.
        """
        if id not in self._wishes:
            raise typed.unknown("wish", id)
        if id not in self._ends:
            self._ends[id] = (WishEnded(id, at), self._next())
            self._note(typed.subject_of("wish", id), at, by, *typed.END_TEXTS)
        return self._change

    def wish(self, id: str) -> tuple[Wish, bool] | None:
        """Return a wish and whether it is paused."""
        if id not in self._wishes:
            return None
        return self._wishes[id][0], id in self._pauses and self._pauses[id][0].paused

    def wishes(self, after: str = "", limit: int = 100) -> list[tuple[Wish, bool]]:
        """Return wishes in the order of their ids, from past one of them."""
        found = (self.wish(name) for name in _page(self._wishes, after, limit))
        return [wish for wish in found if wish is not None]

    def put_asked(
        self,
        fact: Asked,
        by: str,
        before: str | None,
        after: str,
        heard: int,
        entry: CatalogueEntry | None = None,
    ) -> int:
        """Store what was asked for in place of the last word on the same matter; return the last change's number.

        Raises:
            Behind: something was typed after the change `heard`; nothing was stored.
        """
        if next(self.changes(heard), None) is not None:
            raise Behind(f"something was typed after change {heard}")
        self._asked[(typed.kind_of(fact), *matter(fact))] = (fact, self._next())
        self._note(typed.asked_subject(fact), fact.at, by, before, after)
        return self.put_entries([entry] if entry else [], Instant(fact.at), by)

    def erase_viewer(self, id: str, at: Instant, by: str) -> int:
        """Remove a viewer, what they chose and its audit; return the change's number.

        One whom nobody entered is erased too: engines may have logged requests of theirs.
        """
        self._catalogue.get("viewer", {}).pop(id, None)
        self._asked = {
            key: kept for key, kept in self._asked.items() if key[0] not in typed.CHOICES or key[1] != id
        }
        self._audit = [line for line in self._audit if line.subject != typed.subject_of("viewer", id)]
        self._note("viewers", at, by, None, typed.ERASED)
        self._erased[id] = (ViewerErased(id, at), self._next())
        return self._change

    def audit(self, subject: str) -> list[dict[str, Any]]:
        """Return who changed a subject ("wish:w1"), when and from what to what, oldest first."""
        return [line.shown() for line in self._audit if line.subject == subject]

    def note(self, subject: str, by: str, at: Instant, before: str | None, after: str) -> None:
        """Add an audit line about something that is kept elsewhere (JSON texts)."""
        self._note(subject, at, by, before, after)

    def changes(self, since: int = 0) -> Iterator[tuple[int, typed.Change]]:
        """Yield (number, fact) of what changed after a change, by number: the last state of each thing."""
        if since >= self._change:
            return
        kinds: list[Iterable[tuple[typed.Change, int]]] = [kept.values() for kept in self._catalogue.values()]
        others = (
            self._wishes.values(), self._pauses.values(), self._ends.values(), self._asked.values(),
            self._erased.values(),
        )  # fmt: skip
        found = [(number, fact) for group in (*kinds, *others) for fact, number in group if number > since]
        yield from sorted(found, key=lambda change: change[0])

    def note_heard(self, node: str, change: int, engines: int) -> None:
        """Note up to which change an engine's log durably holds what was typed.

        The ids of viewers whose erasure every engine's log holds are forgotten.
        """
        self._heard[node] = change
        if len(self._heard) >= engines:
            until = min(self._heard.values())
            self._erased = {name: kept for name, kept in self._erased.items() if kept[1] > until}

    def close(self) -> None:
        """Let go of nothing."""

    def _next(self) -> int:
        self._change += 1
        return self._change

    def _note(self, subject: str, at: int, by: str, before: str | None, after: str) -> None:
        self._lines += 1
        line = typed.Line(self._lines, subject, at, by, before, after)
        self._audit.append(line)


def _page(kept: Iterable[str], after: str, limit: int) -> list[str]:
    ids = sorted(kept)
    return ids[(start := bisect_right(ids, after)) : start + limit]
