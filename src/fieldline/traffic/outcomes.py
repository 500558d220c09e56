"""Outcomes: what was shown, what came of it, and who is credited.

A decision stays open for the label window. What was rendered in it by then commits its charge, the rest is
released; a rendered item without a click or a long view by then counts as refused, weighted by the chance that
its slot was looked at, w = e_k·(1 − p)/(1 − e_k·p). An order is credited to the last paid click on its merchant
within the click window, else to the last paid view within the view window.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec


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


class Clicked(msgspec.Struct, gc=False):
    """A click that may still become an order."""

    at: int
    viewer: int
    scene: int
    item: int


class Paid(NamedTuple):
    """A paid look or click: when, whose, in which scene, on which item."""

    at: int = -1
    contract: int = -1
    scene: int = -1
    item: int = -1


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


@dataclass(slots=True)
class Outcomes:
    """Everything that waits for its time to pass; all dicts are in order of time."""

    open: dict[str, Shown] = field(default_factory=dict)
    clicks: dict[str, Clicked] = field(default_factory=dict)
    """By event id; each was learned as a click without an order, which an order takes back."""
    clicks_of: dict[int, list[str]] = field(default_factory=dict)
    """Those clicks of each viewer, oldest first."""
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
    """Remember a click until an order comes of it or its window is over."""
    outcomes.clicks[id] = click
    outcomes.clicks_of.setdefault(click.viewer, []).append(id)


def ordered(outcomes: Outcomes, viewer: int, items: Collection[int]) -> Clicked | None:
    """Take out and return the viewer's newest click on one of the items, if there is one."""
    for id in reversed(outcomes.clicks_of.get(viewer, [])):
        if outcomes.clicks[id].item in items:
            return _forget_click(outcomes, id)
    return None


def forget_clicks(outcomes: Outcomes, before: int) -> None:
    """Forget clicks made before an instant: no order will come of them."""
    while outcomes.clicks:
        id = next(iter(outcomes.clicks))
        if outcomes.clicks[id].at >= before:
            break
        _forget_click(outcomes, id)


def _forget_click(outcomes: Outcomes, id: str) -> Clicked:
    click = outcomes.clicks.pop(id)
    left = [other for other in outcomes.clicks_of.pop(click.viewer) if other != id]
    if left:
        outcomes.clicks_of[click.viewer] = left
    return click


def refusal_weight(look: float, chance: float) -> float:
    """Return how much an impression without a click counts as a refusal: e·(1 − p)/(1 − e·p).

    Args:
        look: e, chance that the slot was looked at.
        chance: p, predicted chance of a click given a look.
    """
    return look * (1.0 - chance) / max(1.0 - look * chance, 1e-9)
