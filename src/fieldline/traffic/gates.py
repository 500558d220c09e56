"""Gates: for which requests a contract bids on its items, by scene, audience and what the viewer bought before.

Contracts share few gates, so that a request is tested against each gate once, whatever the number of contracts:
`opens` says what a gate means, `open_gates` tests all of them together as sets of bits.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import ALL, Audience, Contract, Reach
from fieldline.facts import Place, Viewer
from fieldline.traffic.search.text import tokens

EARTH_KM = 6_371.0088
"""Mean radius (IUGG)."""

ALL_OPEN = np.ones(1, np.uint8)
"""What stands for every gate where there is no other than the open one; never written to."""


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests an entry bids for; the empty gate is open to all."""

    scenes: tuple[str, ...] = ()
    audience: Audience = ALL
    merchant: str = ""
    """Whose buyers the audience means, where it means any."""


OPEN = Gate()
NO_WORDS: frozenset[str] = frozenset()


def gate_of(contract: Contract, reach: Reach) -> Gate:
    """Return the gate of one of a contract's units; what is granted, not bid for, is open to all."""
    if not contract.bids:
        return OPEN
    merchant = "" if reach.audience.buyers == "all" else contract.merchant
    return Gate(tuple(sorted(set(reach.scenes))), reach.audience, merchant)


def opens(
    gate: Gate,
    viewer: Viewer | None,
    scene: str,
    category: str | None,
    place: Place | None,
    returning: bool,
    words: frozenset[str] = NO_WORDS,
) -> bool:
    """Return whether a gate is open to a request.

    Args:
        gate: the gate.
        viewer: who asks; None, someone of whom nothing is known.
        scene: the scene's name.
        category: the request's, if it names one.
        place: the request's place, else the viewer's.
        returning: whether the viewer has ordered from the gate's merchant before.
        words: of the request's query.
    """
    audience = gate.audience
    traits = viewer.traits if viewer else ()
    return (
        (not gate.scenes or scene in gate.scenes)
        and (not audience.traits or any(trait in audience.traits for trait in traits))
        and not any(trait in audience.without for trait in traits)
        and (category is None or category not in audience.negatives)
        and not any(_has(words, tokens(phrase)) for phrase in audience.negative_words)
        and (audience.buyers == "all" or (audience.buyers == "returning") == returning)
        and (
            audience.near is None or (place is not None and within(audience.near, audience.within_km, place))
        )
    )


def within(near: Place, km: float, place: Place) -> bool:
    """Return whether two places are at most so many kilometres apart on a sphere.

    hav(θ) ≤ sin²(km / 2R), where hav(θ) = ¼·|p − q|² of the two points on the unit sphere

    Source: the haversine formula (Sinnott, Sky and Telescope 68, 1984).
    """
    return bool(_haversines(point_of(near), point_of(place)) <= bound_of(km))


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """Gates by number, as sets of them: bit g of a set is gate g."""

    count: int
    every: int
    scenes: dict[str, int] = field(default_factory=dict)
    """Gates that name a scene."""
    any_scene: int = 0
    traits: dict[str, int] = field(default_factory=dict)
    """Gates that ask for a trait, among others."""
    any_traits: int = 0
    without: dict[str, int] = field(default_factory=dict)
    """Gates that a trait closes."""
    negatives: dict[str, int] = field(default_factory=dict)
    """Gates that a category closes."""
    phrases: dict[str, list[tuple[frozenset[str], int]]] = field(default_factory=dict)
    """By one of its words, the words of a phrase, and the gates that a query with all of them closes."""
    new: int = 0
    returning: int = 0
    merchants: dict[str, int] = field(default_factory=dict)
    """Gates that ask about a merchant's buyers."""
    local: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Gates that ask for a place, [L]."""
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((3, 0)))
    """Where those are on the unit sphere, [3, L]."""
    bounds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """How far they reach, as haversines, [L]."""


def gates_of(gates: Sequence[Gate]) -> Gates:
    """Return gates ready to be tested together.

    Args:
        gates: by number; gate 0 is `OPEN`.
    """
    audiences = [gate.audience for gate in gates]
    local = [g for g, audience in enumerate(audiences) if audience.near is not None]
    return Gates(
        count=len(gates),
        every=(1 << len(gates)) - 1,
        scenes=_by_word(gate.scenes for gate in gates),
        any_scene=_set_of(not gate.scenes for gate in gates),
        traits=_by_word(audience.traits for audience in audiences),
        any_traits=_set_of(not audience.traits for audience in audiences),
        without=_by_word(audience.without for audience in audiences),
        negatives=_by_word(audience.negatives for audience in audiences),
        phrases=_by_phrase(_by_word(audience.negative_words for audience in audiences)),
        new=_set_of(audience.buyers == "new" for audience in audiences),
        returning=_set_of(audience.buyers == "returning" for audience in audiences),
        merchants=_by_word((gate.merchant,) if gate.merchant else () for gate in gates),
        local=np.array(local, np.int64),
        points=np.array([point_of(audience.near) for audience in audiences if audience.near])
        .reshape(-1, 3)
        .T,
        bounds=np.array([bound_of(audiences[g].within_km) for g in local]),
    )


def open_gates(
    gates: Gates,
    viewer: Viewer | None,
    scene: str,
    category: str | None,
    place: Place | None,
    bought: Collection[str],
    words: frozenset[str] = NO_WORDS,
) -> NDArray[np.uint8]:
    """Return which gates are open to a request, 1 where `opens` says so.

    Args:
        gates: made by `gates_of`.
        viewer: who asks; None, someone of whom nothing is known.
        scene: the scene's name.
        category: the request's, if it names one.
        place: the request's place, else the viewer's.
        bought: merchants that the viewer has ordered from.
        words: of the request's query, as `search.text.tokens` makes them.

    Returns:
        uint8 [G], not to be written to; the shared `ALL_OPEN` where there is only the open gate.
    """
    if gates.count == 1:
        return ALL_OPEN
    wanted, unwanted, buyer = gates.any_traits, 0, 0
    for trait in viewer.traits if viewer else ():
        wanted |= gates.traits.get(trait, 0)
        unwanted |= gates.without.get(trait, 0)
    if category is not None:
        unwanted |= gates.negatives.get(category, 0)
    if gates.phrases:
        for word in words:
            for phrase, shut in gates.phrases.get(word, ()):
                unwanted |= shut if _has(words, phrase) else 0
    if gates.merchants:
        for merchant in bought:
            buyer |= gates.merchants.get(merchant, 0)
    unwanted |= (gates.new & buyer) | (gates.returning & ~buyer)
    found = (gates.any_scene | gates.scenes.get(scene, 0)) & wanted & ~unwanted
    packed = np.frombuffer(found.to_bytes((gates.count + 7) // 8, "little"), np.uint8)
    opened = np.unpackbits(packed, count=gates.count, bitorder="little")
    if len(gates.local):
        closed = gates.local
        if place is not None:
            closed = closed[_haversines(gates.points, point_of(place)) > gates.bounds]
        opened[closed] = 0
    return opened


def point_of(place: Place) -> tuple[float, float, float]:
    """Return a place's point on the unit sphere."""
    north, east = math.radians(place.latitude), math.radians(place.longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def _haversines(points: Any, here: tuple[float, float, float]) -> Any:
    """Return hav(θ) from here to one point or many; the same bits for each, however many there are."""
    x, y, z = points
    return (
        (x - here[0]) * (x - here[0]) + (y - here[1]) * (y - here[1]) + (z - here[2]) * (z - here[2])
    ) / 4.0


def bound_of(km: float) -> float:
    """Return the haversine of so many kilometres on the earth: sin²(km / 2R)."""
    return math.sin(km / (2.0 * EARTH_KM)) ** 2


def _set_of(members: Iterable[bool]) -> int:
    return sum(1 << g for g, member in enumerate(members) if member)


def _by_word(words: Iterable[Iterable[str]]) -> dict[str, int]:
    sets: dict[str, int] = {}
    for g, of_gate in enumerate(words):
        for word in of_gate:
            sets[word] = sets.get(word, 0) | 1 << g
    return sets


def _by_phrase(sets: dict[str, int]) -> dict[str, list[tuple[frozenset[str], int]]]:
    found: dict[str, list[tuple[frozenset[str], int]]] = {}
    for phrase, of_phrase in sets.items():
        words = tokens(phrase)
        if words:
            found.setdefault(min(words), []).append((words, of_phrase))
    return found


def _has(words: frozenset[str], phrase: frozenset[str]) -> bool:
    return bool(phrase) and phrase <= words
