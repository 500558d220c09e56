"""What the engine counts of a request: what it gave without being paid, what credit moved, what it foretells."""

import numpy as np

from fieldline.compiled import njit
from fieldline.lab.season.columns import (
    CREDIT,
    FORETOLD,
    LIFTED,
    MOVED,
    NAMED,
    ORGANIC,
    QUICK,
    SLOW,
    TICK_PAID,
    WHOLE_ORGANIC,
    Accounts,
    Desk,
    Links,
    Singles,
    Stage,
    Tallies,
    Terms,
)
from fieldline.lab.season.links import is_private
from fieldline.lab.world.draws import Floats, Ints
from fieldline.lab.world.truth import (
    Visit,
)
from fieldline.traffic.accounts import QUICK_SHARE
from fieldline.traffic.kernels.words import CATEGORY_CAP, MERCHANT_CAP
from fieldline.traffic.kernels.words import LOOKS as FIRST_LOOK
from fieldline.traffic.organic.moved import refill
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.solve import add_steps

SCORE_FORGET = 0.999


@njit
def count_request(
    terms: Terms,
    accounts: Accounts,
    tallies: Tallies,
    desk: Desk,
    rows: Singles,
    looks: Floats,
    scene: int,
    shown: int,
) -> None:
    """Tell the prices what a request gave without being paid, as `traffic.showing` does."""
    whole = desk.slots.view(np.int32)
    tallies.tick[TICK_PAID] += 1
    score = 0.0
    for slot in range(shown):
        item = whole[slot, 0]
        told = desk.contenders[slot]
        score += (desk.slots[slot, 5] - tallies.prices[NAMED, item]) / shown
        for entry in range(terms.first[item], terms.first[item + 1]):
            j = terms.contract[entry]
            if whole[slot, 1] != j:
                value = worth_of(terms.meter[scene, j], told, np.float64(rows[item, NET_PRICE]))
                accounts.yuan[ORGANIC, j] += looks[slot] * value
                accounts.yuan[WHOLE_ORGANIC, j] += looks[slot] * value
    if shown > 0:
        rate = 1.0 - SCORE_FORGET if tallies.score[0] != 0.0 else 1.0
        tallies.score[0] += (score - tallies.score[0]) * rate


@njit
def note_moved(stage: Stage, desk: Desk, scene: int, shown: int, told: int) -> None:
    """Count the looks that credit moved to a slate's items, as `traffic.organic` does.

    Args:
        stage: its tallies are changed.
        desk: with the answer's slots and contenders.
        scene: number.
        shown: slots filled.
        told: contenders, those of the slate first.
    """
    prices, words, shelf = stage.tallies.prices, stage.shelf.words[scene], stage.shelf
    whole, rows = desk.slots.view(np.int32), desk.contenders.view(np.int32)
    some = False
    for n in range(told):
        some |= prices[CREDIT, rows[n, 0]] > 0.0
    if not some:
        return
    looks = words[FIRST_LOOK:]
    slot, paid = np.full(told, -1, np.int64), np.zeros(told, np.int64)
    group, category = np.empty(told, np.int64), np.empty(told, np.int64)
    base = np.empty(told)
    for n in range(told):
        item = rows[n, 0]
        base[n] = np.float64(desk.contenders[n, 12]) - prices[NAMED, item]
        group[n], category[n] = shelf.group[item], shelf.category[item]
        if n < shown:
            slot[n], paid[n] = n, whole[n, 1] >= 0
    place = np.full(told, -1, np.int64)
    caps = int(words[MERCHANT_CAP]), int(words[CATEGORY_CAP])
    refill(slot, base, group, category, paid, caps[0], caps[1], looks.size - 1, place)
    for n in range(shown):
        item = whole[n, 0]
        there = looks[place[n]] if place[n] >= 0 else 0.0
        gained = looks[n] - there
        if paid[n] == 0 and gained > 0.0 and prices[LIFTED, item] > 0.0:
            share = prices[CREDIT, item] / prices[LIFTED, item]
            stage.tallies.items[item, MOVED] += share * gained


@njit
def foretell(stage: Stage, desk: Desk, scene: int, slot: int, item: int) -> None:
    """Count what a rendered slot is predicted to bring to the contracts on it."""
    terms, accounts, told = stage.terms, stage.accounts, desk.contenders[slot]
    look = stage.shelf.words[scene, FIRST_LOOK + slot]
    price = np.float64(stage.machine.rows[item, NET_PRICE])
    for entry in range(terms.first[item], terms.first[item + 1]):
        j = terms.contract[entry]
        value = look * worth_of(terms.meter[scene, j], told, price)
        accounts.yuan[FORETOLD, j] += value
        accounts.yuan[QUICK, j] += QUICK_SHARE * value
        accounts.yuan[SLOW, j] += (1.0 - QUICK_SHARE) * value


@njit
def worth_of(meter: Floats, told: Singles, price: float) -> float:
    """Return what a look at a contender is worth at a meter [5], yuan."""
    click = np.float64(told[5])
    order = click * np.float64(told[7])
    paid = (meter[3] * price + meter[4]) * order
    return float(meter[0] + meter[1] * click + meter[2] * np.float64(told[6]) + paid)


@njit
def count_steps(supply: Floats, desk: Desk, steps: int) -> None:
    """Add a sampled request's steps to the landscapes."""
    whole = desk.steps.view(np.int32)
    for n in range(steps):
        desk.contracts[n] = whole[n, 0]
        for k in range(3):
            desk.columns[k, n] = desk.steps[n, 1 + k]
    contracts = desk.contracts[:steps]
    alphas, values, charges = desk.columns[0, :steps], desk.columns[1, :steps], desk.columns[2, :steps]
    add_steps(supply[0], supply[1], contracts, alphas, values, charges)
    add_steps(supply[2], supply[3], contracts, alphas, values, charges)


@njit
def count_places(links: Links, desk: Desk, creator: Ints, visit: Visit, shown: int) -> None:
    """Count a slate's places that followed makers have."""
    whole = desk.slots.view(np.int32)
    links.counted[0, visit.scene] += shown
    for slot in range(shown):
        links.counted[1, visit.scene] += is_private(links, creator, visit.viewer, whole[slot, 0])
