"""Providers: models that were trained outside the engine, each behind `ports.Predictor`."""

from pathlib import Path

import numpy as np

from fieldline.errors import ModelRefused
from fieldline.ports import Predictor
from fieldline.providers.boosted import Boosted
from fieldline.providers.bundle import differences, read
from fieldline.providers.embedded import Embedded
from fieldline.providers.onnx import Onnx
from fieldline.traffic.prediction.sheet import FEATURES

OPENERS = {"lightgbm": Boosted.of, "onnx": Onnx.of}
TRIALS = (0.0, np.nan, 40.0, -40.0)
"""Values of the rows on which a model is tried before it serves."""


def open_model(place: str, made: tuple[str, ...] = FEATURES) -> Predictor | None:
    """Return the model that a setting names, tried on four rows.

    Args:
        place: a bundle's folder; `embedded`: the engine's own predictor; empty: none.
        made: the columns that the engine makes.

    Raises:
        ModelRefused: it is missing or garbled, or differs from its declaration or from what the engine makes; lists
            every difference.
        Missing: the extra that its kind needs is not installed.
    """
    if not place:
        return None
    if place == Embedded.kind:
        return Embedded()
    folder = Path(place)
    bundle, model = read(folder)
    found = differences(bundle, model, made)
    predictor, more = OPENERS[bundle.kind](bundle, model)
    if predictor is not None and not (found or more):
        more = _tried(predictor)
    if predictor is None or found or more:
        raise ModelRefused(folder, (*found, *more))
    return predictor


def _tried(predictor: Predictor) -> tuple[str, ...]:
    rows = np.repeat(np.array(TRIALS, np.float32)[:, None], len(predictor.features), axis=1)
    try:
        chances = predictor.predict(rows)
    except Exception as error:  # noqa: BLE001  (each library raises its own)
        return (f"cannot predict: {error}",)
    expected = (len(rows), len(predictor.tasks))
    if chances.shape != expected or chances.dtype != np.float32:
        return (f"gives {chances.dtype} {list(chances.shape)}, expected float32 {list(expected)}",)
    if ((chances < 0.0) | (chances > 1.0)).any() or np.isnan(chances).all():
        return ("gives NaN or values beyond 0 and 1, expected chances",)
    return ()
