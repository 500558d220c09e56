"""Laws of the predictor: what holds for every row and every table."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.traffic.kernels import fm
from fieldline.traffic.prediction.machine import FactorizationMachine, Params

MACHINE = FactorizationMachine(slots=32)
rows = st.lists(st.integers(0, 31), min_size=1, max_size=12, unique=True)
seeds = st.integers(0, 1 << 32)
labels = st.tuples(*[st.floats(0.0, 1.0, width=32)] * 3)


def drawn(seed: int, scale: float) -> Params:
    rng = np.random.default_rng(seed)
    params = MACHINE.init()
    params.table[:, : fm.SIDE] = rng.normal(0, scale, (32, fm.SIDE))
    params.bias[0] = rng.normal(0, scale, 3)
    return params


@given(rows, seeds, st.data())
@settings(max_examples=100, deadline=None)
def test_any_split_into_sides_gives_the_same_chances(row: list[int], seed: int, data: st.DataObject) -> None:
    """However a row's features are split into two sides, the sides score what the whole row scores."""
    params = drawn(seed, 0.3)
    cut = data.draw(st.integers(0, len(row)))
    item, out = np.zeros(32, np.float32), np.empty(3, np.float32)
    MACHINE.item_side(params, np.array(row[cut:], np.int32), item)
    fm.score(MACHINE.viewer_side(params, np.array(row[:cut], np.int32)), item, out)
    whole = MACHINE.predict_row(params, np.array(row, np.int32))
    assert np.allclose(out, whole, atol=1e-5)


@given(rows, seeds, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_of_features_is_irrelevant(row: list[int], seed: int, random: object) -> None:
    """A row's features in another order give the same chances, to rounding."""
    params = drawn(seed, 0.3)
    shuffled = list(row)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = MACHINE.predict_row(params, np.array(row, np.int32))
    two = MACHINE.predict_row(params, np.array(shuffled, np.int32))
    assert np.allclose(one, two, atol=1e-5)


@given(rows, seeds, labels)
@settings(max_examples=100, deadline=None)
def test_a_step_moves_towards_the_label(row: list[int], seed: int, label: tuple[float, float, float]) -> None:
    """After a row is learned, its own prediction is no farther on the wrong side of what it was."""
    params = drawn(seed, 0.1)
    ids, truth = np.array(row, np.int32), np.array(label, np.float32)
    before = MACHINE.learn_row(params, ids, truth, np.ones(3, np.float32))
    after = MACHINE.predict_row(params, ids)
    assert ((after - before) * np.sign(truth - before) >= -1e-6).all()


@given(st.lists(rows, min_size=1, max_size=30), seeds, st.floats(0.0, 100.0))
@settings(max_examples=30, deadline=None)
def test_no_row_makes_the_machine_infinite(rows_: list[list[int]], seed: int, scale: float) -> None:
    """Whatever is learned from whatever table, every word stays finite and every chance within (0, 1)."""
    params = drawn(seed, scale)
    rng = np.random.default_rng(seed)
    for row in rows_:
        ids = np.array(row, np.int32)
        MACHINE.learn_row(params, ids, rng.integers(0, 2, 3).astype(np.float32), np.ones(3, np.float32))
        chances = MACHINE.predict_row(params, ids)
        assert ((chances > 0.0) & (chances < 1.0)).all()
    assert np.isfinite(params.table).all()
