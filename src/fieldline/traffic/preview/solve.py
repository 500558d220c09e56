"""Solving: what the prices of dials that act through one would come to on the sample, one dial after the other.

Floors first, then a pool, mixes, and inclusion: each is solved under the prices that were found before it.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.draws import key_of, unit_of
from fieldline.errors import Conflict
from fieldline.facts import Decision, Policy, Request
from fieldline.people import place_of, whom
from fieldline.traffic.decide import decide, standpoint_of
from fieldline.traffic.domains.mix import lift
from fieldline.traffic.domains.tags import domains_of
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.forecast import still_to_come
from fieldline.traffic.organic.prices import INCLUSION, NEWCOMER, POOL
from fieldline.traffic.pace import HIGHEST
from fieldline.traffic.prediction.outside import Models
from fieldline.traffic.preview import mixing, placing, settle
from fieldline.traffic.preview import pooled as pools
from fieldline.traffic.preview.answer import Settled
from fieldline.traffic.preview.dials import Change, mix_of
from fieldline.traffic.preview.measure import known_of
from fieldline.traffic.preview.pooled import Drawn, Pooled
from fieldline.traffic.preview.views import TOLD, Dialled, lacking_now, view_of
from fieldline.traffic.state import State
from fieldline.units import HOUR


class Mark(NamedTuple):
    """What a view is good for: it knows no later tick, item or policy."""

    ticked: int
    items: int
    policy: Policy


class Asked(NamedTuple):
    """A request that is decided again."""

    request: Request
    unseen: NDArray[np.int32]
    """What its viewer was shown by its own slate and by those after it: it is to be as new as it was then."""


class Turn(NamedTuple):
    """What a part of the sample is decided under."""

    today: Dialled
    changed: Dialled


@dataclass(slots=True)
class Solved:
    """What was solved so far."""

    today: Dialled
    changed: Dialled
    told: list[Settled] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sample:
    """Requests that are decided again, in a state that may go on meanwhile."""

    state: State
    newest: Sequence[Asked]
    models: Models


PASSES = 2
"""How often mixes are solved, each time among the places that are paid at the last prices."""
Steps = Generator[None, None, None]
T = TypeVar("T")


def mark_of(state: State) -> Mark:
    """Return what a view that is made now is good for."""
    return Mark(state.ticked, len(state.shelf.facts), state.policy)


def asked_of(state: State, newest: Sequence[Decision]) -> list[Asked]:
    """Return the requests that decisions answered, as far as they were logged: a place that one told was not.

    Args:
        state: only read.
        newest: the decisions, the newest first.
    """
    shown, found = dict[str, list[int]](), list[Asked]()
    for decision in newest:
        since = shown.setdefault(decision.viewer, [])
        since += [state.shelf.names.find(slot.item) for slot in decision.slots]
        request = Request(
            decision.id, decision.viewer, decision.scene, None, len(decision.slots) or None,
            category=decision.category, query=decision.query,
        )  # fmt: skip
        found.append(Asked(request, np.array(since, np.int32)))
    return found


def again(view: State, state: State, asked: Asked, models: Models) -> Decision:
    """Decide a request in a view as if it came once more now.

    Args:
        view: made from the state.
        state: as it stands.
        asked: the request.
        models: outside.
    """
    request = msgspec.structs.replace(asked.request, at=state.now)
    return decide(view, request, models=models, unseen=asked.unseen)


def solved(
    sample: Sample, policy: Policy, changes: Sequence[Change], pooled: Pooled | None
) -> Generator[None, None, tuple[list[Turn], tuple[Settled, ...]]]:
    """Solve the prices of the dials that are changed, and return what the sample is to be decided under.

    Args:
        sample: the requests.
        policy: the changed one.
        changes: of the policy.
        pooled: a pool that is asked about.

    Raises:
        Conflict: no slate of the sample has a candidate of a domain whose mix is asked about.
    """
    moved = [change for change in changes if change.today != change.changed]
    names = {change.dial for change in moved}
    mixed = [change for change in moved if mix_of(change.dial)]
    found = Solved(Dialled(sample.state.policy), Dialled(policy))
    owes = sorted(names & {"newcomer_looks", "newcomer_hours"})
    if owes:
        yield from _floor(sample, found, owes)
    if pooled is not None and pooled.today != pooled.looks:
        yield from _pool(sample, found, pooled)
    if mixed:
        yield from _mixes(sample, found, mixed)
    if "gini" not in names:
        return [Turn(found.today, found.changed)], tuple(found.told)
    turns = yield from _inclusion(sample, found)
    return turns, tuple(found.told)


def _floor(sample: Sample, found: Solved, dials: Sequence[str]) -> Steps:
    """Solve the price of floors: it moves what the works that are behind lack, and what today's prices move to them."""
    state, policy = sample.state, found.changed.policy
    told = yield from _told(sample, replace(found.changed, floor=HIGHEST), _lifting)
    lacking, score = lacking_now(state, policy), state.prices.score
    now = state.organic.parts[:, NEWCOMER].astype(np.float64)
    wanted = yield from settle.moved(told, lambda of: np.where(lacking[of.item] > 0.0, now[of.item], 0.0))
    over = np.array([state.now + policy.newcomer_hours * HOUR])
    (to_come,) = still_to_come(state.traffic, state.now, over, policy.tick_ms).tolist()
    wanted += float(lacking.sum()) * min(len(sample.newest) / max(to_come, 1.0), 1.0)
    floor = yield from settle.settle_looks(told, score, lacking > 0.0, wanted)
    found.changed = replace(found.changed, floor=floor.price)
    met = floor.given >= floor.wanted
    found.told += [Settled(dial, floor.price, None, floor.wanted, floor.given, met) for dial in dials]


def _pool(sample: Sample, found: Solved, pooled: Pooled) -> Steps:
    """Solve a pool's price twice: for the looks that it has, and for those asked about."""
    state, dial = sample.state, pools.change_of(pooled).dial
    told = yield from _told(sample, replace(found.changed, drawn=Drawn(pooled, HIGHEST)), _pooling)
    draws, score = pools.drawing(state, pooled), state.prices.score
    prices = list[settle.Floor]()
    for looks in (pooled.today, pooled.looks):
        wanted = pools.due(state, pooled, looks, len(sample.newest))
        price = yield from settle.settle_looks(told, score, draws, wanted)
        prices.append(price)
    today, asked = prices
    if pooled.today is not None:
        found.today = replace(found.today, drawn=Drawn(pooled, today.price))
    found.changed = replace(found.changed, drawn=Drawn(pooled, asked.price))
    if pooled.looks is not None:
        now = None if pooled.today is None else today.price
        met = asked.given >= asked.wanted
        found.told.append(Settled(dial, asked.price, now, asked.wanted, asked.given, met))


def _mixes(sample: Sample, found: Solved, mixed: Sequence[Change]) -> Steps:
    """Solve the mixes that are asked about; twice, for at their prices other places are paid."""
    state, policy = sample.state, found.changed.policy
    now: dict[mixing.Key, float] = {key: kept.level for key, kept in state.mixes.of.items()}
    kept: dict[mixing.Key, bool] = {(mix.scene, mix.domain): mix.floor for mix in policy.mixes}
    levels = {key: level for key, level in now.items() if key in kept}
    asked = {key: change for change in mixed if change.changed is not None and (key := mix_of(change.dial))}
    there = {scene for scene, _ in asked}
    part = replace(sample, newest=[one for one in sample.newest if one.request.scene in there])
    came = dict[mixing.Key, settle.Floor]()
    for _ in range(PASSES if asked else 0):
        told = yield from _told(part, replace(found.changed, levels=levels), _mixing)
        came = yield from mixing.settle_mixes(told, state.prices.score, policy.mixes, levels, list(asked))
        levels |= {key: of.price for key, of in came.items()}
    for key, change in asked.items():
        if key not in came:
            raise Conflict(change.dial, "none of the newest requests had a candidate of this domain")
        price, wanted, given = came[key]
        met = abs(given - wanted) <= settle.NEAR or (kept[key] and given >= wanted)
        found.told.append(Settled(change.dial, price, now.get(key), wanted, given, met))
    found.changed = replace(found.changed, levels=levels)


def _inclusion(sample: Sample, found: Solved) -> Generator[None, None, list[Turn]]:
    state, dial = sample.state, found.changed.policy.gini
    if dial is None:
        return [Turn(found.today, replace(found.changed, inclusion=np.zeros(1)))]
    told = yield from _told(sample, found.changed, lambda view, of: placing.told_of(view, of, INCLUSION))
    held, makers, score = state.organic.inclusion, known_of(state).makers, state.prices.score
    weighed = yield from settle.settle_inclusion(told, score, held, makers, dial)
    met = weighed.gini <= dial + settle.NEAR
    found.told.append(Settled("gini", weighed.weight, held.weight, dial, weighed.gini, met))
    return [
        Turn(
            replace(found.today, inclusion=now) if held.weight else found.today,
            replace(found.changed, inclusion=then),
        )
        for now, then in zip(weighed.today, weighed.prices, strict=True)
    ]


def _told(
    sample: Sample, dialled: Dialled, told_of: Callable[[State, Decision], T]
) -> Generator[None, None, list[T]]:
    """Decide the sample with many contenders told, to place them again."""
    state, found, mark, view = sample.state, list[T](), None, sample.state
    for asked in sample.newest:
        if mark != (mark := mark_of(state)):
            view = view_of(state, dialled, TOLD)
        decision = again(view, state, asked, sample.models)
        if decision.slots and not decision.randomised:
            found.append(told_of(view, decision))
        yield
    return found


def _lifting(view: State, decision: Decision) -> settle.Moving:
    told = placing.told_of(view, decision, NEWCOMER)
    nothing = np.zeros(len(told.base))
    return settle.Moving(told, placing.placed(told, nothing), nothing)


def _pooling(view: State, decision: Decision) -> settle.Moving:
    told = placing.told_of(view, decision, POOL)
    others = view.organic.parts[told.item].astype(np.float64)
    others[:, POOL] = 0.0
    plain = -others.sum(axis=1)
    return settle.Moving(told, placing.placed(told, plain), np.maximum(others, 0.0).sum(axis=1))


def _mixing(view: State, decision: Decision) -> mixing.Mixing:
    told = placing.told_of(view, decision, None)
    policy, score = view.policy, view.prices.score
    who = whom(view.people, view.people.names.find(decision.viewer))
    asked = Request(decision.id, decision.viewer, decision.scene, category=decision.category)
    stand = standpoint_of(view, asked, who, place_of(view.people, who))
    rows = np.frombuffer(decision.contenders, CONTENDER)
    domain = domains_of(stand, view.shelf, view.content.creators, rows["item"].astype(np.int32))
    draw = unit_of(key_of(policy.seed, decision.id, "mix"))
    factor = rows["trust"].astype(np.float64)
    lifted, _ = lift(view.mixes, policy, decision.scene, domain, score, draw)
    told = told._replace(base=told.base - factor * lifted)
    return mixing.Mixing(told, decision.scene, domain.astype(np.int64), factor, draw, decision.offered)


def dealt(newest: Sequence[Asked], turns: Sequence[Turn]) -> Iterator[tuple[Turn, Asked]]:
    """Deal requests out to turns, and yield them turn by turn."""
    for number, turn in enumerate(turns):
        yield from ((turn, asked) for asked in newest[number :: len(turns)])
