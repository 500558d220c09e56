"""Outcomes: what was shown, what came of it, and who is credited.

A decision stays open for the label window. What was rendered in it by then commits its charge, the rest is
released; a rendered item without a click or a long view by then counts as refused, weighted by the chance that
its slot was looked at, w = e_k·(1 − p)/(1 − e_k·p). An order is credited to the last paid click on its merchant
within the click window, else to the last paid view within the view window.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fieldline.traffic.domains.funnel import UNCREDITED
from fieldline.traffic.prediction.comparison import Beside
from fieldline.traffic.prediction.delay import STEPS

ERASED, STRANGER = -1, -2
"""In a viewer's place: one who is forgotten, and one whom nobody entered."""


class Shown(msgspec.Struct, gc=False):
    """One open decision, slot by slot."""

    at: int
    viewer: int
    scene: int
    items: list[int]
    contracts: list[int]
    """Who pays for each slot, −1 where nobody does."""
    charges: list[int]
    looks: list[float]
    clicks: list[float]
    """Predicted chance of a click given a look."""
    values: list[tuple[int, int, float]]
    """(slot, contract, v): what a look there is worth to each bidding contract on its item, paid or not."""
    displaced: list[tuple[int, float, float, float]]
    """(slot, gained, from own, from others) of paid slots, in looks; empty but on sampled requests."""
    randomised: bool
    rendered: list[bool]
    clicked: list[bool]
    watched: list[bool]
    liked: list[bool]
    followed: list[bool]
    hated: list[bool]
    watched_ms: list[int]
    """−1 where nobody told."""
    beside: Beside | None = None
    """What two models said of its slots, where one stood beside the other."""
    query: str = ""
    """What it answers, where that found something."""
    relevance: list[float] = []
    """To what was searched, of each slot of such a decision."""
    moved: list[tuple[int, int, int]] = []
    """(slot, contract of a pool or what stands for credit, micro-looks): what organic prices moved, see
    `traffic.organic`."""
    domains: list[int] = []
    """Number of each slot's domain; empty where nobody told."""
    taken: list[tuple[int, int, int]] = []
    """Product, seller and contract that each slot was counted as, for the caps of frequency; empty: it was not."""


class Clicked(msgspec.Struct, gc=False):
    """A click whose order window is open."""

    at: int
    viewer: int
    scene: int
    item: int
    exposed: float = 0.0
    """Share of its time that was learned from."""
    delay: int = -1
    """Of the order that came of it, ms; −1: none came yet."""
    told: bool = False
    """Whether that order was learned from."""
    query: str = ""
    """Of the search that showed the item; empty: none did."""


class Paid(NamedTuple):
    """A paid look or click: when, whose, in which scene, on which item."""

    at: int = -1
    contract: int = -1
    scene: int = -1
    item: int = -1
    query: str = ""
    """Of the search that showed it; empty: none did."""


NOBODY = Paid()


class Touch(msgspec.Struct, gc=False):
    """The last paid click and the last paid view of a viewer on a merchant's items."""

    click: Paid = NOBODY
    view: Paid = NOBODY


class Bought(msgspec.Struct, gc=False):
    """An order as far as refunds and accounts need it."""

    at: int
    viewer: int
    amount: int
    refunded: int
    refund_rate: float
    """Expected, when it was made."""
    contract: int
    """Whose paid impression it is credited to, −1 for none."""
    scene: int
    item: int
    returning: bool
    """Whether its buyer had ordered from the merchant before."""
    storewide: tuple[int, ...]
    """Contracts whose items' sales it belongs to, paid or not."""
    redeemed: bool = False
    """Whether the voucher that it bought was used."""
    domain: int = UNCREDITED
    """That of the touch, paid or not, that it is credited to."""
    earned: float = 0.0
    """Looks of credit that its item has for it."""


@dataclass(slots=True)
class Outcomes:
    """Everything that waits for its time to pass; all dicts are in order of time."""

    open: dict[str, Shown] = field(default_factory=dict)
    clicks: dict[str, Clicked] = field(default_factory=dict)
    """By event id, until their order window is over."""
    clicks_of: dict[int, list[str]] = field(default_factory=dict)
    """Those of each viewer that have no order yet, oldest first."""
    ripening: list[list[str]] = field(default_factory=lambda: [[] for _ in range(STEPS)])
    """Those that have yet to pass each of the ages of `traffic.prediction.delay`, oldest first."""
    touches: dict[tuple[int, str], Touch] = field(default_factory=dict)
    """By viewer and merchant."""
    orders: dict[str, Bought] = field(default_factory=dict)
    unsettled: dict[str, int] = field(default_factory=dict)
    """When orders were made whose refund is still only expected."""
    cohort: dict[tuple[int, int], int] = field(default_factory=dict)
    """When each viewer last brought a contract an order that counts for the days after it, too."""
    decided: dict[str, int] = field(default_factory=dict)
    """Ids of decisions, open or closed, and when they were made."""
    seen: dict[str, int] = field(default_factory=dict)
    """Ids of events taken, and when they happened."""


def credited(outcomes: Outcomes, viewer: int, merchant: str, at: int, click_ms: int, view_ms: int) -> Paid:
    """Return the paid click or view that an order, a lead or a follow is credited to, or NOBODY.

    Args:
        outcomes: what was touched.
        viewer: who orders.
        merchant: who sells.
        at: when, ms.
        click_ms: how long a paid click counts.
        view_ms: how long a paid view counts.
    """
    touch = outcomes.touches.get((viewer, merchant))
    if touch is None:
        return NOBODY
    if touch.click.contract >= 0 and 0 <= at - touch.click.at <= click_ms:
        return touch.click
    seen = touch.view.contract >= 0 and 0 <= at - touch.view.at <= view_ms
    return touch.view if seen else NOBODY


def expired(outcomes: Outcomes, before: int) -> list[str]:
    """Return the ids of decisions that were made before an instant and are still open, oldest first."""
    ids = []
    for id, shown in outcomes.open.items():
        if shown.at >= before:
            break
        ids.append(id)
    return ids


def wait_for_order(outcomes: Outcomes, id: str, click: Clicked) -> None:
    """Remember a click until its order window is over."""
    outcomes.clicks[id] = click
    outcomes.clicks_of.setdefault(click.viewer, []).append(id)
    outcomes.ripening[0].append(id)


def ordered(outcomes: Outcomes, viewer: int, items: Collection[int], at: int) -> Clicked | None:
    """Give an order to the viewer's newest click without one on one of the items; return it, if there is one."""
    for id in reversed(outcomes.clicks_of.get(viewer, [])):
        click = outcomes.clicks[id]
        if click.item in items:
            click.delay = max(at - click.at, 0)
            _wait_no_more(outcomes, id, click)
            return click
    return None


def ripe(outcomes: Outcomes, ages: Sequence[int], now: int) -> Iterator[tuple[int, Clicked]]:
    """Yield (step, click) for every age that a click has come to, and forget clicks that have passed the last.

    Args:
        outcomes: changed in place.
        ages: as of `traffic.prediction.delay`, ms.
        now: ms.
    """
    for step, (age, waiting) in enumerate(zip(ages, outcomes.ripening, strict=True)):
        due = 0
        for id in waiting:
            click = outcomes.clicks.get(id)  # an erased viewer's is gone
            if click is not None:
                if click.at + age > now:
                    break
                yield step, click
                if step + 1 < len(ages):
                    outcomes.ripening[step + 1].append(id)
                else:
                    _wait_no_more(outcomes, id, outcomes.clicks.pop(id))
            due += 1
        del waiting[:due]


def _wait_no_more(outcomes: Outcomes, id: str, click: Clicked) -> None:
    left = [other for other in outcomes.clicks_of.get(click.viewer, []) if other != id]
    if left:
        outcomes.clicks_of[click.viewer] = left
    else:
        outcomes.clicks_of.pop(click.viewer, None)


def refusal_weight(look: float, chance: float) -> float:
    """Return how much an impression without a click counts as a refusal: e·(1 − p)/(1 − e·p).

    Args:
        look: e, chance that the slot was looked at.
        chance: p, predicted chance of a click given a look.
    """
    return look * (1.0 - chance) / max(1.0 - look * chance, 1e-9)
