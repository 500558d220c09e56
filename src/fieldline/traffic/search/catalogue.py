"""The catalogue in the index: what an item can be found by."""

from fieldline.content import Content
from fieldline.facts import LiveRoom, Product, Video
from fieldline.goods import Goods
from fieldline.traffic.search.index import Index, Text, put
from fieldline.traffic.shelf import Shelf, creator_of, merchant_of

BRAND = "brand="
"""What a trait that names a brand begins with."""


def enter(index: Index, item: int, shelf: Shelf, goods: Goods, content: Content) -> None:
    """Bring what the index knows of an item up to date."""
    put(index, item, text_of(shelf.facts[item], goods, content))


def enter_all(index: Index, shelf: Shelf, goods: Goods, content: Content) -> None:
    """Enter every item, as a state that was read from a snapshot needs it."""
    for item in range(len(shelf.facts)):
        enter(index, item, shelf, goods, content)


def text_of(fact: Video | LiveRoom | Product, goods: Goods, content: Content) -> Text:
    """Return what an item can be found by: its title; its category, brands, product, and shop's and maker's names."""
    others = [] if fact.category == "unknown" else [fact.category]
    if isinstance(fact, Video):
        others += [trait.removeprefix(BRAND) for trait in fact.traits if trait.startswith(BRAND)]
    product = None if isinstance(fact, Product) else goods.products.get(fact.product or "")
    merchant = goods.merchants.get(merchant_of(fact, goods) or "")
    maker = content.creators.find(creator_of(fact) or "")
    others += [product.title] if product else []
    others += [merchant.name] if merchant else []
    others += [content.facts[maker].name] if maker >= 0 else []
    return Text(fact.title, tuple(other for other in others if other))
