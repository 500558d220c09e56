"""Ticks: what the passing of time alone changes."""

from itertools import islice

from fieldline import scenes
from fieldline.contracts import book
from fieldline.contracts.horizon import day_of
from fieldline.traffic import (
    accounts,
    assured,
    bands,
    forecast,
    frequency,
    measure,
    pace,
    prospect,
    staging,
    trusted,
    worth,
)
from fieldline.traffic.checks import REMEMBERED
from fieldline.traffic.domains import funnel, mix
from fieldline.traffic.entries import admit
from fieldline.traffic.organic import counting, turn
from fieldline.traffic.outcomes import expired
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.prediction.ripen import ripen, settle_orders
from fieldline.traffic.retrieve import index, rank
from fieldline.traffic.search import terms
from fieldline.traffic.search.correct import follow
from fieldline.traffic.shelf import price_items
from fieldline.traffic.showing import close_decision
from fieldline.traffic.state import State, remeter
from fieldline.units import DAY

ORDERS_KEPT = 60 * DAY


def tick(state: State, at: int) -> None:
    """Close what is due, learn from it, solve the prices again, and state what the ledger is owed.

    Args:
        state: changed in place.
        at: ms; ticks never go back.
    """
    policy = state.policy
    assured.count_halts(state, at)
    for id in expired(state.outcomes, at - policy.label_window_ms):
        close_decision(state, id)
    ripen(state, at)
    settle_orders(state, at)
    _forget(state, at)
    admit(state)
    forecast.update(state.traffic, at)
    book.turn(state.book, at)
    changed = book.enforce(state.book, at)
    accounts.settle(state, at)
    assured.settle(state, at)
    worth.price_capacity(state.worth, state.book, forecast.day_passed(state.traffic, at))
    pace.mature(state.prices, policy.tick_ms)
    pace.update(
        state.prices, state.book, state.traffic, at, policy.tick_ms,
        pace.IN_HAND[policy.in_hand], policy.learning,
    )  # fmt: skip
    if day_of(at) > day_of(state.ticked):  # a decision may have turned the book already
        accounts.forget(state, at)
        worth.forget(state.worth, at)
        terms.forget(state.searches, day_of(at))
        frequency.forget(state.given, day_of(at))
        funnel.forget(state.funnel, at, policy.click_attribution_ms)
        trusted.turn(state, at)
        counting.take_back(state)
        measure.learn_incremental(state, state.book.day - 1)
        told = prospect.told(state)
        bands.turn(state.bands, state.book, state.traffic, told, at, policy.tick_ms)
    mix.update(state.mixes, policy)
    trusted.follow(state, at)
    staging.turn(state.staging, state.shelf, at)
    scenes.refresh(state.scenes)
    model.refresh(state, at)
    responses.refresh(state, at)
    rank(state.partitions, state.shelf.counts, state.shelf.uploaded, max(at - state.ticked, 0))
    index(state.partitions)
    book.settle(state.book, at)
    accounts.value_fans(state)
    remeter(state)
    turn.turn(state, at)
    state.ticked = at
    state.linked = state.linked and not changed
    model.explore(state)
    price_items(state.shelf, state.prices.mu)
    follow(state.desk.sounds, state.desk.texts.vocabulary)
    state.desk.index = None


def _forget(state: State, at: int) -> None:
    outcomes = state.outcomes
    for times, kept in ((outcomes.seen, REMEMBERED), (outcomes.decided, REMEMBERED)):
        for id in _older(times, at - kept):
            del times[id]
    oldest = {id: bought.at for id, bought in islice(outcomes.orders.items(), 1_000)}
    for id in _older(oldest, at - ORDERS_KEPT):
        del outcomes.orders[id]
    window = max(state.policy.click_attribution_ms, state.policy.view_attribution_ms)
    if at // DAY > state.ticked // DAY:
        outcomes.touches = {
            key: touch
            for key, touch in outcomes.touches.items()
            if max(touch.click[0], touch.view[0]) >= at - window
        }


def _older(times: dict[str, int], before: int) -> list[str]:
    old = []
    for id, at in times.items():
        if at >= before:
            break
        old.append(id)
    return old
