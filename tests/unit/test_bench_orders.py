"""The orders bench: what is learned before what is judged, by hand; and the two shops where they are there."""

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from bench import order_later as later
from bench import orders as bench
from bench.order_logs import Orders, marketplace, wholesaler
from bench.order_scores import interval, weeks

from fieldline.traffic.prediction import delay
from fieldline.units import DAY, HOUR

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
COLUMNS = 'Invoice, StockCode, Description, Quantity, InvoiceDate, Price, "Customer ID", Country'


def line(
    invoice: str, stock: str, quantity: int, day: int, price: float = 2.0, buyer: float | None = 1.0
) -> tuple[object, ...]:
    return invoice, stock, "thing", quantity, f"2010-01-{day:02d} 12:00:00", price, buyer, "UK"


def folder(path: Path, *lines: tuple[object, ...]) -> Path:
    """A folder that holds the wholesaler's file with such lines."""
    file = path / "uci_online_retail" / "2009-12_2010-12.parquet"
    file.parent.mkdir()
    with duckdb.connect() as db:
        db.execute(
            "create table sold (Invoice varchar, StockCode varchar, Description varchar, Quantity bigint, "
            'InvoiceDate varchar, Price double, "Customer ID" double, Country varchar)'
        )
        db.executemany("insert into sold values (?, ?, ?, ?, ?, ?, ?, ?)", [list(one) for one in lines])
        db.execute(f"copy (select {COLUMNS} from sold) to '{file}' (format parquet)")
    return path


def test_a_return_is_of_its_buyers_last_purchases_of_the_product(tmp_path: Path) -> None:
    """Of 2 and then 4 units, 5 that come back are the later 4 and one of the 2; after 15 days they count as kept;
    another buyer's, a carriage charge and a free line are none of it."""
    read = wholesaler(
        folder(
            tmp_path,
            line("1", "12345A", 2, 1),
            line("2", "12345A", 4, 3, price=3.0),
            line("3", "12345A", 4, 3, buyer=2.0),
            line("4", "12345B", 4, 5),
            line("5", "POST", 1, 5),
            line("6", "12345A", 1, 6, price=0.0),
            line("7", "12345A", 1, 6, buyer=None),
            line("C8", "12345A", -5, 9),
            line("C9", "12345B", -1, 21),
        )
    )
    assert read.returned[:4].tolist() == [0.5, 1.0, 0.0, 0.0]
    assert math.isnan(read.returned[4])
    assert read.item.tolist() == [0, 0, 0, 1, 0]
    assert read.group.tolist() == [0, 0]
    assert read.listed.tolist() == [2.0] * 5
    assert read.amount.tolist() == [4.0, 12.0, 8.0, 8.0, 2.0]


def shop(at: list[int], item: list[int], **columns: object) -> Orders:
    """A shop of single units at 1 yuan, each line an order."""
    count = len(at)
    plain = {
        "order": np.arange(count, dtype=np.int32),
        "buyer": np.zeros(count, np.int64),
        "quantity": np.ones(count, np.int64),
        "amount": np.ones(count),
        "listed": np.ones(count),
        "returned": np.full(count, np.nan),
        "group": np.arange(max(item) + 1, dtype=np.int32),
        "category": np.zeros(max(item) + 1, np.int32),
        "approved": np.full(count, -1, np.int64),
    }
    return Orders(at=np.array(at, np.int64), item=np.array(item, np.int32), **(plain | columns))  # type: ignore[arg-type]


def test_nothing_is_judged_before_it_is_learned_nor_learned_before_it_is_judged() -> None:
    """Every line of the second half is judged once, by what came before its week, and learned once."""
    log = shop([day * DAY for day in range(60)], [0] * 60)
    learned = judged = 0
    for before, week in weeks(log):
        assert log.at[before].max(initial=0) < log.at[week].min()
        learned += len(before)
        judged += len(week)
        assert week[0] == learned
    assert judged == 30 and learned + len(week) == 60


def test_a_product_is_there_from_its_first_order_which_does_not_count() -> None:
    """Orders of products 0, 1, 0, 0: product 0 had three chances and sold twice, product 1 two and none."""
    log = shop([0, 1, 2, 3], [0, 1, 0, 0])
    exposure, sold, known = np.zeros(2), np.zeros(2), np.zeros(2, bool)
    bench._learn_sales(log, np.array([0, 1]), known, exposure, sold)
    bench._learn_sales(log, np.array([2, 3]), known, exposure, sold)
    assert exposure.tolist() == [3.0, 2.0]
    assert sold.tolist() == [2.0, 0.0]


def test_a_cohorts_orders_count_for_thirty_days_and_a_buyer_is_new_after_ninety() -> None:
    """Orders at days 0, 29, 30, 89 and 90 of one buyer: the first becomes 2, and the last is a first again."""
    log = shop([day * DAY for day in (0, 29, 30, 89, 90)], [0] * 5)
    checkouts = later._checkouts(log, money=False)
    first = later._firsts(checkouts)
    assert first.tolist() == [0, 0, 0, 0, 4]
    every = np.ones(5, bool)
    found = later._factor(checkouts[:, 0], checkouts[:, 2], first, every, checkouts[first, 0] == 0.0)
    assert found == 2.0


def test_an_interval_holds_its_mean_and_resamples_whole_clusters() -> None:
    """Of one cluster alone the interval is its mean; of two that differ it reaches to both."""
    assert interval(np.array([1.0, 3.0]), np.array([7, 7])) == [2.0, 2.0, 2.0]
    assert interval(np.array([1.0, 3.0]), np.array([7, 8])) == [2.0, 1.0, 3.0]


def test_deviances_of_a_perfect_guess_are_nought() -> None:
    """Poisson deviance is 0 at what came, 2μ where nothing came."""
    assert bench._poisson(np.array([3.0, 0.0]), np.array([3.0, 0.25])).tolist() == [0.0, 0.5]


def test_approvals_are_learned_from_what_had_come_by_then() -> None:
    """An order an hour old that came in 20 minutes speaks for the ages to one hour and for no later one."""
    ages, usual = delay.ages(later.WINDOW), delay.usual(later.WINDOW)
    prior = later._learned(np.zeros(0, np.int64), np.zeros(0, np.int64), ages, usual, 0)
    found = later._learned(np.zeros(1, np.int64), np.array([HOUR // 3]), ages, usual, HOUR)
    assert found[2:].tolist() == prior[2:].tolist()
    assert found[1] > prior[1] and found[0] / found[1] < prior[0] / prior[1]


def test_a_folder_without_orders_is_refused(tmp_path: Path) -> None:
    """It says which logs it looked for."""
    with pytest.raises(ValueError, match="holds neither uci_online_retail nor olist"):
        bench.measure(tmp_path)
    with pytest.raises(ValueError, match="--data names"):
        bench.measure(None)


@pytest.mark.skipif(not (SHARED / "olist").exists(), reason="the marketplace's orders are not there")
def test_small_sellers_baskets_and_sales_are_told_better_than_by_their_means() -> None:
    """On the marketplace both intervals against raw and global means lie below nought."""
    log = marketplace(SHARED)
    for found in (bench.basket(log), bench.sales(log)):
        for _, _, high in found["engine_less"].values():
            assert high < 0.0
