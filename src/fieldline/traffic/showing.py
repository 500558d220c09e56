"""Showing: a decision reserves, its impressions commit, and what came of it is learned when it closes."""

from struct import Struct

import numpy as np

from fieldline import people, scenes
from fieldline.contracts import book
from fieldline.contracts.displacement import displacement
from fieldline.contracts.horizon import day_of
from fieldline.facts import Assumed, Decision
from fieldline.traffic import accounts, frequency, trusted
from fieldline.traffic.domains import mix, noting
from fieldline.traffic.domains.tags import DOMAINS
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.organic import counting as moving
from fieldline.traffic.outcomes import ERASED, STRANGER, Shown, refusal_weight
from fieldline.traffic.pace import SCORE_FORGET, STEP
from fieldline.traffic.prediction import comparison, model, responses
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.search import counting
from fieldline.traffic.shelf import contracts_on
from fieldline.traffic.solve import add_steps
from fieldline.traffic.state import State, hold_bids

assert CONTENDER.fields is not None
P_CLICK = int(CONTENDER.fields["p_click"][1])
CHANCES = Struct(f"<{P_CLICK}x3f{CONTENDER.itemsize - P_CLICK - 12}x")
"""A contender's three chances among its bytes."""


def open_decision(state: State, decision: Decision) -> None:
    """Reserve a decision's charges and wait for what comes of it."""
    names = state.book.names
    if book.turn(state.book, decision.at):
        state.desk.index = None
    items = [state.shelf.names.find(slot.item) for slot in decision.slots]
    contracts = [names.find(slot.contract) if slot.contract else -1 for slot in decision.slots]
    charges = [slot.charge for slot in decision.slots]
    for k, contract in enumerate(contracts):
        if contract >= 0 and not _reserve(state, contract, charges[k], decision.at):
            contracts[k], charges[k] = -1, 0
        elif contract >= 0:
            hold_bids(state, contract)
    count = len(items)
    chances = _chances(decision.contenders, count)
    values = _values(state, state.scenes.numbers[decision.scene], items, chances)
    moves = moving.note_decision(state, decision, items, contracts)
    if decision.paid:
        _count_request(state, decision, contracts, values, moves.mean_score)
    state.traffic.requests += 1
    state.traffic.by_scene[state.scenes.numbers[decision.scene]] += 1
    state.decisions += 1
    state.outcomes.decided[decision.id] = decision.at
    viewer = state.people.names.find(decision.viewer)
    state.outcomes.open[decision.id] = Shown(
        at=decision.at,
        viewer=viewer if viewer >= 0 else STRANGER,
        scene=state.scenes.numbers[decision.scene],
        items=items,
        contracts=contracts,
        charges=charges,
        looks=list(decision.looks),
        clicks=[click for click, _, _ in chances],
        values=values,
        randomised=decision.randomised,
        displaced=_displaced(state, decision, items, contracts),
        rendered=[False] * count,
        clicked=[False] * count,
        watched=[False] * count,
        liked=[False] * count,
        followed=[False] * count,
        hated=[False] * count,
        watched_ms=[-1] * count,
        beside=comparison.beside(decision, chances),
        domains=_domains(decision),
        taken=_taken(state, decision.at, viewer, items, contracts),
        moved=moves.slots,
    )
    mix.note_decision(state.mixes, decision)
    state.outside = comparison.note(state.outside, decision)
    counting.count_search(state, decision, state.outcomes.open[decision.id])


def close_decision(state: State, id: str) -> None:
    """Release what was not rendered of a decision and learn from what was."""
    shown = state.outcomes.open.pop(id)
    for k, item in enumerate(shown.items):
        contract = shown.contracts[k]
        if not shown.rendered[k]:
            if shown.taken:
                frequency.give_back(state.given, shown.viewer, day_of(shown.at), shown.taken[k])
            if contract >= 0:
                book.release(state.book, contract, shown.charges[k], shown.at)
                hold_bids(state, contract)
            continue
        if shown.randomised:
            scenes.learn(state.scenes, shown.scene, k, shown.clicked[k], shown.clicks[k])
        if shown.viewer == ERASED:
            continue
        clicked, watched = shown.clicked[k], shown.watched[k]
        if shown.beside:
            comparison.compare(state.outside, shown.beside, k, shown.looks[k], (clicked, watched))
        trusted.note_look(state, shown.viewer, item, shown.at, watched, shown.liked[k], shown.hated[k])
        responded = shown.liked[k] or shown.followed[k] or shown.hated[k]
        seen = 1.0 if clicked or watched or responded else refusal_weight(shown.looks[k], shown.clicks[k])
        told = shown.watched_ms[k]
        responses.learn(
            state, shown.viewer, item, shown.scene, shown.at,
            labels=(
                float(shown.liked[k]), float(shown.followed[k]), float(shown.hated[k]), responses.share_of(told)
            ),
            weights=(seen, seen, seen, seen if told >= 0 else 0.0),
        )  # fmt: skip
        model.learn(
            state,
            shown.viewer,
            item,
            shown.scene,
            shown.at,
            labels=(float(clicked), float(watched), 0.0),
            weights=(seen, seen, 0.0),
        )


def assume_shown(state: State, fact: Assumed) -> None:
    """Take a decision's slate as shown, for accounts only: charges commit, predicted values count."""
    shown = state.outcomes.open.pop(fact.id)
    for k, item in enumerate(shown.items):
        render(state, shown, k, item)


def render(state: State, shown: Shown, k: int, item: int) -> None:
    """Commit what a slot's impression costs, and count the look that it gives."""
    look, payer = shown.looks[k], shown.contracts[k]
    if shown.viewer >= 0:
        people.shown(state.people, shown.viewer, item)
    creator = state.shelf.creator[item]
    if creator >= 0:
        state.content.exposure[creator] += look
    moving.note_look(state, shown, k, item)
    for number in contracts_on(state.shelf, item):
        state.book.looks[number] += look
    accounts.expect_value(state, shown, k)
    for slot, number, value in shown.values:
        limit = state.book.contracts[number].limit
        if slot == k and limit.predicted and (limit.counts_organic or number == payer):
            accounts.count_predicted(state, number, shown.at, look * value)
    counting.count_impression(state, shown, k)
    noting.note_impression(state, shown, k)
    if payer >= 0:
        state.book.paid_looks[payer] += look
        accounts.count_paid_look(state, shown, k)
        book.commit(state.book, payer, shown.charges[k])
        hold_bids(state, payer)


def _reserve(state: State, contract: int, charge: int, at: int) -> bool:
    """Hold a charge, but none after the contract's end nor for a day whose own budget is closed."""
    daily = state.book.contracts[contract].limit.daily > 0
    if at >= state.book.end[contract] or (daily and day_of(at) < state.book.day):
        return False
    return book.reserve(state.book, contract, charge)


def _domains(decision: Decision) -> list[int]:
    """Return the numbers of a decision's domains, none where they were not told."""
    told = [DOMAINS.index(slot.domain) for slot in decision.slots if slot.domain is not None]
    return told if len(told) == len(decision.slots) else []


def _taken(
    state: State, at: int, viewer: int, items: list[int], contracts: list[int]
) -> list[tuple[int, int, int]]:
    """Count a slate's places for the caps of frequency, where there are any and the viewer may be known."""
    who = people.whom(state.people, viewer)
    if who < 0 or not frequency.caps_any(state.policy.frequency):
        return []
    pairs = zip(items, contracts, strict=True)
    taken = [frequency.place_of(state.shelf, item, contract) for item, contract in pairs]
    frequency.take(state.given, who, day_of(at), taken)
    return taken


def _chances(contenders: bytes, count: int) -> list[tuple[float, float, float]]:
    """Return the predicted click, long view and order of a decision's slots, its first contenders."""
    return list(CHANCES.iter_unpack(contenders[: count * CHANCES.size]))


def _values(
    state: State, scene: int, items: list[int], chances: list[tuple[float, float, float]]
) -> list[tuple[int, int, float]]:
    """Return (slot, contract, v) for each bidding contract on each slot's item."""
    shelf, bids = state.shelf, state.book.bids.item
    start, found = shelf.contract_start.item, []
    for k, item in enumerate(items):
        if start(item) < start(item + 1):
            click, long_view, order = chances[k]
            for number in dict.fromkeys(shelf.contract[start(item) : start(item + 1)].tolist()):
                if bids(number):
                    look, per_click, per_view, gmv, per_order = state.meters[scene, number].tolist()
                    bought = click * order * (gmv * shelf.rows.item(item, NET_PRICE) + per_order)
                    found.append((k, number, look + per_click * click + per_view * long_view + bought))
    return found


def _displaced(
    state: State, decision: Decision, items: list[int], contracts: list[int]
) -> list[tuple[int, float, float, float]]:
    """Return (slot, gained, from own, from others) of each paid slot, on sampled requests alone; in looks."""
    if not decision.sampled or not any(contract >= 0 for contract in contracts):
        return []
    slots = len(items)
    groups = state.shelf.group
    below = np.frombuffer(decision.contenders, CONTENDER)[slots:]
    pushed = np.full(slots, -1, np.int64)
    gone = below[below["organic_rank"] < slots]
    pushed[gone["organic_rank"]] = groups[gone["item"]]
    taken = displacement(
        np.array(decision.looks),
        np.array([slot.organic_rank for slot in decision.slots], np.int64),
        np.array(contracts, np.int64),
        groups[items].astype(np.int64),
        pushed,
    )
    return [
        (k, float(taken.gained[k]), float(taken.own[k]), float(taken.others[k]))
        for k in range(slots)
        if contracts[k] >= 0
    ]


def _count_request(
    state: State,
    decision: Decision,
    contracts: list[int],
    values: list[tuple[int, int, float]],
    mean_score: float | None,
) -> None:
    """Tell the prices what this request offered and gave, and its mean score (without named prices, where given)."""
    prices = state.prices
    prices.requests += 1
    for k, number, value in values:
        if contracts[k] != number:
            prices.organic[number] += decision.looks[k] * value
    scores = [slot.score for slot in decision.slots]
    if scores:
        mean = sum(scores) / len(scores) if mean_score is None else mean_score
        prices.score += (mean - prices.score) * (1.0 - SCORE_FORGET if prices.score else 1.0)
    if decision.sampled:
        prices.samples += 1
        scene = state.scenes.numbers[decision.scene]
        prices.asked[scene] += 1.0
        steps = np.frombuffer(decision.landscape, STEP)
        np.add.at(prices.offered[:, scene], steps["contract"], steps["value"])
        add_steps(
            prices.supply_value, prices.supply_cost,
            steps["contract"], steps["log_alpha"], steps["value"], steps["charge"],
        )  # fmt: skip
