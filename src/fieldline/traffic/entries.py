"""The catalogue into the state: what an entry changes beside its own record."""

import numpy as np

from fieldline import content, goods, people, scenes
from fieldline.errors import Refused, Unknown
from fieldline.facts import (
    Appeal,
    CatalogueEntry,
    Chosen,
    Contested,
    Creator,
    LiveRoom,
    Merchant,
    Policy,
    Product,
    Ruling,
    Staged,
    Video,
    Viewer,
    ViewerErased,
)
from fieldline.traffic import accounts, intents, staging, trusted, worth
from fieldline.traffic.domains import funnel
from fieldline.traffic.organic import credit, turn
from fieldline.traffic.outcomes import ERASED
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.retrieve import NOTHING, enter, keys_of, leave
from fieldline.traffic.search import catalogue, terms
from fieldline.traffic.shelf import creator_of, listed_at, put, refresh
from fieldline.traffic.state import State, remeter
from fieldline.units import DAY

MOST_SCENES = 31


def check(state: State, entry: CatalogueEntry) -> None:
    """Refuse an entry that names what is not there.

    Raises:
        Unknown: a creator, merchant, product or scene that nothing has.
        Refused: a time more than a day ahead of the engine's.
    """
    match entry:
        case Video() | LiveRoom():
            if entry.creator not in state.content.creators:
                raise Unknown("creator", f"no creator is called {entry.creator!r}")
            if entry.product is not None and entry.product not in state.goods.products:
                raise Unknown("product", f"no product is called {entry.product!r}")
        case Product():
            if entry.merchant not in state.goods.merchants:
                raise Unknown("merchant", f"no merchant is called {entry.merchant!r}")
        case _:
            return
    if (
        isinstance(entry, (Video, LiveRoom))
        and entry.merchant
        and entry.merchant not in state.goods.merchants
    ):
        raise Unknown("merchant", f"no merchant is called {entry.merchant!r}")
    for number, scene in enumerate(entry.scenes):
        if scene not in state.scenes.numbers:
            raise Unknown(f"scenes[{number}]", f"no scene is called {scene!r}")
    known = state.shelf.names.find(entry.id)
    if known >= 0 and type(state.shelf.facts[known]) is not type(entry):
        raise Refused("id", "is taken by an item of another kind")


def put_entry(state: State, entry: CatalogueEntry | Staged) -> None:
    """Fold a catalogue entry, or what a live room is about to sell, into the state."""
    match entry:
        case Viewer():
            new = entry.id not in state.people.names
            people.reduce(state.people, entry)
            viewer = state.people.names.find(entry.id)
            model.put_viewer(state, viewer, entry)
            responses.put_viewer(state, viewer)
            if new:
                responses.learn_history(state, viewer, entry)
                intents.note_past(state, viewer, entry)
        case Creator():
            content.reduce(state.content, entry)
            for item in state.shelf.of_creator.get(entry.id, ()):
                _name(state, item)
        case Merchant():
            goods.reduce(state.goods, entry)
            trusted.note_declared(state, entry)
            for item in state.shelf.of_merchant.get(entry.id, ()):
                refresh(state.shelf, item, state.goods, state.scenes, state.policy)
                _name(state, item)
        case Product():
            goods.reduce(state.goods, entry)
            for item in list(state.shelf.of_product.get(entry.id, ())):
                fact = state.shelf.facts[item]
                if not isinstance(fact, Product):
                    _put_item(state, fact)
            _put_item(state, entry)
        case Video() | LiveRoom():
            content.reduce(state.content, entry)
            _put_item(state, entry)
        case Staged():
            staging.put(state.staging, state.shelf, entry)


def heed(state: State, fact: Chosen | ViewerErased | Contested) -> None:
    """Do what a viewer asks for themselves, or what an appeal is about."""
    match fact:
        case ViewerErased():
            forget_viewer(state, fact)
        case Appeal() | Ruling():
            item = trusted.contest(state, fact)
            if item is not None:
                put_entry(state, item)
        case _:
            intents.take(state, fact)


def forget_viewer(state: State, fact: ViewerErased) -> None:
    """Take a viewer out of the state: traits, history, follows, open decisions, touches, clicks."""
    viewer = state.people.names.find(fact.id)
    if viewer < 0:
        return
    people.reduce(state.people, fact)
    model.forget_viewer(state.model, viewer)
    responses.forget_viewer(state.responses, viewer)
    outcomes = state.outcomes
    for id in [id for id, shown in outcomes.open.items() if shown.viewer == viewer]:
        outcomes.open[id].viewer = ERASED
        outcomes.open[id].query = ""
    outcomes.clicks_of.pop(viewer, None)
    outcomes.clicks = {id: click for id, click in outcomes.clicks.items() if click.viewer != viewer}
    outcomes.touches = {key: touch for key, touch in outcomes.touches.items() if key[0] != viewer}
    outcomes.cohort = {key: at for key, at in outcomes.cohort.items() if key[1] != viewer}
    for bought in outcomes.orders.values():
        bought.viewer = -1 if bought.viewer == viewer else bought.viewer
    terms.forget_viewer(state.searches, viewer)
    worth.forget_viewer(state.worth, viewer)
    trusted.forget_viewer(state, viewer)
    credit.forget_viewer(state.organic.credits, viewer)
    accounts.forget_viewer(state.tallies, viewer)
    funnel.forget_viewer(state.funnel, viewer)
    state.given.of.pop(viewer, None)


def put_policy(state: State, policy: Policy) -> None:
    """Take every dial; items' trust factors and scenes follow."""
    before, state.policy = state.policy, policy
    turn.note_policy(state, before)
    trusted.apply_all(state)
    scenes.reduce(state.scenes, policy)
    for item in range(len(state.shelf.facts)):
        refresh(state.shelf, item, state.goods, state.scenes, policy)
        if state.partitions.keys_of[item]:
            _enter(state, item)
    remeter(state)


def admit(state: State) -> None:
    """Put items whose time has come into their partitions."""
    waiting = state.partitions.upcoming
    due = [item for at, item in waiting if at <= state.now]
    if due:
        state.partitions.upcoming = [(at, item) for at, item in waiting if at > state.now]
        for item in due:
            _enter(state, item)


def too_late(at: int, now: int) -> bool:
    """Return whether an instant lies more than a day ahead of the engine's time."""
    return now > 0 and at > now + DAY


def _put_item(state: State, fact: Video | LiveRoom | Product) -> None:
    since = listed_at(fact) if fact.id not in state.shelf.names else max(listed_at(fact), state.now)
    item = put(state.shelf, fact, state.content, state.goods, state.scenes, state.policy)
    turn.note_item(state, item, since)
    model.put_item(state, item)
    responses.put_item(state, item)
    _name(state, item)
    if listed_at(fact) > state.now > 0:
        state.partitions.upcoming.append((listed_at(fact), item))
        leave(state.partitions, item)
    else:
        _enter(state, item)
    state.linked = False


def _name(state: State, item: int) -> None:
    catalogue.enter(state.desk.texts, item, state.shelf, state.goods, state.content)


def _enter(state: State, item: int) -> None:
    fact = state.shelf.facts[item]
    numbers = tuple(state.scenes.numbers[name] for name in fact.scenes if name in state.scenes.numbers)
    keys = keys_of(numbers, fact.category, fact.place)
    shelves = tuple(curve.shelf for curve in state.scenes.curves)
    enter(state.partitions, item, keys, shelves, state.shelf.rows[item])
    creator = creator_of(fact)
    if creator:
        known = state.partitions.of_creator.get(creator, NOTHING)
        if item not in known:
            state.partitions.of_creator[creator] = np.concatenate((np.array([item], np.int32), known))
