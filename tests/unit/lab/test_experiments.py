"""Experiments: figures with intervals, what hindsight solves, what an arm attained."""

import json
from functools import partial

import msgspec
import numpy as np
import pytest

from fieldline.contracts.book import Book
from fieldline.lab.experiments import plot, runner
from fieldline.lab.experiments.courses import following
from fieldline.lab.experiments.figures import Cases, Figure, median, over_seeds, ratio, share, t95
from fieldline.lab.experiments.hindsight import Pass, again, best, first, mixed, used_within_goal
from fieldline.lab.experiments.jobs import (
    Baselines,
    Controlled,
    Coverage,
    Gain,
    Harder,
    Part,
    Result,
    days_played,
    shocks,
)
from fieldline.lab.experiments.outcome import Outcome, attained, ramp_figure
from fieldline.lab.experiments.report import HEADER, arms, size_of
from fieldline.lab.experiments.storewide import QUICK, extra_of, figures_of, full
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices
from fieldline.traffic.solve import BINS, LOW, WIDTH


def test_a_figure_is_three_numbers_in_json() -> None:
    """[estimate, low, high], with null where there was nothing to judge."""
    assert msgspec.json.encode(Figure(0.5, 0.25, float("nan"))) == b"[0.5,0.25,null]"


@pytest.mark.parametrize(
    ("freedom", "known"), [(1, 6.3138), (4, 2.1318), (15, 1.7531), (30, 1.6973), (120, 1.6577)]
)
def test_quantiles_of_student(freedom: int, known: float) -> None:
    """The .95 quantile agrees with published tables within .0005."""
    assert t95(freedom) == pytest.approx(known, abs=5e-4)


def test_no_quantile_without_freedom() -> None:
    """One seed has no t interval."""
    with pytest.raises(ValueError, match="degree of freedom"):
        t95(0)


def test_an_interval_over_seeds_is_students() -> None:
    """1, 2, 3: mean 2, s = 1, so ± 2.92/√3; a seed without a figure is left out."""
    half = 2.92 / 3**0.5
    expected = Figure(2.0, 2.0 - half, 2.0 + half)
    found = over_seeds([1.0, float("nan"), 2.0, 3.0])
    assert msgspec.structs.astuple(found) == pytest.approx(msgspec.structs.astuple(expected))


def test_seeds_weigh_alike_whatever_their_cases() -> None:
    """Half of two cases and all of eight is .75, not .9."""
    assert share([Cases.of([1, 0]), Cases.of([1] * 8)]).estimate == 0.75


def test_a_share_stays_within_its_bounds() -> None:
    """The interval of 0 and 1 over two seeds is cut to [0, 1]."""
    assert share([Cases.of([0.0]), Cases.of([1.0])]) == Figure(0.5, 0.0, 1.0)


def test_one_seed_has_an_interval_over_its_cases() -> None:
    """One of four: .25 ± 1.645·√(.75/4)/2."""
    found = share([Cases.of([1, 0, 0, 0])])
    assert found.high - found.estimate == pytest.approx(1.6448536 * 0.5 / 2.0)


def test_a_gain_is_a_ratio_less_one() -> None:
    """Two seeds at 1.1 gain .1, their interval as wide as no difference."""
    seeds = [Cases.of([1.0, 10.0], [2.0, 8.0]), Cases.of([2.2], [2.0])]
    assert msgspec.structs.astuple(ratio(seeds, less=1.0)) == pytest.approx((0.1, 0.1, 0.1))


def test_nothing_to_judge_is_no_figure() -> None:
    """Without a case the estimate is NaN, not 0 and not 1."""
    assert np.isnan(share([Cases.of([])]).estimate)
    assert np.isnan(median([[]]).estimate)


def test_the_median_of_one_seed_lies_between_order_statistics() -> None:
    """Of 1 … 100: 50.5, between the 42nd and the 59th."""
    assert median([np.arange(1, 101)]) == Figure(50.5, 42.0, 59.0)


def supply(value: float, cost: float) -> tuple[np.ndarray, np.ndarray]:
    """One contract: each of twenty bins from ln α = 0 on adds `value` and i·`cost`, i = 1 … 20."""
    values, costs = np.zeros((1, BINS)), np.zeros((1, BINS))
    begin = round((0.0 - LOW) / WIDTH)
    values[0, begin : begin + 20] = value
    costs[0, begin : begin + 20] = cost * np.arange(1, 21)
    return values, costs


def run_at(bins: int, budget: float, goal: float, **changed: float) -> Pass:
    """A run at so many bins whose spend and value are what the supply says."""
    values, costs = supply(10.0, 1.0)
    spent = min(bins * (bins + 1) / 2.0, budget)
    found = {"spend": spent, "counted": 10.0 * bins, "expected": 10.0 * bins, **changed}
    alpha = np.array([np.exp(bins * WIDTH)])
    each = {name: np.array([amount]) for name, amount in found.items()}
    return Pass(alpha, np.array([budget]), np.array([goal]), each["spend"], each["counted"], each["expected"],
                values, costs)  # fmt: skip


def bins_of(alpha: np.ndarray) -> float:
    return float(np.log(alpha[0]) / WIDTH)


def test_hindsight_begins_where_supply_admits() -> None:
    """A budget of 15 is aimed at with 15.3: bins of 1 … 5 yuan and .05 of the sixth; a goal of 2 ends at the ninth."""
    values, costs = supply(10.0, 1.0)
    solved = partial(first, values, costs)
    none = np.zeros(1)
    assert bins_of(solved(np.array([15.0]), none, none)) == pytest.approx(5.05)
    assert bins_of(solved(np.array([1e6]), np.array([2.0]), none)) == pytest.approx(9.0)


def test_a_pass_at_the_solution_stays() -> None:
    """Where five bins spend 15 of a budget of 15.5, the next pass moves by .7 of what is left to 15.81 alone."""
    moved = bins_of(again(run_at(5, 15.5, 0.0)))
    assert moved == pytest.approx(5.0 + 0.7 * 0.81 / 6.0)


def test_a_pass_that_overran_its_goal_comes_back() -> None:
    """Ten bins at half of the expected value and goal 2: the scaled supply admits fewer, and 70% of the way is gone."""
    run = run_at(10, 1e6, 2.0, counted=50.0, expected=50.0)
    moved = bins_of(again(run))
    assert moved < 10.0
    assert moved == pytest.approx(10.0 + 0.7 * (4.0 - 10.0), abs=0.01)


def test_a_mixed_pass_takes_each_contracts_best_within_its_limits() -> None:
    """Of three runs the one with the most value misses its goal; the better of the other two is taken."""
    low, fair = run_at(3, 1e6, 2.0), run_at(6, 1e6, 2.0)
    over = run_at(15, 1e6, 2.0)
    assert not over.kept[0]
    assert bins_of(mixed([low, over, fair])) == pytest.approx(6.0)
    assert best([low, over, fair]) is over


def test_a_contract_that_never_kept_its_goal_takes_the_nearest() -> None:
    """Of two misses the smaller is played again."""
    near, far = run_at(15, 1e6, 2.0), run_at(18, 1e6, 2.0)
    assert bins_of(mixed([far, near])) == pytest.approx(15.0)


def test_a_budget_is_used_within_the_goal_or_not() -> None:
    """One pass at 98% of it with the goal kept is enough; a miss of either is not, however many there are."""
    used, missed, left = run_at(5, 15.0, 2.0), run_at(5, 15.0, 2.0, counted=29.0), run_at(5, 16.0, 2.0)
    assert used_within_goal([left, used])[0]
    assert not used_within_goal([missed, left])[0]


def doubled(job: int, day: runner.Day) -> int:
    for _ in range(job):
        day()
    if job > 9:
        raise ValueError(f"{job} is too many")
    return 2 * job


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_answer_in_their_order(workers: int) -> None:
    """Whatever number of processes plays them."""
    assert runner.run(doubled, [3, 1, 2], days=6, title="t", workers=workers) == [6, 2, 4]


def test_a_job_that_fails_fails_the_run() -> None:
    """Its error comes through; nothing is left out silently."""
    with pytest.raises(ValueError, match="10 is too many"):
        runner.run(doubled, [1, 10], days=2, title="t", workers=1)


def outcome(**changed: list[float]) -> Outcome:
    """Four contracts: one well above its goal, one at 95% of it, one at half with few orders, one without a goal."""
    columns = {
        "budget": [100.0, 100.0, 100.0, 100.0],
        "goal": [4.0, 4.0, 4.0, 0.0],
        "spend": [100.0, 50.0, 10.0, 90.0],
        "counted": [480.0, 190.0, 20.0, 50.0],
        "expected": [200.0, 100.0, 10.0, 90.0],
        "orders": [30.0, 20.0, 2.0, 9.0],
        "hours_to_many": [10.0, 40.0, np.inf, np.inf],
        **changed,
    }
    return Outcome(**{name: np.array(column) for name, column in columns.items()})


def test_a_goal_is_attained_by_realised_value_over_spend() -> None:
    """Of three with a goal two reach .9 of it and one reaches it; of those with 20 orders, all reach .9."""
    assert attained(outcome(), 0.9).ratio == pytest.approx(2 / 3)
    assert attained(outcome(), 1.0).ratio == pytest.approx(1 / 3)
    assert attained(outcome(), 0.9, 20).ratio == 1.0


def test_a_contract_that_spent_nothing_is_not_judged() -> None:
    """With no spend there is no ROI: two remain."""
    found = attained(outcome(spend=[0.0, 50.0, 10.0, 90.0]), 0.9)
    assert len(found.part) == 2


def test_hours_to_many_orders_count_the_horizon_where_they_never_came() -> None:
    """Contracts that had 20 orders under either controller: 10 and 40 hours against 10 and the whole 48."""
    slower = outcome(hours_to_many=[10.0, np.inf, np.inf, np.inf])
    ours, theirs = ramp_figure([(outcome(), slower)], 48.0)
    assert (ours.estimate, theirs.estimate) == (25.0, 29.0)


def seed(number: int) -> list[Result]:
    """All parts of one seed, in which hindsight's value is twice the engine's."""
    one, flags = outcome(), np.array([True, True, False, False])
    gain = Gain(np.array([3.0, 3.0]), np.array([2.0, 2.0]), np.ones(2), np.ones(2), np.ones(6))
    less = outcome(expected=[1.0, 1.0, 1.0, 1.0])
    limits = np.array([-1.0, 1.0]), np.array([1.0, 3.0])
    return [
        Controlled(
            number, one, 2.0 * one.expected, flags, Cases.of([1, 1, 0]), (1.0,), (), Cases.of([]), gain
        ),
        Baselines(number, less, less, less, ()),
        Harder(number, one, one),
        Coverage(number, np.array([0.0, 5.0]), *limits),
    ]


def test_the_figures_of_a_run_have_the_keys_and_the_form_that_scripts_read() -> None:
    """Every figure is [estimate, low, high]; what was not measured is null."""
    figures = json.loads(msgspec.json.encode(figures_of([*seed(2), *seed(1)], 48.0)))
    held = {
        "attained_90",
        "attained_90_over_20_orders",
        "attained_100",
        "budget_used",
        "value_over_hindsight",
    }
    expected = {
        **dict.fromkeys(("fieldline", "fixed", "pid", "dual_descent"), held),
        "shock": {"attained_90"},
        "biased": {"attained_90"},
        "incremental": {"gmv_gain", "interval_coverage"},
        "ramp": {"hours_to_20_orders", "fixed_hours_to_20_orders"},
        "twin": {"coverage_80"},
    }
    assert {name: set(part) for name, part in figures.items()} == expected
    assert all(len(figure) == 3 for part in figures.values() for figure in part.values())
    assert figures["fieldline"]["value_over_hindsight"] == [0.5, 0.5, 0.5]
    assert figures["fieldline"]["budget_used"] == [0.75, 0.75, 0.75]
    assert figures["incremental"] == {"gmv_gain": [0.5, 0.5, 0.5], "interval_coverage": [0.5, 0.5, 0.5]}
    assert figures["twin"]["coverage_80"] == [None, None, None]


def test_the_table_says_on_how_many_seeds_every_baseline_was_beaten() -> None:
    """With more value than each of three baselines on both seeds it is 2 of 2, and its rows have its header's width."""
    results = [*seed(1), *seed(2)]
    extra = extra_of(results, 2, QUICK)
    assert extra.above_baselines == "2 of 2"
    assert {len(row) for row in arms(figures_of(results, 48.0), extra)} == {len(HEADER)}
    assert size_of(extra) == "2 seeds × 2 days × 40 contracts"


def test_others_follow_what_was_recorded_and_the_free_follow_their_own() -> None:
    """At the third tick contract 1 bids what the course did then, contract 0 what its controller says."""
    recorded = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    prices = Prices()

    def own(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        prices.alpha[:2] = 9.0

    following(recorded, own, np.array([0]), start=1_000)(prices, Book(), Traffic(), 1_000 + 2 * 300, 300)
    assert prices.alpha[:2].tolist() == [9.0, 3.0]


def test_shocks_of_a_short_season_fall_on_its_last_days() -> None:
    """Seven days: the halves of days 2 and 4; two days: of both."""
    assert [(shock.start, shock.end) for shock in shocks(7)] == [(60, 72), (108, 120)]
    assert [(shock.start, shock.factor) for shock in shocks(2)] == [(12, 0.55), (36, 1.8)]


def test_days_played_count_every_arm() -> None:
    """A quick run of two days plays 2·(1 + 3 + 4), 2·3, 2·2 and 2·(1 + 3) of them."""
    assert [days_played(part, QUICK) for part in Part] == [16, 6, 4, 8]


def test_a_full_run_switches_off_at_least_forty_campaigns() -> None:
    """Eight a seed with five, more where seeds are fewer."""
    assert [seeds * full(seeds).sampled for seeds in (1, 3, 5, 10)] == [40, 42, 40, 80]


def test_without_matplotlib_there_is_no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """`available` tells before anything is drawn."""
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    assert not plot.available()
