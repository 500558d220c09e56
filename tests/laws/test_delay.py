"""Whatever the chance of an order and however slow orders are, clicks of every age teach the truth."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fieldline.traffic.outcomes import Clicked, Outcomes, ordered, ripe, wait_for_order
from fieldline.traffic.prediction import delay
from fieldline.units import DAY, HOUR, MINUTE

WINDOW = DAY
TICK = 10 * MINUTE
CLICKS = 4_000

Floats = NDArray[np.float64]


def delays_of(rng: np.random.Generator, count: int, soon: float, slow: float) -> Floats:
    """Delays of orders within a day: a share comes within minutes, the rest at an exponential pace."""
    found = np.where(
        rng.random(count) < soon, rng.exponential(4.0 * MINUTE, count), rng.exponential(slow, count)
    )
    return np.where(found < WINDOW, found, rng.random(count) * WINDOW)


def usual_of(soon: float, slow: float) -> Floats:
    """q⁰ of those delays."""
    at = np.concatenate([[0], delay.ages(WINDOW)])
    late = soon * np.exp(-WINDOW / (4.0 * MINUTE)) + (1.0 - soon) * np.exp(-WINDOW / slow)
    by = 1.0 - soon * np.exp(-at / (4.0 * MINUTE)) - (1.0 - soon) * np.exp(-at / slow) + late * at / WINDOW
    return np.asarray(by[:-1] / by[1:])


def stream(seed: int, chance: float, soon: float, slow: float, usual: Floats, hours: float) -> Floats:
    """Clicks spread over some hours, and ticks until two days are over: per tick, the exposure and the orders learned
    from, the clicks made and the orders made [T, 4]."""
    rng = np.random.default_rng(seed)
    outcomes, seen, share = Outcomes(), delay.Delays().seen, np.empty(delay.STEPS)
    ages = delay.ages(WINDOW)
    made = np.sort(rng.random(CLICKS) * hours * HOUR).astype(np.int64)
    buys = rng.random(CLICKS) < chance
    bought = np.where(buys, made + delays_of(rng, CLICKS, soon, slow).astype(np.int64), 1 << 60)
    orders = [(int(bought[n]), 1, n) for n in np.flatnonzero(buys).tolist()]
    events = sorted([(int(at), 0, n) for n, at in enumerate(made)] + orders)
    place, rows, told = 0, [], np.zeros(4)
    for now in range(0, 2 * DAY, TICK):
        while place < len(events) and events[place][0] <= now:
            at, order, n = events[place]
            if order:
                assert ordered(outcomes, n, (n,), at) is not None
                told[3] += 1.0
            else:
                wait_for_order(outcomes, str(n), Clicked(at, n, 0, n))
                told[2] += 1.0
            place += 1
        delay.passed(seen, usual, share)
        for step, click in ripe(outcomes, ages.tolist(), now):
            came = delay.look(seen, ages, step, click.delay) and not click.told
            told[0] += share[step] - click.exposed
            told[1] += came
            click.exposed, click.told = share[step], click.told or came
        rows.append(told.copy())
    return np.array(rows)


CHANCES, SOON, SLOW = st.floats(0.05, 0.3), st.floats(0.1, 0.8), st.floats(1.0 * HOUR, 8.0 * HOUR)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1 << 30), chance=CHANCES, soon=SOON, slow=SLOW, hours=st.floats(1.0, 20.0))
def test_the_gradient_at_the_truth_is_noise_at_every_moment(
    seed: int, chance: float, soon: float, slow: float, hours: float
) -> None:
    """Σ (p*·ΔF − orders) stays within five deviations at every tick; refusing clicks at once leaves that where orders
    are slow and clicks fresh."""
    told = stream(seed, chance, soon, slow, usual_of(soon, slow), hours)
    exposure, orders, clicks, bought = told.T
    spread = np.sqrt(chance * clicks + 1.0)
    assert (np.abs(chance * exposure - orders) <= 5.0 * spread).all()
    rule_of_refusals = (chance * clicks - bought) / spread
    if soon < 0.5 and slow > 3.0 * HOUR and hours < 4.0 and chance > 0.1:
        assert rule_of_refusals.max() > 5.0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 30), chance=CHANCES, soon=SOON, slow=SLOW, hours=st.floats(1.0, 20.0))
def test_every_click_ends_with_one_click_of_exposure_and_every_order_is_learned_once(
    seed: int, chance: float, soon: float, slow: float, hours: float
) -> None:
    """When all windows are over, exposure is the number of clicks and orders learned are orders made, whatever was
    believed of delays before."""
    told = stream(seed, chance, soon, slow, delay.usual(WINDOW), hours)
    np.testing.assert_allclose(told[-1, 0], CLICKS, rtol=1e-9)
    assert told[-1, 1] == told[-1, 3]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-1, 2 * DAY)), max_size=60))
def test_shares_that_have_come_rise_with_age_to_one(looks: list[tuple[int, int]]) -> None:
    """F never falls from one age to the next, is above 0 and ends at 1, whatever was seen."""
    seen, share = delay.Delays().seen, np.empty(delay.STEPS)
    for step, late in looks:
        delay.look(seen, delay.ages(WINDOW), step, late)
    delay.passed(seen, delay.usual(WINDOW), share)
    assert (np.diff(share) >= 0.0).all()
    assert share[0] > 0.0 and share[-1] == 1.0
