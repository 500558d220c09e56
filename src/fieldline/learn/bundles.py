"""From a data folder's log to a bundle that the engine can serve."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Refused
from fieldline.facts import Policy
from fieldline.learn import boosted, dcn
from fieldline.learn.rows import TASKS, Rows, rows_of
from fieldline.providers.boosted import joined
from fieldline.providers.bundle import FORMAT, Bundle, Kind, write
from fieldline.stores.reading import read_facts
from fieldline.traffic.prediction.sheet import CATEGORICAL, FEATURES

LEAST_ROWS = 1_000
LEAST_OF_EACH = 50
"""Positive and negative labels that a task needs for a model of its own."""
BLEND = 0.5
"""Share of the embedded predictor's log-odds beside the trees': half of each is better than either."""
SAMPLE = 4_096
"""Rows on which the two forms of a network are compared."""
CODES = tuple(place for place, name in enumerate(FEATURES) if name in CATEGORICAL)


def write_boosted(data: Path, out: Path, days: int | None, name: str, seed: int) -> str:
    """Fit boosted trees to a data folder's log, write them as a bundle, and return what was done.

    Args:
        data: folder of the engine.
        out: folder of the bundle.
        days: only looks of so many days before the newest.
        name: what decisions call the model.
        seed: of the rows and columns that each tree is grown on.

    Raises:
        DataFolderError: no log, or one that does not go back to its beginning.
        Refused: too few looks, clicks or long views to learn from.
        Missing: LightGBM is not installed.
    """
    rows, tasks = _read(data, days)
    settings = boosted.Settings(seed=seed)
    texts = []
    for task in tasks:
        labels, weights = _one(rows, task)
        texts.append(boosted.fit(rows.sheet, labels, weights, FEATURES, CODES, settings).model_to_string())
    write(out, _bundle(rows, "lightgbm", name, tasks, BLEND), joined(texts))
    return f"{out}: {', '.join(tasks)} from {len(rows)} looks"


def write_dcn(data: Path, out: Path, days: int | None, name: str, seed: int) -> str:
    """Fit a deep and cross network to a data folder's log, write it as a bundle, and return what was done.

    Args:
        data, out, days, name: as for `write_boosted`.
        seed: of its starting weights and the order of its rows.

    Raises:
        DataFolderError: no log, or one that does not go back to its beginning.
        Refused: too few looks, clicks or long views to learn from; or ONNX differs from torch by more than 1e-4.
        Missing: a package of the extra is not installed.
    """
    rows, tasks = _read(data, days)
    which = [TASKS.index(task) for task in tasks]
    labels, weights = rows.labels[:, which], rows.weights[:, which]
    net = dcn.fit(rows.sheet, labels, weights, CODES, dcn.Settings(seed=seed))
    model = dcn.to_onnx(net, len(FEATURES))
    difference = dcn.largest_difference(net, model, rows.sheet[:SAMPLE])
    if not difference <= 1e-4:
        raise Refused("out", f"ONNX and torch differ by up to {difference:.2g}; nothing was written")
    write(out, _bundle(rows, "onnx", name, tasks), model)
    return (
        f"{out}: {', '.join(tasks)} from {len(rows)} looks; ONNX and torch differ by at most {difference:.2g}"
    )


def _read(data: Path, days: int | None) -> tuple[Rows, tuple[str, ...]]:
    rows = rows_of(read_facts(data), Policy(), days)
    tasks = tuple(task for task in TASKS if _enough(*_one(rows, task)))
    if len(rows) < LEAST_ROWS or not {"click", "long_view"} <= set(tasks):
        raise Refused("data", f"{len(rows)} looks with labels of {', '.join(tasks) or 'nothing'} are too few")
    return rows, tasks


def _one(rows: Rows, task: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    place = TASKS.index(task)
    return rows.labels[:, place], rows.weights[:, place]


def _enough(labels: NDArray[np.float32], weights: NDArray[np.float32]) -> bool:
    known = labels[weights > 0.0]
    positives = int(known.sum())
    return min(positives, len(known) - positives) >= LEAST_OF_EACH


def _bundle(rows: Rows, kind: Kind, name: str, tasks: tuple[str, ...], blend: float = 0.0) -> Bundle:
    return Bundle(
        format=FORMAT,
        kind=kind,
        name=name,
        features=FEATURES,
        tasks=tasks,
        rows=len(rows),
        since=int(rows.at.min()),
        until=int(rows.at.max()),
        blend=blend,
    )
