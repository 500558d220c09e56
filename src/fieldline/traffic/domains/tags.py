"""Tags: of which domain an item is to a request.

Private: from a creator whom the viewer follows, or in a scene that is declared private. Else circle: the item's
own place is near the viewer's. Else channel: of the category that the request names. Else what the scene is
declared to be, public unless said otherwise. Nothing of who opted out is read: neither follows nor where they said
to be, only the place that the request tells.
"""

from collections.abc import Mapping
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, marked
from fieldline.facts import Domain, Place
from fieldline.traffic.gates import bound_of, point_of
from fieldline.traffic.shelf import Shelf

DOMAINS: tuple[Domain, ...] = get_args(Domain)
PUBLIC, PRIVATE, CIRCLE, CHANNEL = range(4)
"""Domains by number."""


class Standpoint(NamedTuple):
    """What the tags of a request's items read."""

    follows: Mapping[str, int]
    """Creators that the viewer follows; empty of who opted out."""
    scene: int
    """The number of the domain that the scene is declared to be."""
    category: int
    """The one that the request names, −1: none."""
    here: tuple[float, float, float] | None
    """Where the viewer is on the unit sphere."""
    bound: float
    """How far the circle reaches: the square of a chord of the unit sphere."""


def standpoint(
    follows: Mapping[str, int], scene: Domain, category: int, place: Place | None, circle_km: float
) -> Standpoint:
    """Return what the tags of a request's items read.

    Args:
        follows: creators that the viewer follows.
        scene: what the scene is declared to be.
        category: number of the one that the request names, −1: none.
        place: where the viewer is.
        circle_km: radius of the circle.
    """
    here = point_of(place) if place else None
    return Standpoint(follows, DOMAINS.index(scene), category, here, 4.0 * bound_of(circle_km))


def domain_of(stand: Standpoint, shelf: Shelf, creators: Names, item: int) -> int:
    """Return the number of the domain that an item is of to a request."""
    creator = shelf.creator.item(item)
    if stand.scene == PRIVATE or (creator >= 0 and creators.ids[creator] in stand.follows):
        return PRIVATE
    if stand.here is not None:
        x, y, z = shelf.point[item].tolist()
        east, north, up = x - stand.here[0], y - stand.here[1], z - stand.here[2]
        if east * east + north * north + up * up <= stand.bound:
            return CIRCLE
    if stand.category >= 0 and shelf.category.item(item) == stand.category:
        return CHANNEL
    return stand.scene


def domains_of(
    stand: Standpoint, shelf: Shelf, creators: Names, items: NDArray[np.int32]
) -> NDArray[np.int8]:
    """Return the numbers of the domains that items [n] are of to a request: `domain_of` each, int8 [n]."""
    if stand.scene == PRIVATE:
        return np.full(len(items), PRIVATE, np.int8)
    found = np.full(len(items), stand.scene, np.int8)
    if stand.category >= 0:
        found[shelf.category[items] == stand.category] = CHANNEL
    if stand.here is not None:
        squares = (shelf.point[items] - np.array(stand.here)) ** 2
        found[squares[:, 0] + squares[:, 1] + squares[:, 2] <= stand.bound] = CIRCLE
    if stand.follows:
        found[followed(stand, shelf, creators, items)] = PRIVATE
    return found


def followed(stand: Standpoint, shelf: Shelf, creators: Names, items: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which items [n] are of creators whom the viewer follows."""
    makers = marked([creators.find(id) for id in stand.follows], len(creators))
    return np.asarray(makers[shelf.creator[items]])
