"""Trust in a season: merchants' index learned at midnights, by `fieldline.trust`, from what the market told by then."""

from dataclasses import dataclass, field

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline.facts import Policy
from fieldline.lab.season.columns import BACK, DAY_ROW, PRODUCT, QUANTITY, VIEWER, Machine, Waiting
from fieldline.lab.world import World
from fieldline.lab.world.draws import Floats
from fieldline.traffic.rows import TRUST
from fieldline.traffic.shelf import trust_factor
from fieldline.trust import evidence, index
from fieldline.trust.evidence import Evidence
from fieldline.trust.judge import judge
from fieldline.units import DAY

UNKNOWN = 0.5
"""Trust of a merchant of which nothing is known."""


@dataclass(slots=True)
class Learned:
    """What orders told so far."""

    evidence: Evidence
    returned: NDArray[np.bool_]
    """[N] the orders whose refund was counted."""
    trust: Floats = field(default_factory=lambda: np.zeros(0))
    """[M] as of the last midnight."""


def nothing_learned(merchants: int, orders: int) -> Learned:
    """Return evidence of so many merchants that holds nothing, and room for so many orders."""
    known = Evidence()
    for merchant in range(merchants):
        evidence.shop_of(known, f"{merchant}")
    return Learned(known, np.zeros(orders, bool), np.full(merchants, UNKNOWN))


def learn(learned: Learned, world: World, waiting: Waiting, policy: Policy, start: int, day: int) -> None:
    """Count a day's orders and the refunds that came, and judge every merchant anew.

    An order is counted as of the noon of its day; what a look or a review would tell is not there to be counted.

    Args:
        learned: changed.
        world: whose products they are, and its categories; of the truth nothing is read.
        waiting: orders so far.
        policy: weights of the dimensions.
        start: first instant of the season, ms.
        day: the day that is over, from 0.
    """
    known, rows = learned.evidence, waiting.rows[: waiting.sizes[1]]
    noon = start + day * DAY + DAY // 2
    for number in np.flatnonzero(rows[:, DAY_ROW] == day).tolist():
        row = rows[number]
        product = int(row[PRODUCT])
        amount = int(world.products.price[product]) * int(row[QUANTITY])
        shop = int(world.products.merchant[product])
        evidence.note_order(known, f"{number}", int(row[VIEWER]), shop, noon, amount)
    came = (rows[:, BACK] == 3) & (rows[:, DAY_ROW] >= 0) & ~learned.returned[: len(rows)]
    for number in np.flatnonzero(came).tolist():
        amount = int(world.products.price[rows[number, PRODUCT]]) * int(rows[number, QUANTITY])
        evidence.note_refund(known, f"back-{number}", f"{number}", amount)
        learned.returned[number] = True
    learned.trust = judged(known, world.merchants.category, policy, start + (day + 1) * DAY)


def judged(known: Evidence, trade: NDArray[np.int32], policy: Policy, now: int) -> Floats:
    """Return each merchant's index [M], as `traffic.trusted` makes it at midnight, none of them having declared any.

    Args:
        known: what orders told; what faded is let go.
        trade: category of each merchant [M].
        policy: weights of the dimensions.
        now: ms.
    """
    evidence.forget(known, now)
    rows = np.flatnonzero((known.buyer[: known.rows] >= 0) & (known.orders[: known.rows] > 0.0))
    found = judge(known, rows, trade, now)
    weights = np.array(structs.astuple(policy.trust_weights))
    trust, _ = index.scored(found.z, found.known, np.full(len(known.shops), UNKNOWN), weights)
    return trust


def apply(trust: Floats, machine: Machine, merchant: NDArray[np.int32], policy: Policy) -> None:
    """Write what merchants' index [M] multiplies their items' value by into the items' rows."""
    of_item = np.append(trust, UNKNOWN)[merchant]  # −1: of nobody
    machine.rows[:, TRUST] = [trust_factor(policy, one) for one in of_item.tolist()]
