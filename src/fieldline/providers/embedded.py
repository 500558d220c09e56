"""The engine's own predictor behind the port: what it gave is already on the sheet."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embedded:
    """Reads the columns of the embedded predictor, so that it can stand where a model from outside does."""

    kind: ClassVar[str] = "embedded"
    name: str = "embedded"
    tasks: tuple[str, ...] = ("click", "long_view", "order")
    features: tuple[str, ...] = ("embedded_click", "embedded_long_view", "embedded_order")
    until: int = 0

    def predict(self, sheet: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return 1/(1 + e^−z) of its log-odds, float32 [n, 3]."""
        chances = 1.0 / (1.0 + np.exp(-sheet.astype(np.float64)))
        return chances.astype(np.float32)
