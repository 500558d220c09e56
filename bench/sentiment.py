"""How well a model of sentiment tells praise from criticism in reviews that it has not seen.

A review belongs to the fifth that is held out by a hash of its words, so that copies never straddle the split; copies
count once. Beside it each category is read by a model that learned from all the others.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from fieldline.errors import Refused
from fieldline.learn.sentiment import distinct, fit, labelled, rows_of, share_of

HELD_OUT = 0.2
MOST_LEFT_OUT = 20
"""The largest categories, that are left out in turn."""
BINS = 10

Bools = NDArray[np.bool_]
Scores = NDArray[np.float32]


def measure(data: Path | None) -> dict[str, Any]:
    """Return accuracy, AUC, log-loss and calibration error of the held-out fifth, and by category.

    Args:
        data: csv or csv.gz with `label`, `review` and perhaps `cat`, or a folder of such.

    Raises:
        ValueError: no data, or data that cannot be learned from.
    """
    if data is None:
        raise ValueError(
            "--data names a csv of reviews (columns label, review and perhaps cat), or a folder of them"
        )
    try:
        read = labelled(data)
        reviews = distinct(read)
        rows = rows_of(reviews)
        held = np.array([share_of(review.text) < HELD_OUT for review in reviews], bool)
        if not held.any():
            raise ValueError(f"{data}: no review is held out; more are needed")
        model = fit(rows, np.flatnonzero(~held), "held out")
        scores = model.score([review.text for review in reviews])
    except Refused as refused:
        raise ValueError(str(refused)) from None
    category = np.array([review.category for review in reviews])
    figures: dict[str, Any] = dict(_quality(scores[held], rows.praise[held]))
    figures |= _calibration(scores[held], rows.praise[held])
    figures |= {"reviews": len(reviews), "copies": len(read) - len(reviews), "held_out": int(held.sum())}
    figures["by_category"] = {
        str(name): _quality(scores[held & (category == name)], rows.praise[held & (category == name)])
        | {"held_out": int((held & (category == name)).sum()), "left_out_accuracy": None}
        for name in _by_size(category)
    }
    for name in _by_size(category)[:MOST_LEFT_OUT]:
        without = np.flatnonzero(category != name)
        try:
            other = fit(rows, without, "left out")
        except Refused:
            continue  # the only category, or the rest is all of one kind
        of_it = np.flatnonzero(category == name)
        read_by_other = other.score([reviews[i].text for i in of_it])
        left = _quality(read_by_other, rows.praise[of_it])
        figures["by_category"][str(name)] |= {f"left_out_{key}": value for key, value in left.items()}
    return figures


def table_of(figures: dict[str, Any]) -> Table:
    """Return the figures by category, all together last."""
    table = Table("category", "held out", "accuracy", "auc", "left out: accuracy", "left out: auc")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, row in figures["by_category"].items():
        left = (row["left_out_accuracy"], row.get("left_out_auc"))
        table.add_row(name, f"{row['held_out']:,}", *map(_shown, (row["accuracy"], row["auc"], *left)))
    table.add_row(
        "all", f"{figures['held_out']:,}", _shown(figures["accuracy"]), _shown(figures["auc"]), "", ""
    )
    return table


def _quality(scores: Scores, praise: Bools) -> dict[str, float | None]:
    if not len(scores):
        return {"accuracy": None, "auc": None}
    return {"accuracy": float(((scores >= 0.0) == praise).mean()), "auc": _auc(scores, praise)}


def _auc(scores: Scores, praise: Bools) -> float | None:
    """The chance that praise scores above criticism, ties counting half; None where there is only one of them."""
    above, below = int(praise.sum()), int((~praise).sum())
    if not above or not below:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2.0  # mean rank of every value
    return float((middle[place][praise].sum() - above * (above + 1) / 2.0) / (above * below))


def _calibration(scores: Scores, praise: Bools) -> dict[str, float]:
    chance = np.clip((scores.astype(float) + 1.0) / 2.0, 1e-6, 1.0 - 1e-6)
    loss = -np.where(praise, np.log(chance), np.log(1.0 - chance)).mean()
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = [abs((chance - praise)[bins == b].sum()) for b in range(BINS)]
    return {"log_loss": float(loss), "calibration_error": float(sum(gaps) / len(chance))}


def _by_size(category: NDArray[np.str_]) -> list[str]:
    names, counts = np.unique(category, return_counts=True)
    return [str(names[i]) for i in np.lexsort((names, -counts))]


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
