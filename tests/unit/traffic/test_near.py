"""What is near: all within the circle, across cells' edges, poles and the meridian of 180°, and nothing beyond."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.facts import Place, Sources
from fieldline.traffic.gates import EARTH_KM, point_of, within
from fieldline.traffic.retrieve import (
    Ask,
    Circle,
    Partitions,
    Scratch,
    cell_of,
    cells_within,
    enter,
    keys_of,
    retrieve,
    source_of,
    sources,
)
from fieldline.traffic.retrieve.sources import near
from fieldline.traffic.rows import BIAS, FLAGS, LONG_VIEW, SCENES, SHOWN, VIEWER_WIDTH, new_rows

SIDE = np.zeros(VIEWER_WIDTH, np.float32)
LATITUDES, LONGITUDES = st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)
METRE = 0.001


def at(place: Place, km: float, bearing: float) -> Place:
    """The place so many kilometres from another, on a great circle that leaves it at so many degrees from north."""
    north, east, angle, turn = (
        math.radians(place.latitude), math.radians(place.longitude), km / EARTH_KM, math.radians(bearing),
    )  # fmt: skip
    up = math.sin(north) * math.cos(angle) + math.cos(north) * math.sin(angle) * math.cos(turn)
    aside = math.atan2(
        math.sin(turn) * math.sin(angle) * math.cos(north), math.cos(angle) - math.sin(north) * up
    )
    longitude = (math.degrees(east + aside) + 180.0) % 360.0 - 180.0
    return Place(math.degrees(math.asin(max(-1.0, min(1.0, up)))), longitude)


def asked(here: Place, places: Iterable[Place], km: float = 10.0, limit: int = 1_000) -> Ask:
    """A request from a place among items at others, the later the better."""
    of, partitions = list(places), Partitions()
    rows = new_rows(len(of))
    rows[:, BIAS + LONG_VIEW] = np.arange(len(of)) / 100
    rows.view(np.int32)[:, FLAGS], rows.view(np.int32)[:, SCENES] = SHOWN, 1
    for item, place in enumerate(of):
        enter(partitions, item, keys_of((0,), "c", place), (False,), rows[item])
    points = np.array([point_of(place) for place in of], np.float32).reshape(-1, 3)
    return Ask(partitions, rows, SIDE, 0, limit, circle=Circle(here, km, points))


def found(ask: Ask) -> set[int]:
    """All that near offers."""
    return {int(item) for best in near(ask) for item in best.partition.items[: best.partition.count]}


def brought(ask: Ask) -> list[int]:
    """The candidates that near brings where no other source has a share."""
    nothing, scratch = np.zeros(0, np.int32), Scratch()
    shares = Sources(**dict.fromkeys(Sources.__struct_fields__, 0.0) | {"near": 1.0})
    items = retrieve(ask, scratch, shares, nothing, nothing).tolist()
    return [item for item in items if source_of(scratch, item) == "near"]


@pytest.mark.parametrize("bearing", range(0, 360, 45))
@pytest.mark.parametrize(
    "here",
    [Place(30.0999, 120.0999), Place(30.1, 120.1), Place(0.0, 0.0), Place(-0.05, -179.98), Place(30.0, 180.0),
     Place(30.0, -180.0), Place(69.99, 179.999), Place(89.95, 12.0), Place(90.0, 0.0), Place(-90.0, 77.0)],
    ids=str,
)  # fmt: skip
def test_the_circle_is_exact(here: Place, bearing: int) -> None:
    """In eight directions what lies 200 m and 9.998 km away is near, what lies 10.002 km away is not."""
    places = [at(here, km, bearing) for km in (0.2, 9.998, 10.002)]
    assert found(asked(here, places)) == {0, 1}


def test_what_lies_across_an_edge_is_near() -> None:
    """From 100 m south of a cell's edge an item 100 m north of it is among the candidates, and by this source."""
    here = Place(30.1 - 0.0009, 120.05)
    across = at(here, 0.2, 0)
    assert cell_of(across) != cell_of(here)
    assert brought(asked(here, [across])) == [0]


@settings(max_examples=100, deadline=None)
@given(
    LATITUDES, LONGITUDES, st.floats(0.2, 500.0),
    st.lists(st.tuples(st.floats(0.0, 1.5), st.floats(0.0, 360.0)), max_size=12),
)  # fmt: skip
def test_near_is_what_a_plain_test_of_distance_says(
    latitude: float, longitude: float, km: float, around: list[tuple[float, float]]
) -> None:
    """Anywhere, at any radius, near offers all items within it and none beyond, but for a metre."""
    here = Place(latitude, longitude)
    places = [at(here, share * km, bearing) for share, bearing in around]
    offered = found(asked(here, places, km))
    assert {item for item, place in enumerate(places) if within(here, km - METRE, place)} <= offered
    assert offered <= {item for item, place in enumerate(places) if within(here, km + METRE, place)}


@settings(max_examples=100, deadline=None)
@given(LATITUDES, LONGITUDES, st.floats(0.2, 500.0), st.floats(0.0, 1.0), st.floats(0.0, 360.0))
def test_a_circle_misses_no_cell(
    latitude: float, longitude: float, km: float, share: float, bearing: float
) -> None:
    """The cell of whatever lies within a circle is one of the circle's, however many cells are known."""
    here = Place(latitude, longitude)
    cell = cell_of(at(here, share * km, bearing))
    many = dict.fromkeys((row, column) for row in range(-30, 30) for column in range(-30, 30)) | {cell: None}
    assert cell in cells_within(here, km, {cell: None})
    assert cell in cells_within(here, km, many)


def test_only_known_cells_are_looked_at() -> None:
    """Of a circle of 10 km at 30° north those of its nine cells are returned that items are in."""
    here = Place(30.05, 120.05)
    known = dict.fromkeys((row, column) for row in range(290, 310) for column in range(1190, 1210))
    assert set(cells_within(here, 10.0, known)) == {
        (row, column) for row in (299, 300, 301) for column in (1199, 1200, 1201)
    }
    assert cells_within(here, 10.0, {(300, 1201): None, (305, 1200): None}) == [(300, 1201)]
    assert list(cells_within(here, 10.0, {})) == []


def test_the_nearest_have_their_part() -> None:
    """Of forty places ten are for what lies within 1.25 km, ten within 2.5 and ten within 5, though all that is better
    lies beyond; what is alone out there gets all forty."""
    here = Place(30.05, 120.05)
    places = [at(here, km, 7 * k) for k in range(100) for km in (1.0, 2.0, 4.0, 8.0)]
    places.sort(key=lambda place: not within(here, 6.0, place))  # the better, the later
    chosen = brought(asked(here, places, limit=40))
    counts = [sum(within(here, km, places[item]) for item in chosen) for km in (1.25, 2.5, 5.0, 10.0)]
    assert counts == [10, 20, 30, 40]
    alone = brought(asked(here, [at(here, 8.0, 7 * k) for k in range(100)], limit=40))
    assert len(alone) == 40


def test_where_there_is_too_much_the_outer_rings_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the circle's cells hold more than may be scanned, what is 8 km away is left out; what is 200 m away, across
    an edge, is not."""
    here = Place(30.1 - 0.0009, 120.05)
    ask = asked(here, [at(here, 0.2, 0), *(at(here, 8.0, k) for k in range(100))])
    assert len(found(ask)) == 101
    monkeypatch.setattr(sources, "MOST_NEAR", 100)
    assert 0 in found(ask)
    assert len(found(ask)) < 101
    monkeypatch.setattr(sources, "MOST_NEAR", 0)
    assert found(ask) == {0}


def test_what_left_is_not_near() -> None:
    """An item that moved to another town is near there, and no longer here."""
    here, there = Place(30.05, 120.05), Place(-33.0, 151.0)
    ask = asked(here, [at(here, 1.0, 0), at(here, 2.0, 0)])
    assert ask.circle is not None
    enter(ask.partitions, 0, keys_of((0,), "c", there), (False,), ask.rows[0])
    ask.circle.points[0] = point_of(there)
    assert found(ask) == {1}
    assert found(ask._replace(circle=ask.circle._replace(place=there))) == {0}
