"""Near me, on real check-ins: is the venue of the next one among the candidates, by source and number of them?

Every venue is an item of one scene, every check-in of the log an outcome, with one other venue drawn by key as
what was not chosen. Then, check-in by check-in, a request at the place of the person's check-in before: which
source has the venue that came next among so many candidates?
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.draws import key_of, unit_of
from fieldline.facts import Creator, Outcome, Place, Sources, Tick, Video, Viewer
from fieldline.people import lately
from fieldline.traffic.prediction import model
from fieldline.traffic.retrieve import LATELY, Ask, Circle, Scratch, retrieve, source_of
from fieldline.traffic.state import tidy
from fieldline.units import DAY, MINUTE

SCALE = 0.08
"""Degrees that a standard deviation of the standardised coordinates is taken for, about New York's."""
SCENE = "local"
START = 1_650_850_200_000
SILENT = Sources(**dict.fromkeys(Sources.__struct_fields__, 0.0))
COMPARED = ("near", "trending", "similar")


class Visit(NamedTuple):
    """One check-in."""

    person: str
    venue: str
    place: Place
    at: int


def visits(folder: Path, *parts: str) -> list[Visit]:
    """Return the check-ins of some parts of the data, in order of time."""
    return sorted(
        (
            Visit(
                f"person-{row['user_id']}",
                f"venue-{row['location_id']}",
                Place(40.7 + SCALE * float(row["latitude"]), -74.0 + SCALE * float(row["longitude"])),
                START + int(row["start_day"]) * DAY + int(row["start_min"]) * MINUTE,
            )
            for part in parts
            for row in _rows(folder / f"foursquare_{part}.csv")
        ),
        key=lambda visit: (visit.at, visit.person),
    )


def measure(folder: Path, most: int = 200, learned: int = 1 << 30, asked: int = 1 << 30) -> dict[str, float]:
    """Return, for each source alone, the share of check-ins whose venue is among its first `most` candidates.

    Args:
        folder: with the check-ins.
        most: candidates.
        learned: newest check-ins of the training part that are learned from.
        asked: check-ins of the validation part that are asked about.
    """
    train, valid = visits(folder, "train")[-learned:], visits(folder, "valid")
    policy = msgspec.structs.replace(DEFAULT_POLICY, candidate_limit=most)
    state = engine.init(policy)
    engine.reduce(state, Tick(train[0].at))
    engine.reduce(state, Creator("city"))
    places = {visit.venue: visit.place for visit in (*train, *valid)}
    for venue, place in places.items():
        engine.reduce(state, Video(venue, "city", scenes=(SCENE,), place=place))
    for person in dict.fromkeys(visit.person for visit in (*train, *valid)):
        engine.reduce(state, Viewer(person))
    names, scratch, hits = list(places), Scratch(), dict.fromkeys(COMPARED, 0)
    last = {visit.person: visit.place for visit in train}
    for number, visit in enumerate(train):
        _learn(state, visit, names, number)
    valid = [visit for visit in valid if visit.person in last and visit.at > train[-1].at][:asked]
    for number, visit in enumerate(valid):
        for name in COMPARED:
            hits[name] += _found(state, scratch, visit, last[visit.person], name, most)
        last[visit.person] = visit.place
        _learn(state, visit, names, len(train) + number)
    return {name: count / len(valid) for name, count in hits.items()}


def _learn(state: engine.State, visit: Visit, names: list[str], number: int) -> None:
    if visit.at > state.ticked + DAY:
        engine.reduce(state, Tick(visit.at))
    other = names[int(unit_of(key_of(1, f"{number}", "other")) * len(names))]
    for kind, venue in (("yes", visit.venue), ("no", other)):
        came = kind == "yes"
        engine.reduce(state, Outcome(f"{number}/{kind}", visit.at, visit.person, venue, SCENE, came, came))


def _found(state: engine.State, scratch: Scratch, visit: Visit, place: Place, name: str, most: int) -> bool:
    tidy(state)
    viewer, scene = state.people.names.find(visit.person), state.scenes.numbers[SCENE]
    side = model.viewer_side(state, viewer, scene, visit.at)
    ask = Ask(
        state.partitions, state.shelf.rows, side, scene, most,
        circle=Circle(place, state.policy.circle_km, state.shelf.point), watched=lately(state.people, viewer, LATELY),
    )  # fmt: skip
    nothing = np.zeros(0, np.int32)
    only = msgspec.structs.replace(SILENT, **{name: 1.0})
    found = retrieve(ask, scratch, only, nothing, nothing)
    item = state.shelf.names.find(visit.venue)
    return item in found and source_of(scratch, item) == name


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(newline="") as lines:
        yield from csv.DictReader(lines)


if __name__ == "__main__":
    print(measure(Path(sys.argv[1]) / "foursquare_checkins", *map(int, sys.argv[2:])))
