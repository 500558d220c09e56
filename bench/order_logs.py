"""Two shops' orders as arrays: a British gift wholesaler (UCI Online Retail) and a Brazilian marketplace (Olist).

A line is one product of one order. Its list price is what the product's first line paid for one.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from fieldline.units import DAY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]

WHOLESALER, MARKETPLACE = "uci_online_retail", "olist"
BACK_WITHIN = 15 * DAY
"""A unit that comes back later than this after its order counts as kept."""

LINES = """
select Invoice as id, StockCode as product, sum(Quantity) as quantity, sum(Quantity * Price) as amount,
       epoch_ms(min(InvoiceDate)::timestamp) as placed, coalesce(min("Customer ID"), -1)::bigint as buyer
from read_parquet($1)
where regexp_matches(StockCode, '^[0-9]{5}[A-Za-z]*$') and Price > 0
      and case when $2 then Invoice like 'C%' and Quantity < 0 else Invoice not like 'C%' and Quantity > 0 end
group by all order by placed, id, product
"""

SOLD = """
with orders as (
    select order_id, order_purchase_timestamp::timestamp as bought, order_approved_at::timestamp as approved
    from read_csv($1, all_varchar = true) where order_status = 'delivered'
    union
    select order_id, strptime(order_purchase_timestamp, '%m/%d/%Y %H:%M'),
           strptime(order_approved_at, '%m/%d/%Y %H:%M')
    from read_csv($2, all_varchar = true)
    where order_status = 'delivered' and order_id not in (select order_id from read_csv($1, all_varchar = true))
), lines as (
    select order_id, product_id, seller_id, price::double as price, order_item_id from read_csv($3, all_varchar = true)
    union
    select order_id, product_id, seller_id, price::double, order_item_id from read_csv($4, all_varchar = true)
)
select order_id as id, product_id as product, any_value(seller_id) as seller, count(*) as quantity,
       sum(price) as amount, epoch_ms(any_value(bought)) as placed,
       coalesce(epoch_ms(any_value(approved)), -1) as approved
from orders join lines using (order_id) group by all order by placed, id, product
"""


class NoOrders(FileNotFoundError):
    """A folder of orders is not there."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Lines in order of time, and the products that they sell."""

    at: Ints  # [n] ms
    order: Numbers  # [n] number of its order, in order of time
    buyer: Ints  # [n] −1: nobody knows
    item: Numbers  # [n]
    quantity: Ints  # [n]
    amount: Floats  # [n] paid
    listed: Floats  # [n] list price of one
    returned: Floats  # [n] share of its units that came back within 15 days; NaN: nobody knows
    group: Numbers  # [I] whose each product is
    category: Numbers  # [I]
    approved: Ints  # [n] ms after it was placed; −1: never


def wholesaler(folder: Path) -> Orders:
    """Return the wholesaler's year: one shop without categories; a group is a stock number without its letters.

    Raises:
        NoOrders: its file is not there.
    """
    file = folder / WHOLESALER / "2009-12_2010-12.parquet"
    with duckdb.connect() as db:
        sold, back = (db.execute(LINES, [_there(file), returns]).fetchnumpy() for returns in (False, True))
    item, names = _numbered(sold["product"])
    group, _ = _numbered(np.array([str(name)[:5] for name in names]))
    at, quantity, buyer = (np.asarray(sold[key], np.int64) for key in ("placed", "quantity", "buyer"))
    amount = np.asarray(sold["amount"], np.float64)
    number = {str(name): number for number, name in enumerate(names)}
    back_item = np.array([number.get(str(name), -1) for name in back["product"]])
    came = _matched(
        (at, buyer, item, quantity),
        (np.asarray(back["placed"], np.int64), np.asarray(back["buyer"], np.int64), back_item,
         -np.asarray(back["quantity"], np.int64)),
    )  # fmt: skip
    return Orders(
        at=at,
        order=_numbered(sold["id"])[0],
        buyer=buyer,
        item=item,
        quantity=quantity,
        amount=amount,
        listed=_first(item, amount / quantity),
        returned=np.where(buyer >= 0, came / quantity, np.nan),
        group=group,
        category=np.zeros(len(names), np.int32),
        approved=np.full(len(at), -1, np.int64),
    )


def marketplace(folder: Path) -> Orders:
    """Return the marketplace's delivered orders, about a tenth of them: a group is a seller.

    Raises:
        NoOrders: one of its files is not there.
    """
    root = folder / MARKETPLACE
    files = [
        _there(root / part / f"olist_{name}_dataset.csv")
        for name in ("orders", "order_items")
        for part in ("case_control", "first5000")
    ]
    with duckdb.connect() as db:
        sold = db.execute(SOLD, files).fetchnumpy()
        kinds = dict(
            db.execute(
                "select product_id, coalesce(product_category_name, 'unknown') from read_csv($1)",
                [_there(root / "olist_products_dataset.csv")],
            ).fetchall()
        )
    item, names = _numbered(sold["product"])
    sellers, _ = _numbered(sold["seller"])
    group = np.zeros(len(names), np.int32)
    group[item] = sellers
    at, approved = (np.asarray(sold[key], np.int64) for key in ("placed", "approved"))
    quantity, amount = np.asarray(sold["quantity"], np.int64), np.asarray(sold["amount"], np.float64)
    return Orders(
        at=at,
        order=_numbered(sold["id"])[0],
        buyer=np.full(len(at), -1, np.int64),
        item=item,
        quantity=quantity,
        amount=amount,
        listed=_first(item, amount / quantity),
        returned=np.full(len(at), np.nan),
        group=group,
        category=_numbered(np.array([kinds.get(str(name), "unknown") for name in names]))[0],
        approved=np.where(approved >= 0, approved - at, -1),
    )


def _there(file: Path) -> str:
    if not file.exists():
        raise NoOrders(f"{file} is not there")
    return str(file)


def _numbered(values: NDArray[np.object_] | NDArray[np.str_]) -> tuple[Numbers, list[str]]:
    """Numbers in the order of first sight, and the names that they stand for."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(str(value), len(known)) for value in values], np.int32), list(known)


def _first(item: Numbers, price: Floats) -> Floats:
    """Each line's product's first price."""
    _, first = np.unique(item, return_index=True)
    return np.asarray(price[first][item])


def _matched(sold: tuple[Ints, Ints, Numbers, Ints], back: tuple[Ints, Ints, Ints, Ints]) -> Floats:
    """How many units of each line came back in time: a return is of its buyer's last purchases of the product."""
    lines: dict[tuple[int, int], list[int]] = defaultdict(list)
    for line, key in enumerate(zip(sold[1].tolist(), sold[2].tolist(), strict=True)):
        lines[key].append(line)
    left, came = sold[3].tolist(), np.zeros(len(sold[0]))
    bought = sold[0].tolist()
    for at, buyer, item, units in zip(*(column.tolist() for column in back), strict=True):
        rest = units
        for line in reversed(lines.get((buyer, item), [])):
            if rest and bought[line] <= at:
                taken = min(rest, left[line])
                left[line] -= taken
                rest -= taken
                came[line] += taken if at - bought[line] <= BACK_WITHIN else 0
    return came
