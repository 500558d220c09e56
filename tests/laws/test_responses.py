"""Laws of the second machine and of calibration."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fieldline.traffic.kernels import calibrate
from fieldline.traffic.kernels import responses as kernel
from fieldline.traffic.kernels.calibrate import BINS
from fieldline.traffic.prediction import calibration

SLOTS = 64


def machine(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    draw = np.random.default_rng(seed)
    table = draw.normal(0.0, 0.3, (SLOTS, kernel.WIDTH)).astype(np.float32)
    table[:, kernel.SQUARES :] = np.abs(table[:, kernel.SQUARES :])
    return table, draw.normal(0.0, 0.5, (2, kernel.TASKS)).astype(np.float32) ** 2


sets = st.lists(st.integers(0, SLOTS - 1), min_size=1, max_size=8, unique=True)
labels = st.lists(st.floats(0.0, 1.0, width=32), min_size=4, max_size=4)


def logits(table: NDArray[np.float32], ids: NDArray[np.int32]) -> NDArray[np.float32]:
    side = np.empty(kernel.SIDE, np.float32)
    kernel.fold(table, ids, side)
    return side[kernel.VECTOR :]


@given(st.integers(0, 1_000), sets, sets)
def test_two_sides_give_the_whole_machine(seed: int, ours: list[int], theirs: list[int]) -> None:
    """z(A ∪ B) = z(A) + z(B) + ⟨Σ_A v, Σ_B v⟩ in every task."""
    table, _ = machine(seed)
    a, b = np.array(ours, np.int32), np.array(theirs, np.int32)
    one, two = np.empty(kernel.SIDE, np.float32), np.empty(kernel.SIDE, np.float32)
    kernel.fold(table, a, one)
    kernel.fold(table, b, two)
    cross = (one[: kernel.VECTOR] * two[: kernel.VECTOR]).reshape(kernel.TASKS, kernel.DIMENSIONS).sum(1)
    both = one[kernel.VECTOR :] + two[kernel.VECTOR :] + cross
    assert np.allclose(both, logits(table, np.concatenate((a, b))), atol=1e-4)


@given(st.integers(0, 1_000), sets, labels, st.integers(0, 3))
def test_a_step_goes_towards_its_label_and_leaves_other_tasks(
    seed: int, ids: list[int], wanted: list[float], task: int
) -> None:
    """Learning one known label moves that task's chance no further from it; words of other tasks stay to the bit."""
    table, bias = machine(seed)
    before, weights = table.copy(), np.zeros(4, np.float32)
    weights[task] = 1.0
    row, label = np.array(ids, np.int32), np.array(wanted, np.float32)
    first, second = np.empty(4, np.float32), np.empty(4, np.float32)
    kernel.learn_row(table, bias, row, label, weights, 0.02, 0.01, first)
    kernel.learn_row(table.copy(), bias.copy(), row, label, np.zeros(4, np.float32), 0.02, 0.01, second)
    assert abs(second[task] - label[task]) <= abs(first[task] - label[task]) + 1e-4
    others = np.ones(kernel.WIDTH, bool)
    others[task * 4 : task * 4 + 4] = False
    others[[kernel.VECTOR + task, kernel.SQUARES + task]] = False
    assert np.array_equal(table[:, others], before[:, others])


@given(st.integers(0, 1_000), sets, labels)
def test_what_nobody_knows_changes_nothing(seed: int, ids: list[int], wanted: list[float]) -> None:
    """A row without a known label leaves table and bias as they were, to the bit."""
    table, bias = machine(seed)
    kept, known = table.copy(), bias.copy()
    out = np.empty(4, np.float32)
    zero = np.zeros(4, np.float32)
    kernel.learn_row(table, bias, np.array(ids, np.int32), np.array(wanted, np.float32), zero, 0.1, 0.1, out)
    assert np.array_equal(table, kept)
    assert np.array_equal(bias, known)


noted = st.lists(
    st.tuples(st.floats(0.001, 0.999), st.booleans(), st.floats(0.01, 3.0)), min_size=0, max_size=200
)


@given(noted)
def test_calibration_keeps_the_order_of_chances(looks: list[tuple[float, bool, float]]) -> None:
    """Whatever was seen, of two raw chances the larger is served as the larger: the slope lies in [½, 2]."""
    found = calibration.untilted(1)
    for chance, came, weight in looks:
        calibration.learn(
            found,
            np.array([chance], np.float32),
            np.array([came], np.float32),
            np.array([weight], np.float32),
        )
    calibration.refresh(found, 1)
    assert 0.5 <= found.slope[0] <= 2.0
    served = calibration.calibrated(found, np.linspace(0.01, 0.99, 99)[:, None])[:, 0]
    assert np.all(np.diff(served) > 0.0)


@settings(max_examples=10)
@given(st.floats(0.7, 1.5), st.floats(-1.0, 1.0))
def test_a_model_that_errs_in_level_and_slope_is_put_right(slope: float, shift: float) -> None:
    """Chances whose true log-odds are slope·z + shift are served within .01 of the truth on average."""
    z = np.linspace(-4.0, 3.0, 700)
    truth = 1.0 / (1.0 + np.exp(-slope * z - shift))
    raw = (1.0 / (1.0 + np.exp(-z))).astype(np.float32)
    found = calibration.untilted(1)
    heavy = np.array([30.0], np.float32)
    for p, y in zip(raw, truth.astype(np.float32), strict=True):
        calibration.learn(found, np.array([p]), np.array([y]), heavy)
    calibration.refresh(found, 1)
    assert np.abs(calibration.calibrated(found, raw[:, None])[:, 0] - truth).mean() < 0.01


@given(st.integers(0, 1_000), st.floats(0.5, 2.0, width=32), st.floats(-1.0, 1.0, width=32), sets, sets)
def test_the_tilt_folds_into_the_two_sides(
    seed: int, slope: float, shift: float, ours: list[int], theirs: list[int]
) -> None:
    """A tilted viewer's side against a tilted item's side gives slope·z + shift."""
    table, _ = machine(seed)
    slopes, shifts = np.full(4, slope, np.float32), np.full(4, shift, np.float32)
    side, rows = np.empty(kernel.SIDE, np.float32), np.empty((1, kernel.SIDE), np.float32)
    kernel.fold(table, np.array(ours, np.int32), side)
    kernel.fold(table, np.array(theirs, np.int32), rows[0])

    def z() -> NDArray[np.float32]:
        cross = (side[:16] * rows[0, :16]).reshape(4, 4).sum(1)
        found: NDArray[np.float32] = side[16:] + rows[0, 16:] + cross
        return found

    plain = z()
    calibrate.tilt_viewer(side, slopes, shifts, 4)
    calibrate.tilt_items(rows, np.zeros(1, np.int32), slopes, 4)
    assert np.allclose(z(), slope * plain + shift, atol=1e-3)


def test_reliability_is_what_was_predicted_and_what_came() -> None:
    """Of ten looks at .2 served, three came: one row (10, .2, .3), error .1; a half-life later five looks are left."""
    found = calibration.untilted(2)
    for number in range(10):
        raw, came = np.array([0.2, 0.5], np.float32), np.array([number < 3, 1.0], np.float32)
        calibration.learn(found, raw, came, np.array([1.0, 0.0], np.float32))
    (row,) = calibration.reliability(found, 0)
    assert np.allclose(row, (10.0, 0.2, 0.3))
    assert abs(calibration.error((row,)) - 0.1) < 1e-6
    assert calibration.reliability(found, 1) == ()
    assert found.bins.shape == (2, BINS, 4)
    calibration.refresh(found, 1)
    calibration.refresh(found, 1 + int(calibration.HALF_LIFE))
    assert abs(calibration.reliability(found, 0)[0].looks - 5.0) < 1e-4
