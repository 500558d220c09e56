"""Sources: each offers, of what a request may use, the items that it knows; small, pure and in one table.

A source offers items in its own order (an array), or a partition whose best by a vector are taken. What a
request may not use is not in its `Ask`: nobody who opted out is followed about by a source.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Place
from fieldline.traffic.gates import bound_of, point_of
from fieldline.traffic.kernels.near import in_rings
from fieldline.traffic.retrieve.cells import cells_within
from fieldline.traffic.retrieve.partitions import NOTHING, Partition, Partitions, gathered
from fieldline.traffic.retrieve.pool import OVER, PAYS, Key, nearest
from fieldline.traffic.rows import DIMENSIONS, FLAGS, SHOWN

NEWEST = 20
"""Items that one followed creator may give."""

INNERMOST_KM = 1.0
"""Radius that no ring of a circle is narrower than."""

MOST_NEAR = 8_192
"""Items of the cells that a circle touches above which its outermost ring is left out."""

LATELY = 2
"""Items watched long, the newest ones, whose likes are offered."""


class Circle(NamedTuple):
    """What is near a request."""

    place: Place
    """Where the viewer is."""
    km: float
    """How far it reaches."""
    points: NDArray[np.float32]
    """Where all items are on the unit sphere [I, 3]; NaN: nowhere."""


class Ask(NamedTuple):
    """What one request's sources may read."""

    partitions: Partitions
    rows: NDArray[np.float32]
    """Packed rows [I, 32]."""
    side: NDArray[np.float32]
    """The viewer's side of the predictor [27]."""
    scene: int
    limit: int
    """Most candidates."""
    category: str | None = None
    follows: Iterable[str] = ()
    """Creators that the viewer follows."""
    circle: Circle | None = None
    """What is near; None: nobody knows where the viewer is."""
    watched: Sequence[int] = ()
    """Items that the viewer watched long last, −1 = none."""
    intents: Sequence[str] = ()
    """Categories that the viewer is surest to be interested in."""
    guaranteed: Partition | None = None
    """The scene's items under a floor that is behind its plan."""
    promoted: Partition | None = None
    """The scene's items with contracts in force."""
    staged: Partition | None = None
    """Rooms that are about to sell what was planned."""


class Best(NamedTuple):
    """A partition whose best by vector·query + bias are offered."""

    partition: Partition
    query: NDArray[np.float32]  # [8]


def followed(ask: Ask) -> NDArray[np.int32]:
    """Offer the newest twenty of each creator that the viewer follows."""
    of_creator = ask.partitions.of_creator
    newest = [of_creator[name][:NEWEST] for name in ask.follows if name in of_creator]
    return np.concatenate(newest) if newest else NOTHING


def trending(ask: Ask) -> NDArray[np.int32]:
    """Offer what gained most clicks (goods) or long views (content) lately."""
    return ask.partitions.trending.get(ask.scene, NOTHING)


def fresh(ask: Ask) -> NDArray[np.int32]:
    """Offer the newest of what few have seen."""
    return ask.partitions.fresh.get(ask.scene, NOTHING)


def near(ask: Ask) -> Sequence[Best]:
    """Offer the best of what lies about the viewer: within a kilometre or two, then twice as far, up to the circle."""
    circle = ask.circle
    if circle is None:
        return ()
    parts = _touched(ask, circle)
    while sum(part.count for part in parts) > MOST_NEAR and circle.km >= 2.0 * INNERMOST_KM:
        circle = circle._replace(km=circle.km / 2.0)
        parts = _touched(ask, circle)
    return [Best(within, _viewer(ask, within)) for within in _rings(circle, parts, ask.rows)] if parts else ()


def channel(ask: Ask) -> Sequence[Best]:
    """Offer the best of the category that the request names."""
    return _best(ask, ("category", ask.scene, ask.category)) if ask.category else ()


def intent(ask: Ask) -> Sequence[Best]:
    """Offer the best of each category that the viewer is surest to be interested in."""
    return [best for category in ask.intents for best in _best(ask, ("category", ask.scene, category))]


def similar(ask: Ask) -> Sequence[Best]:
    """Offer, for each of the last two items watched long, the nearest to it in its category."""
    offers: list[Best] = []
    for item in ask.watched:
        for key in ask.partitions.keys_of[item] if item >= 0 else ():
            if key[0] == "category" and key[1] == ask.scene:
                partition = ask.partitions.by_key[key]
                offers.append(Best(partition, _words(ask.rows[item], partition)))
    return offers


def guaranteed(ask: Ask) -> Sequence[Best]:
    """Offer what an exposure floor owes looks to and is behind with."""
    return (Best(ask.guaranteed, _viewer(ask, ask.guaranteed)),) if ask.guaranteed else ()


def promoted(ask: Ask) -> Sequence[Best]:
    """Offer the best of what a contract stands on."""
    return (Best(ask.promoted, _viewer(ask, ask.promoted)),) if ask.promoted else ()


def staged(ask: Ask) -> Sequence[Best]:
    """Offer the best of the rooms that are about to sell what was planned."""
    return (Best(ask.staged, _viewer(ask, ask.staged)),) if ask.staged else ()


def guess_you_like(ask: Ask) -> Sequence[Best]:
    """Offer the best of the whole scene."""
    return _best(ask, ("scene", ask.scene))


Listed = Callable[[Ask], NDArray[np.int32]]
Scanned = Callable[[Ask], Sequence[Best]]

LISTED_SOURCES: tuple[Listed, ...] = (followed, trending, fresh)
SCANNED_SOURCES: tuple[Scanned, ...] = (
    near,
    channel,
    intent,
    similar,
    guaranteed,
    promoted,
    staged,
    guess_you_like,
)
"""After the listed ones; all in the order of `fieldline.facts.Sources`, the last without a share of its own."""

SOURCES = (
    "asked",
    "search",
    *(source.__name__ for source in LISTED_SOURCES),
    *(source.__name__ for source in SCANNED_SOURCES),
    "again",
)
"""What may have brought an item: the request named it, it matches the query, a source offered it, or nothing else was
left to show."""


def _best(ask: Ask, key: Key) -> Sequence[Best]:
    partition = ask.partitions.by_key.get(key)
    if partition is None:
        return ()
    query = _viewer(ask, partition)
    pool = ask.partitions.pools.by_key.get(key)
    if pool is None or partition.count < PAYS * OVER * ask.limit:
        return (Best(partition, query),)
    items = nearest(pool, query, OVER * ask.limit)
    flags = ask.rows.view(np.int32)[items, FLAGS]
    return (Best(gathered(items[flags & SHOWN != 0], ask.rows, partition.task), query),)


def _touched(ask: Ask, circle: Circle) -> list[Partition]:
    """Return the partitions of the cells that a circle touches."""
    cells = cells_within(circle.place, circle.km, ask.partitions.cells.get(ask.scene, ()))
    return [best.partition for cell in cells for best in _best(ask, ("cell", ask.scene, *cell))]


def _rings(circle: Circle, parts: Sequence[Partition], rows: NDArray[np.float32]) -> list[Partition]:
    """Gather what of some partitions lies in a circle: a partition for each radius, each the next one's first items."""
    radii = [circle.km]
    while radii[0] >= 2.0 * INNERMOST_KM:
        radii.insert(0, radii[0] / 2.0)
    bounds = np.array([4.0 * bound_of(km) for km in radii])
    items, task = np.concatenate([part.items[: part.count] for part in parts]), parts[0].task
    items, vectors, biases, ends = in_rings(items, circle.points, point_of(circle.place), bounds, rows, task)
    return [Partition(task, items, vectors, biases, end) for end in ends.tolist() if end]


def _viewer(ask: Ask, partition: Partition) -> NDArray[np.float32]:
    return _words(ask.side, partition)


def _words(words: NDArray[np.float32], partition: Partition) -> NDArray[np.float32]:
    first = partition.task * DIMENSIONS
    return words[first : first + DIMENSIONS]
