"""Preview: what other dials would show for the newest requests, decided again under today's and the changed policy.

All organic policies draw on one budget of looks: what one gives, others lose. The sample is the newest logged
requests, each decided as if it came once more now, twice in a row: by a view of the state under today's dials and by
one under the changed ones. Bids and all prices whose dials are not asked about stand as they are. Nothing of the state
is changed. Source: docs/algorithms/preview.md.
"""

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from fieldline.errors import Conflict
from fieldline.facts import Decision, Policy, Request
from fieldline.traffic.decide import decide
from fieldline.traffic.organic.prices import INCLUSION, NEWCOMER
from fieldline.traffic.pace import HIGHEST
from fieldline.traffic.prediction.outside import NONE, Models
from fieldline.traffic.preview.answer import Pair, Preview, Settled, answer_of
from fieldline.traffic.preview.dials import Change, changed
from fieldline.traffic.preview.measure import known_of, measured
from fieldline.traffic.preview.settle import (
    NEAR,
    Told,
    settle_floor,
    settle_inclusion,
    told_of,
)
from fieldline.traffic.preview.views import TOLD, Dialled, owed_now, view_of
from fieldline.traffic.state import State

__all__ = ["SAMPLE", "Dialled", "Preview", "preview", "view_of"]

SAMPLE = 300
"""Newest requests that are decided again."""


class _Mark(NamedTuple):
    """What a view is good for: it knows no later tick, item or policy."""

    ticked: int
    items: int
    policy: Policy


class _Turn(NamedTuple):
    """What a part of the sample is decided under."""

    today: Dialled
    changed: Dialled


class _Solved(NamedTuple):
    turns: list[_Turn]
    told: list[Settled]


def preview(
    state: State, sample: Sequence[Decision], pairs: Sequence[tuple[str, str]], models: Models = NONE
) -> Generator[None, None, Preview]:
    """Answer what some dials would do, in steps of a few milliseconds; between them the state may go on.

    Args:
        state: only read; steps must run in the thread that changes it.
        sample: the newest decisions; of more than 300 those first are taken.
        pairs: dials and their values as typed.
        models: outside, that decisions are made with.

    Returns:
        What the generator returns at its end.

    Raises:
        Refused: a dial or value that cannot be; it is named.
        Conflict: no request was logged yet.
    """
    before = state.policy
    policy, changes = changed(before, pairs)
    newest = [_asked(decision) for decision in sample[:SAMPLE]]
    if not newest:
        raise Conflict("requests", "none was logged yet that could be decided again")
    live = Models(models.live)
    solved = yield from _solved(state, newest, policy, changes, live)
    mark, known = None, known_of(state)
    views = dict[int, State]()
    slates = list[Pair]()
    for turn, asked in _dealt(newest, solved.turns):
        if mark != (mark := _mark(state)):
            if mark.policy != before:
                raise Conflict("policy", "was set while the preview was made; ask again")
            known = known_of(state)
            views.clear()
        views = {id(dialled): views.get(id(dialled)) or view_of(state, dialled) for dialled in turn}
        one, other = (decide(views[id(dialled)], _now(state, asked), models=live) for dialled in turn)
        slates.append(Pair(measured(state, known, before, one), measured(state, known, policy, other)))
        yield
    return answer_of(state, known, slates, changes, tuple(solved.told))


def _asked(decision: Decision) -> Request:
    """The request that a decision answered, as far as it was logged: a place that it told was not."""
    return Request(
        decision.id, decision.viewer, decision.scene, None, len(decision.slots) or None,
        category=decision.category, query=decision.query,
    )  # fmt: skip


def _now(state: State, asked: Request) -> Request:
    return msgspec.structs.replace(asked, at=state.now)


def _dealt(newest: Sequence[Request], turns: Sequence[_Turn]) -> Iterator[tuple[_Turn, Request]]:
    """Deal requests out to turns, and yield them turn by turn."""
    for number, turn in enumerate(turns):
        yield from ((turn, asked) for asked in newest[number :: len(turns)])


def _mark(state: State) -> _Mark:
    return _Mark(state.ticked, len(state.shelf.facts), state.policy)


def _solved(
    state: State, newest: Sequence[Request], policy: Policy, changes: Sequence[Change], models: Models
) -> Generator[None, None, _Solved]:
    """Solve the prices of dials that act through one, and that are changed."""
    moved = {change.dial for change in changes if change.today != change.changed}
    owes, weighs = sorted(moved & {"newcomer_looks", "newcomer_hours"}), "gini" in moved
    today, floor, settled = Dialled(state.policy), None, list[Settled]()
    if owes:
        told = yield from _told(state, newest, Dialled(policy, floor=HIGHEST), NEWCOMER, models)
        owed, score = owed_now(state, policy), state.prices.score
        wanted = _days(state, told) * float(owed.sum()) * policy.newcomer_looks * 24.0 / policy.newcomer_hours
        found = yield from settle_floor(told, score, owed, wanted)
        floor = found.price
        met = found.given >= found.wanted
        settled += [Settled(dial, floor, None, found.wanted, found.given, met) for dial in owes]
    if not weighs or policy.gini is None:
        nothing = np.zeros(1) if weighs else None
        return _Solved([_Turn(today, Dialled(policy, nothing, floor))], settled)
    told = yield from _told(state, newest, Dialled(policy, floor=floor), INCLUSION, models)
    held, makers, score = state.organic.inclusion, known_of(state).makers, state.prices.score
    weighed = yield from settle_inclusion(told, score, held, makers, policy.gini)
    met = weighed.gini <= policy.gini + NEAR
    settled.append(Settled("gini", weighed.weight, held.weight, policy.gini, weighed.gini, met))
    turns = [
        _Turn(today if not held.weight else Dialled(today.policy, now), Dialled(policy, then, floor))
        for now, then in zip(weighed.today, weighed.prices, strict=True)
    ]
    return _Solved(turns, settled)


def _days(state: State, told: Sequence[Told]) -> float:
    """How many days' looks the sample has, as far as creators' works go."""
    looks = 0.0
    for of in told:
        shown = (of.slot >= 0) & (of.creator >= 0)
        looks += float(of.looks[of.slot[shown]].sum())
    return looks / max(float(state.organic.inclusion.exposure.sum()), looks, 1e-9)


def _told(
    state: State, newest: Sequence[Request], dialled: Dialled, without: int, models: Models
) -> Generator[None, None, list[Told]]:
    """Decide the sample with many contenders told, to place them again."""
    found, mark, view = list[Told](), None, state
    for asked in newest:
        if mark != (mark := _mark(state)):
            view = view_of(state, dialled, TOLD)
        decision = decide(view, _now(state, asked), models=models)
        if decision.slots and not decision.randomised:
            found.append(told_of(view, decision, without))
        yield
    return found
