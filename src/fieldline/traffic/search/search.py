"""Searching: what is relevant to a query, as typed or as it was probably meant."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.search.correct import Sounds, corrected, holding
from fieldline.traffic.search.index import Index, relevance
from fieldline.traffic.search.text import is_han

GOOD = 0.3
"""A best relevance from which on nobody asks whether something else was meant."""
BETTER = 1.3
"""How much more relevant the best must be for a correction to be taken."""
SUFFIX = "子"
"""What makes a noun of one character in speech (裙子), and is not there in longer words (连衣裙)."""
WORDS = 32
"""Words of most items that one Chinese character may stand for."""


class Hits(NamedTuple):
    """What a query finds."""

    searched: str
    """The query, corrected where that finds something better."""
    items: NDArray[np.int32]
    """[n], each once, in no order."""
    relevance: NDArray[np.float64]
    """[n] in [0, 1)."""


def search(index: Index, sounds: Sounds, query: str) -> Hits:
    """Return what a query finds; one that finds little is corrected, if that finds something clearly more relevant.

    Args:
        index: with scratch that is overwritten.
        sounds: of the index's vocabulary.
        query: normalised.
    """
    typed = Hits(query, *relevance(index, query))
    best = typed.relevance.max(initial=0.0)
    if best >= GOOD:
        return typed
    character = query[:-1] if len(query) == 2 and query.endswith(SUFFIX) and not best else query
    if len(character) == 1 and is_han(character):
        return _of_character(index, sounds, character)
    meant = corrected(index, sounds, query)
    if meant == query:
        return typed
    again = Hits(meant, *relevance(index, meant))
    return again if again.relevance.max(initial=0.0) > BETTER * best else typed


def _of_character(index: Index, sounds: Sounds, character: str) -> Hits:
    """Find what has the character in a word: each item by the most relevant of these words."""
    best: dict[int, float] = {}
    for word in (character, *holding(index, sounds, character)[:WORDS]):
        items, relevant = relevance(index, word)
        for item, value in zip(items.tolist(), relevant.tolist(), strict=True):
            best[item] = max(best.get(item, 0.0), value)
    found = sorted(best)
    return Hits(character, np.array(found, np.int32), np.array([best[item] for item in found]))
