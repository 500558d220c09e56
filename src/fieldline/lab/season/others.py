"""Other ways to decide an arm's requests: same candidates, bids and truth, another organic price; nothing comes of it.

Two runs under two prices soon differ by what their viewers saw and their predictors learned, which is noise to a
question about the prices. Here both are asked of one run, so that what they differ by is the prices alone; what viewers
would have learned to expect, and predictors to know, is left out.
"""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.facts import Policy
from fieldline.lab.season.asking import MODE_RANDOM
from fieldline.lab.season.columns import Desk, Machine, Moment, Others, Stage
from fieldline.lab.season.organic import Other, Policies, include
from fieldline.lab.world.days import net_worth, outlook
from fieldline.lab.world.draws import Floats
from fieldline.lab.world.truth import DEEPEST, Visit
from fieldline.traffic.kernels.request import answer
from fieldline.traffic.kernels.words import LOOKS, PAID, RANDOM
from fieldline.traffic.organic.inclusion import Inclusion
from fieldline.traffic.rows import FLAGS, ORGANIC_PRICE, SHOWN


@dataclass(slots=True)
class Asked:
    """The other ways of an arm, and where their prices stand."""

    ways: tuple[Other, ...]
    held: tuple[Inclusion, ...]
    gini: Floats
    """[T, n] realised by tick."""


def opened(ways: tuple[Other, ...], creators: int, ticks: int) -> Asked:
    """Return the ways of an arm of which nothing was asked yet."""
    return Asked(
        ways, tuple(Inclusion(exposure=np.zeros(creators)) for _ in ways), np.zeros((ticks, len(ways)))
    )


def others_of(
    ways: tuple[Other, ...], random_share: float, items: int, days: int, slots: int, limit: int
) -> Others:
    """Return the ways as kernels read them.

    Args:
        ways: n.
        random_share: the arm's own.
        items: I.
        days: D.
        slots: K.
        limit: most candidates.
    """
    shares = [random_share if way.random_share is None else way.random_share for way in ways]
    return Others(
        prices=np.zeros((len(ways), items)),
        random_share=np.array(shares, np.float64),
        looks=np.zeros((len(ways), items)),
        came=np.zeros((days, len(ways), 2)),
        slots=np.zeros((slots, 6)),
        untold=np.zeros((0, 17), np.float32),
        kept=np.zeros(limit + 1, np.float32),
    )


def price(
    asked: Asked, others: Others, policy: Policy, machine: Machine, score: float, tick: int, passed: int
) -> None:
    """Take what each way would have shown in a tick into its accounts, and solve its prices again.

    Args:
        asked: changed.
        others: prices and looks are changed.
        policy: the arm's.
        machine: only read.
        score: mean score of what is shown, yuan per look.
        tick: number.
        passed: ms.
    """
    creator = machine.items.creator
    there = (machine.rows.view(np.int32)[:, FLAGS] & SHOWN) != 0
    some = creator >= 0
    for n, (way, held) in enumerate(zip(asked.ways, asked.held, strict=True)):
        np.add.at(held.exposure, creator[some], others.looks[n, some])
        dialled = replace(policy, gini=way.gini)
        others.prices[n] = score * include(held, dialled, Policies(linear=way.linear), creator, there, passed)
        asked.gini[tick, n] = held.realised
    others.looks[:] = 0.0


@njit
def decide_otherwise(
    stage: Stage,
    desk: Desk,
    moment: Moment,
    visit: Visit,
    own: np.uint64,
    at: int,
    count: int,
    more: int,
    other: int,
) -> None:
    """Decide a request once more in another way, and count what the truth expects of that slate.

    Args:
        stage: its tallies of other ways are changed, nothing else.
        desk: with the request's candidates and the viewer's side.
        moment: the tick.
        visit: the request.
        own: key of the request's own draws.
        at: ms.
        count: of candidates.
        more: of them, to how many something was written that a look at them is worth beside; all or none.
        other: which way.
    """
    others, rows, terms, shelf = stage.others, stage.machine.rows, stage.terms, stage.shelf
    scene, viewer = visit.scene, visit.viewer
    words = shelf.words[scene]
    for n in range(count):
        item = desk.candidates[n]
        others.kept[n] = rows[item, ORGANIC_PRICE]
        rows[item, ORGANIC_PRICE] += np.float32(others.prices[other, item])
    mode = np.int64(PAID if moment.paid else 0)
    if uniform(own, np.uint64(MODE_RANDOM)) < others.random_share[other]:
        mode |= np.int64(RANDOM)
    shown, _, _, _, _, _, _ = answer(
        desk.candidates[:count], desk.viewer, 1 << scene, mode, np.uint64(mix(own)), words,
        rows, shelf.group, shelf.category, terms.first, terms.contract,
        terms.alpha, terms.bid_cap, terms.organic_price, terms.meter[scene],
        terms.gate, terms.open_gates, terms.holdout, terms.key, terms.viewer_key[viewer],
        desk.given, desk.extra[:more],
        desk.room, others.slots, others.untold, desk.rest, desk.steps,
    )  # fmt: skip
    for n in range(count):
        rows[desk.candidates[n], ORGANIC_PRICE] = others.kept[n]
    whole, came = others.slots.view(np.int32), others.came[moment.day, other]
    for slot in range(shown):
        item = whole[slot, 0]
        product = shelf.product[item]
        chance = outlook(stage.days, stage.lived, visit, item, product, at)
        look = stage.days.nature.looks[scene, min(slot, DEEPEST - 1)]
        others.looks[other, item] += words[LOOKS + slot]
        came[0] += look * chance.long_view
        if product >= 0:
            came[1] += look * chance.click * chance.order * net_worth(stage.days, product)
