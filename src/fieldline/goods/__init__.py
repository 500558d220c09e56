"""Goods: merchants, what they sell, what is left of it; one reducer from facts."""

from dataclasses import dataclass, field

from fieldline.facts import Merchant, Order, Product, Refund
from fieldline.units import YUAN


@dataclass(slots=True)
class Goods:
    """Every merchant and product, by id."""

    merchants: dict[str, Merchant] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    stock: dict[str, int] = field(default_factory=dict)
    """Units left of each product."""
    trusted: dict[str, float] = field(default_factory=dict)
    """The index of each merchant of which orders taught one."""
    orders: int = 0
    gmv: int = 0
    """Micro-yuan paid, before refunds."""
    refunds: int = 0
    """Micro-yuan given back."""


def reduce(goods: Goods, fact: Merchant | Product | Order | Refund) -> Goods:
    """Fold one fact about goods; a product's upsert sets its stock, an order takes from it."""
    match fact:
        case Merchant():
            goods.merchants[fact.id] = fact
        case Product():
            goods.products[fact.id] = fact
            goods.stock[fact.id] = fact.stock
        case Order():
            goods.orders += 1
            goods.gmv += fact.amount
            goods.stock[fact.product] = max(0, goods.stock[fact.product] - fact.quantity)
        case Refund():
            goods.refunds += fact.amount
    return goods


def net_price(goods: Goods, product: str | None) -> float:
    """Return what an order of a product is expected to leave after refunds, in yuan: price·(1 − refund rate)."""
    fact = goods.products.get(product) if product else None
    return fact.price / YUAN * (1.0 - fact.refund_rate) if fact else 0.0


def sellable(goods: Goods, product: str | None) -> bool:
    """Return whether a product can be ordered; where there is none, nothing stands in the way."""
    if product is None:
        return True
    fact = goods.products.get(product)
    return fact is not None and fact.approved and goods.stock[product] > 0


def trust_of(goods: Goods, merchant: str | None) -> float:
    """Return a merchant's index in [0, 1], as declared until orders taught one; one half where nothing is known."""
    fact = goods.merchants.get(merchant) if merchant else None
    return goods.trusted.get(fact.id, fact.trust) if fact else 0.5
