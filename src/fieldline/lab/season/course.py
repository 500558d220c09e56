"""The course of a season: what happened, tick by tick, day by day and in the end; frozen arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.lab.season.columns import BINS_OF_CHANCE, CLICKS, GMV, LONG_VIEWS, ORDERS, POSSIBLE, SERVED
from fieldline.lab.world.draws import Floats
from fieldline.traffic.organic.pools import Ledger

Money = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Course:
    """T ticks, C contracts, D = days + 1 rows of days, the last one for what came after the end."""

    arm: str
    spend: Money  # [T, C] micro-yuan so far
    value: Floats  # [T, C] value in hand as the contract counts it, yuan
    alpha: Floats  # [T, C] the multiplier that the tick's requests met

    budget: Money  # [C]
    goal: Floats  # [C]
    counts_organic: NDArray[np.bool_]  # [C]
    spent: Money  # [C]
    final_value: Floats  # [C] the value with all that came after the end
    gmv: Money  # [C] of all its items' orders, before refunds
    attributed: Money  # [C] of those credited to it
    refunded: Money  # [C] of gmv
    attributed_refunded: Money  # [C]
    orders: Money  # [C] all
    paid_orders: Money  # [C] credited to it
    counted_orders: Money  # [C] that its value counts
    twentieth: Money  # [C] ms at which the 20th credited order came, −1: never
    impressions: Money  # [C]
    expected: Floats  # [C] Σ true P(click)·P(order)·(e_k − e_r)·own value of what was bought, yuan
    shown_gmv: Floats
    """[C, 2], expected true net GMV of all that was shown of its merchant, to treated and held-out viewers, yuan."""
    expected_gmv: Floats  # [C] the same in net GMV, yuan

    day_spend: Money  # [D, C]
    day_gmv: Money  # [D, C]
    day_attributed: Money  # [D, C]
    day_refunded: Money  # [D, C] refunds of the orders of that day
    day_orders: Money  # [D, C]
    day_value: Floats  # [D, C]
    arm_gmv: Money  # [D, C, 2] treated and held-out viewers
    arm_orders: Money  # [D, C, 2]
    arm_buyers: Money  # [D, C, 2]
    arm_squares: Floats  # [D, C, 2] Σ over viewers of (yuan of that day)²
    scene_gmv: Money  # [D, C, S] attributed, by the scene of the crediting touch
    scene_orders: Money  # [D, C, S]
    total: Money  # [D, 12] columns of `columns.POSSIBLE …`
    by_scene: Money  # [S, 4] looks, clicks, long views, likes
    feed_viewers: Money  # [V, 3] looks, clicks and long views in the first scene
    feed_items: Money  # [I, 3]

    supply_value: Floats  # [C, 240] the whole landscape, undecayed, yuan
    supply_cost: Floats  # [C, 240]
    organic: Floats  # [C] predicted organic value, yuan
    sampled: int
    """Requests behind the landscape."""
    requests: int
    """Requests on which contracts could bid."""
    chances: Money  # [D, 2, 2, 128] task, outcome, bin of the predicted logit

    items: Floats  # [D, I, 10] columns of `columns.BELIEVED …`, from the first tick to the end of each day
    gini: Floats  # [T] of the exposure of creators with something to show, decayed over a day
    sessions: NDArray[np.int64]  # [R] times that each room opened, as far as rooms have stays
    rooms: Floats  # [R, 4] columns of `columns.ENTERED …`; none where rooms have no stays
    domains: Floats  # [S, 3, 5] rows of `columns.PUBLIC …`, columns of `columns.SEEN_LOOKS …`
    others: Floats  # [D, n, 2] long views and net yuan that other ways would have been expected to bring
    others_gini: Floats  # [T, n] that they would have realised
    bought: Money  # [N, 11] orders, columns of `columns.CLICKED_AT …`; DAY_ROW −1: before the season, or never made
    met: Money  # [I] when each new work had the looks that it was owed, ms, 0: it has not
    many: Money  # [I] when each new work had its thousandth look, ms, 0: it has not
    pool: Ledger
    """The account of the arm's pool, in micro-looks."""
    trust: Floats  # [M] as learned by the last midnight; .5 where nothing was

    @property
    def possible(self) -> Money:
        """Return how many requests were possible, by day."""
        return self.total[:, POSSIBLE]

    @property
    def served(self) -> Money:
        """Return how many requests were made, by day."""
        return self.total[:, SERVED]

    @property
    def platform_gmv(self) -> Money:
        """Return all orders' micro-yuan, by day."""
        return self.total[:, GMV]

    def viewer_value(self, per_long_view: float) -> Floats:
        """Return what all long views were worth, by day, yuan."""
        return np.asarray(self.total[:, LONG_VIEWS] * per_long_view)

    def auc(self, task: int) -> Floats:
        """Return the area under the curve of the served predictions, by day; NaN where one outcome never came.

        Args:
            task: 0: a click, given a look; 1: an order, given a click.
        """
        absent, came = self.chances[:, task, 0], self.chances[:, task, 1]  # [D, 128]
        below = np.cumsum(absent, axis=1) - 0.5 * absent
        pairs = (absent.sum(axis=1) * came.sum(axis=1)).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((came * below).sum(axis=1) / pairs)


def told(course: Course) -> str:
    """Return a few lines on a course for people."""
    total = course.total.sum(axis=0)
    bound = (course.goal > 0.0) & (course.spent > 0)
    reached = course.final_value[bound] / (course.goal[bound] * course.spent[bound] / 1e6)
    lines = [
        f"{course.arm}: {total[SERVED]:,} requests of {total[POSSIBLE]:,}, {total[CLICKS]:,} clicks,"
        f" {total[ORDERS]:,} orders, GMV {total[GMV] / 1e6:,.0f}",
        f"spend {course.spent.sum() / 1e6:,.0f} of {course.budget.sum() / 1e6:,.0f};"
        f" used by the mean contract {np.mean(course.spent / course.budget):.3f}",
        f"goals ≥ .9: {np.mean(reached >= 0.9):.3f}, ≥ 1: {np.mean(reached >= 1.0):.3f} of {bound.sum()}",
        f"orders a contract: {np.percentile(course.orders, [10, 25, 50, 75, 90])}, credited"
        f" {np.percentile(course.paid_orders, [10, 25, 50, 75, 90])}",
        f"expected value {course.expected.sum():,.0f}, AUC click {course.auc(0).round(3)},"
        f" order {course.auc(1).round(3)}",
    ]
    return "\n".join(lines)


assert BINS_OF_CHANCE == 128
