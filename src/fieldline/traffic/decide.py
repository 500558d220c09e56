"""Deciding one request: retrieve, predict, allocate, say why."""

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline.contracts.horizon import day_of
from fieldline.draws import holdout_key, key_of, unit_of
from fieldline.errors import Refused, Unknown
from fieldline.facts import Ahead, Decision, Domain, Place, Request, Slot
from fieldline.people import lately, place_of, whom
from fieldline.people.intent import top_categories, unwanted
from fieldline.traffic import staging
from fieldline.traffic.allocate import PLACES, SLOT, Slate, allocate
from fieldline.traffic.domains.mix import lift
from fieldline.traffic.domains.tags import (
    DOMAINS,
    PRIVATE,
    Standpoint,
    domain_of,
    domains_of,
    followed,
    standpoint,
)
from fieldline.traffic.entries import too_late
from fieldline.traffic.frequency import Entrants, counted, slate_within
from fieldline.traffic.gates import open_gates
from fieldline.traffic.organic.prices import named_rows
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.prediction.outside import NONE, Models, Moment, ask_live, ask_shadow
from fieldline.traffic.retrieve import LATELY, Ask, Circle, Partition, brought, gathered, retrieve, source_of
from fieldline.traffic.rows import BIDS, CLICK, FLAGS, LONG_VIEW, SCENES, SHOWN
from fieldline.traffic.search.find import NOTHING_FOUND, find, relevance_of
from fieldline.traffic.search.text import query_of
from fieldline.traffic.state import State, rules_of, tidy
from fieldline.units import micros

NO_ITEMS = np.zeros(0, np.int32)
INTENTS = 2
"""Categories of a viewer's surest intents that are retrieved from; each costs a scan."""


def decide(
    state: State,
    request: Request,
    paid: bool = True,
    models: Models = NONE,
    unseen: NDArray[np.int32] = NO_ITEMS,
) -> Decision:
    """Return what to show for a request; the state is read, not changed.

    Args:
        state: the fold of the facts so far.
        request: with its instant.
        paid: False drops paid delivery (overload).
        models: outside, which are asked beside the embedded predictor.
        unseen: items that count as not yet shown to the viewer, whatever was.

    Raises:
        Unknown: a scene or candidate that nothing has.
        Refused: no instant, one more than a day ahead, or more slots than the scene has.
    """
    at, viewer, scene, slots = check(state, request)
    tidy(state)
    side = model.viewer_side(state, viewer, scene, at)
    who = whom(state.people, viewer)  # −1: from here on nothing that is known of the viewer counts
    place = request.place or place_of(state.people, who)
    stand = standpoint_of(state, request, who, place)
    due = staging.due(state.staging, state.shelf, at)
    ask = _ask(state, request, who, scene, at, side, place, due)
    forced = _forced(state, request, at)
    seen = NO_ITEMS if state.scenes.curves[scene].shelf or who < 0 else state.people.seen[who]
    if len(unseen):
        seen = seen[~np.isin(seen, unseen)]
    query = query_of(request.query) if request.query else ""
    found = find(state, query, scene, at, ask.limit, forced.tolist()) if query else NOTHING_FOUND
    if found.searched:
        candidates = brought(state.desk.scratch, found.items, len(state.shelf.facts), "search")
    else:
        candidates = retrieve(ask, state.desk.scratch, state.policy.sources, forced, seen)
        candidates = _wanted(state, who, request, candidates, len(forced))
        candidates = _of_followed(state, stand, candidates, len(forced), slots)
        paid = paid and not query
    extra = _extra(state, who, candidates, scene, at, found.relevance)
    soon = np.zeros(0)
    if due is not None:
        soon = staging.values(due, state.shelf.rows, side, state.policy.goods_value)
        ahead = staging.extra_value(due, soon, candidates, len(state.shelf.facts))
        extra = extra + ahead if len(extra) else ahead
    extra, offered = _mixed(state, request, candidates, stand, extra)
    key = key_of(state.policy.seed, request.id, "decide")
    randomised = unit_of(key, 0) < state.policy.random_share
    sampled = paid and not randomised and unit_of(key, 1) < state.policy.landscape_share
    # a key of its own: the one above was small enough to randomise, and would draw the first slot from the top alone
    draw_key = key_of(state.policy.seed, request.id, "draw") if randomised else None
    rules = rules_of(state, scene, slots, mixed=request.category is None and not found.searched)
    index, prices = state.desk.index, state.desk.prices
    assert index is not None and prices is not None  # tidy saw to it
    moment = Moment(who, scene, at)
    given = ask_live(state, models, moment, candidates, side, index, rules, extra)
    gates = open_gates(
        state.desk.gates, state.people.facts[who] if who >= 0 else None, request.scene, request.category,
        place, state.people.bought[who] if who >= 0 else (), found.words,
    )  # fmt: skip
    viewer_key = holdout_key(state.policy.seed, request.viewer)

    def slate_of(entrants: Entrants) -> Slate:
        return allocate(
            entrants.candidates, side, scene, entrants.index, entrants.prices, rules, state.desk.work,
            paid=paid, landscape=sampled, random_key=draw_key, open_gates=entrants.open_gates,
            viewer_key=viewer_key, given=entrants.logits, extra=entrants.extra,
        )  # fmt: skip

    entrants = Entrants(candidates, given.logits, extra, index, prices, gates)
    caps = state.policy.frequency
    if query:  # what was asked for is not kept back; who pays is
        caps = structs.replace(caps, product=0, merchant=0)
    met = counted(state.given, caps, state.book, who, day_of(at))
    slate = (
        slate_within(met, entrants, state.shelf, state.book, slate_of, drawn=randomised)
        if met
        else slate_of(entrants)
    )
    contributions = slate.contributions
    if state.organic.on:
        contributions += named_rows(state.organic, slate.contenders)
    return Decision(
        id=request.id,
        at=at,
        viewer=request.viewer,
        scene=request.scene,
        slots=_named(state, slate, stand),
        looks=rules.seen[: len(slate.places) // SLOT.itemsize],
        candidates=slate.eligible,
        paid=paid and not randomised,
        ad_price=state.policy.ad_price,
        randomised=randomised,
        propensity=slate.propensity,
        sampled=sampled,
        contenders=slate.contenders,
        contributions=contributions,
        landscape=slate.landscape,
        category=request.category,
        query=query,
        searched=found.searched,
        relevance=relevance_of(found, slate.slots["item"]) if found.searched else (),
        model=models.live.name if models.live else "",
        rescored=given.rescored,
        fallbacks=given.fallbacks,
        offered=offered,
        ahead=_ahead(state, slate, due, soon) if due is not None else (),
        shadow_model=models.shadow.name if models.shadow else "",
        shadow=ask_shadow(state, models, moment, [place[0] for place in PLACES.iter_unpack(slate.places)]),
    )


def check(state: State, request: Request) -> tuple[int, int, int, int]:
    """Refuse a request that cannot be; return its instant, viewer's number, scene's number and slots.

    A viewer whom nobody entered has the number −1 and is shown what suits the scene and the hour.

    Raises:
        Unknown: a scene or candidate that nothing has.
        Refused: no instant, one more than a day ahead, or more slots than the scene has.
    """
    at = _instant(state, request)
    viewer = state.people.names.find(request.viewer)
    scene = state.scenes.numbers.get(request.scene, -1)
    if scene < 0:
        raise Unknown("scene", f"no scene is called {request.scene!r}")
    slots = _slots(state, request, scene)
    for number, name in enumerate(request.candidates):
        if name not in state.shelf.names:
            raise Unknown(f"candidates[{number}]", f"no item is called {name!r}")
    return at, viewer, scene, slots


def _ask(
    state: State,
    request: Request,
    who: int,
    scene: int,
    at: int,
    side: NDArray[np.float32],
    place: Place | None,
    due: staging.Due | None,
) -> Ask:
    people = state.people
    return Ask(
        partitions=state.partitions,
        rows=state.shelf.rows,
        side=side,
        scene=scene,
        limit=min(request.candidate_limit or state.policy.candidate_limit, state.policy.candidate_limit),
        category=request.category,
        follows=people.follows[who] if who >= 0 else (),
        circle=Circle(place, state.policy.circle_km, state.shelf.point) if place else None,
        watched=lately(people, who, LATELY) if who >= 0 else (),
        intents=_intents(state, who, at),
        guaranteed=state.desk.guaranteed.get(scene),
        promoted=state.desk.promoted.get(scene),
        staged=_rooms(state, scene, due) if due is not None else None,
    )


def _ahead(state: State, slate: Slate, due: staging.Due, soon: NDArray[np.float64]) -> tuple[Ahead, ...]:
    return staging.told(due, soon, slate.slots["item"].tolist(), state.shelf.names.ids)


def _rooms(state: State, scene: int, due: staging.Due) -> Partition:
    """Gather the scene's rooms that are about to sell something."""
    rows, rooms = state.shelf.rows, np.unique(due.rooms)
    words = rows.view(np.int32)
    open_here = (words[rooms, FLAGS] & SHOWN != 0) & ((words[rooms, SCENES] >> scene) & 1 == 1)
    return gathered(rooms[open_here], rows, CLICK if state.scenes.curves[scene].shelf else LONG_VIEW)


def _intents(state: State, who: int, at: int) -> tuple[str, ...]:
    names = state.shelf.categories.ids
    return tuple(names[category] for category in top_categories(state.people.intents, who, at, INTENTS))


def _wanted(
    state: State, who: int, request: Request, candidates: NDArray[np.int32], forced: int
) -> NDArray[np.int32]:
    """Leave out the categories that the viewer said not to be interested in, unless the request asks for them."""
    refused = unwanted(state.people.intents, who) if who >= 0 else ()
    if not refused or request.category is not None:
        return candidates
    kept = ~np.isin(state.shelf.category[candidates], refused)
    kept[:forced] = True
    return candidates[kept]


def _of_followed(
    state: State, stand: Standpoint, candidates: NDArray[np.int32], forced: int, slots: int
) -> NDArray[np.int32]:
    """In a private scene leave what followed creators made, is paid for or forced, where it can fill the slate."""
    if stand.scene != PRIVATE or not stand.follows:
        return candidates
    kept = followed(stand, state.shelf, state.content.creators, candidates)
    made, policy = candidates[kept], state.policy
    caps = (
        (state.shelf.creator[made], policy.merchant_cap),
        (state.shelf.category[made], policy.category_cap),
    )
    if any(np.minimum(np.unique(of, return_counts=True)[1], cap).sum() < slots for of, cap in caps):
        return candidates
    kept |= (state.shelf.rows.view(np.int32)[candidates, FLAGS] & BIDS) != 0
    kept[:forced] = True
    return candidates[kept]


def _extra(
    state: State,
    who: int,
    candidates: NDArray[np.int32],
    scene: int,
    at: int,
    relevance: NDArray[np.float32],
) -> NDArray[np.float32]:
    """What a look is worth beside a long view and an order: responses, and relevance to what was searched."""
    liked = responses.extra_value(state, who, candidates, scene, at, state.policy)
    relevant = relevance * np.float32(state.policy.relevance_value)
    return liked + relevant if len(liked) and len(relevant) else liked if len(liked) else relevant


def standpoint_of(state: State, request: Request, who: int, place: Place | None) -> Standpoint:
    """Return what the tags of a request's items read.

    Args:
        state: only read.
        request: with its scene and category.
        who: the viewer's number; −1: nothing that is known of them counts.
        place: where the viewer is.
    """
    declared: Domain = "public"
    for scene in state.policy.scenes:
        if scene.name == request.scene:
            declared = scene.domain
    follows = state.people.follows[who] if who >= 0 else {}
    category = state.shelf.categories.find(request.category) if request.category is not None else -1
    return standpoint(follows, declared, category, place, state.policy.circle_km)


def _mixed(
    state: State,
    request: Request,
    candidates: NDArray[np.int32],
    stand: Standpoint,
    extra: NDArray[np.float32],
) -> tuple[NDArray[np.float32], tuple[Domain, ...]]:
    """Add the prices that keep domains' shares to what a look is worth; and say for which there was a candidate."""
    if not any(mix.scene == request.scene for mix in state.policy.mixes):
        return extra, ()
    domains = domains_of(stand, state.shelf, state.content.creators, candidates)
    draw = unit_of(key_of(state.policy.seed, request.id, "mix"))
    added, offered = lift(state.mixes, state.policy, request.scene, domains, state.prices.score, draw)
    return extra + added if len(extra) else added, offered


def _named(state: State, slate: Slate, stand: Standpoint) -> tuple[Slot, ...]:
    items, contracts, scratch = state.shelf.names.ids, state.book.names.ids, state.desk.scratch
    shelf, creators = state.shelf, state.content.creators
    return tuple(
        [
            Slot(
                items[item], contracts[contract], micros(charge), bid, value, score, organic, without,
                source_of(scratch, item), DOMAINS[domain_of(stand, shelf, creators, item)],
            )
            if contract >= 0
            else Slot(
                items[item], None, 0, 0.0, 0.0, score, organic, without,
                source_of(scratch, item), DOMAINS[domain_of(stand, shelf, creators, item)],
            )
            for item, contract, organic, without, charge, bid, value, score in PLACES.iter_unpack(
                slate.places
            )
        ]
    )  # fmt: skip


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
