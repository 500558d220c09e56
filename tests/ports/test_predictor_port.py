"""One suite for every predictor: what the engine relies on, whatever answers behind the port."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.bundles import lightgbm_bundle, onnx_bundle

from fieldline.ports import Predictor
from fieldline.providers import open_model
from fieldline.traffic.prediction.sheet import FEATURES

MADE: dict[str, Callable[[Path], Path | str]] = {
    "embedded": lambda _: "embedded",
    "boosted": lightgbm_bundle,
    "onnx": onnx_bundle,
}


@pytest.fixture(params=MADE)
def predictor(request: pytest.FixtureRequest, tmp_path: Path) -> Predictor:
    """Each predictor that the engine can be given; those whose package is missing are skipped."""
    if request.param == "boosted":
        pytest.importorskip("lightgbm")
    found = open_model(str(MADE[request.param](tmp_path / "bundle")))
    assert found is not None
    return found


def sheet_of(predictor: Predictor, rows: int) -> NDArray[np.float32]:
    size = (rows, len(predictor.features))
    return np.random.default_rng(rows).normal(size=size).astype(np.float32)


def test_its_inputs_and_outputs_are_known(predictor: Predictor) -> None:
    """It reads columns that the engine makes, each once, and tells clicks and long views among its tasks."""
    assert set(predictor.features) <= set(FEATURES)
    assert len(set(predictor.features)) == len(predictor.features)
    assert {"click", "long_view"} <= set(predictor.tasks)
    assert predictor.name
    assert predictor.kind


@pytest.mark.parametrize("rows", [1, 7, 200])
def test_every_row_has_a_chance_of_every_task(predictor: Predictor, rows: int) -> None:
    """A sheet of any length gives float32 [n, T] between 0 and 1."""
    chances = predictor.predict(sheet_of(predictor, rows))
    assert chances.shape == (rows, len(predictor.tasks))
    assert chances.dtype == np.float32
    assert ((chances >= 0.0) & (chances <= 1.0)).all()


def test_rows_differ(predictor: Predictor) -> None:
    """Rows that differ have chances that differ."""
    assert np.ptp(predictor.predict(sheet_of(predictor, 50)), axis=0).min() > 0.0


def test_a_row_is_judged_alone(predictor: Predictor) -> None:
    """A row's chances among 50 are those that it has by itself."""
    sheet = sheet_of(predictor, 50)
    alone = np.concatenate([predictor.predict(sheet[row : row + 1]) for row in range(50)])
    assert np.allclose(predictor.predict(sheet), alone, rtol=0.0, atol=1e-6)


def test_the_same_sheet_gives_the_same_bits_and_is_left_alone(predictor: Predictor) -> None:
    """Two calls give equal bytes, and the sheet has the bytes that it had."""
    sheet = sheet_of(predictor, 50)
    before = sheet.tobytes()
    assert predictor.predict(sheet).tobytes() == predictor.predict(sheet).tobytes()
    assert sheet.tobytes() == before


def test_what_is_not_known_is_no_error(predictor: Predictor) -> None:
    """Where nothing is known of a row, each of its chances is one or NaN, and the other rows keep theirs."""
    sheet = sheet_of(predictor, 3)
    before = predictor.predict(sheet)
    sheet[1] = np.nan
    after = predictor.predict(sheet)
    assert np.array_equal(after[[0, 2]], before[[0, 2]])
    assert (np.isnan(after[1]) | ((after[1] >= 0.0) & (after[1] <= 1.0))).all()
