"""Engines that share records: a small market typed at one of them, and what each knows of what was asked for."""

from typing import NamedTuple

from fieldline.app import Fieldline
from fieldline.facts import CatalogueEntry, Creator, LiveRoom, Merchant, Product, StagedOffer, Viewer
from fieldline.traffic.intents import standing
from fieldline.units import HOUR, MINUTE, YUAN
from tests.made import START

ROOMS, VIEWERS, PRODUCTS, CATEGORIES = 2, 3, 3, ("tea", "shoes")


class Known(NamedTuple):
    """What one engine knows of what was asked for, at whichever engine."""

    plans: dict[str, tuple[int, tuple[StagedOffer, ...]]]
    people: dict[str, tuple[bool, frozenset[object], frozenset[str]]]
    """Of each viewer: whether they are treated personally, what they said of categories, and what they do not want."""
    cases: dict[str, tuple[str, int, str]]
    approved: tuple[bool, ...]


def entries() -> list[list[CatalogueEntry]]:
    """Rooms, products of two categories and viewers, kind by kind."""
    return [
        [Creator("host")],
        [Merchant("shop")],
        [product(n) for n in range(PRODUCTS)],
        [LiveRoom(f"room-{n}", "host") for n in range(ROOMS)],
        [Viewer(f"viewer-{n}") for n in range(VIEWERS)],
    ]


def product(number: int, approved: bool = True) -> Product:
    """One of the shop's products."""
    category = CATEGORIES[number % len(CATEGORIES)]
    return Product(f"product-{number}", "shop", YUAN, 5, category=category, approved=approved)


def offers(number: int) -> tuple[StagedOffer, ...]:
    """A plan that differs from others in when its products are due."""
    start = START + number * MINUTE
    return tuple(StagedOffer(f"product-{n}", start + n * MINUTE, start + HOUR) for n in range(number % 4))


def known(app: Fieldline, items: int = PRODUCTS) -> Known:
    """What an engine knows, of so many products."""
    state = app.state
    people = {}
    for name in sorted(name for name in state.people.names.ids if name):
        now = standing(state, name, START + 2 * HOUR)
        said = frozenset[object]((intent.category, intent.stage) for intent in now.intents if intent.said)
        people[name] = (now.personalised, said, frozenset(now.unwanted))
    return Known(
        {room: (plan.version, plan.offers) for room, plan in sorted(state.staging.plans.items())},
        people,
        {id: (case.status, case.ruled_at, case.ruling) for id, case in sorted(state.trust.appeals.cases.items())},
        tuple(
            state.shelf.facts[state.shelf.names.find(f"product-{n}")].approved
            for n in range(items)
        ),
    )  # fmt: skip
