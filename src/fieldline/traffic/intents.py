"""Intents in the state: which deeds of viewers tell of them, and what viewers say of them themselves.

A deed counts for its item's category and, where the item sells a product of another one, for that too. Items
without a category tell nothing, and of viewers who opted out nothing is noted.
"""

from typing import NamedTuple

from fieldline import people
from fieldline.errors import Conflict, Unknown
from fieldline.facts import (
    Behaviour,
    Chosen,
    Click,
    Decision,
    Follow,
    Hate,
    Impression,
    IntentCorrected,
    IntentsReset,
    Like,
    LongView,
    Order,
    Outcome,
    Personalised,
    Refund,
    Stage,
    Viewer,
)
from fieldline.people import intent, whom
from fieldline.people.intent import STAGES
from fieldline.traffic.domains import funnel
from fieldline.traffic.outcomes import Shown
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.shelf import product_of
from fieldline.traffic.state import State

NAMELESS = "unknown"
"""The category of items that have none."""


def check(state: State, fact: Chosen) -> None:
    """Refuse what a viewer cannot choose.

    Raises:
        Unknown: a viewer or a category that nothing has.
        Conflict: a correction of one who opted out, of whom nothing is inferred.
    """
    viewer = state.people.names.find(fact.viewer)
    if viewer < 0:
        raise Unknown("id", f"no viewer is called {fact.viewer!r}")
    if isinstance(fact, IntentCorrected):
        if fact.category not in state.shelf.categories or fact.category == NAMELESS:
            raise Unknown("category", f"nothing is in a category called {fact.category!r}")
        if whom(state.people, viewer) < 0:
            raise Conflict("id", f"{fact.viewer!r} opted out: nothing is inferred of them")


class Named(NamedTuple):
    """One intent of a viewer, by the name of its category."""

    category: str
    stage: Stage
    confidence: float
    said: bool


class Standing(NamedTuple):
    """What is inferred of a viewer, as the viewer may see it."""

    personalised: bool
    intents: tuple[Named, ...]
    unwanted: tuple[str, ...]


def standing(state: State, id: str, at: int) -> Standing:
    """Return what is inferred of a viewer at a moment.

    Raises:
        Unknown: there is no such viewer.
    """
    viewer = state.people.names.find(id)
    if viewer < 0:
        raise Unknown("id", f"no viewer is called {id!r}")
    names, inferred = state.shelf.categories.ids, state.people.intents
    found = intent.intents_of(inferred, viewer, at)
    return Standing(
        whom(state.people, viewer) >= 0,
        tuple(Named(names[of.category], STAGES[of.stage], of.confidence, of.said) for of in found),
        tuple(names[category] for category in intent.unwanted(inferred, viewer)),
    )


def words(state: State, choice: Chosen, at: int) -> tuple[dict[str, object], dict[str, object]]:
    """Return what a choice changes, before and after, as the audit shows it.

    Raises:
        Unknown: there is no such viewer.
    """
    now = standing(state, choice.viewer, at)
    match choice:
        case Personalised():
            return {"personalised": now.personalised}, {"personalised": choice.on}
        case IntentCorrected():
            before: object = next((of.stage for of in now.intents if of.category == choice.category), None)
            return {"category": choice.category, "stage": before}, {
                "category": choice.category,
                "stage": choice.stage,
            }
        case IntentsReset():
            return {"intents": len(now.intents)}, {"intents": 0}


def take(state: State, fact: Chosen) -> None:
    """Fold a viewer's choice; who opts out has their history forgotten at once, and begins anew after opting in."""
    viewer = state.people.names.find(fact.viewer)
    if viewer < 0:
        return
    match fact:
        case Personalised():
            state.people.personalised[viewer] = fact.on
            if not fact.on:
                people.forget_history(state.people, viewer)
                model.forget_history(state.model, viewer)
                responses.forget_viewer(state.responses, viewer)
                funnel.forget_viewer(state.funnel, viewer)
                state.given.of.pop(viewer, None)
        case IntentCorrected():
            stage = intent.UNWANTED if fact.stage is None else intent.STAGES.index(fact.stage)
            category = state.shelf.categories.find(fact.category)
            if whom(state.people, viewer) >= 0 and category >= 0:
                intent.say(state.people.intents, viewer, category, stage, fact.at)
        case IntentsReset():
            people.reset_intents(state.people, viewer)


def note_event(state: State, event: Behaviour) -> None:
    """Note what an event tells of its viewer's intents, before it is folded; a repeated deed tells nothing."""
    match event:
        case Impression() | Click() | LongView() | Like() | Hate():
            shown = state.outcomes.open.get(event.decision)
            item = state.shelf.names.find(event.item)
            if shown is not None and item in shown.items:
                _note_deed(state, event, shown, shown.items.index(item))
        case Follow():
            viewer = state.people.names.find(event.viewer)
            if event.following and event.creator not in state.people.follows[viewer]:
                for item in state.shelf.of_creator.get(event.creator, [])[-1:]:
                    _note(state, viewer, item, intent.FOLLOW, event.at)
        case Order():
            _note_order(state, event)
        case Refund():
            _note_refund(state, event)
        case Outcome():
            _note_outcome(state, event)


def _note_deed(
    state: State, event: Impression | Click | LongView | Like | Hate, shown: Shown, k: int
) -> None:
    item = shown.items[k]
    match event:
        case Impression() if not shown.rendered[k]:
            _note(state, shown.viewer, item, intent.LOOK, event.at)
        case Click() if not shown.clicked[k]:
            _note_click(state, shown.viewer, item, event.at)
        case LongView() if not shown.watched[k]:
            _note(state, shown.viewer, item, intent.LONG_VIEW, event.at)
        case Like() if not shown.liked[k]:
            _note(state, shown.viewer, item, intent.LIKE, event.at)
        case Hate() if not shown.hated[k]:
            _note(state, shown.viewer, item, intent.HATE, event.at)


def _note_outcome(state: State, event: Outcome) -> None:
    viewer, item = state.people.names.find(event.viewer), state.shelf.names.find(event.item)
    if event.click:
        _note_click(state, viewer, item, event.at)
    weight = intent.LOOK
    for came, added in (
        (event.long_view, intent.LONG_VIEW),
        (event.like, intent.LIKE),
        (event.follow, intent.FOLLOW),
        (event.hate, intent.HATE),
    ):
        weight += added if came else 0.0
    _note(state, viewer, item, weight, event.at)


def _note(state: State, viewer: int, item: int, weight: float, at: int) -> None:
    if whom(state.people, viewer) >= 0:
        for category in _categories(state, item):
            intent.note(state.people.intents, viewer, category, weight, at)


def _note_click(state: State, viewer: int, item: int, at: int) -> None:
    """Learn from a click what viewers click, then note it, and the product where the item sells one."""
    intents, who = state.people.intents, whom(state.people, viewer)
    categories = _categories(state, item)
    for category in categories[:1]:
        intent.learn(intents, who, category, at)
    if who < 0:
        return
    for category in categories:
        intent.note(intents, who, category, intent.CLICK, at)
    product = _product(state, item)
    if product >= 0:
        for category in _categories(state, product):
            intent.note_product(intents, who, category, product, at)


def note_decision(state: State, decision: Decision) -> None:
    """Note what a viewer searched in: the category that a request with a query named, else the best hit's."""
    viewer = whom(state.people, state.people.names.find(decision.viewer))
    if not decision.query or viewer < 0:
        return
    if decision.category is not None:
        category = state.shelf.categories.find(decision.category)
        found: tuple[int, ...] = (category,) if category >= 0 and decision.category != NAMELESS else ()
    else:
        organic = [slot.item for slot in decision.slots if slot.contract is None][:1]
        found = tuple(c for name in organic for c in _categories(state, state.shelf.names.find(name))[:1])
    for category in found:
        intent.note_search(state.people.intents, viewer, category, decision.at)


def _note_order(state: State, event: Order) -> None:
    viewer, item = state.people.names.find(event.viewer), state.shelf.names.find(event.product)
    if whom(state.people, viewer) >= 0 and item >= 0:
        for category in _categories(state, item):
            intent.note_order(state.people.intents, viewer, category, event.at)


def _note_refund(state: State, event: Refund) -> None:
    bought = state.outcomes.orders.get(event.order)
    if bought is not None and whom(state.people, bought.viewer) >= 0:
        product = _product(state, bought.item)
        for category in _categories(state, product) if product >= 0 else ():
            intent.note_refund(state.people.intents, bought.viewer, category)


def note_past(state: State, viewer: int, fact: Viewer) -> None:
    """Note what a viewer watched before the log."""
    long = set(fact.liked)
    for name in fact.watched:
        item = state.shelf.names.find(name)
        for category in _categories(state, item) if item >= 0 else ():
            weight = intent.WATCHED_LONG if name in long else intent.WATCHED
            intent.note_past(state.people.intents, viewer, category, weight, state.now)


def top_categories(state: State, viewer: int, at: int, most: int = 3) -> tuple[str, ...]:
    """Return the names of the categories that a viewer is surest to be interested in; none of who opted out."""
    found = intent.top_categories(state.people.intents, whom(state.people, viewer), at, most)
    return tuple(state.shelf.categories.ids[category] for category in found)


def _categories(state: State, item: int) -> tuple[int, ...]:
    own = int(state.shelf.category[item])
    product = _product(state, item)
    found = (own,) if product < 0 else (own, int(state.shelf.category[product]))
    nameless = state.shelf.categories.find(NAMELESS)
    return tuple(dict.fromkeys(category for category in found if category not in (-1, nameless)))


def _product(state: State, item: int) -> int:
    product = product_of(state.shelf.facts[item])
    return state.shelf.names.find(product) if product else -1
