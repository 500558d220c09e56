"""Randomised decisions of a log, each beside what another policy would have shown at that moment.

The log is folded once for the policy that wrote it and once more with the other's dials; both learn from the same
facts. At each randomised decision the first fold gives the draw's exact chances, the second one the other policy's
slate. A decision that the fold does not draw again as it was logged is left out and counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from fieldline import engine
from fieldline.errors import FieldlineError, Refused
from fieldline.facts import AnyFact, Click, Decision, LongView, Order, Policy, Request, ViewerErased
from fieldline.learn.ope.estimators import Floats, Ints
from fieldline.learn.ope.luce import chances_of, places_of, rates_of
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.kernels.draw import DRAWN_FROM
from fieldline.traffic.shelf import product_of
from fieldline.units import YUAN

Reward = Literal["clicks", "long_views", "gmv"]
REWARDS: tuple[Reward, ...] = ("clicks", "long_views", "gmv")
FIXED = ("at", "seed", "scenes", "random_share")
"""Fields of a policy that are no dials of what a request is shown."""
SAME = 1e-3
"""How far the logarithm of a slate's chance may lie from the logged one: scores are told in single precision."""


class Aim(NamedTuple):
    """What a target policy would do at one randomised decision, K slots."""

    given: Floats  # [K] chance of each logged pick, given those before it
    placed: Floats  # [K, K] chance of each logged item in each slot
    expected: Floats  # [3] rewards that the model predicts
    looks: float  # Σ e_k
    supported: float  # of these looks, those at items that the draw could have shown


class Drawn(NamedTuple):
    """One randomised decision and what came of it."""

    id: str
    at: int
    viewer: str
    looks: Floats  # [K] e_k
    given: Floats  # [K] chance of each pick of the draw, given those before it
    placed: Floats  # [K, K] chance of each logged item in each slot
    predicted: Floats  # [K, 3] rewards that the model predicts of each logged slot
    served: Aim  # the policy that wrote the log, as it serves all other requests
    aim: Aim  # the other policy
    rewards: Floats  # [K, 3]


@dataclass(slots=True)
class Log:
    """What a log tells of its randomised decisions."""

    drawn: list[Drawn] = field(default_factory=list)
    decisions: int = 0
    randomised: int = 0
    not_drawn_again: int = 0
    """Left out: the fold gives another draw (a model outside, another version, a place that only the request had)."""
    too_young: int = 0
    """Left out: the log ends before what came of them is known."""


class _Pool(NamedTuple):
    """The candidates that a draw picks among, the best first."""

    items: Ints  # [m]
    rates: Floats  # [m]


def dials_of(data: bytes) -> dict[str, Any]:
    """Return the dials of a JSON file: fields of a policy, those that differ.

    Raises:
        Refused: it is no JSON object, or names what is no dial.
    """
    try:
        dials: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("policy", f"is no JSON object of dials: {error}") from None
    for name in dials:
        if name in FIXED or name not in Policy.__struct_fields__:
            raise Refused(f"policy: {name}", "is no dial of what a request is shown")
    changed(Policy(), dials)
    return dials


def changed(policy: Policy, dials: dict[str, Any]) -> Policy:
    """Return a policy with some of its dials set otherwise.

    Raises:
        Refused: a value cannot be so; the dial is named.
    """
    try:
        return msgspec.convert({**msgspec.to_builtins(policy), **dials}, Policy)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise Refused(f"policy: {path.rstrip('`').lstrip('.') or 'policy'}", reason) from None


def replayed(facts: Iterable[AnyFact], dials: dict[str, Any], drawn: bool = False, paid: bool = False) -> Log:
    """Return a log's randomised decisions beside what the policy with other dials would have done.

    Args:
        facts: of a whole log, in order.
        dials: those of the other policy that differ.
        drawn: whether the other policy answers by a draw, too; False: by the slate that it serves.
        paid: whether that slate is sold, too. The draw seldom shows what only a bid brings into a slate, so that for
            the paid part the model stands alone.
    """
    logging = engine.State(policy=Policy())
    other = engine.State(policy=Policy()) if dials else logging
    log, rewards = Log(), _Rewards()
    for fact in facts:
        match fact:
            case Policy():
                told = msgspec.structs.replace(fact, explained=max(fact.explained, DRAWN_FROM))
                engine.reduce(logging, told)
                if dials:
                    engine.reduce(other, changed(told, dials))
                continue
            case Decision():
                log.decisions += 1
                if fact.randomised:
                    log.randomised += 1
                    found = _drawn(logging, other, fact, drawn, paid)
                    if found is None:
                        log.not_drawn_again += 1
                    else:
                        log.drawn.append(found)
                        rewards.of[fact.id] = ([slot.item for slot in fact.slots], found.rewards)
            case Click() | LongView() | Order():
                rewards.take(logging, fact)
            case ViewerErased():
                log.drawn = [one for one in log.drawn if one.viewer != fact.id]
            case _:
                pass
        engine.reduce(logging, fact)
        if dials:
            engine.reduce(other, fact)
    last = logging.now - logging.policy.label_window_ms
    old = [one for one in log.drawn if one.at <= last]
    log.too_young = len(log.drawn) - len(old)
    log.drawn = old
    return log


class _Rewards:
    """What came of randomised decisions: an order belongs to its viewer's newest click on what sells its product."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[list[str], Floats]] = {}
        self.clicked: dict[tuple[str, str], tuple[int, str, str]] = {}

    def take(self, state: engine.State, fact: Click | LongView | Order) -> None:
        """Count one event; one that was told before counts once."""
        if fact.id in state.outcomes.seen:
            return
        if isinstance(fact, Order):
            at, decision, item = self.clicked.get((fact.viewer, fact.product), (0, "", ""))
            if decision in self.of and 0 <= fact.at - at <= state.policy.order_window_ms:
                items, rewards = self.of[decision]
                rewards[items.index(item), REWARDS.index("gmv")] += fact.amount / YUAN
            return
        open_ = state.outcomes.open.get(fact.decision)
        number = state.shelf.names.find(fact.item)
        if open_ is None or number not in open_.items:
            return
        if isinstance(fact, Click) and open_.viewer >= 0:
            product = product_of(state.shelf.facts[number])
            if product:
                viewer = state.people.names.ids[open_.viewer]
                self.clicked[viewer, product] = (fact.at, fact.decision, fact.item)
        if fact.decision in self.of:
            items, rewards = self.of[fact.decision]
            column = REWARDS.index("clicks" if isinstance(fact, Click) else "long_views")
            rewards[items.index(fact.item), column] = 1.0


def _drawn(
    logging: engine.State, other: engine.State, logged: Decision, drawn: bool, paid: bool
) -> Drawn | None:
    """A randomised decision taken apart; None where the fold does not draw it again."""
    again = _decided(logging, logged, share=1.0)
    if again is None or not logged.slots:
        return None
    slots = [slot.item for slot in logged.slots]
    if [slot.item for slot in again.slots] != slots:
        return None
    pool = _pool(again, logging.policy.random_temperature)
    items = np.array([logging.shelf.names.find(item) for item in slots], np.int64)
    places = _found(pool, items)
    given = chances_of(pool.rates, places)
    if (places < 0).any() or abs(np.log(given).sum() - np.log(max(logged.propensity, 1e-300))) > SAME:
        return None
    looks = np.array(logged.looks)
    served = _decided(logging, logged, share=0.0, paid=paid)
    aim = _decided(other, logged, share=1.0 if drawn else 0.0, paid=paid)
    if served is None or aim is None or not served.slots or not aim.slots:
        return None
    rows = np.frombuffer(again.contenders, CONTENDER)[: len(slots)]
    serves = _slate(logging, served, items, pool)
    return Drawn(
        id=logged.id,
        at=logged.at,
        viewer=logged.viewer,
        looks=looks,
        given=given,
        placed=places_of(pool.rates, len(slots))[places],
        predicted=looks[:, None] * _worth(logging, rows),
        served=serves,
        aim=_draw(other, aim, items, pool) if drawn else _slate(other, aim, items, pool),
        rewards=np.zeros((len(slots), len(REWARDS))),
    )


def _decided(state: engine.State, logged: Decision, share: float, paid: bool = False) -> Decision | None:
    """What a state shows for a logged request, drawn (share 1) or served (share 0)."""
    asked = Request(
        logged.id, logged.viewer, logged.scene, logged.at, len(logged.slots) or None,
        category=logged.category, query=logged.query,
    )  # fmt: skip
    policy = state.policy
    state.policy = msgspec.structs.replace(policy, random_share=share)
    try:
        return engine.decide(state, asked, paid)
    except FieldlineError:
        return None
    finally:
        state.policy = policy


def _pool(decision: Decision, temperature: float) -> _Pool:
    """The best candidates of a drawn decision's account, which tells its slate first and then the others."""
    rows = np.frombuffer(decision.contenders, CONTENDER)
    best = rows[np.argsort(-rows["score"].astype(np.float64), kind="stable")][:DRAWN_FROM]
    return _Pool(best["item"].astype(np.int64), rates_of(best["score"].astype(np.float64), temperature))


def _found(pool: _Pool, items: Ints) -> Ints:
    """Each item's place in a pool, −1 where it is not in it."""
    same = pool.items[None, :] == items[:, None]  # [K, m]
    return np.where(same.any(axis=1), same.argmax(axis=1) if same.shape[1] else -1, -1)


def _worth(state: engine.State, rows: np.ndarray[Any, np.dtype[np.void]]) -> Floats:
    """The rewards [n, 3] that the model predicts of one look at each contender."""
    click, long_view, order = (rows[name].astype(np.float64) for name in ("p_click", "p_long", "p_order"))
    return np.stack([click, long_view, click * order * _prices(state, rows["item"])], axis=1)


def _prices(state: engine.State, items: Ints) -> Floats:
    products = [product_of(state.shelf.facts[item]) for item in items.tolist()]
    return np.array([state.goods.products[name].price / YUAN if name else 0.0 for name in products])


def _slate(state: engine.State, decision: Decision, logged: Ints, pool: _Pool) -> Aim:
    """A target that shows one slate for certain."""
    rows = np.frombuffer(decision.contenders, CONTENDER)[: len(decision.slots)]
    looks = np.array(decision.looks)
    shown = rows["item"].astype(np.int64)
    count = len(logged)
    placed = np.zeros((count, count))
    placed[:, : len(shown)] = logged[:, None] == shown[None, :count]
    expected = (looks[:, None] * _worth(state, rows)).sum(axis=0)
    could = float(looks[_reachable(pool, shown)].sum())
    return Aim(np.diag(placed).copy(), placed, expected, float(looks.sum()), could)


def _draw(state: engine.State, decision: Decision, logged: Ints, pool: _Pool) -> Aim:
    """A target that draws, too."""
    own = _pool(decision, state.policy.random_temperature)
    rows = np.frombuffer(decision.contenders, CONTENDER)
    rows = rows[[int(np.flatnonzero(rows["item"] == item)[0]) for item in own.items.tolist()]]
    looks = np.array(decision.looks)
    where = _found(own, logged)
    places = places_of(own.rates, len(looks))  # [m, K]
    borne = places @ looks  # [m] looks that each item is to get
    placed = np.where((where >= 0)[:, None], places[where], 0.0)
    could = float(borne[_reachable(pool, own.items)].sum())
    expected = (borne[:, None] * _worth(state, rows)).sum(axis=0)
    return Aim(chances_of(own.rates, where), placed, expected, float(borne.sum()), could)


def _reachable(pool: _Pool, items: Ints) -> np.ndarray[Any, np.dtype[np.bool_]]:
    places = _found(pool, items)
    return (places >= 0) & (pool.rates[places] > 0.0) if len(pool.items) else places >= 0
