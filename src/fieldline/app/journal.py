"""The journal of one engine: a fact is logged, then folded into the state, then what it made due is posted.

What was logged is folded again at the next start. One of several engines also takes what people typed at the
others, and leases what contracts need.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from fieldline import engine
from fieldline.contracts.book import Due
from fieldline.errors import Unknown
from fieldline.facts import AnyFact, Decision, Tick, Typed, ViewerErased, decode, encode
from fieldline.leases import Node, entries_of, in_order
from fieldline.ports import Clock, Commit, EventLog, Ledger, Records
from fieldline.stores.folder import DataFolder
from fieldline.stores.parquet import Archive
from fieldline.units import DAY, Instant

RECENT = 20_000
"""Decisions kept in memory beside the log."""


class Written:
    """A commit of nothing: there is nothing to wait for."""

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def done(self) -> bool:
        """Return True."""
        return True

    def add_done_callback(self, fn: Callable[[Commit], object]) -> None:
        """Call back at once."""
        fn(self)


class Journal:
    """A state and the log that it is made of, beside the records and the ledger."""

    def __init__(
        self,
        state: engine.State,
        positions: dict[str, int],
        log: EventLog,
        records: Records,
        ledger: Ledger,
        clock: Clock | None,
        folder: DataFolder | None,
        node: Node | None,
    ) -> None:
        """Begin with what recovery found.

        Args:
            state: as some part of the log makes it.
            positions: of its decisions in the log, by their ids.
            log: where facts go.
            records: what people typed.
            ledger: where money goes.
            clock: whose time it is; None lets time follow the facts.
            folder: the data folder, if there is one.
            node: which one it is of several engines; None: it is alone.
        """
        self.state, self.positions = state, positions
        self.log, self.records, self.ledger = log, records, ledger
        self.clock, self.folder, self.node = clock, folder, node
        self.last: Commit = Written()
        self.kept: OrderedDict[str, tuple[Decision, Commit]] = OrderedDict()

    def now(self) -> Instant:
        """Return the engine's time: the clock's, or that of the newest fact."""
        return self.clock.now() if self.clock else Instant(self.state.now)

    # ── Facts ────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, *facts: AnyFact) -> Commit:
        """Log facts, which must have been checked, and fold them; return the promise that they are durable."""
        if not facts:
            return Written()
        position = self.log.end
        commit = self.last = self.log.append([encode(fact) for fact in facts])
        for offset, fact in enumerate(facts):
            self.fold(position + offset, fact)
            if isinstance(fact, Decision):
                self.kept[fact.id] = (fact, commit)
                if len(self.kept) > RECENT:
                    self.kept.popitem(last=False)
        return commit

    def fold(self, position: int, fact: AnyFact) -> None:
        """Fold a fact that the log holds at a position, and post what it made due."""
        engine.reduce(self.state, fact)
        match fact:
            case Decision():
                self.positions[fact.id] = position
            case ViewerErased():
                for id in [id for id, (decision, _) in self.kept.items() if decision.viewer == fact.id]:
                    del self.kept[id]
            case _:
                pass
        self._settle(self.state.book.due)

    def take_typed(self, change: int, *facts: AnyFact) -> Commit:
        """Log what was typed; one of several engines takes what the others typed with it."""
        return self.catch_up() if self.node else self._hear(change, facts)

    def catch_up(self) -> Commit:
        """Take what was typed and is not in the log: at other engines, or by a process that died in between."""
        changes = list(self.records.changes(self.state.typed))
        if not changes:
            return self.last
        return self._hear(changes[-1][0], self.node.shared(changes) if self.node else in_order(changes))

    def note_heard(self) -> None:
        """Tell the records how far the log, once it is durable, holds what was typed."""
        self.last.wait()
        name, engines = (self.node.name, self.node.engines) if self.node else ("", 1)
        self.records.note_heard(name, self.state.typed, engines)

    # ── Time and leases ──────────────────────────────────────────────────────────────────────────────────

    def pass_time(self, to: int) -> None:
        """Let time pass up to an instant, tick by tick; after more than a day of silence one tick stands for all."""
        step = self.state.policy.tick_ms
        last = self.state.ticked or to - to % step - step
        if to - last > DAY:
            last = to - to % step - step
        ticks = [Tick(at) for at in range(last + step, to + 1, step)]
        if ticks:
            self.take(*ticks)
            if self.node:
                self._share(self.node)

    def lease(self, contracts: Sequence[int]) -> None:
        """Lease what contracts need of their budgets, where several engines spend them."""
        if self.node:
            self.take(*self.node.top_up(self.state.book, contracts, self.state.now))

    # ── Decisions ────────────────────────────────────────────────────────────────────────────────────────

    def decision(self, id: str) -> Decision:
        """Return a logged decision.

        Raises:
            Unknown: there is none.
        """
        known = self.kept.get(id)
        if known:
            return known[0]
        position = self.positions.get(id)
        if position is None:
            raise Unknown("id", f"no decision is called {id!r}")
        try:
            fact = decode(self.log.get(position))
        except IndexError:  # its segment was compacted
            archived = Archive(self.folder.archive).decision(id) if self.folder else None
            if archived is None:
                raise Unknown("id", f"decision {id!r} is no longer kept") from None
            return archived
        assert isinstance(fact, Decision)
        return fact

    def recent(self, limit: int) -> Sequence[Decision]:
        """Return the newest decisions, newest first."""
        newest = []
        for _, (decision, _) in zip(range(limit), reversed(self.kept.items()), strict=False):
            newest.append(self.kept[decision][0])
        return newest

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, change: int, typed: Sequence[AnyFact]) -> Commit:
        commit = self.take(*typed, Typed(change))
        if any(isinstance(fact, ViewerErased) for fact in typed):
            self.note_heard()
        return commit

    def _settle(self, dues: Sequence[Due]) -> None:
        """Post what one fact made due, once the log holds that fact: a key must never come with two amounts."""
        if dues:
            self.last.wait()
        for key, postings in entries_of(dues, self.node.name if self.node else ""):
            self.ledger.post(key, Instant(self.state.now), postings)

    def _share(self, node: Node) -> None:
        """Take what others typed, lease what contracts need, give back what is left of those that are over."""
        self.catch_up()
        node.refresh()
        self.lease(range(len(self.state.book)))
        node.close(self.state.book, self.state.now)
