"""A small made market, played through the engine: the same facts whenever it is played."""

from collections.abc import Iterator

import msgspec
import numpy as np

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.draws import key_of, unit_of
from fieldline.facts import (
    AnyFact,
    CatalogueEntry,
    Click,
    Creator,
    Decision,
    Impression,
    LongView,
    Merchant,
    Order,
    Place,
    Policy,
    Product,
    Refund,
    Request,
    Slot,
    Tick,
    Video,
    Viewer,
    Wish,
)
from fieldline.traffic.explain import CONTENDER
from fieldline.units import DAY, HOUR, MINUTE, YUAN

START = 1_650_850_200_000
"""2022-04-25 09:30 in UTC+8."""

POLICY = msgspec.structs.replace(DEFAULT_POLICY, random_share=0.1, landscape_share=0.5, in_hand="observed")


def catalogue() -> Iterator[CatalogueEntry]:
    """Six creators, four merchants, eight products, sixty videos and thirty viewers."""
    for i in range(6):
        yield Creator(f"creator-{i}", followers=10 ** (i + 1))
    for i in range(4):
        yield Merchant(f"merchant-{i}", trust=0.2 + 0.2 * i)
    for i in range(8):
        yield Product(
            f"product-{i}", f"merchant-{i % 4}", (9 + 10 * i) * YUAN, 1_000, category=f"kind-{i % 3}"
        )
    for i in range(60):
        product = f"product-{i % 8}" if i % 2 else None
        yield Video(
            f"video-{i}", f"creator-{i % 6}", category=f"kind-{i % 3}", product=product, duration_ms=15_000
        )
    for i in range(30):
        yield Viewer(
            f"viewer-{i}",
            traits=(f"age={i % 4}",),
            follows=(f"creator-{i % 6}",),
            place=Place(30.0 + i / 100, 120.0),
            watched=tuple(f"video-{(i + j) % 60}" for j in range(i % 5)),
            liked=(f"video-{i}",),
        )


def wishes() -> Iterator[Wish]:
    """Two storewide contracts and one cold start."""
    for i, budget in enumerate((2 * YUAN, 40 * YUAN)):
        terms = {
            "merchant": f"merchant-{i}",
            "budget": budget,
            "goal": 2.0,
            "start": START,
            "end": START + DAY,
        }
        yield wish(f"shop-{i}", "storewide", f"merchant-{i}", terms)
    terms = {"creator": "creator-0", "items": ["video-0", "video-6"], "looks": 40.0, "start": START,
             "end": START + 6 * HOUR}  # fmt: skip
    yield wish("newcomer", "cold_start", "creator-0", terms)


def wish(
    id: str, offer: str, owner: str, terms: dict[str, object], version: int = 1, at: int = START
) -> Wish:
    """A wish as the API makes it."""
    return Wish(id, at, version, offer, owner, msgspec.json.encode(terms).decode())


def play(requests: int, policy: Policy = POLICY) -> tuple[engine.State, list[AnyFact]]:
    """Play a number of requests, one a minute; return the state and every fact behind it."""
    state, facts = engine.State(policy=policy), list[AnyFact]()

    def take(fact: AnyFact) -> None:
        facts.append(fact)
        engine.reduce(state, fact)

    take(policy)
    take(Tick(START))
    for entry in catalogue():
        take(entry)
    for asked in wishes():
        take(asked)
    for number in range(requests):
        at = START + number * MINUTE
        if number % 5 == 4:
            take(Tick(at))
        scene = ("video", "follow", "mall")[number % 3]
        decision = engine.decide(state, Request(f"request-{number}", f"viewer-{number % 30}", scene, at=at))
        take(decision)
        for answer in answers(decision):
            take(answer)
    return state, facts


def decided(
    id: str, viewer: str, *places: tuple[str, str | None, int], at: int = START, scene: str = "video"
) -> Decision:
    """A decision by hand: (item, who pays, charge) slot by slot; looks 1, 1/2, 1/3 …, click 10%, long view 30%."""
    contenders = np.zeros(len(places), CONTENDER)
    contenders["p_click"], contenders["p_long"], contenders["p_order"] = 0.1, 0.3, 0.05
    count = len(places)
    slots = tuple(
        Slot(item, payer, charge, 1.0, 1.0, 0.1, count if payer else k, count if payer else k)
        for k, (item, payer, charge) in enumerate(places)
    )
    looks = tuple(1.0 / (k + 1) for k in range(count))
    return Decision(id, at, viewer, scene, slots, looks, count, True, 0.002, contenders=contenders.tobytes())


def answers(decision: Decision) -> Iterator[AnyFact]:
    """What the viewer does with a slate: every outcome is a draw keyed by request, item and purpose."""
    for k, slot in enumerate(decision.slots):
        at, name = decision.at + 1_000 * k, f"{decision.id}/{slot.item}"
        if unit_of(key_of(1, name, "look")) > decision.looks[k]:
            continue
        yield Impression(f"{name}/impression", at, decision.id, slot.item)
        if unit_of(key_of(1, name, "long view")) < 0.35:
            yield LongView(f"{name}/long", at + 500, decision.id, slot.item)
        if unit_of(key_of(1, name, "click")) < 0.25:
            yield Click(f"{name}/click", at + 600, decision.id, slot.item)
            number = int(slot.item.split("-")[1])
            if number % 2 and slot.item.startswith("video") and unit_of(key_of(1, name, "order")) < 0.3:
                amount = (9 + 10 * (number % 8)) * YUAN
                yield Order(f"{name}/order", at + 900, decision.viewer, f"product-{number % 8}", amount)
                if unit_of(key_of(1, name, "refund")) < 0.2:
                    yield Refund(f"{name}/refund", at + 950, f"{name}/order", amount)
