"""Orders and refunds of a season: on their way, arrived, credited and counted."""

import math

import numpy as np

from fieldline.compiled import njit
from fieldline.draws import uniform
from fieldline.lab.season.columns import (
    ARM_BUYERS,
    ARM_GMV,
    ARM_ORDERS,
    ATTRIBUTED,
    ATTRIBUTED_BACK,
    BACK,
    CLICK,
    CLICK_DELAY,
    CLICKED_AT,
    COUNTED,
    CREDITED,
    CREDITED_ORDERS,
    DAY_ATTRIBUTED,
    DAY_BACK,
    DAY_GMV,
    DAY_ORDERS,
    DAY_ROW,
    GMV,
    ITEM,
    KEY,
    ORDERS,
    PAID_ORDERS,
    PRODUCT,
    QUANTITY,
    REFUNDED,
    SCENE,
    SENT_BACK,
    SIGN_COUNT,
    SIGNS,
    SQUARES,
    STOREWIDE,
    STOREWIDE_BACK,
    TWENTIETH,
    VALUE,
    VIEWER,
    Accounts,
    Money,
    Rules,
    Stage,
    Waiting,
    Windows,
)
from fieldline.lab.world.days import buys, goes_on
from fieldline.lab.world.truth import DELAY, RETURN, SOON
from fieldline.units import DAY, HOUR, MINUTE

SOON_SHARE, SOON_MEAN, LATE_MEAN = 0.35, 4.0 * MINUTE, 3.3 * HOUR
"""Share of orders that come within minutes, and the mean delays of both kinds."""
RETURN_AFTER, RETURN_MEAN = HOUR, 2.0 * DAY
ORDINAL = 20
"""The credited order whose time is noted."""


@njit
def _before(heap: Money, a: int, b: int) -> bool:
    return bool(heap[0, a] < heap[0, b] or (heap[0, a] == heap[0, b] and heap[1, a] < heap[1, b]))


@njit
def _swap(heap: Money, a: int, b: int) -> None:
    for row in range(2):
        moved = heap[row, a]
        heap[row, a] = heap[row, b]
        heap[row, b] = moved


@njit
def push(waiting: Waiting, at: int, number: int) -> None:
    """Put a numbered order or refund on its way."""
    place = waiting.sizes[0]
    waiting.heap[0, place] = at
    waiting.heap[1, place] = number
    waiting.sizes[0] += 1
    while place > 0 and _before(waiting.heap, place, (place - 1) // 2):
        _swap(waiting.heap, place, (place - 1) // 2)
        place = (place - 1) // 2


@njit
def pop(waiting: Waiting) -> int:
    """Take the earliest out and return its number."""
    number = waiting.heap[1, 0]
    waiting.sizes[0] -= 1
    size = waiting.sizes[0]
    _swap(waiting.heap, 0, size)
    place = 0
    while True:
        least = place
        for child in range(2 * place + 1, min(2 * place + 3, size)):
            if _before(waiting.heap, child, least):
                least = child
        if least == place:
            return int(number)
        _swap(waiting.heap, place, least)
        place = least


@njit(inline="always")
def _wait(key: np.uint64, purpose: int, mean: float) -> int:
    return int(-math.log1p(-uniform(key, np.uint64(purpose))) * mean)


@njit
def send(
    waiting: Waiting,
    key: np.uint64,
    viewer: int,
    item: int,
    product: int,
    scene: int,
    quantity: int,
    refunded: bool,
    clicked_at: int,
    wanted_at: int,
    click: int,
) -> None:
    """Put an order on its way; it comes minutes or hours after what it is for was wanted, at its click or later."""
    number = waiting.sizes[1]
    waiting.sizes[1] += 1
    row = waiting.rows[number]
    row[CLICKED_AT] = clicked_at
    row[VIEWER] = viewer
    row[ITEM] = item
    row[PRODUCT] = product
    row[SCENE] = scene
    row[QUANTITY] = quantity
    row[BACK] = 1 if refunded else 0
    row[KEY] = np.int64(key)
    row[CREDITED] = -1
    row[DAY_ROW] = -1
    row[CLICK] = click
    soon = uniform(key, np.uint64(SOON)) < SOON_SHARE
    push(waiting, wanted_at + 10_000 + _wait(key, DELAY, SOON_MEAN if soon else LATE_MEAN), number)


@njit
def arrive(stage: Stage, day: int, until: int) -> None:
    """Take in all orders and refunds up to an instant, in the order of time."""
    waiting = stage.waiting
    while waiting.sizes[0] > 0 and waiting.heap[0, 0] <= until:
        at = waiting.heap[0, 0]
        number = pop(waiting)
        row = waiting.rows[number]
        viewer, product = row[VIEWER], row[PRODUCT]
        amount = stage.days.nature.price[product] * row[QUANTITY]
        contract = stage.rules.of_merchant[stage.days.shop[product]]
        if row[BACK] == 2:
            row[BACK] = 3
            if row[DAY_ROW] >= 0:  # else it was ordered before the season
                stage.tallies.total[row[DAY_ROW], REFUNDED] += amount
                stage.tallies.items[row[ITEM], SENT_BACK] += row[CREDITED] >= 0
                if contract >= 0:
                    take_back(stage.accounts, row, contract, amount)
            continue
        key, clicked_at = np.uint64(row[KEY]), row[CLICKED_AT]
        if not goes_on(stage.days, stage.lived, key, viewer, product, clicked_at, at):
            continue
        refunded = row[BACK] == 1
        buys(stage.days, stage.lived, viewer, product, at, refunded)
        if at - clicked_at <= stage.windows.order:
            stage.clicks.rows[row[CLICK] % stage.clicks.rows.shape[0], CLICK_DELAY] = at - clicked_at
        row[DAY_ROW] = day
        stage.tallies.total[day, ORDERS] += 1
        stage.tallies.total[day, GMV] += amount
        if contract >= 0:
            count_order(stage.accounts, stage.rules, stage.windows, row, contract, amount, at)
            stage.tallies.items[row[ITEM], CREDITED_ORDERS] += row[CREDITED] >= 0
        if refunded:
            row[BACK] = 2
            push(waiting, at + RETURN_AFTER + _wait(key, RETURN, RETURN_MEAN), number)


@njit
def credited(accounts: Accounts, windows: Windows, viewer: int, contract: int, at: int) -> int:
    """Return the scene of the paid touch that an order is credited to, −1 for none.

    It is the last paid click within the click window, else the last paid view within the view window.
    """
    touch = accounts.touches[viewer, contract]
    if touch[0] >= 0 and 0 <= at - touch[0] // 8 <= windows.from_click:
        return int(touch[0] % 8)
    if touch[1] >= 0 and 0 <= at - touch[1] // 8 <= windows.from_view:
        return int(touch[1] % 8)
    return -1


@njit
def count_order(
    accounts: Accounts, rules: Rules, windows: Windows, row: Money, contract: int, amount: int, at: int
) -> None:
    """Count an order of a contract's merchant, as `traffic.behaviour` does.

    Args:
        accounts: changed.
        rules: how orders count.
        windows: of attribution.
        row: [11] the order, changed: who is credited.
        contract: the merchant's.
        amount: micro-yuan.
        at: when, ms.
    """
    viewer, day = row[VIEWER], row[DAY_ROW]
    money, by_day = accounts.money, accounts.by_day[day]
    yuan = amount * 1e-6
    money[STOREWIDE, contract] += amount
    by_day[DAY_GMV, contract] += amount
    by_day[DAY_ORDERS, contract] += 1
    held = np.int64(rules.held[viewer, contract])
    before = np.float64(accounts.today[viewer, contract])
    accounts.today[viewer, contract] += np.float32(yuan)
    after = np.float64(accounts.today[viewer, contract])
    arm = accounts.arms[day, contract, held]
    arm[ARM_GMV] += amount
    arm[ARM_ORDERS] += 1
    arm[ARM_BUYERS] += before == 0.0
    accounts.squares[day, contract, held] += after * after - before * before
    scene = credited(accounts, windows, viewer, contract, at)
    factor = 1.0
    if scene >= 0:
        row[CREDITED] = contract
        money[PAID_ORDERS, contract] += 1
        money[ATTRIBUTED, contract] += amount
        by_day[DAY_ATTRIBUTED, contract] += amount
        accounts.scenes[day, contract, scene, 0] += amount
        accounts.scenes[day, contract, scene, 1] += 1
        if money[PAID_ORDERS, contract] == ORDINAL:
            money[TWENTIETH, contract] = at
        if not rules.counts_organic[contract]:
            factor = rules.scene_value[scene, contract]
    share = rules.kept[row[PRODUCT]] if rules.net[contract] else 1.0
    accounts.yuan[SIGNS, contract] += rules.reward[contract, 3] * yuan * share + rules.reward[contract, 4]
    accounts.yuan[SIGN_COUNT, contract] += 1.0
    if scene >= 0 or rules.counts_organic[contract]:
        value = factor * (rules.reward[contract, 3] * yuan * share + rules.reward[contract, 4])
        accounts.yuan[VALUE, contract] += value
        accounts.yuan[SQUARES, contract] += value * value
        accounts.value_by_day[day, contract] += value
        money[COUNTED, contract] += 1


@njit
def take_back(accounts: Accounts, row: Money, contract: int, amount: int) -> None:
    """Count a refund of a contract's merchant."""
    accounts.money[STOREWIDE_BACK, contract] += amount
    accounts.by_day[row[DAY_ROW], DAY_BACK, contract] += amount
    if row[CREDITED] >= 0:
        accounts.money[ATTRIBUTED_BACK, contract] += amount
