"""Views: the state as decisions would read it under other dials; it shares all that those leave alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.grants import MILLION
from fieldline.facts import Policy
from fieldline.goods import trust_of
from fieldline.traffic import trusted
from fieldline.traffic.domains.mix import Kept, Mixes
from fieldline.traffic.organic import credit, newcomers
from fieldline.traffic.organic.floors import behind_of
from fieldline.traffic.organic.prices import CREDIT, INCLUSION, NEWCOMER, POOL
from fieldline.traffic.prediction import model
from fieldline.traffic.preview.pooled import Drawn, drawing
from fieldline.traffic.rows import FLAGS, SHOWN, TRUST, aligned
from fieldline.traffic.shelf import price_items, trust_factor
from fieldline.traffic.state import Derived, State, relink, tidy
from fieldline.units import HOUR

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TOLD = 2_000
"""Most contenders that are told of each decision, among which settling places again."""


TINY = 1e-6
"""Looks that a work lacks at least where it has a price."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A policy, and the prices that were solved for it, in mean scores of what is shown; None: as they stand."""

    policy: Policy
    inclusion: Floats | None = None
    """By creator; the last is of what has none."""
    floor: float | None = None
    """Of every work that is behind with the looks that it is owed."""
    levels: Mapping[tuple[str, str], float] | None = None
    """Of mixes, by scene and domain: all of them."""
    drawn: Drawn | None = None
    """Of a pool's works."""


def view_of(state: State, dialled: Dialled, told: int = 0) -> State:
    """Return the state under other dials; what their change moves is a copy, the rest is shared and only read.

    A view is good for decisions until the state takes a tick or a catalogue entry.

    Args:
        state: only read.
        dialled: the policy and the solved prices.
        told: contenders to tell of each decision beside its slate.
    """
    desk = Derived()
    desk.texts, desk.sounds = state.desk.texts, state.desk.sounds
    before = state.policy
    view = replace(
        state,
        policy=msgspec.structs.replace(dialled.policy, landscape_share=0.0, explained=told),
        shelf=replace(
            state.shelf,
            rows=aligned(state.shelf.rows),
            optimism=state.shelf.optimism.copy(),
            named=state.shelf.named.copy(),
        ),
        goods=replace(state.goods, trusted=dict(state.goods.trusted)),
        organic=replace(state.organic, parts=state.organic.parts.copy()),
        mixes=state.mixes
        if dialled.levels is None
        else Mixes({key: Kept(u) for key, u in dialled.levels.items()}),
        desk=desk,
    )
    if before.trust_weights != dialled.policy.trust_weights:
        of = state.trust.index
        judged = replace(of, trust=of.trust.copy(), spread=of.spread.copy())
        view.trust = replace(state.trust, index=judged)
        trusted.apply_all(view)
    if (before.trust_weights, before.trust_weight) != (
        dialled.policy.trust_weights,
        dialled.policy.trust_weight,
    ):
        _trust(view)
    relink(view)
    _reprice(view, state, dialled)
    tidy(view)
    return view


def trust_by_item(state: State) -> Floats:
    """Return the trust of each item's merchant [I], NaN where it has none."""
    names = state.shelf.groups.ids
    known = [trust_of(state.goods, name[2:]) if name.startswith("m:") else np.nan for name in names]
    return np.array([*known, np.nan])[state.shelf.group[: len(state.shelf.facts)]]


def shown_now(state: State) -> Flags:
    """Return which items may be shown at all [I]."""
    count = len(state.shelf.facts)
    flags = state.shelf.rows[:count].view(np.int32)[:, FLAGS]
    return np.asarray(((flags & SHOWN) != 0) & (state.shelf.uploaded[:count] <= state.now))


def owed_now(state: State, policy: Policy) -> Flags:
    """Return which works are still owed looks under a policy [I]."""
    held = state.organic.newcomers
    if not policy.newcomer_looks:
        return np.zeros(len(state.shelf.facts), bool)
    return newcomers.open_floors(
        held, shown_now(state), policy.newcomer_looks, policy.newcomer_hours * HOUR, state.now
    )


def lacking_now(state: State, policy: Policy) -> Floats:
    """Return how many looks each work will lack by the end of its time as it goes, if it is to be priced at all [I].

    Priced is what will be behind its line by the next tick; it goes on as it did so far.

    Args:
        state: only read.
        policy: with the floor.
    """
    held, length = state.organic.newcomers, policy.newcomer_hours * HOUR
    due = np.flatnonzero(owed_now(state, policy))
    planned = newcomers.planned_shares(
        state.traffic.shape, held.born[due], length, state.now + policy.tick_ms
    )
    given = held.given[due] / MILLION
    behind = behind_of(planned, given, policy.newcomer_looks or 1.0) > 0.0
    found = np.zeros(len(state.shelf.facts))
    found[due] = np.where(
        behind, np.maximum(policy.newcomer_looks - given / np.maximum(planned, 1e-9), TINY), 0.0
    )
    return found


def _trust(view: State) -> None:
    trust = np.nan_to_num(trust_by_item(view), nan=0.5).tolist()
    factors = {value: trust_factor(view.policy, value) for value in set(trust)}
    view.shelf.rows[: len(trust), TRUST] = [factors[value] for value in trust]


def _reprice(view: State, state: State, dialled: Dialled) -> None:
    """Put the organic prices that the dials change into the view's rows."""
    shelf, organic, policy, score = view.shelf, view.organic, dialled.policy, state.prices.score
    count = len(shelf.facts)
    explored = policy.exploration != state.policy.exploration
    if explored:
        model.explore(view)
    parts = organic.parts[:count]
    before = parts.copy()
    if dialled.inclusion is not None:
        creator = shelf.creator[:count]
        known = np.where(creator < len(dialled.inclusion) - 1, creator, -1)
        parts[:, INCLUSION] = score * np.where(shown_now(view), dialled.inclusion[known], 0.0)
    if dialled.floor is not None:
        parts[:, NEWCOMER] = score * dialled.floor * (lacking_now(view, policy) > 0.0)
    if dialled.drawn is not None:
        parts[drawing(state, dialled.drawn.pooled), POOL] = score * dialled.drawn.price
    if policy.earned.cap != state.policy.earned.cap:
        prices = credit.credit_prices(organic.credits.balance[:count], policy.earned.cap)
        parts[:, CREDIT] = score * prices * shown_now(view)
    moved = not np.array_equal(before, parts)
    if moved:
        organic.on = bool(parts.any())
        shelf.named[:count] = parts.sum(axis=1)
    if explored or moved:
        price_items(shelf, view.prices.mu)
