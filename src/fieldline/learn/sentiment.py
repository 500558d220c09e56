"""Sentiment learned from labelled reviews: a linear model over runs of characters, weighed by how each class uses them.

Every known run g carries its log-count ratio r_g = ln((p_g + 1)/Σ(p + 1)) − ln((n_g + 1)/Σ(n + 1)), p and n being the
reviews of praise and of criticism that hold it; a review is x_g = ±|r_g|^0.7/√|known| on the runs that it holds.
Weights minimise

    ½‖w‖² + C·Σ max(0, 1 − y·(bias + w·x))²

by dual coordinate descent. Chances are calibrated on margins of reviews that the model which gave them had not seen.
Source: NB-SVM (Wang and Manning, ACL 2012); Hsieh et al. (ICML 2008); Platt (1999).
"""

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.errors import Refused
from fieldline.trust.sentiment import (
    FORMAT,
    LONGEST_GRAM,
    SLOTS_LOG2,
    Declared,
    Sentiment,
    grams,
    is_han,
    normalised,
    summed,
    write,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_REVIEWS = 2
"""Reviews that must hold a run for it to be known."""
POWER = 0.7
PENALTY = 1.0
"""C above."""
EPOCHS = 15
FOLDS = 3
SEED = 1
_PUNCTUATION = re.compile(r"[\W_]+")


class Labelled(NamedTuple):
    """One review, whether it praises, and of what category it is."""

    text: str
    praise: bool
    category: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Reviews as the solver reads them: those of review i are slots[start[i] : start[i + 1]]."""

    start: Ints  # [n + 1]
    slots: Ints
    praise: NDArray[np.bool_]  # [n]
    fold: Ints  # [n], drawn from the text
    han: NDArray[np.bool_]  # [n], whether a text is Chinese for the most part


def train(data: Path, out: Path, name: str) -> str:
    """Fit a model to labelled reviews, write it, and return what was done.

    Args:
        data: see `labelled`.
        out: file to write.
        name: what the model is called.

    Raises:
        Refused: data that cannot be learned from; no folder to write to.
    """
    if not out.absolute().parent.is_dir():
        raise Refused("--out", f"{out.absolute().parent} does not exist; make it first")
    reviews = distinct(labelled(data))
    rows = rows_of(reviews)
    model = fit(rows, np.arange(len(reviews)), name)
    write(out, model)
    known = int(np.count_nonzero(model.weights))
    return f"{out}: {len(reviews)} reviews ({int(rows.praise.sum())} praise), {known} runs of characters"


def labelled(data: Path) -> list[Labelled]:
    """Return the reviews of a file, or of all such files in a folder, by name.

    Args:
        data: csv or csv.gz with columns `label` (1 praise, 0 criticism), `review` and perhaps `cat`; without it the
            category is the file's name.

    Raises:
        Refused: naming the file and line: no file, no such column, a label that is neither, text that is not UTF-8.
    """
    if data.is_dir():
        files = sorted(file for file in data.iterdir() if file.name.endswith((".csv", ".csv.gz")))
    else:
        files = [data] if data.is_file() else []
    if not files:
        raise Refused(str(data), "is no csv file, nor a folder that holds one")
    return [review for file in files for review in _read(file)]


def distinct(reviews: Sequence[Labelled]) -> list[Labelled]:
    """Return reviews without those whose words were there before, punctuation aside."""
    seen: dict[str, Labelled] = {}
    for review in reviews:
        seen.setdefault(words_of(review.text), review)
    return list(seen.values())


def words_of(text: str) -> str:
    """Return what two copies of a review have in common: its letters and digits in one form."""
    return _PUNCTUATION.sub("", normalised(text)) or text


def share_of(text: str) -> float:
    """Return a number in [0, 1) that a text's words alone decide, so that copies never straddle a split."""
    digest = blake2b(words_of(text).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2.0**64


def rows_of(reviews: Sequence[Labelled]) -> Rows:
    """Return reviews as the solver reads them."""
    slots = [grams(review.text) for review in reviews]
    start = np.zeros(len(slots) + 1, np.int64)
    np.cumsum([len(of) for of in slots], out=start[1:])
    return Rows(
        start,
        np.concatenate([*slots, np.empty(0, np.int64)]),
        np.array([review.praise for review in reviews], bool),
        np.array([int(share_of(review.text) * 1_000_003) % FOLDS for review in reviews], np.int64),
        np.array([is_han(review.text) for review in reviews], bool),
    )


def fit(rows: Rows, chosen: Ints, name: str) -> Sentiment:
    """Return a model of some of the reviews.

    Args:
        rows: see `rows_of`.
        chosen: numbers of the reviews to learn from [m].
        name: what the model is called.

    Raises:
        Refused: fewer than ten reviews of praise, or of criticism.
    """
    praise = rows.praise[chosen]
    if min(praise.sum(), (~praise).sum()) < 10:
        raise Refused(
            "reviews", f"{praise.sum()} praise and {(~praise).sum()} criticise; ten of each are needed"
        )
    margins = np.zeros(len(chosen))
    fold = rows.fold[chosen]
    for number in range(FOLDS):
        held, kept = fold == number, fold != number
        if held.any() and 0 < praise[kept].sum() < kept.sum():
            weights, bias = _solved(rows, chosen[kept])
            margins[held] = _margins(rows.start, rows.slots, chosen[held], weights, bias)
    slope, shift = calibrated(margins, praise)
    weights, bias = _solved(rows, chosen)
    declared = Declared(
        FORMAT,
        name,
        SLOTS_LOG2,
        LONGEST_GRAM,
        bias,
        slope,
        shift,
        bool(rows.han[chosen].mean() > 0.5),
        len(chosen),
    )
    return Sentiment(declared, weights)


def calibrated(margins: Floats, praise: NDArray[np.bool_]) -> tuple[float, float]:
    """Return (slope, shift) of the chances 1/(1 + e^−(slope·z + shift)) that fit margins best.

    Labels are taken as (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), so that separable margins have a finite slope.

    Args:
        margins: z [n].
        praise: [n].

    Source: Platt (1999), by Newton steps.
    """
    above, below = praise.sum(), (~praise).sum()
    target = np.where(praise, (above + 1.0) / (above + 2.0), 1.0 / (below + 2.0))
    basis = np.stack([margins, np.ones(len(margins))])  # [2, n]
    found = np.array([1.0, 0.0])
    for _ in range(30):
        chance = 1.0 / (1.0 + np.exp(-np.clip(found @ basis, -30.0, 30.0)))
        curvature = (basis * (chance * (1.0 - chance))) @ basis.T + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, basis @ (target - chance))
        found = found + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return float(found[0]), float(found[1])


def _solved(rows: Rows, chosen: Ints) -> tuple[NDArray[np.float32], float]:
    """The weights [2^bits] of the runs of characters, as they are kept in a file, and the bias."""
    size = 1 << SLOTS_LOG2
    holding = np.concatenate([rows.slots[rows.start[i] : rows.start[i + 1]] for i in chosen])
    lengths = np.diff(rows.start)[chosen]
    praised = np.repeat(rows.praise[chosen], lengths)
    above = np.bincount(holding[praised], minlength=size)
    below = np.bincount(holding[~praised], minlength=size)
    known = np.flatnonzero(above + below >= LEAST_REVIEWS)
    ratio = np.log((above[known] + 1.0) / (above.sum() + size)) - np.log(
        (below[known] + 1.0) / (below.sum() + size)
    )
    scale = np.sign(ratio) * np.abs(ratio) ** POWER
    place = np.full(size, -1, np.int32)
    place[known] = np.arange(len(known))
    columns = place[holding]
    first = np.append(0, np.cumsum(columns >= 0))[np.append(0, np.cumsum(lengths))]
    signs = np.where(rows.praise[chosen], 1.0, -1.0)
    orders = np.random.default_rng(SEED).permuted(np.tile(np.arange(len(chosen)), (EPOCHS, 1)), axis=1)
    inner = _descend(first, columns[columns >= 0], scale, signs, orders, PENALTY)
    weights = np.zeros(size, np.float32)
    weights[known] = (inner[:-1] * scale).astype(np.float16)
    return weights, float(inner[-1])


@njit
def _descend(
    start: Ints, columns: NDArray[np.int32], scale: Floats, signs: Floats, orders: Ints, penalty: float
) -> Floats:
    """Weights before they are scaled [columns + 1], the bias last."""
    count = len(signs)
    weights = np.zeros(len(scale) + 1)
    dual, norm = np.zeros(count), np.zeros(count)
    root = np.sqrt(np.maximum(start[1:] - start[:-1], 1))
    for i in range(count):
        total = 0.0
        for j in range(start[i], start[i + 1]):
            total += scale[columns[j]] ** 2
        norm[i] = 1.0 + total / root[i] ** 2 + 0.5 / penalty
    for epoch in range(len(orders)):
        for i in orders[epoch]:
            margin = 0.0
            for j in range(start[i], start[i + 1]):
                margin += weights[columns[j]] * scale[columns[j]]
            margin = weights[-1] + margin / root[i]
            slack = signs[i] * margin - 1.0 + 0.5 / penalty * dual[i]
            changed = max(dual[i] - slack / norm[i], 0.0)
            step = (changed - dual[i]) * signs[i]
            if step != 0.0:
                dual[i] = changed
                weights[-1] += step
                for j in range(start[i], start[i + 1]):
                    weights[columns[j]] += step * scale[columns[j]] / root[i]
    return weights


@njit
def _margins(start: Ints, slots: Ints, chosen: Ints, weights: NDArray[np.float32], bias: float) -> Floats:
    out = np.empty(len(chosen))
    for i in range(len(chosen)):
        total, known = summed(slots[start[chosen[i]] : start[chosen[i] + 1]], weights)
        out[i] = bias + total / np.sqrt(max(known, 1))
    return out


def _read(file: Path) -> Iterator[Labelled]:
    stem = file.name.removesuffix(".gz").removesuffix(".csv")
    try:
        with _opened(file) as text:
            reader = csv.DictReader(text)
            missing = [name for name in ("label", "review") if name not in (reader.fieldnames or ())]
            if missing:
                raise Refused(str(file), f"has no column {' or '.join(missing)}")
            for row in reader:
                label = (row["label"] or "").strip()
                if label not in {"0", "1", "0.0", "1.0"}:
                    raise Refused(
                        f"{file} line {reader.line_num}", f"label is {label[:20]!r}, expected 0 or 1"
                    )
                yield Labelled(row["review"] or "", label[0] == "1", (row.get("cat") or stem).strip())
    except (UnicodeDecodeError, csv.Error, OSError, EOFError) as error:
        raise Refused(str(file), f"cannot be read: {error}") from None


def _opened(file: Path) -> TextIO:
    if file.name.endswith(".gz"):
        return gzip.open(file, "rt", encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")
