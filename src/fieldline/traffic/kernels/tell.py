"""The account of a decision: its contenders' scores taken apart."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic.kernels.sigmoid import sigmoid
from fieldline.traffic.kernels.slate import Field, Order
from fieldline.traffic.kernels.words import EXPLAINED, GOODS_VALUE, VIEWER_VALUE
from fieldline.traffic.rows import ORDER, PRICED


@njit
def choose(
    field: Field,
    shown: NDArray[np.int32],  # positions of the slate
    organic: Order,
    paid: Order,
    told: NDArray[np.int32],  # [K + explained] out: positions
    marked: NDArray[np.int32],  # [n] zeros, left as zeros
) -> int:
    """Write the slate's positions, then the best others by max(o, o − theta + b); return how many."""
    count = 0
    for position in shown:
        told[count] = position
        marked[position] = 1
        count += 1
    most = min(told.size, max(count, int(field.words[EXPLAINED])))
    a = 0
    b = 0
    while count < most:
        while a < organic.positions.size and marked[organic.positions[a]]:
            a += 1
        while b < paid.positions.size and marked[paid.positions[b]]:
            b += 1
        if a == organic.positions.size and b == paid.positions.size:
            break
        if a == organic.positions.size:
            position = paid.positions[b]
        elif b == paid.positions.size:
            position = organic.positions[a]
        else:
            left = organic.positions[a]
            right = paid.positions[b]
            ahead = field.paid[right] > field.organic[left] or (
                field.paid[right] == field.organic[left] and field.item[right] < field.item[left]
            )
            position = right if ahead else left
        told[count] = position
        marked[position] = 1
        count += 1
    for row in range(count):
        marked[told[row]] = 0
    return count


@njit
def write_contenders(
    field: Field,
    told: NDArray[np.int32],  # positions
    place: NDArray[np.int32],  # [n] slot, −1: not shown
    without: NDArray[np.int32],  # [K] per slot: its item's place without its payer's bid
    charges: NDArray[np.float64],  # [K]
    logit: NDArray[np.float32],  # [3, n]
    plain: NDArray[np.float32],  # [3, n] net price, trust factor, organic price
    chance: NDArray[np.float64],  # [4, n] click, long view, g, order
    extra: NDArray[np.float32],  # [n] further value to the viewer, yuan per look; or [0]
    value: NDArray[np.float64],  # [n]
    contenders: NDArray[np.float32],  # [told, 17] out
) -> None:
    """Write a row of explain.CONTENDER per position."""
    whole = contenders.view(np.int32)
    slots = field.looks.size - 1
    for row in range(told.size):
        position = told[row]
        slot = place[position]
        bids = field.contract[position] >= 0
        whole[row, 0] = field.item[position]
        whole[row, 1] = field.contract[position]
        whole[row, 2] = slot
        whole[row, 3] = field.rank[position]
        whole[row, 4] = without[slot] if slot >= 0 else slots
        contenders[row, 5] = chance[0, position]
        contenders[row, 6] = chance[1, position]
        contenders[row, 7] = sigmoid(np.float64(logit[ORDER, position]))
        contenders[row, 8] = field.words[VIEWER_VALUE] * chance[1, position]
        if extra.size > 0:
            contenders[row, 8] += extra[position]
        contenders[row, 9] = field.words[GOODS_VALUE] * chance[2, position]
        contenders[row, 10] = plain[1, position]
        contenders[row, 11] = plain[2, position]
        contenders[row, 12] = field.organic[position]
        contenders[row, 13] = value[position] if bids else 0.0
        contenders[row, 14] = field.bid[position]
        contenders[row, 15] = field.rival[position] if bids else 0.0
        contenders[row, 16] = charges[slot] if slot >= 0 else 0.0


@njit
def write_contributions(
    field: Field,
    told: NDArray[np.int32],  # positions
    flags: NDArray[np.int32],  # [n]
    first_contract: NDArray[np.int32],
    contracts: NDArray[np.int32],
    organic_price: NDArray[np.float64],  # [C] mu
    contributions: NDArray[np.float32],  # [most, 3] out
) -> int:
    """Write a row of explain.CONTRIBUTION per organic price on a contender; return how many there are in all."""
    whole = contributions.view(np.int32)
    count = 0
    for row in range(told.size):
        position = told[row]
        if flags[position] & PRICED:
            item = field.item[position]
            for entry in range(first_contract[item], first_contract[item + 1]):
                amount = organic_price[contracts[entry]]
                if amount != 0.0:
                    if count < contributions.shape[0]:
                        whole[count, 0] = row
                        whole[count, 1] = contracts[entry]
                        contributions[count, 2] = amount
                    count += 1
    return count
