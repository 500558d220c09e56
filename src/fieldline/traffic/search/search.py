"""Searching: what is relevant to a query, as typed or as it was probably meant."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.search.correct import Sounds, corrected
from fieldline.traffic.search.index import Index, relevance

GOOD = 0.3
"""A best relevance from which on nobody asks whether something else was meant."""
BETTER = 1.3
"""How much more relevant the best must be for a correction to be taken."""


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
    meant = corrected(index, sounds, query)
    if meant == query:
        return typed
    again = Hits(meant, *relevance(index, meant))
    return again if again.relevance.max(initial=0.0) > BETTER * best else typed
