"""The wiring: what is checked, logged, folded, posted, and found again at the next start."""

from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from tests.made import START, catalogue

from fieldline import engine
from fieldline.app import DEFAULT_POLICY, Fieldline
from fieldline.errors import Conflict, DataFolderError, Refused, Unknown
from fieldline.facts import Click, Creator, Impression, Order, Product, Request, Scene, Video, Viewer
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant

MEMORY = "memory:"
QUIET = msgspec.structs.replace(DEFAULT_POLICY, random_share=0.0, in_hand="observed")
TERMS = {
    "merchant": "merchant-1", "budget": 2 * YUAN, "goal": 0.05, "start": START, "end": START + 2 * HOUR,
    "value_per_long_view": 1.0,
}  # fmt: skip


@pytest.fixture
def app() -> Fieldline:
    """An engine in memory whose time follows the facts, with the made catalogue."""
    made = Fieldline(
        open_log(MEMORY), open_snapshots(MEMORY), open_records(MEMORY), open_ledger(MEMORY), policy=QUIET
    )
    load(made)
    return made


def load(app: Fieldline) -> None:
    for _, entries in groupby(catalogue(), type):
        app.upsert(list(entries))


def shop(app: Fieldline, version: int | None = None, **changed: object) -> None:
    app.put_contract("shop", "storewide", "merchant-1", msgspec.json.encode(TERMS | changed), "ann", version)


def serve(app: Fieldline, minutes: int) -> None:
    """One request a minute with every slot shown."""
    for number in range(minutes):
        at = app.now() or START
        decision, _ = app.decide(
            Request(f"r-{at}-{number}", f"viewer-{number % 30}", "video", at=at + MINUTE)
        )
        app.record(
            [
                Impression(f"{decision.id}/{k}", decision.at, decision.id, s.item)
                for k, s in enumerate(decision.slots)
            ]
        )


def test_a_retried_request_gets_the_same_decision(app: Fieldline) -> None:
    """The same request id gives the same decision and logs nothing more, also with other contents."""
    first, _ = app.decide(Request("r", "viewer-1", "video", at=START))
    end = app.log.end
    again, _ = app.decide(Request("r", "viewer-2", "mall", at=START + 5))
    assert again == first
    assert app.log.end == end


def test_a_batch_is_taken_all_or_none(app: Fieldline) -> None:
    """One bad event in three is named by its number, and neither log nor state has any of them."""
    app.decide(Request("r", "viewer-1", "video", at=START))
    good = Order("o1", START, "viewer-1", "product-1", YUAN)
    end, state = app.log.end, engine.encode(app.state)
    with pytest.raises(Unknown) as refused:
        app.record([good, Order("o2", START, "viewer-1", "nothing", YUAN), good])
    assert refused.value.field == "events[1].product"
    assert (app.log.end, engine.encode(app.state)) == (end, state)


def test_repeated_events_are_counted_and_not_logged(app: Fieldline) -> None:
    """Of three events with one id, in one batch and in the next, one is taken."""
    app.decide(Request("r", "viewer-1", "video", at=START))
    event = Order("o1", START, "viewer-1", "product-1", YUAN)
    assert msgspec.to_builtins(app.record([event, event])[0]) == {"accepted": 1, "repeated": 1}
    end = app.log.end
    assert msgspec.to_builtins(app.record([event])[0]) == {"accepted": 0, "repeated": 1}
    assert app.log.end == end


def test_a_bad_line_of_an_upsert_leaves_nothing_behind(app: Fieldline) -> None:
    """The second of two lines is refused by its number and field, and the first is in neither store."""
    end = app.log.end
    with pytest.raises(Unknown) as refused:
        app.upsert([Video("new", "creator-1"), Video("bad", "nobody")])
    assert refused.value.field == "line 2: creator"
    assert app.log.end == end
    with pytest.raises(Unknown):
        app.entry("video", "new")


def test_money_on_the_ledger_is_the_money_of_the_log(app: Fieldline) -> None:
    """After the contract's end its account is empty, the owner paid what was spent, and all balances sum to 0."""
    shop(app)
    serve(app, 60)
    spent = int(app.state.book.spent[0])
    assert spent > 0
    app.decide(Request("late", "viewer-1", "video", at=START + 3 * HOUR))
    balances = app.ledger.balances()
    assert balances == {"contract:shop": 0, "merchant:merchant-1": -spent, "platform:promotion": spent}


def test_an_edit_must_name_the_version_it_edits(app: Fieldline) -> None:
    """A second create, an edit of version 2, and an edit of an unknown contract are refused; version 1 is taken."""
    shop(app)
    with pytest.raises(Conflict):
        shop(app)
    with pytest.raises(Conflict):
        shop(app, version=2)
    with pytest.raises(Unknown):
        app.put_contract("other", "storewide", "merchant-1", b"{}", "ann", 1)
    shop(app, version=1, budget=3 * YUAN)
    assert app.wish("shop")[0].version == 2
    assert app.ledger.balance("contract:shop") == 3 * YUAN
    assert [line["by"] for line in app.records.audit("wish:shop")] == ["ann", "ann"]


def test_a_pause_is_audited_and_kept(app: Fieldline) -> None:
    """A paused contract is told as paused, stays so over an edit, and its audit names who paused it."""
    shop(app)
    app.pause_contract("shop", True, "bob")
    shop(app, version=1, budget=3 * YUAN)
    assert app.wish("shop")[1]
    assert not app.state.book.in_force[0]
    assert [line["by"] for line in app.records.audit("wish:shop")] == ["ann", "bob", "ann"]


def test_a_policy_keeps_its_scenes_and_is_audited(app: Fieldline) -> None:
    """A policy without a known scene, or with a rising curve, is refused; a good one is in force and audited."""
    with pytest.raises(Refused, match="scenes"):
        app.set_policy(msgspec.structs.replace(QUIET, scenes=QUIET.scenes[1:]), "ann")
    rising = (*QUIET.scenes, Scene("new", (0.5, 0.6)))
    with pytest.raises(Refused, match=r"scenes\[6\]\.looks"):
        app.set_policy(msgspec.structs.replace(QUIET, scenes=rising), "ann")
    assert app.policy() == QUIET
    app.set_policy(msgspec.structs.replace(QUIET, ad_load=0.1), "ann")
    assert app.policy().ad_load == 0.1
    assert [line["by"] for line in app.records.audit("policy")] == ["ann"]


def test_what_records_took_and_the_log_did_not_is_repaired_at_the_start(tmp_path: Path) -> None:
    """A process that dies between records and log finds at its next start what was typed, once."""
    first = Fieldline.open(tmp_path / "data", None, policy=QUIET)
    first.upsert([Creator("before")]).wait()
    first.records.put_entries([Creator("between")], first.now())
    first.close()
    second = Fieldline.open(tmp_path / "data", None)
    assert "between" in second.state.content.creators
    end = second.log.end
    second.close()
    third = Fieldline.open(tmp_path / "data", None)
    assert third.log.end == end
    third.close()


def test_a_restart_finds_everything(tmp_path: Path) -> None:
    """After a stop and a start state, decisions and ledger are as they were; a second process is kept out."""
    app = Fieldline.open(tmp_path / "data", None, policy=QUIET)
    load(app)
    shop(app)
    serve(app, 10)
    state, decided, balances = engine.encode(app.state), app.recent(1)[0], app.ledger.balances()
    with pytest.raises(DataFolderError, match="in use"):
        Fieldline.open(tmp_path / "data", None)
    app.close()
    again = Fieldline.open(tmp_path / "data", None)
    assert engine.encode(again.state) == state
    assert again.decision(decided.id) == decided
    assert again.decide(Request(decided.id, "viewer-1", "video"))[0] == decided
    assert again.ledger.balances() == balances
    again.close()


def test_an_erased_viewer_is_gone_from_the_records(app: Fieldline) -> None:
    """After erasure the entry is unknown, and the viewer is decided for as a stranger until erased again."""
    app.decide(Request("r", "viewer-1", "video", at=START))
    app.erase_viewer("viewer-1", "ann")
    with pytest.raises(Unknown):
        app.entry("viewer", "viewer-1")
    assert app.recent(5) == []
    app.decide(Request("r2", "viewer-1", "video", at=START))
    app.erase_viewer("viewer-1", "ann")
    assert app.recent(5) == []


def test_time_follows_the_facts_where_there_is_no_clock(app: Fieldline) -> None:
    """A request six hours on passes 72 ticks of five minutes, one two days on passes one."""
    app.decide(Request("r1", "viewer-1", "video", at=START))
    ticks = app.state.traffic.ticks
    app.decide(Request("r2", "viewer-1", "video", at=START + 6 * HOUR))
    assert app.state.traffic.ticks == ticks + 72


def test_a_refused_request_lets_no_time_pass(app: Fieldline) -> None:
    """Without a clock a request too far ahead, or in no scene, is refused and leaves log and time as they were."""
    app.decide(Request("r1", "viewer-1", "video", at=START))
    end, now = app.log.end, app.now()
    for request in (
        Request("r2", "viewer-1", "video", at=START + DAY + 1),
        Request("r3", "nobody", "nowhere", at=START + HOUR),
        Request("r4", "viewer-1", "video", at=START + HOUR, candidates=("nothing",)),
    ):
        with pytest.raises(Refused):
            app.decide(request)
    assert (app.log.end, app.now()) == (end, now)


def test_time_begins_once(app: Fieldline) -> None:
    """A beginning sets a new engine's time, so that a far `at` is refused at once; a second one changes nothing."""
    app.begin(Instant(START))
    with pytest.raises(Refused, match="at"):
        app.decide(Request("r", "viewer-1", "video", at=START + 2 * DAY))
    end = app.log.end
    app.begin(Instant(START + HOUR))
    assert app.log.end == end


def test_a_product_and_a_viewer_come_back_as_typed(app: Fieldline) -> None:
    """An upserted entry reads back whole, and pages follow ids."""
    product = Product("tea", "merchant-1", 39 * YUAN, 5, title="春茶 · Spring tea")
    app.upsert([product, Viewer("zz")])
    assert app.entry("product", "tea") == product
    assert [entry.id for entry in app.entries("viewer", "viewer-9")] == ["zz"]


def test_clicks_and_days_of_a_decision(app: Fieldline) -> None:
    """A click more than a day ahead of the engine is refused by its number."""
    decision, _ = app.decide(Request("r", "viewer-1", "video", at=START))
    late = Click("c", START + DAY + 1, decision.id, decision.slots[0].item)
    with pytest.raises(Refused, match=r"events\[0\]\.at"):
        app.record([late])
