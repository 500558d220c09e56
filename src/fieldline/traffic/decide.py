"""Deciding one request: retrieve, predict, allocate, say why."""

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import holdout_key, key_of, unit_of
from fieldline.errors import Refused, Unknown
from fieldline.facts import Decision, Request, Slot
from fieldline.people import place_of
from fieldline.traffic import model
from fieldline.traffic.allocate import PLACES, SLOT, Slate, allocate
from fieldline.traffic.entries import too_late
from fieldline.traffic.gates import open_gates
from fieldline.traffic.retrieve import retrieve
from fieldline.traffic.rows import FLAGS, SHOWN
from fieldline.traffic.state import State, rules_of, tidy
from fieldline.units import micros

NO_ITEMS = np.zeros(0, np.int32)


def decide(state: State, request: Request, paid: bool = True) -> Decision:
    """Return what to show for a request; the state is read, not changed.

    Args:
        state: the fold of the facts so far.
        request: with its instant.
        paid: False drops paid delivery (overload).

    Raises:
        Unknown: a viewer, scene or candidate that nothing has.
        Refused: no instant, one more than a day ahead, or more slots than the scene has.
    """
    at, viewer, scene, slots = check(state, request)
    tidy(state)
    side = model.viewer_side(state, viewer, scene, at)
    place = request.place or place_of(state.people, viewer)
    candidates = retrieve(
        state.partitions,
        state.desk.scratch,
        side,
        scene,
        limit=min(request.candidate_limit or state.policy.candidate_limit, state.policy.candidate_limit),
        forced=_forced(state, request, at),
        seen=NO_ITEMS if state.scenes.curves[scene].shelf else state.people.seen[viewer],
        promoted=state.desk.promoted.get(scene),
        category=request.category,
        follows=state.people.follows[viewer],
        place=place,
    )
    key = key_of(state.policy.seed, request.id, "decide")
    randomised = unit_of(key, 0) < state.policy.random_share
    sampled = paid and not randomised and unit_of(key, 1) < state.policy.landscape_share
    rules = rules_of(state, scene, slots, mixed=request.category is None)
    index, prices = state.desk.index, state.desk.prices
    assert index is not None and prices is not None  # tidy saw to it
    slate = allocate(
        candidates, side, scene, index, prices, rules, state.desk.work,
        paid=paid, landscape=sampled, random_key=key if randomised else None,
        open_gates=open_gates(
            state.desk.gates, state.people.facts[viewer], request.scene, request.category, place,
            state.people.bought[viewer],
        ),
        viewer_key=holdout_key(state.policy.seed, request.viewer),
    )  # fmt: skip
    return Decision(
        id=request.id,
        at=at,
        viewer=request.viewer,
        scene=request.scene,
        slots=_named(state, slate),
        looks=rules.seen[: len(slate.places) // SLOT.itemsize],
        candidates=slate.eligible,
        paid=paid and not randomised,
        ad_price=state.policy.ad_price,
        randomised=randomised,
        propensity=slate.propensity,
        sampled=sampled,
        contenders=slate.contenders,
        contributions=slate.contributions,
        landscape=slate.landscape,
    )


def check(state: State, request: Request) -> tuple[int, int, int, int]:
    """Refuse a request that cannot be; return its instant, viewer's number, scene's number and slots.

    Raises:
        Unknown: a viewer, scene or candidate that nothing has.
        Refused: no instant, one more than a day ahead, or more slots than the scene has.
    """
    at = _instant(state, request)
    viewer = state.people.names.find(request.viewer)
    if viewer < 0:
        raise Unknown("viewer", f"no viewer is called {request.viewer!r}")
    scene = state.scenes.numbers.get(request.scene, -1)
    if scene < 0:
        raise Unknown("scene", f"no scene is called {request.scene!r}")
    slots = _slots(state, request, scene)
    for number, name in enumerate(request.candidates):
        if name not in state.shelf.names:
            raise Unknown(f"candidates[{number}]", f"no item is called {name!r}")
    return at, viewer, scene, slots


def _named(state: State, slate: Slate) -> tuple[Slot, ...]:
    items, contracts = state.shelf.names.ids, state.book.names.ids
    return tuple(
        [
            Slot(items[item], contracts[contract], micros(charge), bid, value, score, organic, without)
            if contract >= 0
            else Slot(items[item], None, 0, 0.0, 0.0, score, organic, without)
            for item, contract, organic, without, charge, bid, value, score in PLACES.iter_unpack(
                slate.places
            )
        ]
    )


def _instant(state: State, request: Request) -> int:
    if request.at is None:
        raise Refused("at", "is missing, and no clock has set it")
    if too_late(request.at, state.now):
        raise Refused("at", "is more than a day ahead of the engine's time")
    return request.at


def _slots(state: State, request: Request, scene: int) -> int:
    most = len(state.scenes.curves[scene].looks)
    if request.slots is not None and request.slots > most:
        raise Refused("slots", f"scene {request.scene!r} has {most} slots")
    return request.slots or most


def _forced(state: State, request: Request, at: int) -> NDArray[np.int32]:
    if not request.candidates:
        return NO_ITEMS
    forced = []
    for name in request.candidates:
        item = state.shelf.names.find(name)
        flags = int(state.shelf.rows[item].view(np.int32)[FLAGS])
        if flags & SHOWN and state.shelf.uploaded[item] <= at:
            forced.append(item)
    return np.array(forced, np.int32)
