"""A made town of shops and their buyers, for what is to be learned of trust: plain facts, the same every time."""

from collections.abc import Iterable, Iterator

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.draws import key_of, unit_of
from fieldline.facts import (
    AnyFact,
    CatalogueEntry,
    Delivery,
    Dialogue,
    Merchant,
    Order,
    Product,
    Refund,
    Review,
    Tick,
    Viewer,
)
from fieldline.units import DAY, HOUR, MINUTE, YUAN

START = 1_650_850_200_000
DAYS = 40
SHOPS = 24
BUYERS = 240
ORDERS = 8
"""Of each buyer."""
TRADES = ("tea", "shoes")


def entries() -> Iterator[CatalogueEntry]:
    """Shops of two trades, one product each, and buyers."""
    for shop in range(SHOPS):
        yield Merchant(f"shop-{shop}")
        yield Product(f"goods-{shop}", f"shop-{shop}", 50 * YUAN, 1 << 30, category=TRADES[shop % 2])
    for buyer in range(BUYERS):
        yield Viewer(f"buyer-{buyer}")


def badness(shop: int) -> float:
    """How badly a shop serves: the share of its orders that come back, from 3% to 26%."""
    return 0.03 + 0.01 * shop


def life() -> list[AnyFact]:
    """What the town's buyers do, in the order of time."""
    facts = [fact for buyer in range(BUYERS) for fact in _of(buyer)]
    return sorted(facts, key=lambda fact: getattr(fact, "at", 0))


def order(id: str, viewer: str, shop: int, at: int, *, stars: int = 0, back: bool = False) -> list[AnyFact]:
    """One order with its review and its refund."""
    facts: list[AnyFact] = [Order(id, at, viewer, f"goods-{shop}", 50 * YUAN)]
    if stars:
        facts.append(Review(f"{id}/review", at + HOUR, id, stars))
    if back:
        facts.append(Refund(f"{id}/refund", at + 2 * HOUR, id, 50 * YUAN))
    return facts


def settled() -> bytes:
    """Return the encoded state of the town after its days."""
    state = engine.init(DEFAULT_POLICY)
    engine.reduce(state, Tick(START))
    for entry in entries():
        engine.reduce(state, entry)
    for fact in life():
        engine.reduce(state, fact)
    engine.reduce(state, Tick(START + DAYS * DAY))
    return engine.encode(state)


def after(town: bytes, facts: Iterable[AnyFact] = (), days: int = 1) -> engine.State:
    """Return the town's state after more facts, in their order, and so many midnights."""
    state = engine.decode(town)
    for fact in facts:
        engine.reduce(state, fact)
    for day in range(1, days + 1):
        engine.reduce(state, Tick(START + (DAYS + day) * DAY))
    return state


def trust(state: engine.State, shop: int | str) -> float:
    """Return the index of a shop."""
    name = shop if isinstance(shop, str) else f"shop-{shop}"
    return state.goods.trusted.get(name, state.goods.merchants[name].trust)


def draw(*of: object) -> float:
    """Return a number in [0, 1) keyed by what it is of."""
    return unit_of(key_of(7, "/".join(str(part) for part in of), "town"))


def _of(buyer: int) -> Iterator[AnyFact]:
    for number in range(ORDERS):
        shop = int(SHOPS * draw(buyer, number, "shop") ** 1.5)
        if number and draw(buyer, number, "same") < 0.25 - badness(shop) / 2:
            shop = int(SHOPS * draw(buyer, number - 1, "shop") ** 1.5)
        at = START + int((DAYS - 2) * DAY * draw(buyer, number, "at"))
        id, bad = f"{buyer}-{number}", badness(shop)
        back = draw(id, "back") < bad
        stars = 1 + sum(draw(id, "star", k) > 1.5 * bad for k in range(4)) if draw(id, "review") < 0.5 else 0
        yield from order(id, f"buyer-{buyer}", shop, at, stars=stars, back=back)
        late = draw(id, "late") < 2 * bad
        yield Delivery(f"{id}/delivery", at + DAY, id, at + (20 if late else 30) * HOUR)
        if draw(id, "asks") < 0.2:
            waited = int(MINUTE * 20 * bad * draw(id, "wait"))
            solved = draw(id, "solved") > bad
            yield Dialogue(f"{id}/asks", at + MINUTE, f"buyer-{buyer}", f"shop-{shop}", waited, solved)
