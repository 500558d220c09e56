"""The only wiring: a data folder's log, snapshots, records and ledger around one engine.

Every method is synchronous and is called from one thread (the server's loop); durability is promised by the
returned `Commit`, which the caller waits for before it acknowledges. Facts are checked, logged, folded: what
was refused left nothing behind, and what was logged is folded again at the next start.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fieldline import engine
from fieldline.contracts.book import Due
from fieldline.errors import Conflict, DataFolderError, Refused, StaleSnapshot, Unknown
from fieldline.facts import (
    AnyFact,
    Appeal,
    Behaviour,
    CatalogueEntry,
    Chosen,
    Decision,
    Policy,
    Request,
    Review,
    Ruling,
    Scene,
    Staged,
    StagedOffer,
    Tick,
    Typed,
    ViewerErased,
    Wish,
    WishEnded,
    WishPaused,
    decode,
    encode,
)
from fieldline.leases import Node, alone, entries_of, join
from fieldline.ports import Clock, Commit, EventLog, Ledger, Records, Snapshots
from fieldline.providers import open_model
from fieldline.scenes import DEFAULT_LOOKS
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.stores.folder import DataFolder
from fieldline.stores.parquet import Archive
from fieldline.traffic.checks import check_batch
from fieldline.traffic.decide import check as check_request
from fieldline.traffic.intents import words as chosen_words
from fieldline.traffic.prediction.outside import NONE, Models
from fieldline.traffic.trusted import reviewed
from fieldline.trust.sentiment import Sentiment, open_sentiment
from fieldline.units import DAY, Instant

RECENT = 20_000
"""Decisions kept in memory beside the log."""
SHELVES = ("mall", "search")
DEFAULT_POLICY = Policy(
    scenes=tuple(
        Scene(name, looks, name in SHELVES, "private" if name == "follow" else "public")
        for name, looks in DEFAULT_LOOKS.items()
    )
)

log_of = logging.getLogger(__name__)


class WallClock:
    """The machine's own time."""

    def now(self) -> Instant:
        """Return the time in milliseconds UTC."""
        return Instant(time.time_ns() // 1_000_000)


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


def _warn(name: str, error: Exception) -> None:
    """Tell of a model that raised; its request is answered by the embedded predictor."""
    log_of.warning("model %s: %s", name, error)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of events."""

    accepted: int
    repeated: int


class _Saved(msgspec.Struct, frozen=True):
    """A snapshot: the state, and where in the log its decisions stand."""

    state: bytes
    positions: dict[str, int]


class Fieldline:
    """One running engine on one data folder."""

    def __init__(
        self,
        log: EventLog,
        snapshots: Snapshots,
        records: Records,
        ledger: Ledger,
        clock: Clock | None = None,
        policy: Policy = DEFAULT_POLICY,
        folder: DataFolder | None = None,
        node: Node | None = None,
        models: Models = NONE,
        sentiment: Sentiment | None = None,
    ) -> None:
        """Recover from what the stores hold.

        Args:
            log: where facts go.
            snapshots: what shortens recovery.
            records: what people typed.
            ledger: where money goes.
            clock: whose time it is; None lets time follow the facts (laboratory, demo).
            policy: of an engine that has no log yet.
            folder: the data folder to let go of at the end.
            node: which one it is of several engines that share records and ledger; None: it is alone.
            models: outside, that new decisions are made with; what was decided is never asked again.
            sentiment: reads new reviews; what it read is logged with them and never read again.
        """
        self.models, self.sentiment = models, sentiment
        self.log, self.snapshots, self.records, self.ledger = log, snapshots, records, ledger
        self._clock, self._folder, self._node = clock, folder, node
        self._recent: OrderedDict[str, tuple[Decision, Commit]] = OrderedDict()
        self._positions: dict[str, int] = {}
        self._last: Commit = Written()
        self.state = self._recover(policy)
        if clock:
            self.begin(clock.now())

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock | None,
        create: bool = True,
        policy: Policy = DEFAULT_POLICY,
        node: str = "",
        engines: int = 2,
        money: str = "",
        predictor: str = "",
        shadow: str = "",
        sentiment: str = "",
    ) -> "Fieldline":
        """Open a data folder.

        Args:
            path: the folder.
            clock: see the constructor.
            create: make the folder where there is none.
            policy: of an engine that has no log yet.
            node: name of this one of several engines that share records and ledger; empty: it is alone.
            engines: how many there are.
            money: URL of the database of records and ledger; empty: the folder's own.
            predictor: folder of the model that gives the chances; empty: the embedded one does.
            shadow: folder of the model beside it; `embedded`: the embedded one.
            sentiment: file of the model that reads reviews; empty: none does.

        Raises:
            DataFolderError: the folder is missing, locked, newer than this program, or another engine's.
            Refused: a node that cannot be, or whose name is taken; a model that is not what it says.
            Missing: the extra that a model needs.
        """
        models = Models(open_model(predictor), open_model(shadow), failed=_warn)
        reader = open_sentiment(sentiment)
        folder = DataFolder.open(path, create)
        try:
            snapshots = open_snapshots(folder.snapshots_url)
            newest = snapshots.newest()
            log = open_log(folder.log_url, newest[0] if newest else 0)
            records = open_records(money or folder.records_url)
            ledger = open_ledger(money or folder.records_url)
            named = Node(node, engines, records, ledger) if node else None
            if named:
                join(named, folder.path, ledger, (clock or WallClock()).now(), fresh=log.end == 0)
            else:
                alone(folder.path, ledger)
            return cls(log, snapshots, records, ledger, clock, policy, folder, named, models, reader)
        except BaseException:
            folder.close()
            raise

    # ── Deciding and recording ───────────────────────────────────────────────────────────────────────────

    def now(self) -> Instant:
        """Return the engine's time: the clock's, or that of the newest fact."""
        return self._clock.now() if self._clock else Instant(self.state.now)

    def decide(self, request: Request, paid: bool = True) -> tuple[Decision, Commit]:
        """Decide a slate and reserve its charges, or return the earlier decision of the same request.

        Args:
            request: without an instant it is decided now.
            paid: False drops paid delivery.

        Raises:
            Unknown: a viewer, scene or candidate that nothing has.
            Refused: an instant more than a day ahead, or more slots than the scene has.
        """
        known = self._recent.get(request.id)
        if known:
            return known
        if request.id in self._positions:
            return self.decision(request.id), Written()
        if request.at is None:
            request = msgspec.structs.replace(request, at=self.now())
        if self._clock is None:
            check_request(self.state, request)  # before time passes for it
            self._pass_time(request.at or 0)
        decision = engine.decide(self.state, request, paid, self.models)
        commit = self._take(decision)
        if self._node:
            paying = {self.state.book.names.find(slot.contract) for slot in decision.slots if slot.contract}
            self._lease(sorted(paying))
        return decision, commit

    def record(self, events: Sequence[Behaviour]) -> tuple[Recorded, Commit]:
        """Take a batch of events, all or none; an event whose id was taken before changes nothing.

        Raises:
            Refused: naming the field, as `events[3].item`.
        """
        seen = self.state.outcomes.seen
        fresh: dict[str, int] = {}
        for number, event in enumerate(events):
            if event.id not in seen and event.id not in fresh:
                fresh[event.id] = number
        check_batch(self.state, [(number, events[number]) for number in fresh.values()])
        commit = self._take(*self._read(events[number] for number in fresh.values()))
        return Recorded(len(fresh), len(events) - len(fresh)), commit

    def begin(self, at: Instant) -> None:
        """Let time begin at an instant where no fact has told one yet; from then on `at`s are checked against it."""
        if self.state.now == 0:
            self._pass_time(at)

    def tick(self) -> None:
        """Let time pass up to now: prices are updated, reservations released, spend settled."""
        self._pass_time(self.now())
        heard = self.state.typed
        self._catch_up()
        if self.state.typed != heard:
            self._lease(range(len(self.state.book)))

    # ── What people type ─────────────────────────────────────────────────────────────────────────────────

    def upsert(self, entries: Sequence[CatalogueEntry]) -> Commit:
        """Insert or replace catalogue entries, all or none.

        Raises:
            Refused: naming the field, as `line 3: price`.
        """
        for number, entry in enumerate(entries, 1):
            try:
                engine.check(self.state, entry)
            except Refused as refused:
                raise type(refused)(f"line {number}: {refused.field}", refused.reason) from None
        change = self.records.put_entries(entries, self.now())
        return self._typed(change, *entries)

    def entry(self, kind: str, id: str) -> CatalogueEntry:
        """Return one catalogue entry.

        Raises:
            Unknown: there is none.
        """
        entry = self.records.entry(kind, id)
        if entry is None:
            raise Unknown("id", f"no {kind.replace('_', ' ')} is called {id!r}")
        return entry

    def entries(self, kind: str, after: str = "", limit: int = 100) -> Sequence[CatalogueEntry]:
        """Return catalogue entries of a kind in the order of their ids, from past one of them."""
        return self.records.entries(kind, after, limit)

    def put_contract(
        self, id: str, offer: str, owner: str, terms: bytes, by: str, version: int | None = None
    ) -> Wish:
        """Create (version None) or edit (the version being edited) a contract through its offer.

        Raises:
            Refused: naming the field of the terms.
            Unknown: an offer, merchant, creator or item that nothing has; a contract to edit.
            Conflict: an id that is taken, an older version, a budget below what is spent.
        """
        self._catch_up()
        known = self.records.wish(id)
        if version is None and known:
            raise Conflict("id", f"a contract called {id!r} is there; edit it with its version")
        if version is not None:
            if not known:
                raise Unknown("id", f"no contract is called {id!r}")
            if known[0].version != version:
                raise Conflict("version", f"is {version}, but the contract is at {known[0].version}")
        wish = Wish(id, self.now(), (version or 0) + 1, offer, owner, terms.decode())
        engine.check(self.state, wish)
        old = known[0] if known else None
        change = self._node.record(old, wish, by) if self._node else self.records.put_wish(wish, by)
        self._typed(change, wish).wait()
        self._lease(self.state.book.wishes[id])
        return wish

    def pause_contract(self, id: str, paused: bool, by: str) -> None:
        """Pause or resume a contract.

        Raises:
            Unknown: there is none.
            Conflict: it was ended.
        """
        self.wish(id)
        if id in self.state.book.ended:
            raise Conflict("id", f"{id!r} was ended and stays so")
        change = self.records.pause_wish(id, paused, self.now(), by)
        self._typed(change, WishPaused(id, self.now(), paused)).wait()

    def end_contract(self, id: str, by: str) -> None:
        """End a contract for good before its time; a second end changes nothing.

        Raises:
            Unknown: there is none.
        """
        self.wish(id)
        if id not in self.state.book.ended:
            change = self.records.end_wish(id, self.now(), by)
            self._typed(change, WishEnded(id, self.now())).wait()

    def wish(self, id: str) -> tuple[Wish, bool]:
        """Return a contract as it was asked for, and whether it is paused.

        Raises:
            Unknown: there is none.
        """
        known = self.records.wish(id)
        if known is None:
            raise Unknown("id", f"no contract is called {id!r}")
        return known

    def wishes(self, after: str = "", limit: int = 100) -> Sequence[tuple[Wish, bool]]:
        """Return contracts in the order of their ids, from past one of them."""
        return self.records.wishes(after, limit)

    def policy(self) -> Policy:
        """Return every dial as it stands."""
        return self.state.policy

    def set_policy(self, policy: Policy, by: str) -> Commit:
        """Set every dial; scenes can be added and re-declared, not taken away.

        Raises:
            Refused: a scene is missing, or its curve is empty or increases.
        """
        names = {scene.name for scene in policy.scenes}
        for name in self.state.scenes.names:
            if name not in names:
                raise Refused("scenes", f"must keep {name!r}")
        for number, scene in enumerate(policy.scenes):
            falls = all(a >= b for a, b in zip(scene.looks, scene.looks[1:], strict=False))
            if not scene.looks or not falls or scene.looks[0] <= 0.0:
                raise Refused(f"scenes[{number}].looks", "must begin above 0 and not increase")
        stamped = msgspec.structs.replace(policy, at=self.now())
        before, after = (msgspec.json.encode(dials).decode() for dials in (self.state.policy, stamped))
        self.records.note("policy", by, self.now(), before, after)
        return self._take(stamped)

    def choose(self, choice: Chosen, by: str) -> Commit:
        """Take what a viewer chose for themselves: their intents, or whether they are treated personally.

        Raises:
            Unknown: a viewer or a category that nothing has.
            Conflict: a correction of one who opted out.
        """
        engine.check(self.state, choice)
        before, after = (
            msgspec.json.encode(words).decode() for words in chosen_words(self.state, choice, self.now())
        )
        self.records.note(f"viewer:{choice.viewer}", by, self.now(), before, after)
        return self._take(choice)

    def stage(
        self, room: str, offers: tuple[StagedOffer, ...], by: str, version: int | None = None
    ) -> Commit:
        """Plan what a live room is about to sell, in place of its plan before.

        Args:
            room: its id.
            offers: all of them.
            by: who asks.
            version: of the plan that is replaced; None: whatever it is.

        Raises:
            Unknown: a room or product that nothing has.
            Conflict: the plan is at another version.
            Refused: a closed room, an offer that cannot be.
        """
        known = self.state.staging.plans.get(room)
        replaced = (known.version if known else 0) if version is None else version
        plan = Staged(room, self.now(), replaced + 1, offers)
        engine.check(self.state, plan)
        before, after = (msgspec.json.encode(of.offers if of else ()).decode() for of in (known, plan))
        self.records.note(f"room:{room}", by, self.now(), before, after)
        return self._take(plan)

    def appeal(self, fact: Appeal, by: str) -> Commit:
        """Take what a merchant or creator contests.

        Raises:
            Unknown: it is about what nothing has.
            Refused: it concerns another, or an item that was not refused.
            Conflict: an appeal about it is open or was upheld.
        """
        engine.check(self.state, fact)
        self.records.note(f"appeal:{fact.id}", by, self.now(), None, msgspec.json.encode(fact).decode())
        return self._take(fact)

    def rule(self, fact: Ruling, by: str) -> Commit:
        """Take what a person decided on an appeal; an item that is approved again by it is so in the records too.

        Raises:
            Unknown: there is no such appeal.
            Refused: it is the person's own.
        """
        engine.check(self.state, fact)
        case = self.state.trust.appeals.cases[fact.appeal]
        if by == case.by:
            raise Refused("appeal", "is ruled on by another than who made it")
        before, after = (msgspec.json.encode(said).decode() for said in (case.status, fact))
        self.records.note(f"appeal:{fact.appeal}", by, self.now(), before, after)
        item = reviewed(self.state, fact)
        commit = self._take(fact)
        return self._typed(self.records.put_entries([item], self.now(), by), item) if item else commit

    def erase_viewer(self, id: str, by: str) -> Commit:
        """Forget a viewer: from state and records now, from the log at compaction.

        One whom nobody entered may have asked for slates, which the log holds: it forgets those all the same.
        """
        for decision in [d for d, _ in self._recent.values() if d.viewer == id]:
            del self._recent[decision.id]
        if id not in self.state.people.names:
            return self._take(ViewerErased(id, self.now()))
        change = self.records.erase_viewer(id, self.now())
        self.records.note("viewers", by, self.now(), None, '"one erased"')
        commit = self._typed(change, ViewerErased(id, self.now()))
        commit.wait()
        if self._node is None:  # other engines may not have heard of it yet
            self.records.forget_erasures(change)
        return commit

    # ── Looking back ─────────────────────────────────────────────────────────────────────────────────────

    def decision(self, id: str) -> Decision:
        """Return a logged decision.

        Raises:
            Unknown: there is none.
        """
        known = self._recent.get(id)
        if known:
            return known[0]
        position = self._positions.get(id)
        if position is None:
            raise Unknown("id", f"no decision is called {id!r}")
        try:
            fact = decode(self.log.get(position))
        except IndexError:  # its segment was compacted
            archived = Archive(self._folder.archive).decision(id) if self._folder else None
            if archived is None:
                raise Unknown("id", f"decision {id!r} is no longer kept") from None
            return archived
        assert isinstance(fact, Decision)
        return fact

    def recent(self, limit: int) -> Sequence[Decision]:
        """Return the newest decisions, newest first."""
        newest = []
        for _, (decision, _) in zip(range(limit), reversed(self._recent.items()), strict=False):
            newest.append(self._recent[decision][0])
        return newest

    def snapshot(self) -> None:
        """Save the state beside its place in the log."""
        self._last.wait()
        self._positions = {
            id: place for id, place in self._positions.items() if id in self.state.outcomes.decided
        }
        saved = _Saved(engine.encode(self.state), self._positions)
        self.snapshots.save(self.log.end, msgspec.msgpack.encode(saved))

    def close(self) -> None:
        """Drain, snapshot, and let go of the folder."""
        self.snapshot()
        self.log.close()
        self.records.close()
        self.ledger.close()
        if self._folder:
            self._folder.close()

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, events: Iterable[Behaviour]) -> Iterator[Behaviour]:
        """Say of reviews how their words sound, where nobody did and a model can."""
        for event in events:
            if self.sentiment is not None and isinstance(event, Review) and event.tone is None:
                yield msgspec.structs.replace(event, tone=self.sentiment.tone(event.text))
            else:
                yield event

    def _take(self, *facts: AnyFact) -> Commit:
        if not facts:
            return Written()
        position = self.log.end
        commit = self._last = self.log.append([encode(fact) for fact in facts])
        for offset, fact in enumerate(facts):
            self._fold(position + offset, fact)
            if isinstance(fact, Decision):
                self._recent[fact.id] = (fact, commit)
                if len(self._recent) > RECENT:
                    self._recent.popitem(last=False)
        return commit

    def _fold(self, position: int, fact: AnyFact) -> None:
        engine.reduce(self.state, fact)
        if isinstance(fact, Decision):
            self._positions[fact.id] = position
        self._settle(self.state.book.due)

    def _settle(self, dues: Sequence[Due]) -> None:
        """Post what one fact made due, once the log holds that fact: a key must never come with two amounts."""
        if dues:
            self._last.wait()
        for key, postings in entries_of(dues, self._node.name if self._node else ""):
            self.ledger.post(key, Instant(self.state.now), postings)

    def _typed(self, change: int, *facts: AnyFact) -> Commit:
        """Log what was typed; one of several engines takes what the others typed with it."""
        return self._catch_up() if self._node else self._take(*facts, Typed(change))

    def _catch_up(self) -> Commit:
        changes = list(self.records.changes(self.state.typed)) if self._node else []
        if self._node and changes:
            return self._take(*self._node.shared(changes), Typed(changes[-1][0]))
        return self._last

    def _share(self, node: Node) -> None:
        """Take what others typed, lease what contracts need, give back what is left of those that are over."""
        self._catch_up()
        node.refresh()
        self._lease(range(len(self.state.book)))
        node.close(self.state.book, self.state.now)

    def _lease(self, contracts: Sequence[int]) -> None:
        if self._node:
            self._take(*self._node.top_up(self.state.book, contracts, self.state.now))

    def _pass_time(self, to: int) -> None:
        step = self.state.policy.tick_ms
        last = self.state.ticked or to - to % step - step
        if to - last > DAY:
            last = to - to % step - step
        ticks = [Tick(at) for at in range(last + step, to + 1, step)]
        if ticks:
            self._take(*ticks)
            if self._node:
                self._share(self._node)

    def _recover(self, policy: Policy) -> engine.State:
        start = self._from_snapshot()
        if self.log.end == 0:
            self.state = engine.init(policy)
            self.log.append([encode(policy)]).wait()
            return self._repaired()
        if start == 0:
            self.state = engine.State(policy=policy)
        for position, payload in self.log.read(start):
            self._fold(position, decode(payload))
        return self._repaired()

    def _from_snapshot(self) -> int:
        """Take the newest snapshot's state and return its place in the log; 0 where there is none to take."""
        newest = self.snapshots.newest()
        if newest is None:
            return 0
        start, data = newest
        saved = msgspec.msgpack.decode(data, type=_Saved)
        try:
            self.state = engine.decode(saved.state)
        except StaleSnapshot:
            first = next(self.log.read(0), (start, b""))[0]
            if first > 0:
                raise DataFolderError(
                    f"the snapshot is of another version and the log before record {first} was compacted; "
                    "use the version that wrote it"
                ) from None
            return 0
        self._positions = saved.positions
        return start

    def _repaired(self) -> engine.State:
        """Bring to the log what the records took and the log did not, the process having died in between."""
        if self._node:
            self._catch_up()
            self._take(*self._node.unlogged(self.state.book, self.state.now))
            return self.state
        for change, typed in self.records.changes(self.state.typed):
            self._take(typed, Typed(change))
        return self.state
