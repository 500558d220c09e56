"""The largest admitted multiplier, against a plain oracle and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.traffic.solve import (
    BINS,
    HIGH,
    LOW,
    WIDTH,
    Floats,
    Numbers,
    Room,
    admitted,
    at,
    cost_at,
    forget,
    largest,
)


def plain(value: Floats, cost: Floats, numbers: Numbers, room: Room) -> Floats:
    """`admitted`, array by array."""
    value, cost = np.cumsum(value[numbers], axis=1), np.cumsum(cost[numbers], axis=1)  # [J, BINS]
    budget = room.left[:, None] - room.ahead[:, None] * cost
    today = room.left_today[:, None] - room.ahead_today[:, None] * cost
    come = room.organic[:, None] + room.ahead[:, None] * value
    owed = (room.goal * room.ahead)[:, None] * cost
    goal = room.in_hand[:, None] + room.worth[:, None] * come - owed
    goal[room.goal == 0.0] = 1.0
    low = room.sure[:, None] * come
    made_up = np.maximum((low - np.sqrt(room.size[:, None] * low) - owed).max(axis=1), room.credit)
    soon = (room.in_hand + made_up)[:, None] - (room.goal * room.soon)[:, None] * cost
    guarded = (room.goal > 0.0) & (room.size > 0.0)
    solvent = np.where(guarded, np.where(room.in_hand + made_up > 0.0, largest(soon), LOW), HIGH)
    whole = cost[:, -1:]
    more = whole - cost > 1e-12 * whole
    dearest = np.where(more.any(axis=1), BINS - np.argmax(more[:, ::-1], axis=1), 0)
    best = np.minimum(room.most, LOW + WIDTH * (dearest + 1.0))
    limits = [best, largest(budget), largest(today), largest(goal), solvent]
    return np.asarray(np.maximum(np.minimum.reduce(limits), LOW))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 32), st.floats(0.01, 1.0))
def test_admitted_is_the_least_of_the_largest(seed: int, share: float) -> None:
    """Over random curves with gaps, goals, daily rests and rests below zero, the kernel gives the oracle's log α."""
    rng = np.random.default_rng(seed)
    curves, bidders = 6, 9
    shape = (curves, BINS)
    cost = rng.exponential(1.0, shape) * (rng.random(shape) < share)
    value = cost * rng.lognormal(0.5, 1.0, shape)
    numbers = rng.integers(0, curves, bidders)
    room = Room(
        left=rng.normal(60.0, 60.0, bidders),
        left_today=np.where(rng.random(bidders) < 0.5, 1e12, rng.exponential(50.0, bidders)),
        in_hand=rng.normal(0.0, 30.0, bidders),
        organic=np.where(rng.random(bidders) < 0.5, 0.0, rng.exponential(20.0, bidders)),
        goal=np.where(rng.random(bidders) < 0.3, 0.0, rng.uniform(0.5, 5.0, bidders)),
        ahead=rng.exponential(1.0, bidders),
        ahead_today=rng.exponential(0.3, bidders),
        worth=rng.uniform(0.5, 1.5, bidders),
        sure=rng.uniform(0.0, 1.0, bidders),
        size=np.where(rng.random(bidders) < 0.5, 0.0, rng.exponential(10.0, bidders)),
        credit=np.where(rng.random(bidders) < 0.5, 0.0, rng.exponential(20.0, bidders)),
        soon=rng.exponential(0.3, bidders),
        most=rng.uniform(LOW, HIGH, bidders),
    )
    assert admitted(value, cost, numbers, *room) == pytest.approx(plain(value, cost, numbers, room), abs=1e-9)


def one(left: float = np.inf, goal: float = 0.0, in_hand: float = 0.0, **other: float) -> float:
    """The log α admitted where each of ten bins from ln α = 0 on gives 2 yuan, for 1, 2, 3 … yuan."""
    cost, value = np.zeros((1, BINS)), np.zeros((1, BINS))
    first = BINS // 2
    cost[0, first : first + 10], value[0, first : first + 10] = np.arange(1.0, 11.0), 2.0
    room = {
        "left": left, "left_today": np.inf, "in_hand": in_hand, "organic": 0.0, "goal": goal,
        "ahead": 1.0, "ahead_today": 0.0, "worth": 1.0, "sure": 1.0, "size": 0.0, "credit": 0.0, "soon": 0.0,
        "most": HIGH,
    } | other  # fmt: skip
    return float(
        admitted(value, cost, np.zeros(1, np.int64), *(np.array([room[name]]) for name in Room._fields))[0]
    )


@pytest.mark.parametrize(
    ("asked", "bins"),
    [
        ({"left": 6.0}, 3.0),
        ({"left": 8.0}, 3.5),
        ({"left": -1.0}, None),
        ({"left": 100.0, "left_today": 6.0, "ahead_today": 2.0}, 2.0),
        ({"goal": 1.0}, 3.0),
        ({"goal": 1.0, "in_hand": 3.0}, 4.0 + 1.0 / 3.0),
        ({"goal": 1.0, "worth": 1.5}, 5.0),
        ({"goal": 1.0, "organic": 3.0}, 4.0 + 1.0 / 3.0),
        ({"goal": 1.0, "size": 1.0, "sure": 0.0, "credit": 3.0, "soon": 1.0}, 2.0),
        ({"goal": 1.0, "size": 1.0, "sure": 0.0, "in_hand": 3.0, "soon": 0.5}, 3.0),
        ({"goal": 1.0, "size": 1.0, "sure": 0.0, "in_hand": -3.0, "credit": 3.0, "organic": 9.0}, None),
        ({"goal": 1.0, "size": 1e-12, "soon": 0.5}, 1.5),
        ({}, 10.0),
        ({"most": WIDTH}, 1.0),
    ],
)
def test_limits_by_hand(asked: dict[str, float], bins: float | None) -> None:
    """Budget, day, goal, value in hand or to come, guard and the end of supply stop at the bin reckoned."""
    assert one(**asked) == pytest.approx(LOW if bins is None else bins * WIDTH, abs=1e-6)


def test_a_curve_is_read_linearly_within_its_bin() -> None:
    """`cost_at` and `at` agree with interpolation of the running sum, below, within and above what the bins span."""
    rng = np.random.default_rng(2)
    cost = rng.exponential(1.0, (3, BINS))
    asked = np.array([LOW - 1.0, LOW + 17.25 * WIDTH, HIGH + 1.0])
    sums = np.cumsum(cost, axis=1)
    edges = LOW + WIDTH * np.arange(BINS + 1)
    expected = [np.interp(asked[n], edges, np.append(0.0, sums[n])) for n in range(3)]
    assert cost_at(cost, np.arange(3), asked) == pytest.approx(expected, rel=1e-6)
    assert at(sums, asked) == pytest.approx(expected, rel=1e-6)


def test_only_the_contracts_there_are_forget() -> None:
    """Of three curves the first two keep half, the third all."""
    value, cost = np.ones((3, BINS)), np.ones((3, BINS))
    forget(value, cost, 2, 0.5)
    assert [value[n].mean() for n in range(3)] == [cost[n].mean() for n in range(3)] == [0.5, 0.5, 1.0]
