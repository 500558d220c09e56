"""Assured days are settled once, on what was known when they were confirmed, and credited by the formula."""

from itertools import groupby

import msgspec
import pytest
from tests.made import START, catalogue

from fieldline import engine
from fieldline.app import DEFAULT_POLICY, Fieldline
from fieldline.contracts.assurance import Typical, credit_of, upper_value
from fieldline.contracts.horizon import day_of, day_start
from fieldline.contracts.tally import SPEND
from fieldline.errors import Refused
from fieldline.facts import AnyFact, Impression, LongView, Order, Product, Refund, Request, decode
from fieldline.ports import EventLog, Ledger
from fieldline.recount import recounted
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.traffic import assured
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant

MEMORY = "memory:"
QUIET = msgspec.structs.replace(DEFAULT_POLICY, in_hand="observed", random_share=0.0, tick_ms=30 * MINUTE)
TODAY = day_of(START)
FINAL = day_start(TODAY + 4)
"""Three days after the day's end."""
KEY = "credit:shop:2022-04-25"
CHEAP = {
    "product-1": Product("product-1", "merchant-1", YUAN, 1_000, "kind-1"),
    "product-5": Product("product-5", "merchant-1", 3 * YUAN, 1_000, "kind-2"),
}
ORDER = Typical(2.0, (1.0 + 9.0) / 2)
"""By the shop's prices, 1 and 3 yuan."""
TERMS = {
    "merchant": "merchant-1", "budget": 5 * YUAN, "goal": 90.0, "start": START, "end": START + 9 * DAY,
    "value_per_long_view": 9.0, "holdout": 0.0,
}  # fmt: skip


def made(log: EventLog | None = None, ledger: Ledger | None = None) -> Fieldline:
    """An engine in memory whose time follows the facts."""
    return Fieldline(
        log or open_log(MEMORY),
        open_snapshots(MEMORY),
        open_records(MEMORY),
        ledger or open_ledger(MEMORY),
        policy=QUIET,
    )


@pytest.fixture
def app() -> Fieldline:
    """One with the made catalogue, a contract, and half an hour of its impressions, none of which sold anything."""
    app = made()
    stock(app)
    app.begin(Instant(START))
    shop(app)
    serve(app)
    return app


def stock(app: Fieldline) -> None:
    """Type the catalogue, with two cheap products."""
    for _, entries in groupby(catalogue(), type):
        app.upsert([CHEAP.get(entry.id, entry) for entry in entries])


def shop(app: Fieldline, version: int | None = None, **changed: object) -> None:
    """Make or edit the contract."""
    app.put_contract("shop", "storewide", "merchant-1", msgspec.json.encode(TERMS | changed), "ann", version)


def serve(app: Fieldline, watched: bool = False) -> None:
    """Half an hour of requests, with every slot rendered, and each first one watched long where asked."""
    for number in range(30):
        at = app.now() // MINUTE * MINUTE + MINUTE
        decision, _ = app.decide(Request(f"r-{at}", f"viewer-{number}", "video", at=at))
        app.record(
            [Impression(f"{decision.id}/{k}", at, decision.id, s.item) for k, s in enumerate(decision.slots)]
        )
        if watched:
            app.record([LongView(f"{decision.id}/w", at, decision.id, decision.slots[0].item)])


def pass_to(app: Fieldline, at: int) -> None:
    """Let time pass, a day at a time."""
    while app.now() + DAY < at:
        pass_to(app, app.now() + DAY)
    app.decide(Request(f"at-{at}", "viewer-1", "mall", at=at), paid=False)


def credit(app: Fieldline) -> int:
    """What the formula gives for the day, worked out from the tally and the shop's two prices."""
    tally = app.state.tallies[0][TODAY]
    spend, owed, value = int(tally.total[SPEND]), round(tally.owed * YUAN), round(tally.value * YUAN)
    return credit_of(spend, owed, upper_value(value, tally.value_squares, ORDER))


def test_a_day_that_fell_short_is_credited_when_it_is_confirmed(app: Fieldline) -> None:
    """Three days after its end, and not before, the owner has S·(1 − U/O), and the state is paid."""
    owed = app.state.tallies[0][TODAY].owed
    assert owed > 1.7 * 2.0, "a smaller day is never credited"
    pass_to(app, FINAL - 1)
    assert app.ledger.posted(KEY) is None
    before = assured.standing(app.state, 0, TODAY, app.now())
    assert (before.state, before.credit) == ("confirming", credit(app))
    pass_to(app, FINAL)
    assert credit(app) > 0
    assert app.ledger.posted(KEY) == {"merchant:merchant-1": credit(app), "platform:assurance": -credit(app)}
    after = assured.standing(app.state, 0, TODAY, app.now())
    assert (after.state, after.reason, after.credit) == ("paid", "fell_short", credit(app))


def test_a_day_is_paid_once(app: Fieldline) -> None:
    """Later ticks, a second start from the same log, and one whose ledger entry the log outlived, pay nothing more."""
    pass_to(app, FINAL)
    paid = app.ledger.balance("platform:assurance")
    assert paid < 0
    pass_to(app, FINAL + DAY)
    pass_to(app, FINAL + 2 * DAY)
    assert app.ledger.balance("platform:assurance") == paid
    again = made(app.log, app.ledger)
    pass_to(again, FINAL + 3 * DAY)
    assert app.ledger.balance("platform:assurance") == paid
    assert engine.encode(again.state) != b""
    assert again.state.credited == app.state.credited


def test_an_entry_that_the_log_did_not_outlive_is_not_repeated(app: Fieldline) -> None:
    """An engine that died after the ledger's entry and before the log's tick settles the day again, for nothing."""
    log = open_log(MEMORY)
    log.append([data for _, data in app.log.read()])
    pass_to(app, FINAL)
    paid = app.ledger.balance("platform:assurance")
    lost = made(log, app.ledger)
    assert lost.state.credited == {}
    pass_to(lost, FINAL)
    assert lost.state.credited[0, TODAY].credit == -paid
    assert app.ledger.balance("platform:assurance") == paid < 0


def test_edits_do_not_void_a_day(app: Fieldline) -> None:
    """Another goal, budget, or no assurance from the next day on, change nothing of the day's credit."""
    due = credit(app)
    pass_to(app, START + DAY)
    shop(app, version=1, goal=0.5, budget=9 * YUAN, assured=False)
    pass_to(app, FINAL)
    assert due > 0
    assert app.ledger.balance("platform:assurance") == -due


def test_a_goal_counts_from_its_edit_on(app: Fieldline) -> None:
    """After an edit to a thousandth of the goal, what is owed is each part of the spend at its own goal."""
    first = app.state.book.spent.item(0)
    shop(app, version=1, goal=0.09)
    for _ in range(3):  # it rests at first: the goal of before was out of reach
        serve(app, watched=True)
    second = app.state.book.spent.item(0) - first
    assert second > 0
    assert app.state.tallies[0][TODAY].owed * YUAN == pytest.approx(90.0 * first + 0.09 * second)


def test_what_comes_after_the_confirmation_changes_nothing(app: Fieldline) -> None:
    """A refund on the day after leaves the settled result, and its state, as they were."""
    app.record([Order("o", app.now(), "viewer-1", "product-1", YUAN)])
    pass_to(app, FINAL)
    settled, stands = app.state.credited[0, TODAY], assured.standing(app.state, 0, TODAY, app.now())
    pass_to(app, FINAL + DAY)
    app.record([Refund("b", FINAL + DAY, "o", YUAN)])
    pass_to(app, FINAL + 2 * DAY)
    assert app.state.credited[0, TODAY] == settled
    assert assured.standing(app.state, 0, TODAY, app.now()) == stands


def test_a_day_that_reached_its_goal_ends_without_credit(app: Fieldline) -> None:
    """With value above what is owed the state is ended, and the ledger has no entry."""
    products = [Order(f"o-{n}", app.now(), "viewer-1", "product-5", 3 * YUAN) for n in range(9)]
    app.record(products)
    pass_to(app, FINAL)
    stands = assured.standing(app.state, 0, TODAY, app.now())
    assert (stands.state, stands.reason) == ("ended", "goal_reached")
    assert app.ledger.posted(KEY) is None


def test_a_contract_without_assurance_is_void(app: Fieldline) -> None:
    """A contract that was never assured is owed nothing for a day without value."""
    shop_ = TERMS | {"assured": False, "merchant": "merchant-1"}
    app.put_contract("plain", "storewide", "merchant-1", msgspec.json.encode(shop_), "ann")
    app.pause_contract("shop", True, "ann")
    serve(app)
    number = app.state.book.names.find("plain")
    assert app.state.book.spent[number] > 0
    pass_to(app, FINAL)
    stands = assured.standing(app.state, number, TODAY, app.now())
    assert (stands.state, stands.reason) == ("void", "not_assured")
    assert app.ledger.posted("credit:plain:2022-04-25") is None


@pytest.mark.parametrize("how", ["pause", "stock", "review"])
def test_a_day_halted_for_most_of_its_time_is_void(app: Fieldline, how: str) -> None:
    """Paused, sold out or under review from 10:00 on, a contract that was to run for 14½ hours is owed nothing."""
    products = [
        entry for entry in catalogue() if isinstance(entry, Product) and entry.merchant == "merchant-1"
    ]
    changed: dict[str, dict[str, object]] = {"stock": {"stock": 0}, "review": {"approved": False}}
    if how == "pause":
        app.pause_contract("shop", True, "ann")
    else:
        app.upsert([msgspec.structs.replace(product, **changed[how]) for product in products])
    for at in range(START + HOUR, day_start(TODAY + 1) + HOUR, HOUR):
        pass_to(app, at)
    halted = assured.finding(app.state, 0, TODAY).course.halted_ms
    assert 13 * HOUR < halted <= 14 * HOUR
    pass_to(app, FINAL)
    stands = assured.standing(app.state, 0, TODAY, app.now())
    assert (stands.state, stands.reason) == ("void", "halted")
    assert app.ledger.posted(KEY) is None


def test_earlier_orders_say_what_an_order_is_worth(app: Fieldline) -> None:
    """On the second day the mean order is that of the first, 2.5 yuan, and on the first that of the prices."""
    app.record([Order("o1", app.now(), "viewer-1", "product-1", 2 * YUAN)])
    app.record([Order("o2", app.now(), "viewer-2", "product-5", 3 * YUAN)])
    assert assured.finding(app.state, 0, TODAY + 1).order == Typical(2.5, (4.0 + 9.0) / 2)
    assert assured.finding(app.state, 0, TODAY).order == ORDER


def test_the_log_alone_gives_the_same_credit(app: Fieldline) -> None:
    """Facts folded anew give the entry's amount, whatever came after; before the confirmation they give none."""

    def facts() -> list[AnyFact]:
        return [decode(data) for _, data in app.log.read()]

    early = recounted(facts(), "shop", TODAY)
    assert early is not None
    assert (early.due, early.status.state) == (0, "in_force")
    pass_to(app, FINAL)
    serve(app)
    told = recounted(facts(), "shop", TODAY)
    assert told is not None
    assert told.due == -app.ledger.balance("platform:assurance") > 0
    assert recounted(facts(), "nobody", TODAY) is None


def test_a_snapshot_keeps_what_was_settled(app: Fieldline) -> None:
    """Encoded and decoded, a state has settled the same days."""
    pass_to(app, FINAL)
    assert engine.decode(engine.encode(app.state)).credited == app.state.credited != {}


def test_days_have_dates() -> None:
    """Day 19107 is 2022-04-25, and what is no date is refused by its field."""
    assert assured.date_of(19_107) == "2022-04-25"
    assert assured.day_named("2022-04-25") == 19_107
    with pytest.raises(Refused) as refused:
        assured.day_named("25 April")
    assert refused.value.field == "day"
