"""Pairs: two neighbouring Chinese characters or three letters of a word, which match where words do not quite.

"连衣裙 cup" has 连衣, 衣裙, ^cu, cup and up$. A pair is one number, of 21 bits a character, and a table says which
term it is: no string is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

EDGE = 1
"""Stands for ^ and $, in no text: a control character."""
SPACE = 32
NONE = -1


@dataclass(slots=True)
class Numbers:
    """Terms by key: an open table of a power of two, at most half full."""

    keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1 << 12, np.int64))
    """0: empty."""
    numbers: NDArray[np.int32] = field(default_factory=lambda: np.zeros(1 << 12, np.int32))
    count: int = 0


def keys_of(parts: Sequence[str], more: Sequence[str] = ()) -> tuple[NDArray[np.int64], int]:
    """Return the keys of the pairs of parts of texts, in order [n], and how many are not of the second.

    Args:
        parts: of one text, see `text.parts`.
        more: of another.
    """
    first = " ".join(parts)
    codes = np.frombuffer((first + " " + " ".join(more)).encode("utf-32-le"), np.uint32)
    return _keys(codes, len(first))  # type: ignore[no-any-return]


def numbered(table: Numbers, keys: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the terms that keys stand for [n], new ones numbered in order."""
    if 2 * (table.count + keys.size) > table.keys.size:
        wider = Numbers(
            np.zeros(4 * table.keys.size, np.int64), np.zeros(4 * table.keys.size, np.int32), table.count
        )
        held = np.flatnonzero(table.keys)
        _insert(wider.keys, wider.numbers, table.keys[held], table.numbers[held])
        table.keys, table.numbers = wider.keys, wider.numbers
    found = np.empty(keys.size, np.int32)
    table.count = _number(table.keys, table.numbers, keys, table.count, found)
    return found


def found(table: Numbers, keys: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the terms that keys stand for [n], −1 for those that no text ever had."""
    numbers = np.empty(keys.size, np.int32)
    _find(table.keys, table.numbers, keys, numbers)
    return numbers


@njit
def _is_han(code: int) -> bool:
    return 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF


@njit
def _keys(codes: NDArray[np.uint32], split: int) -> tuple[NDArray[np.int64], int]:
    keys = np.empty(2 * codes.size + 2, np.int64)
    count = 0
    before_split = 0
    begin = 0
    for at in range(codes.size + 1):
        if at < codes.size and codes[at] != SPACE:
            continue
        length = at - begin
        if length > 0:
            if _is_han(codes[begin]):
                for k in range(begin, max(at - 1, begin + 1)):
                    second = np.int64(codes[k + 1]) if k + 1 < at else np.int64(0)
                    keys[count] = (np.int64(codes[k]) << 21) | second
                    count += 1
            else:
                for k in range(begin, at):
                    before = np.int64(codes[k - 1]) if k > begin else np.int64(EDGE)
                    after = np.int64(codes[k + 1]) if k + 1 < at else np.int64(EDGE)
                    keys[count] = (before << 42) | (np.int64(codes[k]) << 21) | after
                    count += 1
        begin = at + 1
        if at <= split:
            before_split = count
    return keys[:count], before_split


@njit
def _place(keys: NDArray[np.int64], key: int) -> Any:
    """Return where a key stands in the table, or the empty place where it would."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    at = np.int64((mixed ^ (mixed >> np.uint64(29))) & np.uint64(keys.size - 1))
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & (keys.size - 1)
    return at


@njit
def _insert(
    keys: NDArray[np.int64], numbers: NDArray[np.int32], old: NDArray[np.int64], known: NDArray[np.int32]
) -> None:
    for n in range(old.size):
        at = _place(keys, old[n])
        keys[at] = old[n]
        numbers[at] = known[n]


@njit
def _number(
    keys: NDArray[np.int64],
    numbers: NDArray[np.int32],
    asked: NDArray[np.int64],
    count: int,
    out: NDArray[np.int32],
) -> int:
    for n in range(asked.size):
        at = _place(keys, asked[n])
        if keys[at] == 0:
            keys[at] = asked[n]
            numbers[at] = count
            count += 1
        out[n] = numbers[at]
    return count


@njit
def _find(
    keys: NDArray[np.int64], numbers: NDArray[np.int32], asked: NDArray[np.int64], out: NDArray[np.int32]
) -> None:
    for n in range(asked.size):
        at = _place(keys, asked[n])
        out[n] = numbers[at] if keys[at] != 0 else NONE


@njit
def counted(
    numbers: NDArray[np.int32], split: int, weight: float, after: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return terms [n] each once, ascending, with the sums of their weights [n]: another from the split on."""
    terms = np.empty(numbers.size, np.int32)
    sums = np.empty(numbers.size, np.float32)
    count = 0
    for n in range(numbers.size):
        more = weight if n < split else after
        at = count
        while at > 0 and terms[at - 1] > numbers[n]:
            at -= 1
        if at > 0 and terms[at - 1] == numbers[n]:
            sums[at - 1] += more
            continue
        for k in range(count, at, -1):
            terms[k] = terms[k - 1]
            sums[k] = sums[k - 1]
        terms[at] = numbers[n]
        sums[at] = more
        count += 1
    return terms[:count], sums[:count]
