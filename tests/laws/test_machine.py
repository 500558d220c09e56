"""The embedded machine: what its learning keeps to, whatever it learns."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fieldline.traffic.prediction.machine import FactorizationMachine

ROWS = np.array([[1, 5, -1], [2, 5, 9], [1, 6, 9], [2, 6, -1]], np.int32)
LABELS = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], np.float32)
ALL, NONE = np.ones((4, 3), np.float32), np.zeros((4, 3), np.float32)


@pytest.fixture
def machine() -> FactorizationMachine:
    """A machine of 64 slots."""
    return FactorizationMachine(slots=64)


def loss(chances: NDArray[np.float32]) -> float:
    return float(-np.mean(LABELS * np.log(chances) + (1 - LABELS) * np.log(1 - chances)))


def test_chances_are_chances_of_every_task(machine: FactorizationMachine) -> None:
    """A prediction has one chance strictly between 0 and 1 for each row and task."""
    chances = machine.predict(machine.init(), ROWS)
    assert chances.shape == (4, len(machine.tasks)) == (4, 3)
    assert ((chances > 0) & (chances < 1)).all()


def test_learning_the_same_rows_lowers_their_loss(machine: FactorizationMachine) -> None:
    """After a hundred passes the loss of four rows is below half of what it was."""
    params = machine.init()
    before = loss(machine.predict(params, ROWS))
    for _ in range(100):
        params = machine.learn(params, ROWS, LABELS, ALL)
    assert loss(machine.predict(params, ROWS)) < before / 2


def test_an_unknown_label_teaches_nothing(machine: FactorizationMachine) -> None:
    """Rows whose weights are all 0 leave every chance exactly as it was."""
    params = machine.init()
    before = machine.predict(params, ROWS).copy()
    params = machine.learn(params, ROWS, LABELS, NONE)
    assert np.array_equal(machine.predict(params, ROWS), before)


def test_the_same_rows_give_the_same_parameters(machine: FactorizationMachine) -> None:
    """Two that begin alike and learn the same rows in the same order predict bit for bit the same."""
    first, second = (machine.learn(machine.init(), ROWS, LABELS, ALL) for _ in range(2))
    assert np.array_equal(machine.predict(first, ROWS), machine.predict(second, ROWS))
