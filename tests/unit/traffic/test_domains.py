"""The funnel by hand: who is credited, who is a new fan, how scenes led to each other, and what is forgotten."""

from collections.abc import Sequence

import msgspec
import pytest
from tests.made import POLICY, START, catalogue, decided

from fieldline import engine
from fieldline.contracts.horizon import day_of
from fieldline.errors import Refused
from fieldline.facts import (
    Click,
    Domain,
    Follow,
    Impression,
    LongView,
    Order,
    Personalised,
    Redemption,
    Tick,
    ViewerErased,
)
from fieldline.traffic.domains import funnel
from fieldline.traffic.domains.funnel import MOST_TRAILS, NO_DEED, Deed, Trail, credited, touch
from fieldline.traffic.domains.report import DomainFigures, DomainReport, domain_report
from fieldline.units import DAY, HOUR, MINUTE, YUAN

WINDOW = POLICY.click_attribution_ms


def market() -> engine.State:
    """The made catalogue, before any decision."""
    state = engine.init(POLICY)
    for fact in (Tick(START), *catalogue()):
        engine.reduce(state, fact)
    return state


def shown(
    state: engine.State,
    id: str,
    item: str,
    domain: Domain,
    at: int,
    scene: str = "video",
    viewer: str = "viewer-1",
) -> None:
    """Show one item of a domain, and render it."""
    decision = decided(id, viewer, (item, None, 0), at=at, scene=scene)
    slots = tuple(msgspec.structs.replace(slot, domain=domain) for slot in decision.slots)
    engine.reduce(state, msgspec.structs.replace(decision, slots=slots))
    engine.reduce(state, Impression(f"{id}/i", at, id, item))


def told(state: engine.State, merchant: str | None = None) -> DomainReport:
    """The report of all days that are kept."""
    today = day_of(state.now)
    return domain_report(state, today - 40, today, merchant)


def of(figures: Sequence[DomainFigures], domain: str) -> DomainFigures:
    """One domain's figures."""
    return next(found for found in figures if found.domain == domain)


def test_a_fan_won_in_public_buys_in_private() -> None:
    """A follow pressed on a public look makes a new fan, whose private look and order count so for 30 days."""
    state = market()
    shown(state, "d1", "video-3", "public", START)  # by creator-3, sells product-3 of merchant-3
    engine.reduce(state, Follow("f1", START, "viewer-1", "creator-3", decision="d1", item="video-3"))
    for number, later in enumerate((2 * DAY, 29 * DAY, 31 * DAY)):
        at, id = START + later, f"p{number}"
        engine.reduce(state, Tick(at))
        shown(state, id, "video-3", "private", at, "follow")
        engine.reduce(state, Click(f"{id}/c", at, id, "video-3"))
        engine.reduce(state, Order(f"{id}/o", at + MINUTE, "viewer-1", "product-3", 40 * YUAN))
    total = told(state).total
    public, private = of(total, "public"), of(total, "private")
    assert public.follows == 0  # its day is not kept any more
    assert (private.impressions, private.clicks, private.orders) == (3, 3, 3)
    assert (private.fan_impressions, private.fan_orders, private.fan_gmv) == (2, 2, 80 * YUAN)
    assert of(told(state, "merchant-3").total, "private") == private
    assert of(told(state, "merchant-1").total, "private").impressions == 0


def test_a_follow_without_a_place_is_credited_to_the_last_touch() -> None:
    """Pressed elsewhere it counts for the last touch on the creator's items; without one for none."""
    state = market()
    shown(state, "d1", "video-3", "circle", START)
    engine.reduce(state, LongView("l1", START, "d1", "video-3"))
    engine.reduce(state, Follow("f1", START + HOUR, "viewer-1", "creator-3"))
    engine.reduce(state, Follow("f2", START + HOUR, "viewer-1", "creator-4"))
    total = told(state).total
    assert [of(total, name).follows for name in ("public", "private", "circle", "none")] == [0, 0, 1, 1]
    viewer, creator = state.people.names.find("viewer-1"), state.content.creators.find("creator-3")
    assert list(state.funnel.fans[viewer]) == [creator]
    engine.reduce(state, Follow("f3", START + HOUR, "viewer-1", "creator-3", following=False))
    assert not state.funnel.fans[viewer]


def test_a_follow_in_private_wins_nobody() -> None:
    """A follow that a private impression brought counts there and makes no new fan."""
    state = market()
    shown(state, "d1", "video-3", "private", START, "follow")
    engine.reduce(state, Follow("f1", START, "viewer-1", "creator-3", decision="d1", item="video-3"))
    assert of(told(state).total, "private").follows == 1
    assert not state.funnel.fans


def test_journeys_name_the_first_the_credited_and_the_last_scene() -> None:
    """Touched in video, then clicked in the mall and ordered: one journey video → mall → mall, of two scenes."""
    state = market()
    shown(state, "d1", "video-3", "public", START)
    engine.reduce(state, LongView("l1", START, "d1", "video-3"))
    shown(state, "d2", "product-3", "public", START + HOUR, "mall")
    engine.reduce(state, Click("c2", START + HOUR, "d2", "product-3"))
    for number in range(2):
        engine.reduce(state, Order(f"o{number}", START + HOUR + MINUTE, "viewer-1", "product-3", 39 * YUAN))
    report = told(state, "merchant-3")
    assert [(j.first, j.credited, j.ordered, j.orders, j.gmv) for j in report.journeys] == [
        ("video", "mall", "", 1, 39 * YUAN),
        ("video", "mall", "mall", 1, 39 * YUAN),
    ]
    assert [(r.scenes, r.orders, r.returning) for r in report.repeats] == [
        ("0", 0, 0),
        ("1", 0, 0),
        ("2+", 2, 1),
    ]


def test_an_order_that_nothing_led_to_is_uncredited() -> None:
    """Without a touch an order counts under none, with no scene in its journey."""
    state = market()
    engine.reduce(state, Order("o1", START, "viewer-1", "product-3", 39 * YUAN))
    report = told(state)
    assert (of(report.total, "none").orders, of(report.total, "none").gmv) == (1, 39 * YUAN)
    assert [(j.first, j.credited, j.ordered) for j in report.journeys] == [("", "", "")]


def test_a_redemption_counts_once_where_its_order_does() -> None:
    """The use of a voucher counts for the circle that its order is credited to, and only the first."""
    state = market()
    shown(state, "d1", "video-3", "circle", START)
    engine.reduce(state, Click("c1", START, "d1", "video-3"))
    engine.reduce(state, Order("o1", START + MINUTE, "viewer-1", "product-3", 39 * YUAN))
    for number in range(2):
        engine.reduce(state, Redemption(f"r{number}", START + HOUR, "o1"))
    report = told(state)
    assert of(report.total, "circle").redemptions == 1
    assert sum(found.redemptions for found in report.total) == 1
    assert [(circle.name, of(circle.domains, "circle").redemptions) for circle in report.circles] == [
        ("merchant-3", 1)
    ]


@pytest.mark.parametrize("way", ["erased", "opted out"])
def test_a_viewer_who_is_forgotten_leaves_figures_alone(way: str) -> None:
    """Erased or opted out, a viewer's touches and fanhood are gone, and what was counted stands."""
    state = market()
    shown(state, "d1", "video-3", "public", START)
    engine.reduce(state, Click("c1", START, "d1", "video-3"))
    engine.reduce(state, Follow("f1", START, "viewer-1", "creator-3", decision="d1", item="video-3"))
    viewer, before = state.people.names.find("viewer-1"), told(state).total
    kept = (state.funnel.of_merchant, state.funnel.of_creator, state.funnel.fans)
    assert all(viewer in of_viewer for of_viewer in kept)
    engine.reduce(
        state,
        ViewerErased("viewer-1", START + 1)
        if way == "erased"
        else Personalised("viewer-1", START + 1, False),
    )
    assert not any(viewer in of_viewer for of_viewer in kept)
    assert told(state).total == before


def test_nothing_is_kept_of_who_opted_out() -> None:
    """Their impressions count in all, but make no touch, and their order is credited to none."""
    state = market()
    engine.reduce(state, Personalised("viewer-1", START, False))
    shown(state, "d1", "video-3", "public", START)
    engine.reduce(state, Click("c1", START, "d1", "video-3"))
    engine.reduce(state, Follow("f1", START, "viewer-1", "creator-3", decision="d1", item="video-3"))
    engine.reduce(state, Order("o1", START + MINUTE, "viewer-1", "product-3", 39 * YUAN))
    report = told(state)
    assert (of(report.total, "public").clicks, of(report.total, "none").orders) == (1, 1)
    assert not (state.funnel.of_merchant or state.funnel.of_creator or state.funnel.fans or report.segments)


def test_segments_are_traits_of_viewers() -> None:
    """What a viewer with a trait did counts for that trait."""
    state = market()
    shown(state, "d1", "video-3", "public", START)
    shown(state, "d2", "video-4", "public", START, viewer="viewer-2")
    found = {segment.name: of(segment.domains, "public").impressions for segment in told(state).segments}
    assert found == {"age=1": 1, "age=2": 1}


def test_tiers_of_creators_sum_to_all() -> None:
    """Six creators: none is the top hundredth, the most followed is the middle, the others the tail."""
    state = market()
    for number, item in enumerate(("video-5", "video-5", "video-3", "video-4")):
        shown(state, f"d{number}", item, "public", START)
    assert [(tier.name, tier.creators, tier.impressions, tier.share) for tier in told(state).tiers] == [
        ("head", 0, 0, 0.0),
        ("middle", 1, 2, 0.5),
        ("tail", 5, 2, 0.5),
    ]


def test_a_report_cannot_end_before_it_begins() -> None:
    """A wrong period and an unknown merchant are refused by name."""
    state = market()
    with pytest.raises(Refused) as refused:
        domain_report(state, 5, 4)
    assert refused.value.field == "to"
    with pytest.raises(Refused) as refused:
        domain_report(state, 4, 5, "nobody")
    assert refused.value.field == "merchant"


def test_a_decision_without_tags_counts_nothing() -> None:
    """What was decided before domains were told is in no figure and makes no touch."""
    state = market()
    engine.reduce(state, decided("d1", "viewer-1", ("video-3", None, 0)))
    engine.reduce(state, Impression("i1", START, "d1", "video-3"))
    engine.reduce(state, Click("c1", START, "d1", "video-3"))
    assert not state.funnel.days and not state.funnel.of_merchant


def test_the_last_click_goes_before_a_later_long_view() -> None:
    """An order is credited to the click while it counts, then to the long view while that counts, then to none."""
    trails: dict[int, Trail] = {}
    click, view = Deed(1_000, 0, 1, 7), Deed(2_000, 1, 0, 8)
    touch(trails, 5, click, True, WINDOW)
    touch(trails, 5, view, False, WINDOW)
    assert [credited(trails[5], at, 10_000, 50_000) for at in (3_000, 11_000, 11_001, 52_001)] == [
        click,
        click,
        view,
        NO_DEED,
    ]
    assert (trails[5].first_scene, trails[5].scenes) == (0, 3)


def test_a_trail_begins_anew_after_a_pause() -> None:
    """A touch later than the window after the one before forgets the first scene."""
    trails: dict[int, Trail] = {}
    touch(trails, 5, Deed(0, 0, 0, 7), True, 100)
    touch(trails, 5, Deed(100, 1, 0, 7), False, 100)
    assert (trails[5].first_scene, trails[5].scenes) == (0, 3)
    touch(trails, 5, Deed(201, 2, 0, 7), True, 100)
    assert (trails[5].first_scene, trails[5].scenes) == (2, 4)


def test_trails_are_bounded_by_those_touched_last() -> None:
    """The 65th merchant takes the place of the one touched longest ago."""
    trails: dict[int, Trail] = {}
    for merchant in range(MOST_TRAILS):
        touch(trails, merchant, Deed(merchant, 0, 0, 1), True, WINDOW)
    touch(trails, 0, Deed(100, 0, 0, 1), True, WINDOW)
    touch(trails, MOST_TRAILS, Deed(101, 0, 0, 1), True, WINDOW)
    assert len(trails) == MOST_TRAILS
    assert 0 in trails and 1 not in trails and MOST_TRAILS in trails


def test_days_trails_and_fans_grow_old() -> None:
    """After 30 days a day's figures are dropped, after the click window a trail, after 30 days a fan."""
    state = market()
    shown(state, "d1", "video-3", "public", START)
    engine.reduce(state, Click("c1", START, "d1", "video-3"))
    engine.reduce(state, Follow("f1", START, "viewer-1", "creator-3", decision="d1", item="video-3"))
    for days, left in ((7, (1, 1, 1)), (8, (1, 0, 1)), (30, (0, 0, 1)), (31, (0, 0, 0))):
        engine.reduce(state, Tick(START + days * DAY))
        kept = state.funnel
        assert (len(kept.days), len(kept.of_merchant), len(kept.fans)) == left, days


def test_traits_of_a_day_are_bounded() -> None:
    """Names beyond the most are not counted, those that are there go on counting."""
    table: funnel.Table = {}
    for name in ("a", "b", "c", "a"):
        funnel.count(table, [name], funnel.CLICKS, 1, most=2)
    assert {name: row.index(count) for name, count in (("a", 2), ("b", 1)) for row in (table[name],)} == {
        "a": funnel.CLICKS * 5 + 1,
        "b": funnel.CLICKS * 5 + 1,
    }
