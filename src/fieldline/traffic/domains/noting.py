"""Noting: behaviour into the funnel, as its facts come."""

from collections.abc import Sequence

from fieldline.facts import Follow, Order
from fieldline.people import whom
from fieldline.traffic.domains import funnel
from fieldline.traffic.domains.funnel import (
    ALL,
    CLICKS,
    FAN_GMV,
    FAN_IMPRESSIONS,
    FAN_ORDERS,
    FOLLOWS,
    GMV,
    IMPRESSIONS,
    MOST_TRAITS,
    NEW_FAN,
    NO_DEED,
    ORDERS,
    REDEMPTIONS,
    UNCREDITED,
    Deed,
    Won,
    count,
    daily,
    touch,
)
from fieldline.traffic.domains.tags import PRIVATE
from fieldline.traffic.outcomes import Bought, Clicked, Shown
from fieldline.traffic.shelf import Shelf
from fieldline.traffic.state import State


def note_impression(state: State, shown: Shown, k: int) -> None:
    """Count a rendered slot in its domain, and whether it is a new fan's look at whom they follow."""
    if not shown.domains:
        return
    domain, item = shown.domains[k], shown.items[k]
    names = _names(state.shelf, item)
    _count(state, shown.at, shown.viewer, names, ((IMPRESSIONS, 1),), domain)
    if domain == PRIVATE and _new_fan(state, shown.viewer, state.shelf.creator.item(item), shown.at):
        _count(state, shown.at, shown.viewer, names, ((FAN_IMPRESSIONS, 1),), domain)


def note_touch(state: State, shown: Shown, k: int, at: int, click: bool) -> None:
    """Remember a click or a long view as a touch on its merchant and creator, and count a click."""
    if not shown.domains:
        return
    domain, item, shelf = shown.domains[k], shown.items[k], state.shelf
    if click:
        _count(state, at, shown.viewer, _names(shelf, item), ((CLICKS, 1),), domain)
    who = whom(state.people, shown.viewer)
    if who < 0:
        return
    deed, window = Deed(at, shown.scene, domain, item), state.policy.click_attribution_ms
    kept = state.funnel
    for trails, of in (
        (kept.of_merchant, shelf.seller.item(item)),
        (kept.of_creator, shelf.creator.item(item)),
    ):
        if of >= 0:
            touch(trails.setdefault(who, {}), of, deed, click, window)


def note_follow(
    state: State, event: Follow, viewer: int, merchants: Sequence[str], shown: Shown | None, k: int
) -> None:
    """Count a new follow in the domain that won it; won outside the private one, it makes a new fan.

    Args:
        state: changed in place.
        event: the follow.
        viewer: who follows.
        merchants: those whom the creator works for.
        shown: the open decision that it was pressed in, if any.
        k: its slot there.
    """
    creator, who = state.content.creators.find(event.creator), whom(state.people, viewer)
    if shown is not None and shown.domains:
        domain = shown.domains[k]
    else:
        trail = state.funnel.of_creator.get(who, {}).get(creator)
        domain = _credited(state, trail, event.at).domain
    names = [ALL, f"c:{event.creator}", *(f"m:{merchant}" for merchant in merchants)]
    _count(state, event.at, viewer, names, ((FOLLOWS, 1),), domain)
    if who >= 0 and domain not in (PRIVATE, UNCREDITED):
        state.funnel.fans.setdefault(who, {})[creator] = Won(event.at, domain)


def note_unfollow(state: State, event: Follow, viewer: int) -> None:
    """Let someone be no fan any more."""
    state.funnel.fans.get(viewer, {}).pop(state.content.creators.find(event.creator), None)


def note_order(state: State, event: Order, viewer: int, merchant: str, click: Clicked | None) -> None:
    """Count an order in the domain of the touch that it is credited to, and the way that led to it.

    Args:
        state: changed in place; the order is in its accounts, but not yet among what the viewer bought.
        event: the order.
        viewer: who ordered.
        merchant: who sold.
        click: the click that the order came of, if any.
    """
    who = whom(state.people, viewer)
    trail = state.funnel.of_merchant.get(who, {}).get(state.shelf.groups.find(f"m:{merchant}"))
    if trail is not None and event.at - trail.last_at > state.policy.click_attribution_ms:
        trail = None
    deed = _credited(state, trail, event.at)
    names = _names(state.shelf, deed.item) if deed is not NO_DEED else [ALL, f"m:{merchant}"]
    figures = [(ORDERS, 1), (GMV, event.amount)]
    creator = state.shelf.creator.item(deed.item) if deed.item >= 0 else -1
    if _new_fan(state, viewer, creator, event.at):
        figures += [(FAN_ORDERS, 1), (FAN_GMV, event.amount)]
    _count(state, event.at, viewer, names, tuple(figures), deed.domain)
    state.outcomes.orders[event.id].domain = deed.domain
    day, first = daily(state.funnel, event.at), trail.first_scene if trail else -1
    way = day.journeys.setdefault((merchant, first, deed.scene, click.scene if click else -1), [0, 0])
    way[0] += 1
    way[1] += event.amount
    touched = min(trail.scenes.bit_count(), 2) if trail else 0
    repeats = day.repeats.setdefault((merchant, touched), [0, 0])
    repeats[0] += 1
    repeats[1] += merchant in state.people.bought[viewer]


def note_redemption(state: State, bought: Bought, at: int) -> None:
    """Count the first use of an order's voucher in the domain that the order is credited to."""
    names = _names(state.shelf, bought.item) if bought.item >= 0 else [ALL]
    _count(state, at, bought.viewer, names, ((REDEMPTIONS, 1),), bought.domain)


def _count(
    state: State,
    at: int,
    viewer: int,
    names: Sequence[str],
    figures: tuple[tuple[int, int], ...],
    domain: int,
) -> None:
    day, who = daily(state.funnel, at), whom(state.people, viewer)
    fact = state.people.facts[who] if who >= 0 else None
    for figure, amount in figures:
        count(day.owners, names, figure, domain, amount)
        if fact is not None:
            count(day.traits, dict.fromkeys(fact.traits), figure, domain, amount, MOST_TRAITS)


def _names(shelf: Shelf, item: int) -> list[str]:
    _, merchant, creator = shelf.links[item]
    names = [ALL, f"k:{shelf.facts[item].category}"]
    if merchant:
        names.append(f"m:{merchant}")
    if creator:
        names.append(f"c:{creator}")
    return names


def _new_fan(state: State, viewer: int, creator: int, at: int) -> bool:
    won = state.funnel.fans.get(viewer, {}).get(creator)
    return won is not None and 0 <= at - won.at <= NEW_FAN


def _credited(state: State, trail: funnel.Trail | None, at: int) -> Deed:
    policy = state.policy
    return funnel.credited(trail, at, policy.click_attribution_ms, policy.view_attribution_ms)
