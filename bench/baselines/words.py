"""The rivals' inputs as words: every code a word, every number the word of its bin (20 equally filled ones)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.baselines.inputs import Inputs
from bench.baselines.scores import FIRST_DAY

BINS = 20
VIEWER = ("viewer", "trait_", "past_", "last_", "minutes_since")
ITEM = ("video", "author", "category", "word_", "seconds", "days")
MOMENT = ("scene", "hour", "weekday")
PAIR = ("viewer_category", "viewer_author", "viewer_video")


@dataclass(frozen=True, slots=True)
class Words:
    """Each look's words by column; a word is its column's letter pair and a number."""

    names: tuple[str, ...]
    live: tuple[list[str], ...]
    frozen: tuple[list[str], ...]


def words_of(inputs: Inputs) -> Words:
    """Return the inputs as words; bins are cut on the looks before the first day that is scored."""
    early = inputs.day < FIRST_DAY
    live: list[list[str]] = []
    frozen: list[list[str]] = []
    for place in range(len(inputs.names)):
        now, midnight = inputs.live[:, place], inputs.frozen[:, place]
        if place not in inputs.codes:
            edges = np.unique(np.nanquantile(now[early], np.arange(1, BINS) / BINS))
            now, midnight = _bins(now, edges), _bins(midnight, edges)
        letters = f"{chr(97 + place // 26)}{chr(97 + place % 26)}"
        for column, words in ((now, live), (midnight, frozen)):
            words.append([f"{letters}{number}" for number in column.astype(np.int64).tolist()])
    return Words(inputs.names, tuple(live), tuple(frozen))


def side_of(name: str) -> str:
    """Return which side of a look a column tells of: v(iewer), i(tem), m(oment) or p(air)."""
    if name.startswith(PAIR):
        return "p"
    if name.startswith(MOMENT):
        return "m"
    return "v" if name.startswith(VIEWER) else "i"


def _bins(column: NDArray[np.float32], edges: NDArray[np.floating]) -> NDArray[np.float32]:
    places = np.searchsorted(edges, column, side="right")
    return np.where(np.isnan(column), -1, places).astype(np.float32)
