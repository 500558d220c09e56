"""Geo cells: a tenth of a degree each, and those that a circle on the earth touches."""

import math
from collections.abc import Collection, Iterable

from fieldline.facts import Place
from fieldline.traffic.gates import EARTH_KM

Cell = tuple[int, int]

CELL_DEGREES = 0.1
"""Side of a geo cell: about 11 km of latitude."""

AROUND = round(360 / CELL_DEGREES)
"""Cells around the earth."""

SLACK = 1e-6
"""Degrees by which a circle is taken wider: a tenth of a metre, against rounding at a cell's edge."""


def cell_of(place: Place) -> Cell:
    """Return the geo cell of a place; the meridians 180° and −180° are one."""
    return int(place.latitude // CELL_DEGREES), _wrapped(int(place.longitude // CELL_DEGREES))


def cells_within(place: Place, km: float, known: Collection[Cell]) -> Iterable[Cell]:
    """Return all cells that hold a point of a circle, and few others.

    The circle of angle r = km/R about latitude φ spans latitudes φ ± r and longitudes λ ± asin(sin r / cos φ), all of
    them where it holds a pole.

    Args:
        place: the centre.
        km: radius.
        known: cells that may be returned; where the circle spans more than there are, they are gone through instead.

    Source: the spherical law of sines.
    """
    angle = km / EARTH_KM
    reach = math.degrees(angle) + SLACK
    bottom, top = (int((place.latitude + side * reach) // CELL_DEGREES) for side in (-1, 1))
    width = 180.0
    if abs(place.latitude) + reach < 90.0:
        width = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(place.latitude)))) + SLACK
    left, right = (int((place.longitude + side * width) // CELL_DEGREES) for side in (-1, 1))
    columns = min(right - left + 1, AROUND)
    if (top - bottom + 1) * columns > len(known):
        return [cell for cell in known if bottom <= cell[0] <= top and (cell[1] - left) % AROUND < columns]
    spans = [_wrapped(left + column) for column in range(columns)]
    return [(row, column) for row in range(bottom, top + 1) for column in spans if (row, column) in known]


def _wrapped(column: int) -> int:
    return (column + AROUND // 2) % AROUND - AROUND // 2
