"""Finding: what of the catalogue may answer a viewer's query in a scene, and how relevant each is."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.rows import FLAGS, SCENES, SHOWN
from fieldline.traffic.search.search import search
from fieldline.traffic.search.text import tokens
from fieldline.traffic.state import State


class Found(NamedTuple):
    """What may be shown for a query."""

    searched: str
    """What was searched: the query, or what it was probably meant to be; empty: nothing was found."""
    items: NDArray[np.int32]
    """[n], most relevant first."""
    relevance: NDArray[np.float32]
    """[n] in [floor, 1)."""
    words: frozenset[str]
    """Of what was typed and of what was searched; negative words close on them."""


NOTHING_FOUND = Found("", np.zeros(0, np.int32), np.zeros(0, np.float32), frozenset())


def find(state: State, query: str, scene: int, at: int, limit: int, among: Iterable[int] = ()) -> Found:
    """Return what may be shown for a query, nothing below the policy's relevance floor.

    Args:
        state: only read, but for the index's scratch.
        query: normalised, see `text.query_of`.
        scene: its number.
        at: ms; what is listed later is left out.
        limit: most items.
        among: items that are kept whatever the limit, if they reach the floor.
    """
    index = state.desk.texts
    hits = search(index, state.desk.sounds, query)
    words = state.shelf.rows.view(np.int32)[hits.items]
    eligible = (words[:, FLAGS] & SHOWN != 0) & (words[:, SCENES] >> scene & 1 == 1)
    eligible &= (hits.relevance >= state.policy.relevance_floor) & (state.shelf.uploaded[hits.items] <= at)
    items, relevance = best(hits.items[eligible], hits.relevance[eligible], limit, among)
    if not len(items):
        return NOTHING_FOUND
    return Found(hits.searched, items, relevance.astype(np.float32), tokens(query) | tokens(hits.searched))


def relevance_of(found: Found, items: NDArray[np.int32]) -> tuple[float, ...]:
    """Return how relevant some of the items found are, in their order."""
    return tuple(float(found.relevance[found.items == item][0]) for item in items)


def best(
    items: NDArray[np.int32], relevance: NDArray[np.float64], limit: int, among: Iterable[int] = ()
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the most relevant items, of equal ones the smaller number first, and those among them that must stay.

    Args:
        items: [n], in any order.
        relevance: [n].
        limit: most of them.
        among: items that stay wherever they rank; they take the places of the last.
    """
    if len(items) > 4 * limit:
        least = np.partition(relevance, len(relevance) - limit)[len(relevance) - limit]
        near = (relevance >= least) | np.isin(items, list(among))
        items, relevance = items[near], relevance[near]
    kept = np.isin(items, list(among))
    order = np.lexsort((items, -relevance, ~kept))[:limit]
    order = order[np.lexsort((items[order], -relevance[order]))]
    return items[order], relevance[order]
