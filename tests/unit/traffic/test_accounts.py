"""Accounts: what each order, refund, click, fan and lead counts for, and in whose tally."""

from typing import Any

import msgspec
import pytest
from tests.made import POLICY, START, decided, wish

from fieldline import engine
from fieldline.contracts import book, tally
from fieldline.contracts.horizon import day_of
from fieldline.contracts.tally import ANYWHERE, FIGURES, HELD, TREATED, Tally
from fieldline.draws import campaign_key, holdout_key, is_held
from fieldline.facts import (
    AnyFact,
    Click,
    Creator,
    Decision,
    Follow,
    Impression,
    Lead,
    LongView,
    Merchant,
    Order,
    Product,
    Redemption,
    Refund,
    Tick,
    Video,
    Viewer,
    ViewerErased,
    WishEnded,
    WishPaused,
)
from fieldline.traffic import pace, worth
from fieldline.traffic.shelf import contracts_on
from fieldline.units import DAY, HOUR, MINUTE, SECOND, YUAN

MIDNIGHT = START + 14 * HOUR + 30 * MINUTE
TODAY = day_of(START)


def market(**offers: dict[str, Any]) -> engine.State:
    """Two shops; m sells p (100 yuan, a tenth comes back) in video v and q (50 yuan) in video w of creator c."""
    state = engine.init(msgspec.structs.replace(POLICY, random_share=0.0))
    take(
        state,
        Tick(START),
        Creator("c"), Merchant("m"), Merchant("n"),
        Product("p", "m", 100 * YUAN, 1_000, refund_rate=0.1),
        Product("q", "m", 50 * YUAN, 1_000),
        Product("x", "n", 10 * YUAN, 1_000),
        Video("v", "c", product="p"), Video("w", "c", product="q"),
        *(Viewer(f"u{n}") for n in range(20)),
    )  # fmt: skip
    for id, terms in offers.items():
        take(state, promoted(id, **terms))
    return state


def promoted(id: str, version: int = 1, offer: str = "storewide", **changed: object) -> AnyFact:
    terms: dict[str, Any] = {"merchant": "m", "budget": 100 * YUAN, "start": START, "end": START + 3 * DAY,
                                "holdout": 0.0, "confirmed": True}  # fmt: skip
    if offer not in {"max_delivery", "follower_growth", "cost_cap", "leads", "visits"}:
        terms["goal"] = 2.0
    return wish(id, offer, "m", terms | changed, version)


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def buy(viewer: str, id: str, at: int = START + MINUTE, product: str = "p", yuan: int = 100) -> Order:
    return Order(id, at, viewer, product, yuan * YUAN)


def touched(viewer: str, payer: str | None, item: str = "v", at: int = START, click: bool = True,
            scene: str = "video", charge: int = YUAN) -> list[AnyFact]:  # fmt: skip
    """A paid (or organic) look of a viewer at an item, clicked or not."""
    id = f"{viewer}-{payer}-{item}-{at}-{scene}"
    facts: list[AnyFact] = [
        decided(id, viewer, (item, payer, charge if payer else 0), at=at, scene=scene),
        Impression(f"{id}/i", at + SECOND, id, item),
    ]
    return facts + ([Click(f"{id}/c", at + 2 * SECOND, id, item)] if click else [])


def of(state: engine.State, id: str, day: int = TODAY) -> Tally:
    return state.tallies[state.book.names.find(id)][day]


def figure(state: engine.State, id: str, column: int, day: int = TODAY) -> int:
    return int(of(state, id, day).total[column])


def value(state: engine.State, id: str) -> float:
    return float(state.book.value[state.book.names.find(id)])


def test_an_order_counts_gross_for_storewide_net_for_net_and_paid_alone_for_ads() -> None:
    """One order of 100 yuan after a paid click of `ads`: 100 storewide, 90 net of expected refunds, 100 attributed;
    an order that nobody's touch led to counts for the first two alone."""
    state = market(all={}, net={"offer": "net_roi"}, ads={"offer": "ads_roi"})
    take(state, *touched("u0", "ads"), buy("u0", "o1"))
    assert [value(state, id) for id in ("all", "net", "ads")] == [100.0, 90.0, 100.0]
    take(state, buy("u1", "o2", product="q", yuan=50))
    assert [value(state, id) for id in ("all", "net", "ads")] == [150.0, 140.0, 100.0]
    assert [figure(state, id, tally.STOREWIDE) for id in ("all", "net", "ads")] == [150 * YUAN] * 3
    assert [figure(state, id, tally.ATTRIBUTED) for id in ("all", "net", "ads")] == [0, 0, 100 * YUAN]
    assert [figure(state, id, tally.PAID_ORDERS) for id in ("all", "net", "ads")] == [0, 0, 1]


def test_real_refunds_take_the_place_of_expected_ones() -> None:
    """Of 100 yuan with 10 expected back, 30 and then 20 come back: net 90, 70, 50; gross stays 100."""
    state = market(all={}, net={"offer": "net_roi"})
    take(state, buy("u0", "o"))
    seen = [value(state, "net")]
    for n, yuan in enumerate((30, 20)):
        take(state, Refund(f"r{n}", START + HOUR, "o", yuan * YUAN))
        seen.append(value(state, "net"))
    assert seen == [90.0, 70.0, 50.0]
    assert value(state, "all") == 100.0
    take(state, Tick(START + 16 * DAY))
    assert value(state, "net") == 50.0


def test_an_order_that_is_15_days_old_is_expected_to_stay() -> None:
    """The tenth expected back is given back to the value after 15 days, not a tick before, in the order's own tally."""
    state = market(net={"offer": "net_roi"})
    take(state, buy("u0", "o"))
    take(state, Tick(START + MINUTE + 15 * DAY - 1))
    assert value(state, "net") == 90.0
    take(state, Tick(START + MINUTE + 15 * DAY))
    assert value(state, "net") == pytest.approx(100.0)
    assert of(state, "net").value == pytest.approx(100.0)
    assert state.outcomes.unsettled == {}
    take(state, Refund("r", START + 16 * DAY, "o", 40 * YUAN))
    assert value(state, "net") == pytest.approx(60.0)


def test_maximum_delivery_of_gmv_counts_what_is_attributed_net() -> None:
    """An attributed order of 100 yuan is 90 net of expected refunds, an organic one nothing, 75 after a refund."""
    state = market(most={"offer": "max_delivery"})
    take(state, buy("u1", "organic"), *touched("u0", "most"), buy("u0", "paid"))
    assert value(state, "most") == 90.0
    take(state, Refund("r", START + HOUR, "paid", 25 * YUAN), Refund("s", START + HOUR, "organic", YUAN))
    assert value(state, "most") == 75.0


def test_an_order_is_credited_to_the_last_click_else_the_last_view() -> None:
    """A click on `a` beats a later view of `b`; once the click is over a week old, a view of the last day counts;
    without either nobody is credited."""
    state = market(a={}, b={})
    take(state, *touched("u0", "a"), *touched("u0", "b", at=START + MINUTE, click=False))
    take(state, buy("u0", "o1", START + HOUR))
    assert (figure(state, "a", tally.PAID_ORDERS), figure(state, "b", tally.PAID_ORDERS)) == (1, 0)
    late = START + 7 * DAY + HOUR
    take(state, promoted("a", 2, end=START + 9 * DAY), promoted("b", 2, end=START + 9 * DAY))
    take(state, Tick(late), *touched("u0", "b", at=late, click=False), buy("u0", "o2", late + HOUR))
    assert figure(state, "b", tally.PAID_ORDERS, day_of(late)) == 1
    take(state, buy("u0", "o3", late + DAY + HOUR))
    assert state.outcomes.orders["o3"].contract == -1
    assert (state.book.orders[0], state.book.orders[1]) == (1, 1)


def test_orders_stand_in_the_scene_that_they_are_credited_to_and_the_item_that_was_clicked() -> None:
    """A click in the mall scene puts the order there and on its item; an order without a paid touch stands nowhere
    and on its product."""
    state = market(a={})
    mall, names = state.scenes.numbers["mall"], state.shelf.names
    take(state, *touched("u0", "a", item="p", scene="mall"), buy("u0", "o1"), buy("u1", "o2"))
    of_day = of(state, "a")
    assert of_day.scenes[mall, tally.ORDERS] == of_day.scenes[ANYWHERE, tally.ORDERS] == 1
    assert of_day.scenes[:, tally.ORDERS].sum() == 2
    assert of_day.items[names.find("p")][tally.ORDERS] == 2
    take(state, *touched("u2", "a"), buy("u2", "o3"))
    assert of_day.items[names.find("v")][tally.ORDERS] == 1
    assert of_day.hours[9, tally.ORDERS] == 3


def test_a_buyer_is_new_until_the_first_order_is_in() -> None:
    """A first order counts as a new buyer's, the second as a returning one's; a refund follows its order."""
    state = market(a={})
    take(state, buy("u0", "o1"), buy("u0", "o2"), buy("u1", "o3"), Refund("r", START + HOUR, "o1", 7 * YUAN))
    buyers = of(state, "a").buyers
    assert buyers[:, tally.ORDERS].tolist() == [2, 1]
    assert buyers[:, tally.REFUNDED].tolist() == [7 * YUAN, 0]


def test_a_refund_counts_on_the_day_of_its_order() -> None:
    """An order of Monday that comes back on Wednesday is a refund of Monday, and Wednesday has no tally."""
    state = market(a={}, b={"offer": "ads_roi"})
    take(state, *touched("u0", "b"), buy("u0", "o"), Tick(START + 2 * DAY))
    take(state, Refund("r", START + 2 * DAY, "o", 40 * YUAN))
    assert (figure(state, "a", tally.REFUNDED), figure(state, "a", tally.ATTRIBUTED_REFUNDED)) == (
        40 * YUAN,
        0,
    )
    assert figure(state, "b", tally.ATTRIBUTED_REFUNDED) == 40 * YUAN
    assert all(TODAY + 2 not in days for days in state.tallies.values())
    assert (state.book.storewide[0], state.book.attributed[1]) == (60 * YUAN, 60 * YUAN)


def test_after_its_end_only_attributed_orders_count() -> None:
    """A storewide campaign that was ended counts the order of a click it paid for, and no other."""
    state = market(a={})
    take(state, *touched("u0", "a"), WishEnded("a", START + HOUR))
    take(state, buy("u1", "o1", START + HOUR), buy("u0", "o2", START + HOUR))
    assert value(state, "a") == 100.0
    assert (figure(state, "a", tally.ORDERS), figure(state, "a", tally.PAID_ORDERS)) == (1, 1)


def test_clicks_that_were_paid_count_also_after_the_end() -> None:
    """A campaign for clicks counts one whose impression it paid for ended in between, and no organic."""
    state = market(most={"offer": "max_delivery", "value": "clicks"})
    take(state, decided("d", "u0", ("v", "most", YUAN), ("w", None, 0)), Impression("i", START + 1, "d", "v"))
    take(
        state, WishEnded("most", START + 2), Click("c", START + 3, "d", "v"), Click("k", START + 3, "d", "w")
    )
    assert (value(state, "most"), figure(state, "most", tally.CLICKS)) == (1.0, 1)


def test_held_out_and_treated_viewers_add_up_to_all() -> None:
    """With half of the viewers held out, each order stands in the arm that its buyer's key says, gross of refunds."""
    state = market(a={"holdout": 0.5})
    for n in range(20):
        take(state, buy(f"u{n}", f"o{n}", yuan=n + 1))
    take(state, buy("u3", "again", yuan=5), Refund("r", START + HOUR, "o3", 2 * YUAN))
    of_day, key = of(state, "a"), campaign_key("a")
    held = {n for n in range(20) if is_held(holdout_key(state.policy.seed, f"u{n}"), key, 0.5)}
    assert 0 < len(held) < 20
    for arm, buyers in ((HELD, held), (TREATED, set(range(20)) - held)):
        expected = {state.people.names.find(f"u{n}"): (n + 1 + 5 * (n == 3)) * YUAN for n in buyers}
        assert of_day.of_arm[arm] == expected
        assert of_day.orders_of_arm[arm] == len(buyers) + (3 in buyers)
    assert sum(of_day.of_arm[HELD].values()) + sum(of_day.of_arm[TREATED].values()) == figure(
        state, "a", tally.STOREWIDE
    )


def test_within_the_long_run_a_buyer_counts_once() -> None:
    """With T = 7 an attributed order counts for 1 + Σ r_d; another within 7 days adds nothing, a later one does."""
    state = market(a={"offer": "long_run_roi", "days": 7, "end": START + 20 * DAY})
    take(state, *touched("u0", "a"), buy("u0", "o1"))
    first = value(state, "a")
    assert first == pytest.approx(100.0 * (1.0 + 7 * worth.REPEATS_A_DAY))
    take(state, Tick(START + 5 * DAY), buy("u0", "o2", START + 5 * DAY))
    assert value(state, "a") == first
    assert figure(state, "a", tally.PAID_ORDERS, TODAY + 5) == 1
    late = START + 7 * DAY + MINUTE
    factor = worth.repeat_factor(state.worth, 7, late)
    take(state, Tick(late), *touched("u0", "a", at=late - MINUTE), buy("u0", "o3", late))
    assert value(state, "a") == pytest.approx(first + 100.0 * factor)


def test_an_incremental_order_counts_for_its_scenes_share() -> None:
    """Where 60% are incremental in the mall, 100 attributed yuan count 60 there and 100 elsewhere."""
    state = market(a={"offer": "incremental_roi"})
    state.worth.incremental[state.scenes.numbers["mall"]] = 0.6
    take(state, *touched("u0", "a", item="p", scene="mall"), buy("u0", "o1"))
    assert value(state, "a") == pytest.approx(60.0)
    take(state, *touched("u1", "a"), buy("u1", "o2"))
    assert value(state, "a") == pytest.approx(160.0)
    assert figure(state, "a", tally.ATTRIBUTED) == 200 * YUAN


def test_a_fan_counts_for_the_campaign_that_was_clicked() -> None:
    """A follow after a paid click is a fan worth 4 yuan; one without, or a second one of the same viewer, is none."""
    state = market(fans={"offer": "follower_growth", "cost": 4.0})
    take(state, *touched("u0", "fans"), Follow("f1", START + MINUTE, "u0", "c"))
    take(state, Follow("f2", START + MINUTE, "u1", "c"))
    take(state, Follow("f3", START + HOUR, "u0", "c", following=False), Follow("f4", START + HOUR, "u0", "c"))
    assert (value(state, "fans"), figure(state, "fans", tally.FOLLOWS)) == (4.0, 1)
    assert state.worth.follows[0] == 2.0


def test_a_fan_at_an_roi_is_worth_what_fans_buy() -> None:
    """Before any fan bought, one is worth 30 days of the prior rate at the mean net price of m's goods, 70 yuan."""
    state = market(fans={"offer": "follower_growth", "goal": 1.0})
    take(state, *touched("u0", "fans"), Follow("f", START + MINUTE, "u0", "c"))
    assert value(state, "fans") == pytest.approx(30 * worth.FAN_ORDERS_A_DAY * (90.0 + 50.0) / 2, rel=1e-4)


def test_a_fan_counts_also_after_the_end() -> None:
    """A follow that comes after the campaign's end is credited to its click all the same."""
    state = market(fans={"offer": "follower_growth", "cost": 4.0})
    take(
        state,
        *touched("u0", "fans"),
        WishEnded("fans", START + HOUR),
        Follow("f", START + 2 * HOUR, "u0", "c"),
    )
    assert value(state, "fans") == 4.0


def test_leads_and_visits_are_counted_apart_and_only_where_they_qualify() -> None:
    """A qualified enquiry is 60 yuan to `ask`, a visit nothing to it and a figure in its tally; neither counts without
    a paid touch of the merchant, or unqualified."""
    state = market(ask={"offer": "leads", "cost": 60.0})
    take(state, *touched("u0", "ask"), *touched("u1", "ask"), buy("u1", "o"))
    take(
        state,
        Lead("l1", START + HOUR, "u0", "m"),
        Lead("l2", START + HOUR, "u0", "m", visit=True),
        Lead("l3", START + HOUR, "u0", "m", qualified=False),
        Lead("l4", START + HOUR, "u2", "m"),
        Lead("l5", START + HOUR, "u0", "n"),
        Lead("l6", START + HOUR, "u1", "m"),
        Lead("l1", START + HOUR, "u0", "m"),
    )
    assert value(state, "ask") == 120.0
    assert of(state, "ask").buyers[:, [tally.LEADS, tally.VISITS]].tolist() == [[1, 1], [1, 0]]
    assert (state.worth.leads[0], state.worth.clicks[0]) == (2.0, 2.0)


def test_a_visit_is_worth_something_to_visits_alone() -> None:
    """To `come` a visit is 15 yuan and an enquiry nothing."""
    state = market(come={"offer": "visits", "cost": 15.0})
    take(state, *touched("u0", "come"), Lead("l1", START + HOUR, "u0", "m"))
    assert value(state, "come") == 0.0
    take(state, Lead("l2", START + HOUR, "u0", "m", visit=True))
    assert value(state, "come") == 15.0


def test_a_used_voucher_is_a_visit_to_visits_alone_and_counts_once() -> None:
    """Using the voucher of an order that is credited to `come` is a visit of 15 yuan, used again it is none more, and
    leads per click learn nothing from it."""
    state = market(come={"offer": "visits", "cost": 15.0})
    take(state, *touched("u0", "come"), buy("u0", "o"), Redemption("r1", START + HOUR, "o"))
    take(state, Redemption("r2", START + 2 * HOUR, "o"))
    assert value(state, "come") == 15.0
    assert figure(state, "come", tally.VISITS) == 1
    assert state.worth.leads[0] == 0.0


def test_a_full_day_ends_at_midnight() -> None:
    """The second of two leads a day takes the contract off its items, the next day's first tick puts it back; a lead
    of yesterday that comes late takes nothing from today."""
    state = market(ask={"offer": "leads", "cost": 60.0, "capacity": 2})
    item = state.shelf.names.find("v")
    take(state, *touched("u0", "ask"), Lead("l1", START + HOUR, "u0", "m"), Tick(START + HOUR))
    assert contracts_on(state.shelf, item).tolist() == [0]
    take(state, Lead("l2", START + HOUR, "u0", "m"), Impression("none", START + HOUR, "none", "v"))
    assert contracts_on(state.shelf, item).tolist() == []
    take(state, Tick(MIDNIGHT - 5 * MINUTE))
    assert not state.book.in_force[0]
    take(state, Tick(MIDNIGHT), Lead("l3", MIDNIGHT - SECOND, "u0", "m"))
    assert (state.book.in_force[0], state.book.served_today[0]) == (True, 0)
    assert figure(state, "ask", tally.LEADS) == 3
    take(state, Lead("l4", MIDNIGHT + SECOND, "u0", "m"))
    assert state.book.served_today[0] == 1


def test_a_daily_budget_holds_for_each_day_of_its_own() -> None:
    """With 10 yuan a day, 6 and 4 are reserved before midnight and 1 more is not; after midnight there are 10 again,
    whatever is still rendered or released of yesterday, and a decision dated yesterday is not paid for."""
    state = market(a={"daily": 10 * YUAN})
    late = MIDNIGHT - MINUTE
    for id, charge, at in (("d1", 6, late), ("d2", 4, late), ("d3", 1, late + SECOND)):
        take(state, decided(id, "u0", ("v", "a", charge * YUAN), at=at))
    assert (state.book.reserved[0], book.allowance(state.book, 0)) == (10 * YUAN, 0)
    take(state, decided("d4", "u0", ("v", "a", 7 * YUAN), at=MIDNIGHT + SECOND))
    take(state, decided("d5", "u0", ("v", "a", YUAN), at=MIDNIGHT - SECOND))
    take(
        state, Impression("i1", MIDNIGHT + MINUTE, "d1", "v"), Impression("i4", MIDNIGHT + MINUTE, "d4", "v")
    )
    assert (state.book.spent[0], state.book.reserved[0], state.book.today[0]) == (
        13 * YUAN,
        4 * YUAN,
        7 * YUAN,
    )
    take(state, Tick(MIDNIGHT + 10 * MINUTE))  # d2 is released: it was yesterday's
    assert (state.book.reserved[0], state.book.today[0]) == (0, 7 * YUAN)
    assert book.allowance(state.book, 0) == 3 * YUAN
    assert (figure(state, "a", tally.SPEND), figure(state, "a", tally.SPEND, TODAY + 1)) == (
        6 * YUAN,
        7 * YUAN,
    )


def test_a_schedule_opens_and_closes_at_the_hour() -> None:
    """Open on Mondays from 10 to 11, a contract stands on its items from the tick of 10:00 to that of 11:00 alone."""
    state = market(a={"hours": "0" * 10 + "1" + "0" * 157, "end": START + 30 * DAY})
    week = [START - 30 * MINUTE + n * 5 * MINUTE for n in range(12 * 24 * 8)]
    opened = []
    for at in week:
        if at > START and (at - week[0]) % HOUR in (0, 5 * MINUTE, 55 * MINUTE):
            take(state, Tick(at))
            if state.book.in_force[0]:
                opened.append(at - week[0])
    ten = [HOUR, HOUR + 5 * MINUTE, HOUR + 55 * MINUTE]
    assert opened == ten + [at + 7 * DAY for at in ten]


def test_what_is_not_spent_goes_back_once_nothing_is_reserved() -> None:
    """Ended with 1 yuan spent and 2 reserved, a campaign gives back 99 of 100 when the reservation is released,
    once; a second end and what is decided after the end change nothing."""
    state = market(a={})
    take(state, *touched("u0", "a"), decided("d", "u1", ("v", "a", 2 * YUAN)), WishEnded("a", START + MINUTE))
    take(state, Tick(START + 5 * MINUTE))
    assert [(due.kind, due.amount) for due in state.book.due] == [("settle", YUAN)]
    take(state, WishEnded("a", START + 6 * MINUTE), Tick(START + 15 * MINUTE))
    assert [(due.kind, due.amount) for due in state.book.due] == [("fund", -99 * YUAN)]
    assert (state.book.funded[0], state.book.ended["a"]) == (YUAN, START + MINUTE)
    take(state, Tick(START + 20 * MINUTE))
    assert state.book.due == []


def test_nothing_is_charged_after_the_end() -> None:
    """A decision at the very end of a campaign's horizon is not paid for, one a millisecond before is."""
    state = market(a={})
    end = START + 3 * DAY
    take(state, Tick(end - MINUTE), decided("d1", "u0", ("v", "a", YUAN), at=end - 1))
    assert state.book.reserved[0] == YUAN
    take(state, decided("d2", "u0", ("v", "a", YUAN), at=end))
    assert state.book.reserved[0] == YUAN
    assert state.outcomes.open["d2"].contracts == [-1]


def test_a_paused_campaign_counts_no_organic_orders() -> None:
    """While it is paused a storewide campaign counts none; resumed, it counts the next."""
    state = market(a={})
    take(state, WishPaused("a", START, True), buy("u0", "o1"), WishPaused("a", START, False), buy("u0", "o2"))
    assert value(state, "a") == 100.0


@pytest.mark.parametrize("figures", [{"budget": 200 * YUAN}, {"goal": 9.0}, {"daily": 50 * YUAN}, {"end": START + DAY},
                                     {"scenes": ["mall"]}, {"units": [{"id": "b", "items": ["q"]}]},
                                     {"hours": "1" * 168}, {"holdout": 0.3}])  # fmt: skip
def test_an_edit_keeps_what_was_counted(figures: dict[str, Any]) -> None:
    """After any edit alpha, landscape, spend, value and tallies are what they were."""
    state = market(a={})
    take(state, *touched("u0", "a"), buy("u0", "o"))
    state.prices.supply_cost[0, 7], state.prices.sampled[0], state.prices.alpha[0] = 3.0, 9.0, 0.8
    before = kept(state)
    take(state, promoted("a", 2, **figures))
    assert kept(state) == before


def kept(state: engine.State) -> tuple[object, ...]:
    """What an edit may not touch, as bytes."""
    book = state.book
    columns = [getattr(state.prices, name) for name in pace.COLUMNS]
    columns += [
        book.spent,
        book.reserved,
        book.value,
        book.today,
        book.orders,
        book.attributed,
        book.storewide,
    ]
    days = [(day, of_day.total.tolist(), of_day.value) for day, of_day in state.tallies[0].items()]
    return (*(column[:1].tobytes() for column in columns), days)


def test_an_erased_viewer_leaves_amounts_without_a_name() -> None:
    """Erased, a viewer's number is gone from arms, cohorts, first orders, fans and orders; the sums stay."""
    state = market(a={"offer": "long_run_roi", "days": 7, "holdout": 0.5})
    number = state.people.names.find("u0")
    take(state, *touched("u0", "a"), buy("u0", "o1"), buy("u1", "o2"), Follow("f", START + HOUR, "u0", "c"))
    assert (0, number) in state.outcomes.cohort
    before = figure(state, "a", tally.STOREWIDE)
    take(state, ViewerErased("u0", START + HOUR), Refund("r", START + HOUR, "o1", YUAN))
    arms = of(state, "a").of_arm
    assert number not in {*arms[HELD], *arms[TREATED]}
    assert (
        sum(arms[HELD].values()) + sum(arms[TREATED].values())
        == before
        == figure(state, "a", tally.STOREWIDE)
    )
    assert number not in {viewer for _, viewer in state.outcomes.cohort}
    assert number not in {viewer for viewer, _ in (*state.worth.first_orders, *state.worth.fans)}
    assert number not in {bought.viewer for bought in state.outcomes.orders.values()}
    assert figure(state, "a", tally.REFUNDED) == YUAN


def test_what_is_long_past_is_dropped_though_a_decision_began_the_day() -> None:
    """Tallies go after 60 days and buyers after 90, at the first tick of a day, even if a decision came first."""
    state = market(a={"offer": "long_run_roi", "days": 30, "end": START + 200 * DAY})
    take(state, *touched("u0", "a"), buy("u0", "o"))
    for days in (61, 62):
        at = MIDNIGHT + (days - 1) * DAY
        take(state, Tick(at - MINUTE), decided(f"d{days}", "u1", ("v", None, 0), at=at), Tick(at + MINUTE))
    assert TODAY not in state.tallies[0]
    assert list(state.outcomes.cohort) == [(0, 0)]
    take(state, Tick(START + 91 * DAY))
    assert (state.outcomes.cohort, state.worth.first_orders) == ({}, {})


def test_the_figures_are_named_in_their_order() -> None:
    """Each column's number is the place of its name."""
    assert [getattr(tally, name.upper()) for name in FIGURES] == list(range(len(FIGURES)))


def test_long_views_teach_how_many_follow() -> None:
    """A long view counts for every contract on the item, once."""
    state = market(fans={"offer": "follower_growth", "cost": 4.0}, a={})
    shown: Decision = decided("d", "u0", ("v", "a", YUAN))
    take(
        state,
        shown,
        Impression("i", START, "d", "v"),
        LongView("l", START, "d", "v"),
        LongView("k", START, "d", "v"),
    )
    assert state.worth.long_views[:2].tolist() == [1.0, 1.0]
