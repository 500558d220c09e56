"""Previews of dials: exact where nothing changes, paired where something does, the state untouched."""

from collections.abc import Generator
from functools import cache

import msgspec
import numpy as np
import pytest
from tests import made

from fieldline import engine
from fieldline.errors import Conflict, Refused
from fieldline.facts import Decision, Request, Slot, Tick, Video
from fieldline.traffic.organic import inclusion
from fieldline.traffic.organic.prices import INCLUSION
from fieldline.traffic.preview import Dialled, Preview, preview, view_of
from fieldline.traffic.preview.answer import Figure, resampled
from fieldline.traffic.preview.dials import DIALS, changed, value_of
from fieldline.traffic.preview.placing import Told
from fieldline.traffic.preview.settle import Moving, settle_inclusion, settle_looks
from fieldline.traffic.rows import ORGANIC_PRICE, TRUST
from fieldline.units import MINUTE

ONE = np.ones(1)


@cache
def market() -> tuple[engine.State, tuple[Decision, ...]]:
    """A made market in which new works came at the end, and its decisions, the newest first."""
    state, facts = made.play(120)
    at = made.START + 120 * MINUTE
    for number in range(6):
        engine.reduce(
            state,
            Video(f"video-{100 + number}", f"creator-{number}", category="kind-0", duration_ms=15_000, uploaded_at=at),
        )  # fmt: skip
    engine.reduce(state, Tick(at))
    return state, tuple(fact for fact in facts if isinstance(fact, Decision))[::-1]


def ran(steps: Generator[None, None, Preview]) -> Preview:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Preview = done.value
            return found


@cache
def asked(*pairs: tuple[str, str]) -> Preview:
    return ran(preview(*market(), pairs))


def figure(found: Preview, name: str) -> Figure:
    return next(figure for figure in found.figures if figure.name == name)


@pytest.mark.parametrize(
    "dial", ["trust_weight", "exploration", "ad_load", "earned.cap", "sources.near", "gini"]
)
def test_todays_value_makes_no_difference(dial: str) -> None:
    """The same dial again: every difference and both its limits are 0, and nobody's looks move."""
    value = value_of(market()[0].policy, dial)
    found = asked((dial, "off" if value is None else repr(value)))
    assert {(one.difference, one.low, one.high) for one in found.figures} == {(0.0, 0.0, 0.0)}
    assert (found.moved_looks, found.moved, found.settled) == (0.0, (), ())


def test_the_state_is_the_same_before_and_after() -> None:
    """Every dial at once that can be: the state's bytes stay, and the answer is the same a second time."""
    state, sample = market()
    before = engine.encode(state)
    pairs = (("trust_weight", "1"), ("exploration", "2"), ("gini", "0.3"), ("newcomer_looks", "5"),
             ("earned.cap", "1"), ("ad_load", "0.5"), ("trust_weights.quality", "0.1"),
             ("trust_weights.repeat", "0.5"))  # fmt: skip
    first, again = ran(preview(state, sample, pairs)), ran(preview(state, sample, pairs))
    assert engine.encode(state) == before
    assert msgspec.json.encode(first) == msgspec.json.encode(again)
    assert first.moved_looks > 0.0


def test_no_places_are_sold_at_a_load_of_nought() -> None:
    """Paid revenue and the share of paid places go to 0, from what they are today."""
    found = asked(("ad_load", "0"))
    revenue, share = figure(found, "revenue"), figure(found, "paid_share")
    assert (revenue.changed, share.changed) == (0.0, 0.0)
    assert revenue.today == -revenue.difference > 0.0
    assert share.today > 0.0
    assert found.exchange[0].buys == "revenue"


def test_today_is_what_is_decided_today() -> None:
    """The share of paid places of today is that of the engine's own decisions now, what was shown since being new."""
    state, sample = market()
    slots, shown = list[Slot](), dict[str, list[int]]()
    for one in sample:
        since = shown.setdefault(one.viewer, [])
        since += [state.shelf.names.find(slot.item) for slot in one.slots]
        asked_again = Request(one.id, one.viewer, one.scene, state.now, len(one.slots))
        slots += engine.decide(state, asked_again, unseen=np.array(since, np.int32)).slots
    today = figure(asked(("ad_load", "0")), "paid_share").today
    assert today == pytest.approx(sum(slot.contract is not None for slot in slots) / len(slots))


def test_viewer_value_is_told_at_todays_weights() -> None:
    """Twice the worth of a long view (and of all else that a look is worth) raises no value where no slate changes."""
    state, _ = market()
    double = str(2 * state.policy.viewer_value)
    found = asked(("viewer_value", double), ("goods_value", "0"), ("exploration", "0"), ("ad_load", "0"))
    value = figure(found, "viewer_value")
    assert value.today > 0.0
    assert value.changed < 1.5 * value.today


def test_a_floor_is_priced_so_that_new_works_are_seen() -> None:
    """New works are seen more, the price is told, and what they gain others lose."""
    found = asked(("newcomer_looks", "20"))
    settled = found.settled[0]
    assert (settled.dial, settled.price > 0.0, settled.wanted > 0.0) == ("newcomer_looks", True, True)
    assert figure(found, "newcomer_looks").difference > 0.0
    assert found.exchange[0].bought == figure(found, "newcomer_looks").difference


def test_a_lower_gini_is_reached_on_the_sample() -> None:
    """The weight found is above nought, the Gini expected is near the dial and lower in the sample too."""
    realised = market()[0].organic.inclusion.realised
    dial = 0.32
    assert realised > 0.37
    found = asked(("gini", str(dial)))
    settled = found.settled[0]
    assert settled.price > 0.0 == settled.today
    assert abs(settled.expected - dial) < 0.05
    assert figure(found, "gini").difference < 0.0
    assert found.exchange[0].bought == -figure(found, "gini").difference


def test_what_acts_in_time_alone_is_held() -> None:
    """Looks per paid click are told as held: no figure differs and no rate is told."""
    found = asked(("earned.per_click", "5"))
    assert found.changes[0].way == "held"
    assert {one.difference for one in found.figures} == {0.0}
    assert found.exchange == ()


def test_without_requests_there_is_nothing_to_say() -> None:
    """No logged request is a conflict that names the requests."""
    with pytest.raises(Conflict) as refused:
        ran(preview(market()[0], (), [("gini", "0.6")]))
    assert refused.value.field == "requests"


def test_a_tick_between_steps_is_taken_in() -> None:
    """The market may go on while a preview is made: the answer is of all requests, and the market's own alone moves."""
    state, facts = made.play(60)
    sample = [fact for fact in facts if isinstance(fact, Decision)][::-1]
    other = engine.decode(engine.encode(state))
    steps = preview(state, sample, [("gini", "0.3"), ("trust_weight", "0.9")])
    for number in range(80):
        next(steps)
        if number in (10, 70):
            fact = Tick(state.now + 5 * MINUTE)
            engine.reduce(state, fact)
            engine.reduce(other, fact)
            new = Video(f"late-{number}", "creator-1", category="kind-9", duration_ms=9_000)
            engine.reduce(state, new)
            engine.reduce(other, new)
    assert ran(steps).requests == 60
    assert engine.encode(state) == engine.encode(other)


def test_a_view_is_what_setting_the_dials_would_make() -> None:
    """Rows of a view with another weight of trust are those of a state in which it was set and a tick passed."""
    state, _ = made.play(30)
    policy, _ = changed(state.policy, [("trust_weight", "0.9")])
    view = view_of(state, Dialled(policy))
    untouched = engine.decode(engine.encode(state))
    engine.reduce(state, policy)
    count = len(state.shelf.facts)
    assert np.array_equal(view.shelf.rows[:count, TRUST], state.shelf.rows[:count, TRUST])
    assert not np.array_equal(untouched.shelf.rows[:count, TRUST], state.shelf.rows[:count, TRUST])


def test_a_price_of_inclusion_is_each_creators_own() -> None:
    """It is added to what a creator's items have, in mean scores; the state's own rows keep theirs."""
    state, _ = made.play(30)
    before = state.shelf.rows[:60, ORGANIC_PRICE].copy()
    prices = np.array([0.5, 0.0, -0.5, 0.0, 0.0, 0.0, 0.0])
    view = view_of(state, Dialled(state.policy, prices))
    items = [state.shelf.names.find(f"video-{number}") for number in (0, 1, 2)]
    gained = view.organic.parts[items, INCLUSION] / state.prices.score
    assert gained.tolist() == pytest.approx([0.5, 0.0, -0.5])
    assert np.array_equal(state.shelf.rows[:60, ORGANIC_PRICE], before)
    assert not state.organic.parts[:, INCLUSION].any()


def told(scores: list[float], creators: list[int]) -> Told:
    """One slate of one place without caps or paid places."""
    count = len(scores)
    return Told(
        np.array([0] + [-1] * (count - 1)), np.array(scores), np.arange(count), np.array(creators),
        np.full(count, -1), np.full(count, -1), np.zeros(count, np.int64), ONE, (9, 9),
    )  # fmt: skip


def settled(told: list[Told], exposure: list[float], dial: float) -> tuple[float, float]:
    held = inclusion.Inclusion(np.array(exposure))
    steps = settle_inclusion(told, 1.0, held, np.ones(len(exposure), bool), dial)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value.weight, done.value.gini


def test_a_gini_below_its_dial_asks_no_price() -> None:
    """Two creators who are seen alike have a Gini of 0; a dial above costs nothing."""
    both = [told([1.0, 0.9], [0, 1]), told([0.9, 1.0], [0, 1])] * 12
    weight, gini = settled(both, [50.0, 50.0], 0.6)
    assert weight == 0.0
    assert gini == pytest.approx(0.0, abs=0.1)


def test_a_gini_above_its_dial_is_brought_down_to_it() -> None:
    """One of three creators has all; a dial of 0.4 is met within 0.05 at some price, one of 0.3 at a higher one."""
    slates = [told([1.0, 0.9 - 0.01 * n, 0.8 + 0.004 * n], [0, 1, 2]) for n in range(24)]
    weight, gini = settled(slates, [90.0, 5.0, 5.0], 0.4)
    assert weight > 0.0
    assert gini == pytest.approx(0.4, abs=0.05)


def test_a_floor_has_the_least_price_that_does() -> None:
    """Works that lack 0.1, 0.2 … 1.0 of a score: seven looks need 0.7 mean scores, to the 4096th of the highest."""
    slates = [told([1.0, 1.0 - 0.1 * n], [0, 1]) for n in range(1, 11)]
    moving = [Moving(one, np.array([1.0, 0.0]), np.zeros(2)) for one in slates]
    steps = settle_looks(moving, 1.0, np.array([False, True]), 7.0)
    with pytest.raises(StopIteration) as done:
        next(steps)
    assert done.value.value.price == pytest.approx(0.7, abs=3.5 / 4096 + 1e-9)
    assert done.value.value.given == 7.0


def test_every_dial_is_a_number_of_the_policy() -> None:
    """Each can be set to what it is, which changes nothing; a nested one too."""
    policy = market()[0].policy
    for dial in DIALS:
        value = value_of(policy, dial)
        typed = "off" if value is None else msgspec.json.encode(value).decode()
        same, _ = changed(policy, [(dial, typed.removesuffix(".0"))])
        assert same == policy


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([], "dial"),
        ([("scenes", "1")], "dial"),
        ([("gini", "1")], "gini"),
        ([("gini", "true")], "gini"),
        ([("first_ad", "1.5")], "first_ad"),
        ([("sources.near", "0.9")], "sources"),
        ([("gini", "0.5"), ("gini", "0.6")], "gini"),
    ],
)
def test_a_dial_that_cannot_be_is_named(pairs: list[tuple[str, str]], field: str) -> None:
    """What is refused names the dial, or the group whose sum does not fit."""
    with pytest.raises(Refused) as refused:
        changed(market()[0].policy, pairs)
    assert refused.value.field == field


def test_resamples_are_keyed_and_whole() -> None:
    """The same key draws the same viewers; each resample has as many as there are, each about equally often."""
    drawn = resampled(7, 40)
    assert np.array_equal(drawn, resampled(7, 40))
    assert not np.array_equal(drawn, resampled(8, 40))
    assert set(drawn.sum(axis=1).tolist()) == {40.0}
    assert np.abs(drawn.mean(axis=0) - 1.0).max() < 0.35
