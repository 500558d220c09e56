"""One running engine: opened on a data folder, it decides, records, lets time pass, and closes."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fieldline import engine
from fieldline.app import asked, recovery, typed
from fieldline.app.journal import Journal, Written
from fieldline.facts import Behaviour, Decision, Policy, Request, Review, Scene
from fieldline.leases import Node, alone, join
from fieldline.ports import Clock, Commit, EventLog, Ledger, Records, Snapshots
from fieldline.providers import open_model
from fieldline.scenes import DEFAULT_LOOKS
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.stores.folder import DataFolder
from fieldline.traffic.checks import check_batch
from fieldline.traffic.decide import check as check_request
from fieldline.traffic.prediction.outside import NONE, Models
from fieldline.trust.sentiment import Sentiment, open_sentiment
from fieldline.units import Instant

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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of events."""

    accepted: int
    repeated: int


class Fieldline(Journal):
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
        self.models, self.sentiment, self.snapshots = models, sentiment, snapshots
        state, positions, start = recovery.begin(log, snapshots, policy)
        super().__init__(state, positions, log, records, ledger, clock, folder, node)
        recovery.finish(self, start)
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

    def decide(self, request: Request, paid: bool = True) -> tuple[Decision, Commit]:
        """Decide a slate and reserve its charges, or return the earlier decision of the same request.

        Args:
            request: without an instant it is decided now.
            paid: False drops paid delivery.

        Raises:
            Unknown: a viewer, scene or candidate that nothing has.
            Refused: an instant more than a day ahead, or more slots than the scene has.
        """
        known = self.kept.get(request.id)
        if known:
            return known
        if request.id in self.positions:
            return self.decision(request.id), Written()
        if request.at is None:
            request = msgspec.structs.replace(request, at=self.now())
        if self.clock is None:
            check_request(self.state, request)  # before time passes for it
            self.pass_time(request.at or 0)
        decision = engine.decide(self.state, request, paid, self.models)
        commit = self.take(decision)
        if self.node:
            paying = {self.state.book.names.find(slot.contract) for slot in decision.slots if slot.contract}
            self.lease(sorted(paying))
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
        commit = self.take(*self._read(events[number] for number in fresh.values()))
        return Recorded(len(fresh), len(events) - len(fresh)), commit

    def _read(self, events: Iterable[Behaviour]) -> Iterator[Behaviour]:
        """Say of reviews how their words sound, where nobody did and a model can."""
        for event in events:
            if self.sentiment is not None and isinstance(event, Review) and event.tone is None:
                yield msgspec.structs.replace(event, tone=self.sentiment.tone(event.text))
            else:
                yield event

    # ── What people type ─────────────────────────────────────────────────────────────────────────────────

    upsert, entry, entries = typed.upsert, typed.entry, typed.entries
    put_contract, wish, wishes = typed.put_contract, typed.wish, typed.wishes
    pause_contract, end_contract = typed.pause_contract, typed.end_contract
    policy, set_policy = typed.policy, typed.set_policy
    choose, stage = asked.choose, asked.stage
    appeal, rule = asked.appeal, asked.rule
    erase_viewer = asked.erase_viewer

    # ── Time, and the end ────────────────────────────────────────────────────────────────────────────────

    def begin(self, at: Instant) -> None:
        """Let time begin at an instant where no fact has told one yet; from then on `at`s are checked against it."""
        if self.state.now == 0:
            self.pass_time(at)

    def tick(self) -> None:
        """Let time pass up to now: prices are updated, reservations released, spend settled."""
        self.pass_time(self.now())
        if self.node:
            heard = self.state.typed
            self.catch_up()
            if self.state.typed != heard:
                self.lease(range(len(self.state.book)))

    def snapshot(self) -> None:
        """Save the state beside its place in the log."""
        recovery.save(self, self.snapshots)

    def close(self) -> None:
        """Drain, snapshot, and let go of the folder."""
        self.snapshot()
        self.log.close()
        self.records.close()
        self.ledger.close()
        if self.folder:
            self.folder.close()


def _warn(name: str, error: Exception) -> None:
    """Tell of a model that raised; its request is answered by the embedded predictor."""
    log_of.warning("model %s: %s", name, error)
