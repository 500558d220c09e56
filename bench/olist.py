"""What Olist's sellers did next: reviews and late deliveries of a quarter, foretold from what came before.

The delivered orders of both samples that lie in the folder, each at random from all delivered ones. Of a quarter's
orders, those of sellers who had orders in the quarter before: the squared error of the score (0 … 1) and of being on
time, as foretold by the last quarter's mean, by that mean shrunk to all, and by the index's signal: where the seller
stands, added to the last quarter's level. Beside them the index's error less the shrunk mean's, with a 95% interval.
"""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.trust.evidence import HALF_LIFE
from fieldline.trust.peers import peers
from fieldline.trust.signals import COUNT, ON_TIME, STARS

Floats = NDArray[np.float64]

SAMPLES = ("first5000", "case_control")
FORMS = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M")
SIGNALS = {"score": STARS, "on_time": ON_TIME}


class Done(NamedTuple):
    """One delivered order; days since 1970."""

    seller: str
    trade: str
    bought: float
    told: float
    """When its delivery and review were known."""
    score: float
    """(stars − 1)/4."""
    on_time: float


def measure(folder: Path) -> dict[str, Any]:
    """Return squared errors by signal and by way of foretelling.

    Raises:
        FileNotFoundError: a file of a sample is not there.
        ValueError: a file has no such column.
    """
    orders = read(folder)
    sellers = {name: number for number, name in enumerate(sorted({order.seller for order in orders}))}
    trades = {name: number for number, name in enumerate(sorted({order.trade for order in orders}))}
    seller = np.array([sellers[order.seller] for order in orders])
    trade = np.zeros(len(sellers), np.int32)
    for order in orders:
        trade[sellers[order.seller]] = trades[order.trade]
    bought, known = (np.array([getattr(order, name) for order in orders]) for name in ("bought", "told"))
    figures: dict[str, Any] = {}
    for name, signal in SIGNALS.items():
        value = np.array([getattr(order, name) for order in orders])
        quarters = np.arange(bought.min() + 91.0, bought.max(), 91.0).tolist()
        every = np.concatenate(
            [_errors(seller, trade, bought, known, value, signal, start) for start in quarters]
        )
        means = every[:, :3].mean(0).tolist()
        figures[name] = dict(zip(("index", "last_quarter", "shrunk"), means, strict=True)) | {
            "orders": len(every),
            "index_less_shrunk": _difference(every[:, 0] - every[:, 2], every[:, 3]),
        }
    return figures


def read(folder: Path) -> list[Done]:
    """Return the delivered and reviewed orders of a folder's samples, each once."""
    found: dict[str, Done] = {}
    for sample in SAMPLES:
        tables = {
            name: _table(folder / sample / f"olist_{name}_dataset.csv")
            for name in ("orders", "order_items", "order_reviews", "products")
        }
        category = {row["product_id"]: row["product_category_name"] for row in tables["products"]}
        items = {row["order_id"]: row for row in reversed(tables["order_items"])}
        reviews = {row["order_id"]: row for row in tables["order_reviews"]}
        for row in tables["orders"]:
            id, came = row["order_id"], row["order_delivered_customer_date"]
            if id in items and id in reviews and came and row["order_status"] == "delivered":
                seller, review = items[id]["seller_id"], reviews[id]
                found[id] = Done(
                    seller, category.get(items[id]["product_id"], ""), _day(row["order_purchase_timestamp"]),
                    max(_day(came), _day(review["review_creation_date"])), (int(review["review_score"]) - 1) / 4,
                    float(np.floor(_day(came)) <= np.floor(_day(row["order_estimated_delivery_date"]))),
                )  # fmt: skip
    return sorted(found.values(), key=lambda order: order.bought)


def _errors(
    seller: NDArray[np.int64], trade: NDArray[np.int32], bought: Floats, known: Floats, value: Floats, signal: int,
    start: float,
) -> Floats:  # fmt: skip
    """Squared errors of the orders of a quarter, and whose they are [n, 4]: index, last quarter's mean, that shrunk."""
    count = len(trade)
    before = known < start
    lately = before & (bought >= start - 91.0)
    number = np.bincount(seller[lately], minlength=count).astype(np.float64)
    total = np.bincount(seller[lately], value[lately], count).astype(np.float64)
    judged = (bought >= start) & (bought < start + 91.0) & (number[seller] > 0)
    if not judged.any():
        return np.zeros((0, 4))
    overall = total.sum() / number.sum()
    needed = _needed(total, number, value[lately], seller[lately])
    last = total / np.maximum(number, 1)
    shrunk = (total + needed * overall) / (number + needed)
    weight = 2.0 ** ((bought[before] - start) / HALF_LIFE)
    level = overall - (weight @ value[before]) / weight.sum()
    index = level + _index(seller[before], trade, weight, value[before], signal)
    at = seller[judged]
    errors = [(value[judged] - of[at]) ** 2 for of in (index, last, shrunk)]
    return np.stack([*errors, at.astype(np.float64)], axis=1)


def _index(
    seller: NDArray[np.int64], trade: NDArray[np.int32], weight: Floats, value: Floats, signal: int
) -> Floats:
    count = len(trade)
    sums, counts, squares, weights = (np.zeros((count, COUNT)) for _ in range(4))
    for table, power in ((sums, 1), (counts, 0), (squares, 2)):
        table[:, signal] = np.bincount(seller, weight * value**power, count)
    weights[:, signal] = np.bincount(seller, weight**2, count)
    of = peers(sums, counts, squares, weights, trade)
    mean, needed = of.mean[:, signal], of.needed[:, signal]
    return np.asarray((sums[:, signal] + needed * mean) / (counts[:, signal] + needed))


def _needed(total: Floats, number: Floats, value: Floats, seller: NDArray[np.int64]) -> float:
    """Orders with which half of a seller's mean is known, by the method of moments."""
    seen = number > 0.0
    n, mean, overall = number[seen], total[seen] / number[seen], total.sum() / number.sum()
    within = ((value - (total / np.maximum(number, 1))[seller]) ** 2).sum() / max(n.sum() - len(n), 1.0)
    apart = ((n * (mean - overall) ** 2).sum() - (len(n) - 1) * within) / (n.sum() - (n**2).sum() / n.sum())
    return float(max(within, 1e-6) / max(apart, 1e-6))


def _difference(less: Floats, seller: Floats) -> list[float]:
    """Mean difference and its 95% interval, orders of one seller taken together."""
    _, place = np.unique(seller, return_inverse=True)
    total, number = np.bincount(place, less), np.bincount(place)
    mean = total.sum() / number.sum()
    error = 1.96 * float(np.sqrt(((total - mean * number) ** 2).sum())) / float(number.sum())
    return [float(mean), float(mean - error), float(mean + error)]


def _table(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _day(text: str) -> float:
    for form in FORMS:
        try:
            return (datetime.strptime(text, form) - datetime(1970, 1, 1)).total_seconds() / 86_400  # noqa: DTZ001, DTZ007
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no time")
