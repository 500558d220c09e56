"""Columns that grow: arrays with room to spare, doubled when full."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


def grown(column: NDArray[T], count: int, fill: float = 0) -> NDArray[T]:
    """Return the column itself if it holds `count` rows, else a copy of at least twice its length.

    Args:
        column: array [rows, …].
        count: rows that must fit.
        fill: what new rows hold.

    Returns:
        Array [≥ count, …] whose first rows are the column's.
    """
    rows = column.shape[0]
    if count <= rows:
        return column
    wider = np.full((max(count, 2 * rows, 16), *column.shape[1:]), fill, column.dtype)
    wider[:rows] = column
    return wider


def marked(numbers: Sequence[int], count: int) -> NDArray[np.bool_]:
    """Return a column that is True at some numbers, to be read at many; −1, among the numbers or read, is False.

    Args:
        numbers: those to mark, each below `count`.
        count: of all there are.

    Returns:
        bool [count + 1], whose last stands for −1.
    """
    marks = np.zeros(count + 1, np.bool_)
    marks[numbers] = True
    marks[count] = False
    return marks


class Names:
    """Ids in the order in which they came: id → index and back; an index is never used twice."""

    __slots__ = ("_index", "ids")

    def __init__(self, ids: list[str] | None = None) -> None:
        self.ids: list[str] = ids if ids is not None else []
        self._index = {name: i for i, name in enumerate(self.ids) if name}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def find(self, name: str) -> int:
        """Return the index of an id, or −1."""
        return self._index.get(name, -1)

    def add(self, name: str) -> int:
        """Return the index of an id, new or known."""
        known = self._index.get(name)
        if known is not None:
            return known
        self._index[name] = len(self.ids)
        self.ids.append(name)
        return len(self.ids) - 1

    def forget(self, name: str) -> int:
        """Take an id away and return the index that it had, or −1."""
        index = self._index.pop(name, -1)
        if index >= 0:
            self.ids[index] = ""
        return index
