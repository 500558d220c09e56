"""`./dev bench orders --data DIR`: the engine's pooled estimates of orders on two real shops, beside plain means.

What is learned comes before what is judged, week by week over the second half of each log. Every figure is of the
engine's own functions, fed with the log as the engine would be. `raw` is the mean of the thing itself (a product, else
its seller, else all), `global` that of all. Intervals are 95% bootstrap intervals of the difference to the engine's
error (below 0: the engine is better), resampling products, sellers, weeks or months.

    basket   what one order line pays: Gamma deviance per line
    sales    share of a week's orders that hold a product: Poisson deviance per product-week
    refund   share of a line that comes back within 15 days: log-loss per line
    repeat   what first orders become within 30 days, of them: mean absolute error, month by month; in money and orders
    delay    share of approvals that came by an age, learned from a week: mean absolute error
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.order_later import delays, repeat
from bench.order_logs import MARKETPLACE, WHOLESALER, NoOrders, Orders, marketplace, wholesaler
from bench.order_scores import Figures, Floats, Ints, compared, weeks
from fieldline.traffic.prediction import after
from fieldline.traffic.prediction.sales import pool

LEAST = 1e-3
"""No share is said to be nearer to 0 or 1 than this, whoever says it."""
HALF = 0.5
"""Orders that a product without any is taken to have had by its raw mean: none would forbid the first."""


def measure(data: Path | None) -> Figures:
    """Return every figure of the shops whose logs are there, and tell which are not.

    Args:
        data: folder that holds `uci_online_retail` and `olist`.

    Raises:
        ValueError: no folder, or neither log in it.
    """
    if data is None:
        raise ValueError(f"--data names the folder that holds {WHOLESALER} and {MARKETPLACE}")
    figures: Figures = {}
    for name, read in ((WHOLESALER, wholesaler), (MARKETPLACE, marketplace)):
        try:
            figures[name] = of_shop(read(data))
        except NoOrders as missing:
            Console(stderr=True).print(f"{name} left out: {missing}", highlight=False)
    if not figures:
        raise ValueError(f"{data} holds neither {WHOLESALER} nor {MARKETPLACE}")
    return figures


def of_shop(orders: Orders) -> Figures:
    """Return all that can be judged on a shop's orders."""
    figures = {"basket": basket(orders), "sales": sales(orders)}
    if np.isfinite(orders.returned).any():
        figures["refund"] = refund(orders)
    if (orders.buyer >= 0).any():
        figures["repeat_money"] = repeat(orders, money=True)
        figures["repeat_orders"] = repeat(orders, money=False)
    if (orders.approved >= 0).any():
        figures["delay"] = delays(orders)
    return figures


def basket(orders: Orders) -> Figures:
    """Judge what an order line is expected to pay: list price × `after.baskets`."""
    known, group = after.After(), orders.group
    said: dict[str, list[Floats]] = {"engine": [], "raw": [], "global": []}
    judged = []
    paid = np.zeros((len(group), 2))
    for learned, week in weeks(orders):
        for line in learned:
            item, listed = int(orders.item[line]), float(orders.listed[line])
            after.note_order(known, str(line), item, round(1e6 * orders.amount[line]), round(1e6 * listed))
            paid[item] += orders.amount[line] / listed, 1.0
        of = orders.item[week]
        ratios = {
            "engine": after.baskets(known, group),
            "raw": _raw(paid, group),
            "global": np.full(len(group), paid[:, 0].sum() / paid[:, 1].sum()),
        }
        for name, ratio in ratios.items():
            said[name].append(ratio[of] * orders.listed[week])
        judged.append(week)
    lines = np.concatenate(judged)
    truth = orders.amount[lines]

    def gamma(mean: Floats) -> Floats:
        return 2.0 * (truth / mean - 1.0 - np.log(truth / mean))

    means = {name: np.concatenate(parts) for name, parts in said.items()}
    return compared(
        {name: gamma(mean) for name, mean in means.items()}, _clusters(orders)[orders.item[lines]]
    ) | {"predicted_over_paid": {name: float(mean.sum() / truth.sum()) for name, mean in means.items()}}


def sales(orders: Orders) -> Figures:
    """Judge how many of a week's orders hold each product: `sales.pool`, an order being a chance to sell each.

    A product is there from its first order on, which itself does not count: without it nobody knew of the product.
    """
    count = len(orders.group)
    exposure, sold, known = np.zeros(count), np.zeros(count), np.zeros(count, bool)
    errors: dict[str, list[Floats]] = {"engine": [], "raw": [], "global": []}
    clusters = []
    for learned, week in weeks(orders):
        _learn_sales(orders, learned, known, exposure, sold)
        there = np.flatnonzero(known)
        came = np.bincount(orders.item[week], minlength=count)[there].astype(np.float64)
        chances = np.unique(orders.order[week]).size
        rate = sold.sum() / exposure.sum()
        pooled = pool(exposure[there], sold[there], orders.group[there], orders.category[there]).offset
        raw = np.maximum(sold[there], HALF) / np.maximum(exposure[there], 1.0)
        for name, chance in (
            ("engine", 1.0 / (1.0 + np.exp(-pooled))),
            ("raw", np.minimum(raw, 1.0)),
            ("global", np.full(len(there), rate)),
        ):
            errors[name].append(_poisson(came, chance * chances))
        clusters.append(_clusters(orders)[there])
    return compared({name: np.concatenate(parts) for name, parts in errors.items()}, np.concatenate(clusters))


def _learn_sales(
    orders: Orders, lines: Ints, known: NDArray[np.bool_], exposure: Floats, sold: Floats
) -> None:
    """Count some lines: every order of theirs is a chance for each product known before it."""
    number, start = np.unique(orders.order[lines], return_index=True)
    place = np.searchsorted(number, orders.order[lines])
    exposure[known] += len(start)
    for line, order in zip(lines, place, strict=True):
        item = orders.item[line]
        if known[item]:
            sold[item] += 1.0
        else:
            known[item] = True
            exposure[item] += len(start) - 1 - order


def refund(orders: Orders) -> Figures:
    """Judge the share of a line that comes back: `after.refunds`, every product a merchant of its own.

    What each product declares is the shop's mean over the first half. A line says what came back of it at 15 days.
    """
    count = len(orders.group)
    known, group, alike = after.After(), np.arange(count, dtype=np.int32), np.zeros(count, np.int32)
    told = np.isfinite(orders.returned)
    start = orders.at[0] + (orders.at[-1] - orders.at[0]) // 2
    share = float(orders.returned[told & (orders.at < start - after.SETTLED)].mean())
    declared = np.full(count, share)
    back, fed = np.zeros((count, 2)), 0
    said: dict[str, list[Floats]] = {"engine": [], "raw": [], "global": []}
    judged = []
    for _, lines in weeks(orders):
        ripe = int(np.searchsorted(orders.at, orders.at[lines[0]] - after.SETTLED))
        for line in range(fed, ripe):
            if told[line]:
                item = int(orders.item[line])
                after.note_settled(known, item, float(orders.returned[line]), share, False)
                back[item] += orders.returned[line], 1.0
        fed = ripe
        if orders.at[lines[-1]] > orders.at[-1] - after.SETTLED:
            break  # what is to come back of these, the log does not tell
        week = lines[told[lines]]
        overall = back[:, 0].sum() / back[:, 1].sum()
        own = np.divide(back[:, 0], back[:, 1], out=np.full(count, overall), where=back[:, 1] > 0.0)
        for name, chance in (
            ("engine", after.refunds(known, declared, group, alike)),
            ("raw", own),
            ("global", np.full(count, overall)),
        ):
            said[name].append(np.clip(chance[orders.item[week]], LEAST, 1.0 - LEAST))
        judged.append(week)
    lines = np.concatenate(judged)
    truth = orders.returned[lines]

    def log_loss(chance: Floats) -> Floats:
        return -truth * np.log(chance) - (1.0 - truth) * np.log(1.0 - chance)

    shares = {name: np.concatenate(parts) for name, parts in said.items()}
    return compared({name: log_loss(chance) for name, chance in shares.items()}, orders.item[lines]) | {
        "predicted": {name: float(chance.mean()) for name, chance in shares.items()},
        "returned": float(truth.mean()),
    }


def _raw(paid: Floats, group: NDArray[np.int32]) -> Floats:
    """Each product's mean ratio, else its group's, else that of all."""
    of_group = np.stack([np.bincount(group, paid[:, column]) for column in (0, 1)], axis=1)
    overall = paid[:, 0].sum() / paid[:, 1].sum()
    by_group = np.divide(
        of_group[:, 0], of_group[:, 1], out=np.full(len(of_group), overall), where=of_group[:, 1] > 0.0
    )
    own = np.divide(paid[:, 0], paid[:, 1], out=by_group[group], where=paid[:, 1] > 0.0)
    return np.asarray(own)


def _poisson(came: Floats, mean: Floats) -> Floats:
    some = came > 0.0
    return 2.0 * (np.where(some, came * np.log(np.where(some, came, 1.0) / mean), 0.0) - (came - mean))


def _clusters(orders: Orders) -> NDArray[np.int32]:
    """What is resampled: sellers where there are several, else products."""
    several = len(np.unique(orders.category)) > 1
    return orders.group if several else np.arange(len(orders.group), dtype=np.int32)


def table_of(figures: Figures) -> Table:
    """Return the figures as one table: errors, and how far the engine's is below each."""
    table = Table("shop", "estimate", "engine", "beside", "it", "engine less it", "judged", padding=(0, 0))
    for shop, found in figures.items():
        for name, of in found.items():
            for rival, (mean, low, high) in of["engine_less"].items():
                table.add_row(
                    shop.partition("_")[0], name, f"{of['engine']:.3f}", rival, f"{of[rival]:.3f}",
                    f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]", f"{of['judged']:,}",
                )  # fmt: skip
            table.add_section()
    for column in table.columns[4:]:
        column.justify = "right"
    return table
