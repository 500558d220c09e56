"""Reliability: of every task, how often what was predicted came true."""

from typing import Protocol

from fieldline.traffic.prediction import calibration
from fieldline.traffic.prediction.calibration import Row
from fieldline.traffic.prediction.model import Model
from fieldline.traffic.prediction.responses import TASKS as RESPONSES
from fieldline.traffic.prediction.responses import Responses
from fieldline.traffic.rows import TASKS


class Predictors(Protocol):
    """The parts of the state that predict."""

    model: Model
    responses: Responses


def reliability(state: Predictors) -> dict[str, tuple[Row, ...]]:
    """Return each task's bins, from the least chance to the largest; see `traffic.prediction.calibration`."""
    machines = ((TASKS, state.model.calibration), (RESPONSES, state.responses.calibration))
    return {
        task: calibration.reliability(found, number)
        for tasks, found in machines
        for number, task in enumerate(tasks)
    }
