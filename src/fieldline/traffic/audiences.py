"""Audiences: for whom a product that a live room is about to sell is, and how far two such audiences are the same.

A viewer is of a product's audience where its category is among their intents (inferred from what they did in the last
week, or stated), or where what they watched lately is more like it than it is for nine tenths of viewers. Nobody who
opted out, was erased, or said not to want the category is of any. What cannot be told of fewer than 20 is not told.
Source: S28.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.facts import LiveRoom
from fieldline.people.intent import DEED, HISTORY, STAGES, UNWANTED, intents_of, said_of
from fieldline.traffic.rows import DIMENSIONS
from fieldline.traffic.state import State

LEAST = 20
"""Fewer viewers than this are not told."""
LATELY = 3
"""Items that a viewer must have watched for their likes to be known."""
ALIKE = 0.1
"""Share of the viewers whose likes are known who are taken to be most like a product."""
CHUNK = 16_384

REASONS = (*STAGES, "alike", "bought", "follows")
"""How far an intent is; what was watched is alike; bought of the merchant before; follows the host."""

Flags = NDArray[np.bool_]


class Reason(msgspec.Struct, frozen=True):
    """How many viewers of an audience a reason holds for."""

    reason: str
    viewers: int | None
    """Null: fewer than 20."""


class Overlap(msgspec.Struct, frozen=True):
    """How many viewers are of another product's audience, too."""

    product: str
    viewers: int | None
    """Null: fewer than 20."""


class Audience(msgspec.Struct, frozen=True):
    """For whom a product is."""

    product: str
    category: str
    size: int | None
    """Null: fewer than 20."""
    reasons: tuple[Reason, ...]
    """Those that hold for somebody; a viewer may have several."""
    overlap: tuple[Overlap, ...]
    """With each other product that was asked about."""


class Members(NamedTuple):
    """Who is of an audience, and why."""

    viewers: Flags  # [V]
    reasons: dict[str, Flags]  # by name [V]


def audiences(state: State, room: str, products: Sequence[str], at: int) -> tuple[Audience, ...]:
    """Return the audience of each of several products in a live room.

    Args:
        state: only read.
        room: id of a live room that is there.
        products: ids of products that are there.
        at: ms.
    """
    host = state.shelf.facts[state.shelf.names.find(room)]
    creator = host.creator if isinstance(host, LiveRoom) else ""
    known = [members(state, product, creator, at) for product in products]
    return tuple(
        Audience(
            product,
            state.goods.products[product].category,
            told(of.viewers),
            tuple(Reason(name, told(flags)) for name, flags in of.reasons.items() if flags.any()),
            tuple(
                Overlap(other, told(of.viewers & others.viewers))
                for other, others in zip(products, known, strict=True)
                if other != product
            ),
        )
        for product, of in zip(products, known, strict=True)
    )


def members(state: State, product: str, creator: str, at: int) -> Members:
    """Return who is of a product's audience, and why.

    Args:
        state: only read.
        product: id.
        creator: who hosts the room.
        at: ms.
    """
    people, shelf = state.people, state.shelf
    item, count = shelf.names.find(product), len(people.facts)
    category, merchant = int(shelf.category[item]), state.goods.products[product].merchant
    there = np.array([fact is not None for fact in people.facts], bool) & people.personalised[:count]
    said = {viewer: said_of(people.intents, viewer, category, at) for viewer in people.intents.said}
    there[[viewer for viewer, stage in said.items() if stage == UNWANTED]] = False
    reasons = {name: np.zeros(count, bool) for name in REASONS}
    for viewer in np.flatnonzero(_interested(state, category, said, at) & there).tolist():
        for intent in intents_of(people.intents, viewer, at):
            if intent.category == category:
                reasons[STAGES[intent.stage]][viewer] = True
    reasons["alike"] = _alike(state, item, there)
    viewers = np.logical_or.reduce([reasons[name] for name in (*STAGES, "alike")])
    for viewer in np.flatnonzero(viewers).tolist():
        reasons["bought"][viewer] = merchant in people.bought[viewer]
        reasons["follows"][viewer] = creator in people.follows[viewer]
    return Members(viewers, reasons)


def told(viewers: Flags) -> int | None:
    """Return how many viewers there are, or None where there are fewer than 20."""
    count = int(viewers.sum())
    return count if count >= LEAST else None


def _interested(state: State, category: int, said: dict[int, int | None], at: int) -> Flags:
    """Whom a category was of interest to in the last week, or who said so."""
    intents, count = state.people.intents, len(state.people.facts)
    lately = intents.at[:count, :, DEED] >= at - HISTORY
    found = ((intents.category[:count] == category) & lately).any(axis=1)
    found[[viewer for viewer, stage in said.items() if stage is not None]] = True
    return np.asarray(found)


def _alike(state: State, item: int, there: Flags) -> Flags:
    """Who is, of those whose likes are known, of the tenth whose mean likeness to an item is highest, and above 0."""
    likeness = np.full(len(there), -np.inf)
    for start in range(0, len(there), CHUNK):
        end = min(start + CHUNK, len(there))
        likeness[start:end] = _likeness(state, item, state.people.recent[start:end])
    likeness[~there] = -np.inf
    known = np.isfinite(likeness)
    least = np.quantile(likeness[known], 1.0 - ALIKE) if known.any() else np.inf
    return np.asarray(known & (likeness > 0.0) & (likeness >= least))


def _likeness(state: State, item: int, recent: NDArray[np.int32]) -> NDArray[np.float64]:
    """Mean cosine of the click vectors of what each viewer watched lately with an item's; −∞ where too little."""
    rows = state.shelf.rows
    wanted = rows[item, :DIMENSIONS].astype(np.float64)
    watched = rows[np.maximum(recent, 0), :DIMENSIONS].astype(np.float64)  # [V, 20, 8]
    length = np.sqrt((watched**2).sum(axis=2)) * np.sqrt((wanted**2).sum())
    cosine = (watched * wanted).sum(axis=2) / np.maximum(length, 1e-12)
    seen = recent >= 0
    count = seen.sum(axis=1)
    mean = (cosine * seen).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= LATELY, mean, -np.inf)
