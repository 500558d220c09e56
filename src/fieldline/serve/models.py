"""Which models give the chances, how often they have nothing to say, and how two of them compare."""

import msgspec

from fieldline.facts import API_VERSION
from fieldline.ports import Predictor
from fieldline.providers.embedded import Embedded
from fieldline.traffic.alerts import Alert, of_model
from fieldline.traffic.prediction.calibration import Row
from fieldline.traffic.prediction.comparison import Compared, Outside, compared
from fieldline.traffic.prediction.outside import Models
from fieldline.traffic.prediction.reliability import reliability
from fieldline.traffic.state import State


class ModelTold(msgspec.Struct, frozen=True):
    """One model."""

    name: str
    kind: str
    tasks: tuple[str, ...]
    until: int
    """Instant of the newest look that it was trained on, ms; 0: it learns as it goes."""


class TaskTold(msgspec.Struct, frozen=True):
    """Live and shadow model on the same impressions of one task; null where the labels are all alike."""

    task: str
    impressions: int
    live_log_loss: float
    shadow_log_loss: float
    live_auc: float | None
    shadow_auc: float | None


class BinTold(msgspec.Struct, frozen=True):
    """Looks whose chance of a task was about the same: how many (old ones fade), what was predicted, what came."""

    looks: float
    predicted: float
    observed: float


class ReliabilityTold(msgspec.Struct, frozen=True):
    """How often what the embedded predictor said of a task came true, from the least chance to the largest."""

    task: str
    bins: tuple[BinTold, ...]


class ReliabilityReply(msgspec.Struct, frozen=True):
    """The reliability of every task of the embedded predictor."""

    tasks: tuple[ReliabilityTold, ...]
    version: int = API_VERSION


class ModelsReply(msgspec.Struct, frozen=True):
    """The models that decisions are made with, and what became of it since both came."""

    live: ModelTold
    shadow: ModelTold | None
    since: int
    """Instant of the first decision with both, ms; 0: there was none yet."""
    requests: int
    """Those in which the live model was asked."""
    rescored: int
    """Candidates that it was asked about."""
    fallbacks: int
    """Those of them whose chances the embedded predictor gave, the model having none."""
    silence: float
    """Share of fallbacks of late."""
    compared: tuple[TaskTold, ...]
    alerts: tuple[Alert, ...]
    version: int = API_VERSION


def models_of(state: State, models: Models) -> ModelsReply:
    """Return what to tell of the models that decisions are made with.

    Args:
        state: only read.
        models: outside.
    """
    live, shadow = models.live, models.shadow
    names = (live.name if live else "", shadow.name if shadow else "")
    outside = state.outside
    record = outside if (outside.live, outside.shadow) == names else Outside(*names)
    return ModelsReply(
        _told(live or Embedded()),
        _told(shadow) if shadow else None,
        record.since,
        record.requests,
        record.rescored,
        record.fallbacks,
        record.silence,
        tuple(_task(task) for task in compared(record)),
        tuple(of_model(state)),
    )


def reliability_of(state: State) -> ReliabilityReply:
    """Return how often what the embedded predictor said came true, by task."""
    return ReliabilityReply(tuple(_reliability(task, rows) for task, rows in reliability(state).items()))


def _told(model: Predictor) -> ModelTold:
    return ModelTold(model.name, model.kind, model.tasks, model.until)


def _reliability(task: str, rows: tuple[Row, ...]) -> ReliabilityTold:
    return ReliabilityTold(task, tuple(BinTold(row.looks, row.predicted, row.observed) for row in rows))


def _task(task: Compared) -> TaskTold:
    return TaskTold(task.task, task.impressions, *task.log_loss, *task.auc)
