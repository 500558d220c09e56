"""Frequency: how often a viewer was given the same product, merchant or campaign today, in all scenes together.

A decision takes its places, and those that nobody rendered are given back when it closes, as with money: however
many requests of a viewer are open at once, no cap is passed. A cap is eligibility, never a price: what would pass
one does not compete. Days begin at midnight in UTC+8. Who opted out is not counted.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown, marked
from fieldline.contracts.book import Book
from fieldline.facts import Frequency
from fieldline.traffic.allocate import Index, Prices, Slate
from fieldline.traffic.shelf import Shelf

MOST = 4_096
"""Places that are counted of a viewer's day; who has more is shown nothing more that a cap counts."""

Of = TypeVar("Of", int, str)
Place = tuple[int, int, int]
"""The product, the seller and the paying contract of one place, by number; −1: none."""


@dataclass(slots=True)
class Today:
    """What one viewer was given on the newest day on which anything was."""

    day: int
    count: int = 0
    rows: NDArray[np.int32] = field(default_factory=lambda: np.zeros((8, 3), np.int32))
    """Places [≥ count, 3]."""


@dataclass(slots=True)
class Given:
    """What viewers were given today, where the policy has a cap."""

    of: dict[int, Today] = field(default_factory=dict)
    """By viewer."""


class Counted(NamedTuple):
    """How often one viewer met things today, beside the caps."""

    caps: Frequency
    products: Counter[int]
    merchants: Counter[int]
    campaigns: Counter[str]
    """By wish."""
    full: bool
    """Whether no more could be counted, so that nothing more that is counted is shown."""


@dataclass(frozen=True, slots=True)
class Entrants:
    """Those who compete for one slate."""

    candidates: NDArray[np.int32]  # [n]
    logits: NDArray[np.float32]  # [3, n] or [3, 0], of a model outside
    extra: NDArray[np.float32]  # [n] or [0], yuan per look
    index: Index
    prices: Prices
    open_gates: NDArray[np.uint8]  # [G]


def caps_any(caps: Frequency) -> bool:
    """Return whether there is a cap."""
    return bool(caps.product or caps.merchant or caps.campaign)


def place_of(shelf: Shelf, item: int, contract: int) -> Place:
    """Return what a place is counted as: its item's product, its item's seller, who pays."""
    return shelf.product.item(item), shelf.seller.item(item), contract


def take(given: Given, viewer: int, day: int, places: Sequence[Place]) -> None:
    """Count places that a viewer is given; the first of a later day forgets the day before.

    Args:
        given: changed in place.
        viewer: by number, one whose history may be kept.
        day: of the decision (UTC+8).
        places: of its slots.
    """
    today = given.of.get(viewer)
    if today is None or today.day < day:
        today = given.of[viewer] = Today(day)
    for place in places:
        if place != (-1, -1, -1) and today.count < MOST:
            today.rows = grown(today.rows, today.count + 1)
            today.rows[today.count] = place
            today.count += 1


def give_back(given: Given, viewer: int, day: int, place: Place) -> None:
    """Take back the count of a place that nobody rendered, if its day is not over."""
    today = given.of.get(viewer)
    if today is None or today.day != day:
        return
    found = np.flatnonzero((today.rows[: today.count] == place).all(axis=1))
    if len(found):
        today.count -= 1
        today.rows[found[-1]] = today.rows[today.count]


def forget(given: Given, day: int) -> None:
    """Drop what was given before a day."""
    given.of = {viewer: today for viewer, today in given.of.items() if today.day >= day}


def counted(given: Given, caps: Frequency, book: Book, viewer: int, day: int) -> Counted | None:
    """Return how often a viewer met things today; None where no cap applies.

    Args:
        given: of all viewers.
        caps: of the policy.
        book: whose campaigns contracts are.
        viewer: by number, −1: nobody in particular, whom no cap protects.
        day: of the request (UTC+8).
    """
    if viewer < 0 or not caps_any(caps):
        return None
    today = given.of.get(viewer)
    if today is None or today.day < day:
        return Counted(caps, Counter(), Counter(), Counter(), False)
    products, merchants, contracts = today.rows[: today.count].T.tolist()
    campaigns = [book.contracts[number].wish for number in contracts if number >= 0] if caps.campaign else ()
    return Counted(caps, Counter(products), Counter(merchants), Counter(campaigns), today.count >= MOST)


def slate_within(
    counted: Counted,
    entrants: Entrants,
    shelf: Shelf,
    book: Book,
    allocate: Callable[[Entrants], Slate],
    drawn: bool = False,
) -> Slate:
    """Return the slate of those who may still be shown, by which no cap is passed.

    Where a slate itself would pass a cap, what it has within the cap stays in the field, what else the cap counts
    leaves it, and the slate is allocated anew; each round settles at least one product, merchant or campaign. Of a
    slate that is drawn no more compete than the caps admit, the first retrieved, so that its chance stays exact.

    Args:
        counted: what the viewer met today.
        entrants: all who compete.
        shelf: what items are.
        book: whose campaigns contracts are.
        allocate: returns the slate of those who compete.
        drawn: whether it is drawn at random.
    """
    entrants = _eligible(counted, entrants, shelf, book)
    if drawn:
        entrants = _thinned(counted, entrants, shelf)
    while True:
        slate = allocate(entrants)
        rest = _without(counted, entrants, slate, shelf, book)
        if rest is None:
            return slate
        entrants = rest


def _eligible(counted: Counted, entrants: Entrants, shelf: Shelf, book: Book) -> Entrants:
    """Leave those out who would pass a cap with one more place; a campaign at its cap does not bid."""
    caps, items = counted.caps, entrants.candidates
    for cap, column, names, met in (
        (caps.product, shelf.product, shelf.names, counted.products),
        (caps.merchant, shelf.seller, shelf.groups, counted.merchants),
    ):
        over = [number for number, count in met.items() if count >= cap and number >= 0] if cap else []
        if cap and counted.full:
            entrants = _kept(entrants, column[items] < 0)
        elif over:
            entrants = _kept(entrants, ~marked(over, len(names))[column[items]])
        items = entrants.candidates
    if not caps.campaign:
        return entrants
    spent = [wish for wish, count in counted.campaigns.items() if count >= caps.campaign]
    if not spent and not counted.full:
        return entrants
    alpha = entrants.prices.alpha.copy()
    alpha[slice(None) if counted.full else [n for wish in spent for n in book.wishes[wish]]] = 0.0
    return replace(entrants, prices=replace(entrants.prices, alpha=alpha))


def _thinned(counted: Counted, entrants: Entrants, shelf: Shelf) -> Entrants:
    """Leave so many of each product and seller that not even all of them together would pass a cap."""
    caps, items = counted.caps, entrants.candidates
    products, merchants = counted.products.copy(), counted.merchants.copy()
    left = np.ones(len(items), bool)
    pairs = zip(shelf.product[items].tolist(), shelf.seller[items].tolist(), strict=True)
    for position, (product, merchant) in enumerate(pairs):
        over = _over(caps.product, product, products[product] + 1)
        over |= _over(caps.merchant, merchant, merchants[merchant] + 1)
        left[position] = not over
        products[product] += not over
        merchants[merchant] += not over
    return _kept(entrants, left)


def _without(counted: Counted, entrants: Entrants, slate: Slate, shelf: Shelf, book: Book) -> Entrants | None:
    """Return those who compete without what passes a cap in a slate; None where nothing does."""
    caps, slots = counted.caps, slate.slots
    shown = slots["item"]
    payers = slots["contract"].tolist() if caps.campaign else []
    products = _passing(caps.product, counted.products, shelf.product[shown].tolist())
    merchants = _passing(caps.merchant, counted.merchants, shelf.seller[shown].tolist())
    wishes = [book.contracts[number].wish if number >= 0 else "" for number in payers]
    campaigns = _passing(caps.campaign, counted.campaigns, wishes)
    if not (products or merchants or campaigns):
        return None
    items = entrants.candidates
    out = marked(list(products.values()), len(shelf.names))[shelf.product[items]]
    out |= marked(list(merchants.values()), len(shelf.groups))[shelf.seller[items]]
    within = [item for k, item in enumerate(shown.tolist()) if k not in products and k not in merchants]
    rest = _kept(entrants, ~out | marked(within, len(shelf.names))[items])
    if not campaigns:
        return rest
    over = [number for wish in set(campaigns.values()) for number in book.wishes[wish]]
    paid = [(shown.item(k), payer) for k, payer in enumerate(payers) if payer >= 0 and k not in campaigns]
    return _paying(rest, over, paid)


def _passing(cap: int, met: Counter[Of], slots: Sequence[Of]) -> dict[int, Of]:
    """Return which slots pass a cap, and with what: a number from 0 on, or a name."""
    if not cap:
        return {}
    now: dict[Of, int] = {}
    passing: dict[int, Of] = {}
    for k, of in enumerate(slots):
        if of not in (-1, ""):
            now[of] = now.get(of, 0) + 1
            if met[of] + now[of] > cap:
                passing[k] = of
    return passing


def _over(cap: int, number: int, count: int) -> bool:
    return cap > 0 and number >= 0 and count > cap


def _kept(entrants: Entrants, left: NDArray[np.bool_]) -> Entrants:
    if left.all():
        return entrants
    logits, extra = entrants.logits, entrants.extra
    return replace(
        entrants,
        candidates=entrants.candidates[left],
        logits=np.ascontiguousarray(logits[:, left]) if logits.shape[1] else logits,
        extra=extra[left] if len(extra) else extra,
    )


def _paying(entrants: Entrants, contracts: Sequence[int], paid: Sequence[tuple[int, int]]) -> Entrants:
    """Let contracts bid on nothing but the items that they pay for: other entries go behind a gate that is closed."""
    index, closed = entrants.index, len(entrants.open_gates)
    shut = np.isin(index.contracts, contracts)
    for item, contract in paid:
        entries = slice(index.first_contract[item], index.first_contract[item + 1])
        shut[entries] &= index.contracts[entries] != contract
    gate = np.where(shut, np.int32(closed), index.gate)
    opened = np.append(entrants.open_gates, np.uint8(0))
    return replace(entrants, index=replace(index, gate=gate), open_gates=opened)
