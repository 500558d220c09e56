"""Boosted trees fitted to rows of a sheet: one LightGBM model a task."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing


@dataclass(frozen=True, slots=True)
class Settings:
    """How trees are grown; small and slow, as clicks tell little of a single look."""

    rounds: int = 150
    rate: float = 0.05
    leaves: int = 15
    least_rows: int = 100
    columns: float = 0.7
    rows: float = 0.8
    seed: int = 1
    threads: int = 1


def fit(
    sheet: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    names: tuple[str, ...],
    codes: tuple[int, ...],
    settings: Settings,
) -> Any:
    """Return trees that give the chance of a label.

    The same rows, settings and version of LightGBM give the same trees.

    Args:
        sheet: [n, F], NaN = not known.
        labels: [n] in {0, 1}.
        weights: [n]; rows of weight 0 are left out.
        names: of the columns.
        codes: columns that hold codes.
        settings: how trees are grown.

    Returns:
        A `lightgbm.Booster`.

    Raises:
        Missing: LightGBM is not installed.
    """
    try:
        import lightgbm
    except ImportError:
        raise Missing("lightgbm", "boosted") from None
    known = weights > 0.0
    data = lightgbm.Dataset(
        sheet[known],
        labels[known],
        weight=weights[known],
        feature_name=list(names),
        categorical_feature=list(codes),
        params={"verbosity": -1, "num_threads": settings.threads},
    )
    options = {
        "objective": "binary",
        "learning_rate": settings.rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows,
        "feature_fraction": settings.columns,
        "bagging_fraction": settings.rows,
        "bagging_freq": 1,
        "seed": settings.seed,
        "num_threads": settings.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    return lightgbm.train(options, data, settings.rounds)
