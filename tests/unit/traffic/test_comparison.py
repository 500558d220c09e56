"""Two models on the same impressions, and how often one has nothing to say."""

import math

import msgspec
import numpy as np
import pytest
from tests.made import START, decided, play

from fieldline import engine
from fieldline.facts import Click, Decision, Impression, LongView, Tick, ViewerErased
from fieldline.traffic.alerts import alerts
from fieldline.traffic.prediction.comparison import Outside, auc, bin_of, compared, note
from fieldline.traffic.state import State
from fieldline.units import HOUR

SAID = np.array([[0.5, 0.25, np.nan], [0.2, 0.3, np.nan], [np.nan, np.nan, np.nan]], np.float32)


@pytest.fixture
def state() -> State:
    """The made market before its first request."""
    return play(0)[0]


def both(id: str = "d", viewer: str = "viewer-1", **changes: object) -> Decision:
    """Three organic slots, looked at with chance 1, 1/2, 1/3; live says click 10%, long view 30%."""
    places = tuple((f"video-{2 * k}", None, 0) for k in range(3))
    made = decided(id, viewer, *places)
    named = {"model": "a", "rescored": 3, "shadow_model": "b", "shadow": SAID.tobytes()} | changes
    return msgspec.structs.replace(made, **named)


def played(state: State, decision: Decision, *items: int) -> None:
    """Show the first items of a decision, click the first, and let its window pass."""
    engine.reduce(state, decision)
    for k in items:
        item = decision.slots[k].item
        engine.reduce(state, Impression(f"{decision.id}i{k}", START + 1_000, decision.id, item))
    if items:
        item = decision.slots[0].item
        engine.reduce(state, Click(f"{decision.id}c", START + 2_000, decision.id, item))
        engine.reduce(state, LongView(f"{decision.id}l", START + 3_000, decision.id, item))


def test_losses_are_of_the_same_impressions(state: State) -> None:
    """Two rendered slots count for both models at e·p, the one that was not rendered and the one unsaid for none."""
    played(state, both(), 0, 1, 2)
    engine.reduce(state, Tick(START + HOUR))
    click, long_view = compared(state.outside)
    assert (click.task, click.impressions, state.outside.unsaid) == ("click", 2, 1)
    assert click.log_loss == pytest.approx(
        (-(math.log(0.1) + math.log(1 - 0.05)) / 2, -(math.log(0.5) + math.log(1 - 0.1)) / 2), rel=1e-6
    )
    assert long_view.log_loss == pytest.approx(
        (-(math.log(0.3) + math.log(1 - 0.15)) / 2, -(math.log(0.25) + math.log(1 - 0.15)) / 2), rel=1e-6
    )
    assert click.auc == (1.0, 1.0)


def test_nothing_is_compared_before_a_look_or_of_the_forgotten(state: State) -> None:
    """A slate that was not rendered, and one of a viewer who was erased since, leave no figure."""
    assert compared(Outside()) == ()
    played(state, both("unseen"))
    played(state, both("erased", "viewer-2"), 0, 1)
    engine.reduce(state, ViewerErased("viewer-2", START + 4_000))
    engine.reduce(state, Tick(START + HOUR))
    assert compared(state.outside) == ()


def test_another_model_begins_anew(state: State) -> None:
    """After a swap the figures are the new pair's alone; a decision of the old pair that closes later is left out."""
    played(state, both("old"), 0)
    engine.reduce(state, both("new", shadow_model="c", fallbacks=1))
    engine.reduce(state, Tick(START + HOUR))
    assert (state.outside.live, state.outside.shadow, state.outside.since) == ("a", "c", START)
    assert (state.outside.requests, state.outside.rescored, state.outside.fallbacks) == (1, 3, 1)
    assert compared(state.outside) == ()


def test_auc_is_the_chance_of_the_right_order() -> None:
    """Of 2·3 pairs one is wrong and one is tied: AUC (4 + ½)/6; none where all labels are alike."""
    bins = np.zeros((2, 8))
    bins[0, [1, 3, 6]] = 1.0
    bins[1, [3, 7]] = 1.0
    assert auc(bins) == pytest.approx((1 + 0.5 + 3) / 6)
    assert auc(bins * [[1.0], [0.0]]) is None


def test_bins_rise_with_the_chance_and_hold_all() -> None:
    """Bins of chances from 10⁻⁶ to 1 − 10⁻⁶ never fall, and lie in 0 … 127."""
    bins = [bin_of(chance) for chance in (1e-6, 0.001, 0.1, 0.5, 0.9, 0.999, 1 - 1e-6)]
    assert bins == sorted(bins)
    assert (bins[0], bins[3], bins[-1]) == (0, 64, 127)


def test_silence_is_an_alert_and_is_over_when_it_is(state: State) -> None:
    """A model that leaves out a third of its rows is told after some requests, and no more once it answers again."""
    decision = both(fallbacks=1)
    for _ in range(3):
        state.outside = note(state.outside, decision)
    assert [alert.code for alert in alerts(state)] == []
    for _ in range(10):
        state.outside = note(state.outside, decision)
    (alert,) = alerts(state)
    assert (alert.code, alert.level, alert.contract, alert.since) == ("model_silent", "warning", "", START)
    assert 0.01 < alert.value < 1 / 3
    for _ in range(300):
        state.outside = note(state.outside, both())
    assert alerts(state) == ()
    for _ in range(100):
        state.outside = note(state.outside, both(fallbacks=3))
    assert alerts(state)[0].level == "critical"
