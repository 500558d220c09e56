"""A rendered slate is lived through: looked at, clicked, watched, stayed with; and what comes of it is on its way."""

import math

import numpy as np

from fieldline.compiled import njit
from fieldline.draws import uniform
from fieldline.lab.season.columns import (
    ADS,
    BELIEVED,
    BINS_OF_CHANCE,
    CHARGED,
    CLICKS,
    DAY_SPEND,
    EARNING,
    ENTERED,
    EXPECTED,
    EXPECTED_GMV,
    FANS_WON,
    IMPRESSIONS,
    LIKES,
    LONG_VIEWS,
    LOOKED,
    LOOKS,
    MET,
    MET_ORDERS,
    NEW_FAN,
    PAID_LOOKED,
    PAID_LOOKS,
    PAID_WORTH,
    PRIVATE,
    PUBLIC,
    RENDERED,
    SEEN_CLICKS,
    SEEN_LOOKS,
    SEEN_WATCHED,
    SEEN_WORTH,
    SPENT,
    STAYED,
    VALUE,
    WATCHED,
    WORTH,
    Accounts,
    Desk,
    Moment,
    Money,
    Stage,
    Tallies,
    Terms,
)
from fieldline.lab.season.counting import foretell
from fieldline.lab.season.orders import send
from fieldline.lab.season.staged import note_stay
from fieldline.lab.season.study import look_later, wait_for_order
from fieldline.lab.world.days import Outlook, bought, comes, feel, net_worth, outlook
from fieldline.lab.world.fans import WON, wins
from fieldline.lab.world.rooms import in_room, later_worth, slot_at, starts, stay_of, turns
from fieldline.lab.world.truth import (
    DEEPEST,
    DWELL,
    Visit,
    item_key,
)
from fieldline.traffic.kernels.words import LOOKS as FIRST_LOOK
from fieldline.units import DAY

RENDER, SLOT_TIME = 200, 6_000


@njit
def sell(terms: Terms, accounts: Accounts, moment: Moment, payer: int, charge: float, look: float) -> int:
    """Charge an impression to its payer; return micro-yuan, or −1, and change nothing, where it does not fit."""
    amount = np.int64(math.floor(charge * 1e6))
    if amount > terms.allowed[payer]:
        return -1
    terms.allowed[payer] -= amount
    terms.bid_cap[payer] = terms.allowed[payer] / (1e6 * moment.most_ads)
    accounts.money[SPENT, payer] += amount
    accounts.money[IMPRESSIONS, payer] += 1
    accounts.yuan[PAID_LOOKS, payer] += look
    accounts.by_day[moment.day, DAY_SPEND, payer] += amount
    return int(amount)


@njit
def note_chance(counts: Money, came: bool, chance: float) -> None:
    """Count a prediction with its outcome in counts [2, BINS_OF_CHANCE]."""
    p = min(max(chance, 1e-6), 1.0 - 1e-6)
    place = int((math.log(p / (1.0 - p)) + 10.0) * (BINS_OF_CHANCE / 20.0))
    counts[1 if came else 0, min(max(place, 0), BINS_OF_CHANCE - 1)] += 1


@njit
def tally_look(
    tallies: Tallies, day: int, scene: int, viewer: int, item: int, clicked: bool, watched: bool, liked: bool
) -> None:
    """Count a true look and what came of it."""
    total = tallies.total[day]
    total[LOOKS] += 1
    total[CLICKS] += clicked
    total[LONG_VIEWS] += watched
    total[LIKES] += liked
    by_scene = tallies.by_scene[scene]
    by_scene[0] += 1
    by_scene[1] += clicked
    by_scene[2] += watched
    by_scene[3] += liked
    if scene == 0:
        tallies.feed_viewers[viewer, 0] += 1
        tallies.feed_viewers[viewer, 1] += clicked
        tallies.feed_viewers[viewer, 2] += watched
        tallies.feed_items[item, 0] += 1
        tallies.feed_items[item, 1] += clicked
        tallies.feed_items[item, 2] += watched


@njit
def tally_domain(
    stage: Stage, scene: int, viewer: int, item: int, look: float, chance: Outlook, worth: float
) -> None:
    """Count a place by whether the viewer follows the item's maker."""
    maker = stage.days.nature.creator[item]
    follows = stage.lived.follows[viewer, maker] if maker >= 0 else 0
    domain = PUBLIC if follows == 0 else NEW_FAN if follows == WON else PRIVATE
    told = stage.tallies.domains[scene, domain]
    told[SEEN_LOOKS] += look
    told[SEEN_WATCHED] += look * chance.long_view
    told[SEEN_CLICKS] += look * chance.click
    told[SEEN_WORTH] += worth


@njit
def stay_on(
    stage: Stage, visit: Visit, item: int, room: int, entered: int, watched: bool, click: int
) -> None:
    """Let a viewer who entered a live room be there for their time, and meet the offers that start meanwhile.

    Args:
        stage: orders may be put on their way; stays are counted.
        visit: the request.
        item: the room's.
        room: from 0.
        entered: ms.
        watched: whether they watch long.
        click: number of their click among those that wait for orders.
    """
    rooms, told = stage.rooms, stage.tallies.rooms[room]
    length = stay_of(rooms, room, item_key(visit.key, item), watched)
    told[ENTERED] += 1.0
    told[STAYED] += note_stay(stage.stays, room, length)
    slot = slot_at(rooms, entered) + 1
    while starts(rooms, slot) <= entered + length and slot < rooms.offers.shape[1]:
        product = rooms.offers[room, slot]
        if product < 0:
            return
        if turns(rooms, room, slot):
            chance = outlook(stage.days, stage.lived, visit, product, product, entered).order
            told[MET] += 1.0
            told[MET_ORDERS] += chance
            key = item_key(visit.key, rooms.first + rooms.offers.shape[0] + product)
            quantity, refunded = bought(stage.days, key, product, chance)
            if quantity > 0:
                send(
                    stage.waiting, key, visit.viewer, item, product, visit.scene, quantity, refunded,
                    entered, starts(rooms, slot), click,
                )  # fmt: skip
        slot += 1


@njit
def live_through(  # noqa: PLR0912, PLR0915 (one loop over slots; splitting it means passing all of it)
    stage: Stage, desk: Desk, moment: Moment, visit: Visit, shown: int, at: int, randomised: bool
) -> None:
    """Let a rendered slate be looked at, and put what comes of it on its way."""
    days, lived, memory = stage.days, stage.lived, stage.memory
    accounts, rules, tallies, terms = stage.accounts, stage.rules, stage.tallies, stage.terms
    looks = stage.shelf.words[visit.scene, FIRST_LOOK:]
    whole = desk.slots.view(np.int32)
    viewer, scene, day = visit.viewer, visit.scene, moment.day
    total = tallies.total[day]
    felt = 0.0
    weight = 0.0
    for slot in range(shown):
        item = whole[slot, 0]
        payer = whole[slot, 1]
        product = stage.shelf.product[item]
        chance = outlook(days, lived, visit, item, product, at)
        room = item - stage.rooms.first
        stayed = room >= 0 and product >= 0
        later = 0.0
        if stayed:
            chance = in_room(days, lived, visit, product, at, chance)
            later = later_worth(days, lived, stage.rooms, visit, room, at + RENDER, chance.long_view)
        true_look = days.nature.looks[scene, min(slot, DEEPEST - 1)]
        felt += true_look * chance.long_view
        weight += true_look
        memory.seen[viewer, memory.seen_end[viewer] % memory.seen.shape[1]] = item
        memory.seen_end[viewer] += 1
        if payer >= 0:
            amount = sell(terms, accounts, moment, payer, desk.slots[slot, 2], looks[slot])
            if amount < 0:
                payer = np.int32(-1)
            else:
                total[ADS] += 1
                total[CHARGED] += amount
                accounts.touches[viewer, payer, 1] = 8 * (at + RENDER) + scene
                rank = whole[slot, 2]
                other = days.nature.looks[scene, rank] if rank < looks.size - 1 else 0.0
                orders = (true_look - other) * chance.click * chance.order
                gmv = orders * net_worth(days, product) if product >= 0 else 0.0
                accounts.yuan[EXPECTED_GMV, payer] += gmv
                accounts.yuan[EXPECTED, payer] += (
                    rules.reward[payer, 3] * gmv + rules.reward[payer, 4] * orders
                )
        worth = 0.0
        if product >= 0:
            worth = true_look * chance.click * chance.order * net_worth(days, product)
            worth += true_look * chance.click * later
            for entry in range(terms.first[item], terms.first[item + 1]):
                j = terms.contract[entry]
                accounts.shown[j, np.int64(rules.held[viewer, j])] += worth
        told = tallies.items[item]
        told[BELIEVED] += looks[slot]
        told[LOOKED] += true_look
        told[WATCHED] += true_look * chance.long_view
        told[WORTH] += worth
        if payer >= 0:
            told[PAID_LOOKED] += true_look
            told[PAID_WORTH] += worth
        if lived.follows.shape[0] > 0:
            tally_domain(stage, scene, viewer, item, true_look, chance, worth)
        came = comes(days, visit, slot, item, product, chance)
        predicted = np.float64(desk.contenders[slot, 5])
        if randomised:
            memory.randomised[0, scene, slot] += came.clicked
            memory.randomised[1, scene, slot] += predicted
        outcome = (1 if came.clicked else 0) + (2 if came.long_viewed else 0)
        look_later(stage.queue, viewer, item, scene, at, outcome, looks[slot], predicted)
        total[RENDERED] += 1
        foretell(stage, desk, scene, slot, item)
        if not came.looked:
            continue
        lived.looks[viewer, item] += lived.looks[viewer, item] < 255
        tally_look(tallies, day, scene, viewer, item, came.clicked, came.long_viewed, came.liked)
        key = item_key(visit.key, item)
        if came.long_viewed and wins(lived.follows, key, viewer, days.nature.creator[item], scene):
            tallies.domains[scene, PUBLIC, FANS_WON] += 1.0
        note_chance(tallies.chances[day, 0], came.clicked, predicted)
        for entry in range(terms.first[item], terms.first[item + 1]):
            j = terms.contract[entry]
            if rules.counts_organic[j] or j == payer:
                value = rules.reward[j, 1] * came.clicked + rules.reward[j, 2] * came.long_viewed
                accounts.yuan[VALUE, j] += value
                accounts.value_by_day[day, j] += value
        if not came.clicked:
            continue
        opened = at + RENDER + slot * SLOT_TIME + 1_000 + int(uniform(key, np.uint64(DWELL)) * 5_000)
        if payer >= 0:
            last = accounts.touches[viewer, payer, 0]
            matched = predicted >= tallies.match[stage.shelf.category[item]]
            told[EARNING] += matched and (last < 0 or opened - last // 8 >= DAY)
            accounts.touches[viewer, payer, 0] = 8 * opened + scene
        if product >= 0:
            note_chance(tallies.chances[day, 1], came.quantity > 0, np.float64(desk.contenders[slot, 7]))
            click = wait_for_order(stage.clicks, viewer, item, scene, opened)
            if came.quantity > 0:
                send(
                    stage.waiting, key, viewer, item, product, scene, came.quantity, came.refunded, opened,
                    opened, click,
                )  # fmt: skip
            if stayed:
                stay_on(stage, visit, item, room, opened, came.long_viewed, click)
    if weight > 0.0:
        feel(lived, viewer, scene, felt / weight)
