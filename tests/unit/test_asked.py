"""What people ask for at one of several engines, and at one alone, whose process dies between records and log."""

from itertools import groupby

import pytest
from tests.made import POLICY, START, catalogue
from tests.shared import entries, known, offers, product

from fieldline import engine
from fieldline.app import Fieldline
from fieldline.errors import Conflict, Unknown
from fieldline.facts import (
    Appeal,
    IntentCorrected,
    LiveRoom,
    Personalised,
    Policy,
    Request,
    Ruling,
    Typed,
    Video,
    ViewerErased,
    decode,
)
from fieldline.leases import Node, in_order
from fieldline.stores import open_log, open_snapshots
from fieldline.stores.memory import MemoryLedger, MemoryLog, MemoryRecords
from fieldline.traffic.intents import standing
from fieldline.units import HOUR, MINUTE, Instant

MEMORY = "memory:"


class Platform:
    """Records and ledger of one engine or several, in memory."""

    def __init__(self) -> None:
        self.records, self.ledger = MemoryRecords(), MemoryLedger()

    def engine(self, name: str = "", log: MemoryLog | None = None, policy: Policy = POLICY) -> Fieldline:
        """An engine with its log; without a name it is alone."""
        return Fieldline(
            log or open_log(MEMORY), open_snapshots(MEMORY), self.records, self.ledger, policy=policy,
            node=Node(name, 2, self.records, self.ledger) if name else None,
        )  # fmt: skip

    def market(self, *names: str) -> list[Fieldline]:
        """Engines that know the made market with live rooms, and what the time is."""
        apps = [self.engine(name) for name in names]
        for _, of_kind in groupby(catalogue(), type):
            apps[0].upsert(list(of_kind))
        apps[0].upsert([LiveRoom(f"room-{n}", f"creator-{n}") for n in range(2)])
        for app in apps:
            app.begin(Instant(START))
            app.tick()
        return apps


@pytest.fixture
def platform() -> Platform:
    """Nothing in it."""
    return Platform()


def test_who_opts_out_at_one_engine_is_nobody_at_the_other_with_its_next_beat(platform: Platform) -> None:
    """What the other engine had inferred is forgotten there with no time passing, and correcting it is refused."""
    a, b = platform.market("a", "b")
    at = START + HOUR
    b.choose(IntentCorrected("viewer-1", START, "kind-1", "ready"), "viewer-1")
    a.choose(Personalised("viewer-1", START, False), "viewer-1")
    assert standing(b.state, "viewer-1", at).personalised
    ticked = b.state.ticked
    b.tick()
    assert b.state.ticked == ticked
    assert standing(b.state, "viewer-1", at) == (False, (), ())
    with pytest.raises(Conflict, match="opted out"):
        b.choose(IntentCorrected("viewer-1", START, "kind-1", "ready"), "viewer-1")


def test_an_opt_out_is_heeded_where_nobody_heard_of_it_yet(platform: Platform) -> None:
    """A correction at an engine that has not heard of the opt-out is refused, and nothing is recorded."""
    a, b = platform.market("a", "b")
    a.choose(Personalised("viewer-1", START, False), "viewer-1")
    lines = platform.records.audit("viewer:viewer-1")
    with pytest.raises(Conflict, match="opted out"):
        b.choose(IntentCorrected("viewer-1", START, "kind-1", "ready"), "viewer-1")
    assert platform.records.audit("viewer:viewer-1") == lines
    assert not standing(b.state, "viewer-1", START).personalised


def test_opting_out_a_second_time_changes_nothing(platform: Platform) -> None:
    """The same choice again, at whichever engine, logs and records nothing."""
    a, b = platform.market("a", "b")
    a.choose(Personalised("viewer-1", START, False), "viewer-1")
    b.tick()
    ends, changes = (a.log.end, b.log.end), list(platform.records.changes())
    for app in (a, b):
        app.choose(Personalised("viewer-1", START + 5, False), "viewer-1")
    assert ((a.log.end, b.log.end), list(platform.records.changes())) == (ends, changes)
    assert len(platform.records.audit("viewer:viewer-1")) == 1


def test_a_plan_at_one_engine_raises_its_room_at_the_other(platform: Platform) -> None:
    """The other engine tells the same plan, and its decisions look ahead to what is due in the room."""
    a, b = platform.market("a", "b")
    a.stage("room-0", offers(3), "ann")
    b.tick()
    assert b.state.staging.plans == a.state.staging.plans
    ahead = [
        b.decide(Request(f"r{n}", f"viewer-{n}", "live", at=START + n))[0].ahead for n in range(5)
    ]  # fmt: skip
    assert {told.item for of in ahead for told in of} == {"room-0"}


def test_an_erased_viewer_is_forgotten_at_every_engine(platform: Platform) -> None:
    """The other engine forgets the viewer and the decisions that it kept in memory for them, and its log says so."""
    a, b = platform.market("a", "b")
    for viewer in ("viewer-1", "viewer-2"):
        b.decide(Request(f"of-{viewer}", viewer, "video", at=START))
    a.erase_viewer("viewer-1", "ann")
    assert [decision.viewer for decision in b.recent(5)] == ["viewer-2", "viewer-1"]
    b.tick()
    assert [decision.viewer for decision in b.recent(5)] == ["viewer-2"]
    assert "viewer-1" not in b.state.people.names
    assert any(
        isinstance(fact := decode(payload), ViewerErased) and fact.id == "viewer-1"
        for _, payload in b.log.read()
    )
    with pytest.raises(Unknown):
        b.choose(Personalised("viewer-1", START, False), "viewer-1")


def test_a_stranger_is_erased_at_every_engine(platform: Platform) -> None:
    """One whom nobody entered asked at one engine and is erased at the other: the first keeps no decision of theirs."""
    a, b = platform.market("a", "b")
    b.decide(Request("r", "passer-by", "video", at=START))
    a.erase_viewer("passer-by", "ann")
    b.tick()
    assert b.recent(5) == []
    assert [line["after"] for line in platform.records.audit("viewers")] == ["one erased"]


def test_an_erased_id_is_nowhere_once_all_have_heard(platform: Platform) -> None:
    """The records tell of an erasure until the second of two engines has it in its log, and not after."""
    a, b = platform.market("a", "b")
    a.erase_viewer("viewer-1", "ann")
    told = [fact for _, fact in platform.records.changes() if isinstance(fact, ViewerErased)]
    assert [fact.id for fact in told] == ["viewer-1"]
    b.tick()
    assert not [fact for _, fact in platform.records.changes() if isinstance(fact, ViewerErased)]


def test_an_erasure_that_the_log_did_not_take_is_found_and_forgotten(platform: Platform) -> None:
    """An engine alone that died between records and log forgets the viewer at its start, and the records the id."""
    (app,) = platform.market("")
    platform.records.erase_viewer("viewer-1", Instant(START), "ann")
    assert isinstance(app.log, MemoryLog)
    again = platform.engine("", app.log)
    assert "viewer-1" not in again.state.people.names
    assert not [fact for _, fact in platform.records.changes() if isinstance(fact, ViewerErased)]


def test_a_ruling_at_one_engine_shows_the_item_at_the_other(platform: Platform) -> None:
    """An appeal taken at one engine is ruled on at the other, and the item is approved in both and in the records."""
    a, b = platform.market("a", "b")
    refused = Video("refused", "creator-1", approved=False)
    a.upsert([refused])
    a.appeal(Appeal("a1", START, "creator-1", "item", "refused", "it is fine"), "creator-1")
    with pytest.raises(Conflict):
        b.appeal(Appeal("a2", START, "creator-1", "item", "refused", "again"), "creator-1")
    b.rule(Ruling("a1@1", START, "a1", True), "lin")
    a.tick()
    for app in (a, b):
        assert app.state.trust.appeals.cases["a1"].status == "upheld"
        assert app.state.shelf.facts[app.state.shelf.names.find("refused")].approved
    assert a.entry("video", "refused") == Video("refused", "creator-1")
    assert [line["by"] for line in platform.records.audit("appeal:a1")] == ["creator-1", "lin"]


@pytest.mark.parametrize("name", ["", "a"])
def test_what_the_records_took_and_the_log_did_not_is_taken_at_the_start(
    platform: Platform, name: str
) -> None:
    """A plan, a choice, an appeal and a ruling with its item are found again, once, alone or one of several."""
    app = platform.engine(name)
    app.begin(Instant(START))
    for of_kind in entries():
        app.upsert(of_kind)
    app.upsert([product(0, approved=False)])
    heard = app.state.typed
    log = app.log
    assert isinstance(log, MemoryLog)
    end = log.end
    app.stage("room-0", offers(3), "ann")
    app.choose(Personalised("viewer-0", START, False), "ann")
    app.appeal(Appeal("a1", START, "shop", "item", "product-0", "no"), "shop")
    app.rule(Ruling("a1@1", START, "a1", True), "lin")
    told = known(app)
    assert told.plans and not told.people["viewer-0"][0] and told.approved[0]
    for kept in (end, end + 1, log.end - 1):  # as if the process had died so far back
        shorter = MemoryLog()
        shorter.append([payload for _, payload in log.read()][:kept])
        again = platform.engine(name, shorter)
        assert known(again) == told
        assert again.state.typed > heard
        length = shorter.end
        assert platform.engine(name, shorter).log.end == length


def test_facts_that_a_torn_batch_repeats_change_nothing(platform: Platform) -> None:
    """What an engine took from the others, folded twice in a row, leaves its state as folding it once, bit for bit."""
    a, b = platform.market("a", "b")
    a.upsert([Video("refused", "creator-1", approved=False)])
    a.stage("room-0", offers(3), "ann")
    a.choose(IntentCorrected("viewer-2", START, "kind-1", "ready"), "ann")
    a.choose(Personalised("viewer-1", START, False), "ann")
    a.appeal(Appeal("a1", START, "creator-1", "item", "refused", "it is fine"), "creator-1")
    a.rule(Ruling("a1@1", START, "a1", True), "lin")
    facts = in_order(platform.records.changes(b.state.typed))
    b.tick()
    once = engine.encode(b.state)
    for fact in facts:
        engine.reduce(b.state, fact)
    assert engine.encode(b.state) == once


def test_what_was_heard_is_logged_with_how_far(platform: Platform) -> None:
    """An engine that hears of three plans of one room logs the last alone, and the number of the newest change once."""
    a, b = platform.market("a", "b")
    end = b.log.end
    for number in (1, 2, 3):
        a.stage("room-0", offers(number), "ann")
    b.tick()
    facts = [decode(payload) for _, payload in b.log.read(end)]
    assert facts == [a.state.staging.plans["room-0"], Typed(b.state.typed)]
    assert b.state.now < START + MINUTE
