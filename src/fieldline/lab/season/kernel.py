"""A tick of a season, request by request: retrieve, decide, live through, learn; compiled, in the order of time."""

import math

import numpy as np

from fieldline.compiled import njit
from fieldline.draws import mix, uniform
from fieldline.lab.season.columns import (
    ADS,
    BELIEVED,
    BINS_OF_CHANCE,
    CHARGED,
    CLICKS,
    CREDIT,
    DAY_SPEND,
    EARNING,
    EXPECTED,
    EXPECTED_GMV,
    FORETOLD,
    IMPRESSIONS,
    LIFTED,
    LIKES,
    LONG_VIEWS,
    LOOKED,
    LOOKS,
    MOVED,
    NAMED,
    ORGANIC,
    PAID_LOOKED,
    PAID_LOOKS,
    PAID_WORTH,
    POSSIBLE,
    QUICK,
    RENDERED,
    SERVED,
    SLOW,
    SPENT,
    TICK_DROPPED,
    TICK_PAID,
    TICK_REQUESTS,
    TICK_SAMPLES,
    VALUE,
    WATCHED,
    WHOLE_ORGANIC,
    WORTH,
    Accounts,
    Crowd,
    Desk,
    Moment,
    Money,
    Places,
    Shelf,
    Singles,
    Stage,
    Tallies,
    Terms,
)
from fieldline.lab.season.orders import arrive, send
from fieldline.lab.season.study import close_looks, look_later, ripen, side_of, wait_for_order
from fieldline.lab.world.days import comes, feel, net_worth, outlook, request_key, stays
from fieldline.lab.world.draws import Floats, Ints
from fieldline.lab.world.truth import DEEPEST, DWELL, LOCAL, SEARCH, Visit, item_key, rendered
from fieldline.traffic.accounts import QUICK_SHARE
from fieldline.traffic.kernels.request import answer
from fieldline.traffic.kernels.words import CATEGORY_CAP, LANDSCAPE, MERCHANT_CAP, PAID, RANDOM
from fieldline.traffic.kernels.words import LOOKS as FIRST_LOOK
from fieldline.traffic.organic.moved import refill
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.solve import add_steps
from fieldline.units import DAY

WHO, SCENE, WANTED, ANY, WHEN, STAY, MODE_RANDOM, MODE_SAMPLE = range(8)
"""Purposes of a request's own draws."""
OWN_KEY = np.uint64(0x5851F42D4C957F2D)
RENDER, SLOT_TIME = 200, 6_000
NEAR, PROMOTED = 0.5, 0.15
"""Shares of the candidates."""
START, STRIDE = 0, 1
STRIDES = np.array([7919, 8837, 9973, 10007, 11003, 12007, 13007, 14009])
"""Primes above the size of any partition but whole scenes of the largest markets."""
SCORE_FORGET = 0.999


@njit
def ask(crowd: Crowd, key: np.uint64, own: np.uint64, hour: int) -> tuple[Visit, int]:
    """Return who asks, and for which category, −1 for none."""
    who = crowd.who[hour]
    viewer = np.searchsorted(who, uniform(own, np.uint64(WHO)) * who[-1], side="right")
    viewer = min(viewer, who.size - 1)
    scenes = crowd.scenes
    scene = np.searchsorted(scenes, uniform(own, np.uint64(SCENE)) * scenes[-1], side="right")
    visit = Visit(key, viewer, min(scene, scenes.size - 1))
    category = np.int64(-1)
    if visit.scene == SEARCH:
        category = np.int64(crowd.favourites[viewer, 2])
        if uniform(own, np.uint64(WANTED)) >= 0.7:
            category = np.int64(crowd.sold[int(uniform(own, np.uint64(ANY)) * crowd.sold.size)])
    return visit, int(category)


@njit
def draw_from(shelf: Shelf, desk: Desk, part: int, own: np.uint64, found: int, quota: int) -> int:
    """Append items of a partition that are not yet there, drawn evenly by a stride; return how many there are."""
    first = shelf.start[part]
    size = shelf.start[part + 1] - first
    if quota <= 0 or size == 0:
        return found
    key = np.uint64(mix(own + np.uint64(part + 1)))
    place = int(uniform(key, np.uint64(START)) * size)
    stride = STRIDES[int(uniform(key, np.uint64(STRIDE)) * STRIDES.size)] % size
    end = min(found + quota, desk.candidates.size)
    for _ in range(size):
        item = shelf.items[first + place]
        if found == end:
            break
        if desk.stamp[item] != desk.epoch[0]:
            desk.stamp[item] = desk.epoch[0]
            desk.candidates[found] = item
            found += 1
        place = (place + stride) % size
    return found


@njit
def retrieve(
    shelf: Shelf, places: Places, desk: Desk, crowd: Crowd, seen: Ints, visit: Visit, category: int,
    own: np.uint64,
) -> int:  # fmt: skip
    """Write what can be had for a request, alike in all arms but for what the viewer has seen; return how many.

    A search has items of the category that it names alone; elsewhere 15% are under contract, 50% are of the viewer's
    favourite categories (or of the viewer's city), and the rest is anything of the scene.
    """
    desk.epoch[0] += 1
    limit, scene, viewer = places.limit, visit.scene, visit.viewer
    if category >= 0:
        part = places.category + scene * places.categories + category
        return int(draw_from(shelf, desk, part, own, 0, limit))
    if not shelf.by_clicks[scene]:
        for item in seen:
            if item >= 0:
                desk.stamp[item] = desk.epoch[0]
    found = draw_from(shelf, desk, places.promoted + scene, own, 0, int(limit * PROMOTED))
    if scene == LOCAL:
        found = draw_from(shelf, desk, places.city + crowd.city[viewer], own, found, int(limit * NEAR))
    else:
        for n in range(3):
            favourite = crowd.favourites[viewer, n]
            part = places.category + scene * places.categories + favourite
            found = draw_from(shelf, desk, part, own, found, int(limit * NEAR / 3.0))
    return int(draw_from(shelf, desk, scene, own, found, limit - found))


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
        note_chance(tallies.chances[day, 0], came.clicked, predicted)
        for entry in range(terms.first[item], terms.first[item + 1]):
            j = terms.contract[entry]
            if rules.counts_organic[j] or j == payer:
                value = rules.reward[j, 1] * came.clicked + rules.reward[j, 2] * came.long_viewed
                accounts.yuan[VALUE, j] += value
                accounts.value_by_day[day, j] += value
        if not came.clicked:
            continue
        key = item_key(visit.key, item)
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
                    stage.waiting, key, viewer, item, product, scene, came.quantity, came.refunded, opened, click
                )  # fmt: skip
    if weight > 0.0:
        feel(lived, viewer, scene, felt / weight)


@njit
def run(stage: Stage, desk: Desk, moment: Moment) -> None:
    """Play a tick: its requests in the order of time, then the labels that are due."""
    shelf, terms, tallies, waiting = stage.shelf, stage.terms, stage.tallies, stage.waiting
    for number in range(moment.requests):
        key = request_key(moment.key, number)
        own = np.uint64(mix(key ^ OWN_KEY))
        wait = (number + uniform(own, np.uint64(WHEN))) / moment.requests
        at = moment.start + int(wait * moment.length)
        if waiting.sizes[0] > 0 and waiting.heap[0, 0] <= at:
            arrive(stage, moment.day, at)
        tallies.total[moment.day, POSSIBLE] += 1
        visit, category = ask(stage.crowd, key, own, moment.hour)
        viewer, scene = visit.viewer, visit.scene
        if not stays(stage.lived, viewer, own):
            continue
        tallies.total[moment.day, SERVED] += 1
        tallies.tick[TICK_REQUESTS] += 1
        side_of(stage.machine, desk.pen.ids, viewer, scene, moment.hour, at, desk.viewer)
        seen = stage.memory.seen[viewer]
        count = retrieve(shelf, stage.places, desk, stage.crowd, seen, visit, category, own)
        randomised = uniform(own, np.uint64(MODE_RANDOM)) < moment.random_share
        sampled = not randomised and uniform(own, np.uint64(MODE_SAMPLE)) < moment.landscape_share
        mode = np.int64(0)
        if moment.paid:
            mode = np.int64(PAID | (LANDSCAPE if sampled else 0))
        if randomised:
            mode |= np.int64(RANDOM)
        words = shelf.words[scene]
        shown, _, told, _, steps, dropped, _ = answer(
            desk.candidates[:count], desk.viewer, 1 << scene, mode, np.uint64(mix(own)), words,
            stage.machine.rows, shelf.group, shelf.category, terms.first, terms.contract,
            terms.alpha, terms.bid_cap, terms.organic_price, terms.meter[scene],
            terms.gate, terms.open_gates, terms.holdout, terms.key, terms.viewer_key[viewer],
            desk.given, desk.extra,
            desk.room, desk.slots, desk.contenders, desk.rest, desk.steps,
        )  # fmt: skip
        if moment.paid and not randomised:
            count_request(
                terms, stage.accounts, tallies, desk, stage.machine.rows, words[FIRST_LOOK:], scene, shown
            )
            if sampled:
                tallies.tick[TICK_SAMPLES] += 1
                tallies.tick[TICK_DROPPED] += dropped
                count_steps(stage.accounts.supply, desk, steps)
        if rendered(key):
            if moment.paid and not randomised:
                note_moved(stage, desk, scene, shown, told)
            live_through(stage, desk, moment, visit, shown, at, randomised)
    end = moment.start + moment.length
    arrive(stage, moment.day, end)
    close_looks(stage.machine, desk.pen, stage.queue, end - stage.windows.label)
    ripen(stage.machine, desk.pen, stage.clicks, end)
