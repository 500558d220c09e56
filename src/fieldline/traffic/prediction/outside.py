"""Asking models outside: which candidates, what they read, and what their answers count for.

A model is asked about as many candidates as its limit says: half of them the best under contract, the rest the best
of all others, by the embedded organic score. It answers with chances; a row in which a chance that the decision
needs is missing, or is none, is left to the embedded predictor. Nothing that a model does can fail a request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.ports import Predictor
from fieldline.traffic.allocate import NO_EXTRA, NOT_GIVEN, Index, Rules
from fieldline.traffic.kernels.score import score
from fieldline.traffic.prediction.sheet import FEATURES, sheet
from fieldline.traffic.rows import CLICK, LONG_VIEW, TASKS
from fieldline.traffic.state import State

LIMIT = 200
LEAST = 1e-6
"""Chances are taken as at least so far from 0 and 1."""


def _ignore(name: str, error: Exception) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Models:
    """The models that decisions are made with, beside the embedded one."""

    live: Predictor | None = None
    """Gives the chances; None: the embedded predictor does."""
    shadow: Predictor | None = None
    """Is asked about what was shown, and decides nothing."""
    limit: int = LIMIT
    """Most candidates of a request that the live model is asked about."""
    failed: Callable[[str, Exception], None] = _ignore
    """Told the name of a model that raised, and what."""


NONE = Models()


class Moment(NamedTuple):
    """Who asks, where and when."""

    viewer: int
    scene: int
    at: int


class Given(NamedTuple):
    """What the live model gave of a request's candidates."""

    logits: NDArray[np.float32]  # [3, n], NaN where it gave nothing; [3, 0]: it was not asked
    rescored: int
    fallbacks: int


def ask_live(
    state: State,
    models: Models,
    moment: Moment,
    candidates: NDArray[np.int32],
    side: NDArray[np.float32],
    index: Index,
    rules: Rules,
    extra: NDArray[np.float32] = NO_EXTRA,
) -> Given:
    """Return the live model's log-odds of the candidates that it is asked about.

    Args:
        state: only read.
        models: which.
        moment: who asks.
        candidates: item numbers [n].
        side: the viewer's side of the embedded predictor [27].
        index: items, for the embedded organic score.
        rules: the request's dials.
        extra: as `allocate` takes it.
    """
    if models.live is None or not len(candidates):
        return Given(NOT_GIVEN, 0, 0)
    places = np.arange(len(candidates))
    if len(candidates) > models.limit:
        organic = _organic(candidates, side, moment.scene, index, rules, extra)
        held = index.first_contract[candidates + 1] > index.first_contract[candidates]
        places = chosen(organic, held, models.limit)
    chances = _asked(state, models, models.live, moment, candidates[places])
    logits = np.full((len(TASKS), len(candidates)), np.nan, np.float32)
    logits[:, places] = np.log(chances / (1.0 - chances)).T
    return Given(logits, len(places), int(np.isnan(chances[:, CLICK]).sum()))


def ask_shadow(state: State, models: Models, moment: Moment, items: list[int]) -> bytes:
    """Return what the model beside the live one says of the items shown, float32 [n, 3] as bytes."""
    if models.shadow is None:
        return b""
    chances = _asked(state, models, models.shadow, moment, np.array(items, np.int32))
    return chances.astype(np.float32).tobytes()


def chosen(organic: NDArray[np.float64], held: NDArray[np.bool_], limit: int) -> NDArray[np.int64]:
    """Return which candidates a model is asked about: the best, half of the limit at most kept for contracts.

    Args:
        organic: embedded organic scores [n], −∞ where not eligible.
        held: [n] whether a contract is on the item.
        limit: how many at most.

    Returns:
        Positions [≤ limit], ascending; of equal scores the earlier one.
    """
    order = np.argsort(-organic, kind="stable")
    order = order[organic[order] > -np.inf]
    under = held[order]
    first = order[under][: limit // 2]
    rest = np.concatenate([order[under][limit // 2 :], order[~under]])
    rest = rest[np.argsort(-organic[rest], kind="stable")][: limit - len(first)]
    return np.sort(np.concatenate([first, rest]))


def _organic(
    candidates: NDArray[np.int32],
    side: NDArray[np.float32],
    scene: int,
    index: Index,
    rules: Rules,
    extra: NDArray[np.float32],
) -> NDArray[np.float64]:
    count = len(candidates)
    logit, plain = np.empty((3, count), np.float32), np.empty((3, count), np.float32)
    chance, organic = np.empty((4, count)), np.empty(count)
    score(
        candidates, side, 1 << scene, rules.words, index.rows, NOT_GIVEN, extra,
        logit, plain, np.empty(count, np.int32), chance, organic,
    )  # fmt: skip
    return organic


def _asked(
    state: State, models: Models, model: Predictor, moment: Moment, items: NDArray[np.int32]
) -> NDArray[np.float64]:
    """A model's chances [n, 3] of a click, a long view and an order; a row that it leaves out is NaN throughout.

    Of an order it may say nothing in every row, where that is none of its tasks.
    """
    rows = sheet(state, moment.viewer, items, moment.scene, moment.at)
    if model.features != FEATURES:
        rows = rows[:, [FEATURES.index(name) for name in model.features]]
    out = np.full((len(items), len(TASKS)), np.nan)
    try:
        told = model.predict(rows)
        if told.shape != (len(items), len(model.tasks)):
            raise ValueError(f"gave {list(told.shape)}, expected {[len(items), len(model.tasks)]}")
    except Exception as error:  # noqa: BLE001  (whatever it is, the embedded predictor answers)
        models.failed(model.name, error)
        return out
    for task, name in enumerate(TASKS):
        if name in model.tasks:
            out[:, task] = told[:, model.tasks.index(name)]
    needed = out[:, : len(TASKS) if TASKS[-1] in model.tasks else LONG_VIEW + 1]
    said = ((needed >= 0.0) & (needed <= 1.0)).all(axis=1)
    out[~said] = np.nan
    clipped: NDArray[np.float64] = np.clip(out, LEAST, 1.0 - LEAST)
    return clipped
