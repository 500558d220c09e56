"""The shelf: every item that may stand in a slot (video, live room, product), packed for scoring.

People, content and goods know their own facts; here they meet, as columns by item number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.content import Content
from fieldline.contracts import Contract, Reach
from fieldline.contracts.book import Book
from fieldline.facts import LiveRoom, Policy, Product, Video
from fieldline.goods import Goods, net_price, sellable, trust_of
from fieldline.scenes import Scenes
from fieldline.traffic import rows as at
from fieldline.traffic.gates import OPEN, Gate, gate_of, point_of
from fieldline.traffic.rows import new_rows

KINDS = (Video, LiveRoom, Product)
"""Kinds of items, by number."""


def _numbers(fill: int = -1) -> NDArray[np.int32]:
    return np.full(16, fill, np.int32)


@dataclass(slots=True)
class Shelf:
    """Items by number. Their order is that of their first facts, so the same log gives the same numbers."""

    names: Names = field(default_factory=Names)
    facts: list[Video | LiveRoom | Product] = field(default_factory=list)
    rows: NDArray[np.float32] = field(default_factory=lambda: new_rows(16))
    """Packed rows [I, 32], see `traffic.rows`."""
    creator: NDArray[np.int32] = field(default_factory=_numbers)
    group: NDArray[np.int32] = field(default_factory=_numbers)
    """Whose cap counts: its merchant, else its creator."""
    category: NDArray[np.int32] = field(default_factory=_numbers)
    product: NDArray[np.int32] = field(default_factory=_numbers)
    """Item number of the product that each sells, −1 where none."""
    seller: NDArray[np.int32] = field(default_factory=_numbers)
    """Its merchant's group, −1 where it has none."""
    point: NDArray[np.float32] = field(default_factory=lambda: np.full((16, 3), np.nan, np.float32))
    """Where each is on the unit sphere, NaN where nobody said."""
    uploaded: NDArray[np.int64] = field(default_factory=lambda: np.zeros(16, np.int64))
    kind: NDArray[np.int32] = field(default_factory=_numbers)
    """0 a video, 1 a live room, 2 a product."""
    seconds: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Length of a video."""
    net: NDArray[np.float64] = field(default_factory=lambda: np.zeros(16))
    """Net price as declared, yuan."""
    declared: NDArray[np.float64] = field(default_factory=lambda: np.zeros(16))
    """Share of its sales that its product says will come back."""
    worth: NDArray[np.float64] = field(default_factory=lambda: np.ones(16))
    """What an order was learned to leave over its declared net price."""
    optimism: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Part of each item's organic price that is for what is not known of it, yuan per look."""
    named: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Sum of its organic prices that have a name, see `traffic.organic`, yuan per look."""
    counts: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, 3), np.float32))
    """Looks, clicks and long views."""
    groups: Names = field(default_factory=Names)
    categories: Names = field(default_factory=Names)
    links: list[tuple[str | None, str | None, str | None]] = field(default_factory=list)
    """Each item's product, merchant and creator."""
    of_product: dict[str, list[int]] = field(default_factory=dict)
    """Items that sell a product."""
    of_merchant: dict[str, list[int]] = field(default_factory=dict)
    of_creator: dict[str, list[int]] = field(default_factory=dict)
    contract_start: NDArray[np.int32] = field(default_factory=lambda: np.zeros(17, np.int32))
    """CSR of the contracts in force on each item: entries of item i are [start[i], start[i + 1])."""
    contract: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Ascending within an item; a contract of several units may stand there once for each of their gates."""
    gate: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Of each entry: for which requests the contract bids on the item."""
    gates: list[Gate] = field(default_factory=lambda: [OPEN])
    """Gates by number, in the order in which contracts in force name them."""


def put(
    shelf: Shelf,
    fact: Video | LiveRoom | Product,
    content: Content,
    goods: Goods,
    scenes: Scenes,
    policy: Policy,
) -> int:
    """Enter a new or changed item and return its number."""
    item = shelf.names.add(fact.id)
    if item == len(shelf.facts):
        shelf.facts.append(fact)
        shelf.links.append((None, None, None))
        _widen(shelf, item + 1)
    else:
        _forget_links(shelf, item)
        shelf.facts[item] = fact
    merchant, creator = merchant_of(fact, goods), creator_of(fact)
    shelf.creator[item] = content.creators.find(creator) if creator else -1
    shelf.group[item] = shelf.groups.add(f"m:{merchant}" if merchant else f"c:{creator}")
    shelf.category[item] = shelf.categories.add(fact.category)
    shelf.product[item] = shelf.names.find(product_of(fact) or "")
    shelf.seller[item] = shelf.group[item] if merchant else -1
    shelf.point[item] = point_of(fact.place) if fact.place else np.nan
    shelf.uploaded[item] = listed_at(fact)
    shelf.kind[item] = KINDS.index(type(fact))
    shelf.seconds[item] = fact.duration_ms / 1_000 if isinstance(fact, Video) else 0.0
    shelf.links[item] = (product_of(fact), merchant, creator)
    for items, key in zip(_linked(shelf), shelf.links[item], strict=True):
        if key:
            items.setdefault(key, []).append(item)
    refresh(shelf, item, goods, scenes, policy)
    return item


def refresh(shelf: Shelf, item: int, goods: Goods, scenes: Scenes, policy: Policy) -> None:
    """Bring an item's price, trust, scenes and eligibility up to date."""
    fact = shelf.facts[item]
    merchant, product = merchant_of(fact, goods), product_of(fact)
    row = shelf.rows[item]
    shelf.net[item] = net_price(goods, product)
    shelf.declared[item] = goods.products[product].refund_rate if product in goods.products else 0.0
    row[at.NET_PRICE] = shelf.net[item] * shelf.worth[item]
    row[at.TRUST] = trust_factor(policy, trust_of(goods, merchant))
    words = row.view(np.int32)
    shown = fact.approved and sellable(goods, product) and not (isinstance(fact, LiveRoom) and fact.ended_at)
    words[at.FLAGS] = (words[at.FLAGS] & ~at.SHOWN) | (at.SHOWN if shown else 0)
    words[at.SCENES] = sum(1 << scenes.numbers[name] for name in fact.scenes if name in scenes.numbers)


def trust_factor(policy: Policy, trust: float) -> float:
    """Return what an index multiplies organic value by: 1 + w_T·(2T − 1)."""
    return 1.0 + policy.trust_weight * (2.0 * trust - 1.0)


def link_contracts(shelf: Shelf, book: Book) -> None:
    """Rebuild which contracts in force stand on which item, and behind which gates."""
    count = len(shelf.facts)
    numbers = {OPEN: 0}
    entries = [
        (item, number, gate)
        for number in np.flatnonzero(book.in_force[: len(book)]).tolist()
        for item, gate in _entries(shelf, book.contracts[number], numbers)
    ]
    found = np.array(entries, np.int64).reshape(-1, 3)
    items, contracts, gates = found[np.lexsort(found.T[::-1])].T
    shelf.gates = list(numbers)
    shelf.contract, shelf.gate = contracts.astype(np.int32), gates.astype(np.int32)
    starts = np.zeros(len(shelf.creator) + 1, np.int32)
    np.cumsum(np.bincount(items, minlength=len(shelf.creator)), out=starts[1:])
    shelf.contract_start = starts
    bids = np.array([contract.bids for contract in book.contracts], bool)[contracts]
    flags = shelf.rows.view(np.int32)[:, at.FLAGS]
    flags[:count] &= ~(at.BIDS | at.PRICED)
    np.bitwise_or.at(flags, items, np.where(bids, at.BIDS, at.PRICED).astype(np.int32))


def price_items(shelf: Shelf, mu: NDArray[np.float64]) -> None:
    """Put the sum of its organic prices, and what is added for what is not known of it, into every item's row.

    Args:
        shelf: changed in place.
        mu: organic price of each contract, yuan per look, [C].
    """
    count = len(shelf.facts)
    per_link = mu[shelf.contract] if len(shelf.contract) else np.zeros(0)
    items = np.repeat(np.arange(len(shelf.creator)), np.diff(shelf.contract_start))
    totals = np.bincount(items, per_link, minlength=len(shelf.creator))
    shelf.rows[:count, at.ORGANIC_PRICE] = totals[:count] + shelf.optimism[:count] + shelf.named[:count]


def contracts_on(shelf: Shelf, item: int) -> NDArray[np.int32]:
    """Return the numbers of the contracts in force on an item, each once."""
    found = shelf.contract[shelf.contract_start[item] : shelf.contract_start[item + 1]]
    return found if len(found) < 2 else found[np.diff(found, prepend=-1) > 0]


def reach_of(shelf: Shelf, contract: Contract) -> list[int]:
    """Return the items that a contract uses in any of its units, each once."""
    return list(dict.fromkeys(item for reach in contract.reach for item in _reached(shelf, reach)))


def merchant_of(fact: Video | LiveRoom | Product, goods: Goods) -> str | None:
    """Return who sells (and may promote) an item: its own merchant, else its product's."""
    if fact.merchant:
        return fact.merchant
    product = product_of(fact)
    return goods.products[product].merchant if product else None


def product_of(fact: Video | LiveRoom | Product) -> str | None:
    """Return the product that an item sells now."""
    return fact.id if isinstance(fact, Product) else fact.product


def creator_of(fact: Video | LiveRoom | Product) -> str | None:
    """Return who made an item; a product has no creator."""
    return None if isinstance(fact, Product) else fact.creator


def listed_at(fact: Video | LiveRoom | Product) -> int:
    """Return since when an item may be shown."""
    match fact:
        case Video():
            return fact.uploaded_at
        case LiveRoom():
            return fact.started_at
        case Product():
            return fact.listed_at


def _entries(shelf: Shelf, contract: Contract, numbers: dict[Gate, int]) -> Iterator[tuple[int, int]]:
    """Yield (item, gate) of a contract's units, numbering gates that are new; an open one makes others idle."""
    behind: dict[int, set[int]] = {}
    for reach in contract.reach:
        gate = numbers.setdefault(gate_of(contract, reach), len(numbers))
        for item in _reached(shelf, reach):
            behind.setdefault(item, set()).add(gate)
    for item, gates in behind.items():
        yield from ((item, gate) for gate in ([0] if 0 in gates else sorted(gates)))


def _reached(shelf: Shelf, reach: Reach) -> list[int]:
    found = [shelf.names.find(name) for name in reach.items]
    if reach.shown_by:
        found += [item for name in reach.items for item in shelf.of_product.get(name, ())]
    if reach.creator:
        works = shelf.of_creator.get(reach.creator, [])
        found += [item for item in works if reach.merchant in (None, shelf.links[item][1])]
    elif reach.merchant:
        found += shelf.of_merchant.get(reach.merchant, [])
    return [item for item in dict.fromkeys(found) if item >= 0]


def _linked(shelf: Shelf) -> tuple[dict[str, list[int]], ...]:
    return shelf.of_product, shelf.of_merchant, shelf.of_creator


def _forget_links(shelf: Shelf, item: int) -> None:
    for items, key in zip(_linked(shelf), shelf.links[item], strict=True):
        if key:
            items[key].remove(item)


def _widen(shelf: Shelf, count: int) -> None:
    if count > len(shelf.rows):
        wider = new_rows(2 * len(shelf.rows))
        wider[: len(shelf.rows)] = shelf.rows
        shelf.rows = wider
    shelf.creator = grown(shelf.creator, count, -1)
    shelf.group = grown(shelf.group, count, -1)
    shelf.category = grown(shelf.category, count, -1)
    shelf.product = grown(shelf.product, count, -1)
    shelf.seller = grown(shelf.seller, count, -1)
    shelf.point = grown(shelf.point, count, np.nan)
    shelf.uploaded = grown(shelf.uploaded, count)
    shelf.kind = grown(shelf.kind, count, -1)
    shelf.seconds = grown(shelf.seconds, count)
    shelf.net = grown(shelf.net, count)
    shelf.declared = grown(shelf.declared, count)
    shelf.worth = grown(shelf.worth, count, 1.0)
    shelf.optimism = grown(shelf.optimism, count)
    shelf.named = grown(shelf.named, count)
    shelf.counts = grown(shelf.counts, count)
