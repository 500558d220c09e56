"""Ports: all that the engine's surroundings must offer, as protocols with several back ends each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Asked, CatalogueEntry, ViewerErased, Wish, WishEnded, WishPaused
from fieldline.units import Instant, Micros


@runtime_checkable
class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Instant:
        """Return the time in milliseconds UTC."""


class Commit(Protocol):
    """The promise that appended records are durable."""

    def wait(self, timeout: float | None = None) -> None:
        """Block until the records are on the disk; raise what the write raised.

        Raises:
            LogWriteError: the records could not be made durable.
        """

    def done(self) -> bool:
        """Return whether `wait` would return at once."""

    def add_done_callback(self, fn: "Callable[[Commit], object]") -> None:
        """Call back, from whatever thread, once `wait` would return at once."""


class EventLog(Protocol):
    """An append-only log of records, each found by its position (0, 1, 2 …)."""

    def append(self, payloads: Sequence[bytes]) -> Commit:
        """Append records in order and return the promise of their durability."""

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (position, payload) from a position on."""

    def get(self, position: int) -> bytes:
        """Return the record at a position."""

    @property
    def end(self) -> int:
        """Return the position that the next record will have."""

    @property
    def recovered(self) -> tuple[Any, ...]:
        """Return what damage was found when it was opened: file, offset, reason."""

    def close(self) -> None:
        """Make everything durable and let go of the files."""


class Snapshots(Protocol):
    """Keeps an encoded state beside the log position it stands for."""

    def save(self, position: int, state: bytes) -> None:
        """Store a snapshot durably and drop the older ones but one."""

    def newest(self) -> tuple[int, bytes] | None:
        """Return the newest snapshot that is whole, or None."""

    def positions(self) -> tuple[int, ...]:
        """Return the positions of the snapshots that are kept, oldest first."""


class Ledger(Protocol):
    """Double-entry money: every entry's postings sum to zero, every entry has a key and is posted once."""

    def post(self, key: str, at: Instant, postings: Sequence[tuple[str, Micros]], note: str = "") -> bool:
        """Post an entry; return False when the key was posted before with the same postings.

        Raises:
            UnbalancedEntry: the postings do not sum to zero.
            KeyReused: the key was posted before with other postings.
            Overdrawn: an account that may not go below zero would.
        """

    def posted(self, key: str) -> dict[str, Micros] | None:
        """Return what the entry of a key changed each account by; None where nothing was posted under it."""

    def balance(self, account: str) -> Micros:
        """Return an account's balance."""

    def balances(self, prefix: str = "") -> dict[str, Micros]:
        """Return the balance of every account whose name begins with a prefix."""

    def close(self) -> None:
        """Let go of the store."""


class Records(Protocol):
    """What people typed: the catalogue, wishes and the audit of both, each change numbered."""

    def put_entries(self, entries: Iterable[CatalogueEntry], at: Instant, by: str = "api") -> int:
        """Insert or replace catalogue entries in one transaction; return the last change's number."""

    def entry(self, kind: str, id: str) -> CatalogueEntry | None:
        """Return one catalogue entry."""

    def entries(self, kind: str, after: str = "", limit: int = 100) -> list[CatalogueEntry]:
        """Return catalogue entries of a kind in the order of their ids, from past one of them."""

    def put_wish(self, wish: Wish, by: str) -> int:
        """Store a new or edited wish with an audit line of who did it; return the change's number."""

    def pause_wish(self, id: str, paused: bool, at: Instant, by: str) -> int:
        """Pause or resume a wish with an audit line; return the change's number."""

    def end_wish(self, id: str, at: Instant, by: str) -> int:
        """End a wish before its time with an audit line; return the change's number."""

    def wish(self, id: str) -> tuple[Wish, bool] | None:
        """Return a wish and whether it is paused."""

    def wishes(self, after: str = "", limit: int = 100) -> list[tuple[Wish, bool]]:
        """Return wishes in the order of their ids, from past one of them."""

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

        Args:
            fact: what, and when.
            by: who asked, for the audit.
            before: what it changes, for the audit (JSON).
            after: into what.
            heard: the change up to which it was checked against what was typed.
            entry: an entry of the catalogue that changes with it.

        Raises:
            Behind: something was typed after that change; nothing was stored.
        """

    def erase_viewer(self, id: str, at: Instant, by: str) -> int:
        """Remove a viewer, what they chose and its audit; return the change's number.

        One whom nobody entered is erased too: engines may have logged requests of theirs.
        """

    def note_heard(self, node: str, change: int, engines: int) -> None:
        """Note up to which change an engine's log durably holds what was typed.

        The ids of viewers whose erasure every engine's log holds are forgotten.

        Args:
            node: the engine's name; empty: it is alone.
            change: the last that its log holds.
            engines: how many there are.
        """

    def note(self, subject: str, by: str, at: Instant, before: str | None, after: str) -> None:
        """Add an audit line about something that is kept elsewhere (JSON texts)."""

    def changes(
        self, since: int = 0
    ) -> Iterator[tuple[int, CatalogueEntry | Wish | WishPaused | WishEnded | Asked | ViewerErased]]:
        """Yield (number, fact) of the last state of each thing that changed after a change, by number."""

    def close(self) -> None:
        """Let go of the store."""

    def audit(self, subject: str) -> list[dict[str, Any]]:
        """Return who changed a subject, when and from what to what, oldest first."""


class Predictor(Protocol):
    """A model that was trained before and says what the chances of a look are; it learns nothing here."""

    @property
    def kind(self) -> str:
        """Return what runs it."""

    @property
    def name(self) -> str:
        """Return what its maker calls it."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return the names of its outputs, in their order."""

    @property
    def features(self) -> tuple[str, ...]:
        """Return the names of its inputs, columns of `traffic.prediction.sheet`, in their order."""

    @property
    def until(self) -> int:
        """Return the instant of the newest look that it was trained on, ms; 0: it is not of one training."""

    def predict(self, sheet: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return chances.

        Args:
            sheet: float32 [n, F], its own inputs, NaN = not known.

        Returns:
            float32 [n, T], each in [0, 1]; NaN: it has nothing to say.
        """
