"""Several engines on one ledger: each spends what it leased, and together they never spend more than the budget."""

from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.made import START, catalogue

from fieldline.app import DEFAULT_POLICY, Fieldline
from fieldline.contracts import book
from fieldline.errors import Conflict, DataFolderError, Refused
from fieldline.facts import Impression, Leased, Product, Request, Tick, Video, decode
from fieldline.leases import Node, in_order
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.stores.memory import MemoryLedger, MemoryRecords
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant, Micros

MEMORY = "memory:"
QUIET = msgspec.structs.replace(DEFAULT_POLICY, in_hand="observed", random_share=0.0)
BUDGET = 2 * YUAN
SLICES = BUDGET // 50
ACCOUNT = "contract:shop"
TERMS = {
    "merchant": "merchant-1", "budget": BUDGET, "goal": 0.05, "start": START, "end": START + 6 * HOUR,
    "value_per_long_view": 1.0, "predicted": True, "holdout": 0.0,
}  # fmt: skip


class Platform:
    """Records and ledger that several engines share, in memory."""

    def __init__(self) -> None:
        self.records, self.ledger = MemoryRecords(), MemoryLedger()

    def engine(self, name: str) -> Fieldline:
        """An engine with a log of its own."""
        node = Node(name, 2, self.records, self.ledger)
        return Fieldline(
            open_log(MEMORY), open_snapshots(MEMORY), self.records, self.ledger, policy=QUIET, node=node
        )

    def balances(self) -> dict[str, Micros]:
        """Accounts that hold something."""
        return {name: amount for name, amount in self.ledger.balances().items() if amount}


@pytest.fixture
def platform() -> Platform:
    """Nothing in it."""
    return Platform()


@pytest.fixture
def pair(platform: Platform) -> tuple[Fieldline, Fieldline]:
    """Two engines; the catalogue and one contract were typed at the first, and both have heard of them."""
    a, b = platform.engine("a"), platform.engine("b")
    for _, entries in groupby(catalogue(), type):
        a.upsert(list(entries))
    a.begin(Instant(START))
    shop(a)
    b.begin(Instant(START))
    return a, b


def shop(app: Fieldline, version: int | None = None, **changed: object) -> None:
    """Make or edit the contract."""
    app.put_contract("shop", "storewide", "merchant-1", msgspec.json.encode(TERMS | changed), "ann", version)


def serve(app: Fieldline, name: str, requests: int, minute: int = 0, every: int = MINUTE) -> int:
    """Decide and render requests; return what the contract has spent here."""
    for number in range(requests):
        at = START + minute * MINUTE + number * every
        decision, _ = app.decide(Request(f"{name}-{at}", f"viewer-{number % 30}", "video", at=at))
        app.record(
            [Impression(f"{decision.id}/{k}", at, decision.id, s.item) for k, s in enumerate(decision.slots)]
        )
    return int(app.state.book.spent[0])


def leases_of(app: Fieldline) -> list[Leased]:
    """Leases in an engine's log."""
    return [fact for _, data in app.log.read() if isinstance(fact := decode(data), Leased) and fact.amount]


def test_what_one_engine_was_told_reaches_the_other_at_its_next_tick(
    pair: tuple[Fieldline, Fieldline],
) -> None:
    """A pause typed at one engine stops the contract at the other with its next tick, not before."""
    a, b = pair
    b.decide(Request("b", "viewer-1", "video", at=START + MINUTE))
    assert b.state.book.in_force[0]
    a.pause_contract("shop", True, "ann")
    assert b.state.book.in_force[0]
    b.decide(Request("b2", "viewer-1", "video", at=START + 10 * MINUTE))
    assert not b.state.book.in_force[0]


def test_what_was_typed_elsewhere_is_heard_without_a_tick(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """A beat of the server, with no time passed, brings the other engine a new contract and a lease of it."""
    a, b = pair
    a.put_contract("second", "storewide", "merchant-1", msgspec.json.encode(TERMS), "ann")
    ticked = b.state.ticked
    b.tick()
    assert b.state.ticked == ticked
    assert platform.ledger.balance("contract:second@b") == SLICES


def test_an_engine_spends_only_what_it_leased(pair: tuple[Fieldline, Fieldline], platform: Platform) -> None:
    """Each has two slices of 1% of the budget: one since it made the contract, the other since it heard of it."""
    for app, name in zip(pair, "ab", strict=True):
        assert book.allowance(app.state.book, 0) == platform.ledger.balance(f"{ACCOUNT}@{name}") == SLICES
    assert platform.ledger.balance(ACCOUNT) == BUDGET - 2 * SLICES
    assert serve(pair[0], "a", 3) > 0
    assert pair[0].state.book.spent[0] + book.allowance(pair[0].state.book, 0) <= SLICES


def test_two_hammering_engines_stay_within_one_budget(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """Together they spend at most the budget and at least 95% of it; at the end the owner has paid just that."""
    a, b = pair
    for minute in range(0, 360, 15):
        spent = serve(a, "a", 60, minute, every=MINUTE // 4) + serve(b, "b", 60, minute, every=MINUTE // 4)
        assert spent <= BUDGET
        if spent >= 0.98 * BUDGET:
            break
    assert spent >= 0.95 * BUDGET
    assert min(int(app.state.book.spent[0]) for app in pair) > 0.2 * BUDGET
    for app in (a, b, a):
        app.decide(Request(f"late-{app.state.now}", "viewer-1", "video", at=app.state.now + 7 * HOUR))
    assert platform.balances() == {"merchant:merchant-1": -spent, "platform:promotion": spent}
    assert platform.ledger.verify() == ()


def test_a_lease_that_the_log_never_learned_of_is_found_again(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """An engine that died between ledger and log knows the lease after its start, once, and can spend it."""
    a, _ = pair
    key = f"lease:shop@a:{a.state.book.dues[0]}:{a.state.book.leased[0]}"
    platform.ledger.post(key, Instant(START), [(ACCOUNT, Micros(-700)), (f"{ACCOUNT}@a", Micros(700))])
    node = Node("a", 2, platform.records, platform.ledger)
    again = Fieldline(
        a.log, open_snapshots(MEMORY), platform.records, platform.ledger, policy=QUIET, node=node
    )
    assert book.allowance(again.state.book, 0) == SLICES + 700
    assert [lease.amount for lease in leases_of(again)] == [SLICES, 700]
    third = Fieldline(
        a.log, open_snapshots(MEMORY), platform.records, platform.ledger, policy=QUIET, node=node
    )
    assert book.allowance(third.state.book, 0) == SLICES + 700


def test_a_paused_contract_gives_back_what_it_leased(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """With the ticks after a pause the whole budget is in the contract's own account again, less what was spent."""
    a, b = pair
    spent = serve(a, "a", 30) + serve(b, "b", 30)
    a.pause_contract("shop", True, "ann")
    for app in (a, b):
        app.decide(Request("later", "viewer-1", "video", at=START + 50 * MINUTE))
        app.decide(Request("latest", "viewer-1", "video", at=START + 80 * MINUTE))
    assert spent > 0
    assert platform.balances() == {
        ACCOUNT: BUDGET - spent, "merchant:merchant-1": -BUDGET, "platform:promotion": spent
    }  # fmt: skip


def test_a_budget_is_cut_to_what_nobody_leased(pair: tuple[Fieldline, Fieldline], platform: Platform) -> None:
    """A cut below spent + leased is refused by its field and moves nothing; one to just that much is taken."""
    a, b = pair
    serve(a, "a", 30)
    b.decide(Request("b", "viewer-1", "video", at=START + 20 * MINUTE))
    least = BUDGET - platform.ledger.balance(ACCOUNT)
    assert least > platform.ledger.balance(f"{ACCOUNT}@b") > 0
    before = platform.balances()
    with pytest.raises(Conflict) as refused:
        shop(b, version=1, budget=least - 1)
    assert refused.value.field == "terms.budget"
    assert platform.balances() == before
    assert b.wish("shop")[0].version == 1
    shop(b, version=1, budget=least)
    assert platform.balances()["merchant:merchant-1"] == -least
    assert platform.ledger.balance(ACCOUNT) == 0
    spent = serve(a, "more", 120, minute=40) + serve(b, "more", 120, minute=40)
    assert spent <= least


def test_a_raised_budget_is_funded_once_whoever_hears_of_it(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """Two raises at one engine reach the other as one change, and the owner has funded the newest budget alone."""
    a, b = pair
    shop(a, version=1, budget=3 * YUAN)
    shop(a, version=2, budget=5 * YUAN)
    b.decide(Request("b", "viewer-1", "video", at=START + 5 * MINUTE))
    assert b.state.book.budget[0] == 5 * YUAN
    assert platform.ledger.balance("merchant:merchant-1") == -5 * YUAN
    assert [line["by"] for line in platform.records.audit("wish:shop")] == ["ann"] * 3


def test_a_stale_cut_is_undone(pair: tuple[Fieldline, Fieldline], platform: Platform) -> None:
    """Of two edits from one version the later is refused, and money that its cut had moved is back."""
    a, b = pair
    b.decide(Request("b", "viewer-1", "video", at=START + MINUTE))
    known = b.wish("shop")[0]
    shop(a, version=1, budget=3 * YUAN)
    stale = msgspec.structs.replace(
        known, version=2, terms=msgspec.json.encode(TERMS | {"budget": YUAN}).decode()
    )
    with pytest.raises(Conflict, match="version"):
        Node("b", 2, platform.records, platform.ledger).record(known, stale, "bob")
    assert platform.ledger.balance("merchant:merchant-1") == -3 * YUAN
    assert sum(platform.ledger.balances(ACCOUNT).values()) == 3 * YUAN


def test_each_engine_has_an_equal_part_of_a_day(platform: Platform) -> None:
    """With a daily limit of 500,001 micro-yuan and two engines each may spend 250,000 of a day."""
    a = platform.engine("a")
    for _, entries in groupby(catalogue(), type):
        a.upsert(list(entries))
    a.begin(Instant(START))
    shop(a, daily=500_001)
    spent = serve(a, "a", 200)
    assert 200_000 < spent <= 250_000


def test_an_engine_plans_to_spend_its_part_of_what_is_left(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """What pacing of two engines reckons with is half of what is neither spent here nor leased elsewhere."""
    _, b = pair
    assert float(b.state.book.left(np.array([0]))[0]) == (BUDGET - SLICES) / 2
    spent = serve(b, "b", 3)
    left = float(b.state.book.left(np.array([0]))[0])
    assert left == (BUDGET - SLICES - spent - b.state.book.reserved[0]) / 2


def test_the_log_alone_gives_an_engines_state_again(
    pair: tuple[Fieldline, Fieldline], platform: Platform
) -> None:
    """An engine that starts again from its log leases, posts and logs nothing more."""
    a, _ = pair
    serve(a, "a", 40)
    before, end = platform.balances(), a.log.end
    node = Node("a", 2, platform.records, platform.ledger)
    again = Fieldline(
        a.log, open_snapshots(MEMORY), platform.records, platform.ledger, policy=QUIET, node=node
    )
    assert (platform.balances(), again.log.end) == (before, end)
    assert again.state.book.leased[0] == a.state.book.leased[0]


def test_a_folder_and_a_name_belong_together(tmp_path: Path) -> None:
    """A name taken, a third engine, another name or none on the same folder: each refused, and none takes a seat."""
    money = f"sqlite:///{tmp_path / 'money.sqlite'}"

    def opened(folder: str, node: str) -> None:
        Fieldline.open(tmp_path / folder, None, node=node, money=money).close()

    opened("one", "a")
    opened("one", "a")
    with pytest.raises(Refused, match="node"):
        opened("two", "a")
    with pytest.raises(DataFolderError, match="belongs to the engine 'a'"):
        opened("one", "b")
    with pytest.raises(DataFolderError, match="--node a"):
        opened("one", "")
    with pytest.raises(DataFolderError, match="shared"):
        opened("three", "")
    opened("four", "b")
    with pytest.raises(Refused, match="2 engines already: a, b"):
        opened("five", "c")
    with pytest.raises(Refused, match="a-z"):
        opened("six", "A b")
    ledger = open_ledger(money)
    assert list(ledger.balances("node:")) == ["node:a", "node:b"]
    ledger.close()


def test_an_engine_that_was_alone_does_not_join(tmp_path: Path) -> None:
    """A folder with a log but no name is refused, and opens as before without one."""
    money = f"sqlite:///{tmp_path / 'money.sqlite'}"
    Fieldline.open(tmp_path / "one", None).close()
    with pytest.raises(DataFolderError, match="of its own"):
        Fieldline.open(tmp_path / "one", None, node="a", money=money)
    Fieldline.open(tmp_path / "one", None).close()


def test_changes_are_folded_after_what_they_name() -> None:
    """A product that changed after the video that shows it comes before it."""
    video, product = Video("v", "c", product="p"), Product("p", "m", YUAN, 1)
    assert in_order([(4, video), (9, product)]) == [product, video]


def test_an_engine_that_joins_later_hears_of_everything(pair: tuple[Fieldline, Fieldline]) -> None:
    """An engine that starts with an empty log has the catalogue and the contract of the others."""
    a, _ = pair
    for entry in [entry for entry in catalogue() if isinstance(entry, Product)]:
        a.upsert([msgspec.structs.replace(entry, stock=5)])
    later = Fieldline(
        open_log(MEMORY), open_snapshots(MEMORY), a.records, a.ledger, policy=QUIET,
        node=Node("c", 3, a.records, a.ledger),
    )  # fmt: skip
    assert sorted(later.state.shelf.names.ids) == sorted(a.state.shelf.names.ids)
    assert later.state.book.names.ids == ["shop"]
    assert later.state.book.leased[0] == 0


def test_one_engine_alone_leases_nothing(tmp_path: Path) -> None:
    """Without a name the ledger has the contract's one account, and the log no lease."""
    records, ledger = open_records(MEMORY), open_ledger(MEMORY)
    app = Fieldline(open_log(MEMORY), open_snapshots(MEMORY), records, ledger, policy=QUIET)
    for _, entries in groupby(catalogue(), type):
        app.upsert(list(entries))
    app.begin(Instant(START))
    shop(app)
    assert serve(app, "a", 30) > 0
    assert not leases_of(app)
    assert {name for name in ledger.balances() if name.startswith("contract:")} == {ACCOUNT}
    assert any(isinstance(decode(data), Tick) for _, data in app.log.read())
    assert app.state.now < START + DAY
