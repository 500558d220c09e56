"""Opting out over HTTP: what is known of a viewer chooses nothing, and nothing more becomes known."""

import asyncio
import json
from dataclasses import fields
from itertools import groupby

import httpx
import msgspec
import numpy as np
import pytest
from tests.made import START, catalogue
from tests.unit.serve.serving import client_of

from fieldline.app import DEFAULT_POLICY, Fieldline
from fieldline.facts import CatalogueEntry, Place, Sources, Viewer
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant

POLICY = msgspec.structs.replace(
    DEFAULT_POLICY,
    random_share=0.2,
    landscape_share=0.5,
    in_hand="observed",
    candidate_limit=12,
    sources=Sources(followed=0.3, channel=0.0),
)
"""Few candidates, so that it shows what each source brings."""
JSON = {"content-type": "application/json"}
ANN = Viewer("ann", ("age=1",), ("creator-1",), Place(30.1, 120.0), ("video-3", "video-9"), ("video-9",))
BOB = Viewer("bob", ("age=3",), ("creator-2", "creator-4"), Place(31.0, 121.0), ("video-8",), ())
OF_ALL = ("item_traits", "clicks", "gaps", "weights", "item_likes", "creator_likes")
"""Columns that are not of viewers."""
SCENES = ("video", "follow", "mall", "search", "live")


def ask(site: Site, method: str, path: str, body: object = None) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client_of(site) as client:
            content = None if body is None else json.dumps(body).encode()
            return await client.request(method, path, content=content, headers=JSON if content else None)

    return asyncio.run(send())


def opened() -> tuple[Fieldline, Site]:
    """An engine with the made catalogue, contracts for audiences, and the histories of two different viewers."""
    app = Fieldline(
        open_log("memory:"),
        open_snapshots("memory:"),
        open_records("memory:"),
        open_ledger("memory:"),
        policy=POLICY,
    )
    app.begin(Instant(START))
    entries: list[CatalogueEntry] = [*catalogue(), ANN, BOB]
    for _, same in groupby(entries, type):
        app.upsert(list(same))
    terms = {"budget": 40 * YUAN, "goal": 0.05, "start": START, "end": START + 9 * DAY, "holdout": 0.0}
    terms["value_per_long_view"] = 1.0  # so that bids weigh
    near = {"near": {"latitude": 30.1, "longitude": 120.0}, "within_km": 20.0}
    audiences: tuple[dict[str, object], ...] = (
        {},
        {"traits": ["age=1"]},
        {"buyers": "returning"},
        {"buyers": "new"},
        near,
    )
    for number, audience in enumerate(audiences):
        unit = {
            "id": "all",
            "items": [f"video-{n}" for n in range(1 + 2 * number, 60, 8)],
            "audience": audience,
        }
        merchant = f"merchant-{(1 + 2 * number) % 4}"
        asked = json.dumps({"merchant": merchant, **terms, "units": [unit]}).encode()
        app.put_contract(f"shop-{number}", "storewide", merchant, asked, "ann")
    site = site_of(app)
    site.ready = True
    for number in range(40):
        viewer, scene = ("ann", "bob")[number % 2], SCENES[number % 5]
        live(site, viewer, f"before-{number}", scene, START + (number + 1) * MINUTE, number)
    order = {
        "type": "order",
        "id": "o1",
        "at": START + HOUR,
        "viewer": "ann",
        "product": "product-1",
        "amount": YUAN,
    }
    follow = {"type": "follow", "id": "f1", "at": START + HOUR, "viewer": "bob", "creator": "creator-0"}
    assert ask(site, "POST", "/v1/events", {"events": [order, follow]}).status_code == 200
    return app, site


def live(site: Site, viewer: str, id: str, scene: str, at: int, taste: int) -> bytes:
    """Ask for a slate and do with it what the number `taste` says; return the reply."""
    reply = ask(site, "POST", "/v1/decide", {"id": id, "viewer": viewer, "scene": scene, "at": at})
    assert reply.status_code == 200, reply.text
    events = []
    for place, slot in enumerate(reply.json()["slots"]):
        name = {"decision": id, "item": slot["item"], "at": at + 1}
        events.append({"type": "impression", "id": f"{id}/{place}/i", **name})
        if (place + taste) % 3 == 0:
            events.append({"type": "click", "id": f"{id}/{place}/c", **name})
        if (place + taste) % 4 == 0:
            events.append({"type": "long_view", "id": f"{id}/{place}/l", **name})
    assert ask(site, "POST", "/v1/events", {"events": events}).status_code == 200
    return reply.content


def known_of(app: Fieldline, id: str) -> list[bytes]:
    """Every column of people, intents and predictor for one viewer, as bytes."""
    state = app.state
    viewer = state.people.names.find(id)
    columns = []
    for holder in (state.people, state.people.intents, state.model, state.model.habits):
        for field in fields(holder):
            column = getattr(holder, field.name)
            if isinstance(column, np.ndarray) and field.name not in OF_ALL:
                columns.append(column[viewer].tobytes())
    return [*columns, repr(state.people.follows[viewer]).encode(), repr(state.people.intents.said).encode()]


@pytest.fixture(scope="module")
def engines() -> tuple[tuple[Fieldline, Site], tuple[Fieldline, Site]]:
    """Two engines with the same past."""
    return opened(), opened()


def test_two_who_opted_out_get_the_same_bytes(
    engines: tuple[tuple[Fieldline, Site], tuple[Fieldline, Site]],
) -> None:
    """Before, histories make different slates; after opting out 20 replies in five scenes are the same, byte for byte.

    Nor does what either does meanwhile become known of them.
    """
    (one, first), (two, second) = engines
    at = START + 3 * HOUR
    for site in (first, second):
        slates = [
            ask(site, "POST", "/v1/decide", {"id": f"x-{who}", "viewer": who, "scene": "video", "at": at})
            for who in ("ann", "bob")
        ]
        assert slates[0].json()["slots"] != slates[1].json()["slots"]
    for site in (first, second):
        for who in ("ann", "bob"):
            reply = ask(site, "PUT", f"/v1/viewers/{who}/personalisation", {"on": False})
            assert (reply.status_code, reply.json()["personalised"], reply.json()["intents"]) == (
                200,
                False,
                [],
            )
    was = [known_of(one, "ann"), known_of(two, "bob")]
    for number in range(20):
        at += 7 * MINUTE
        replies = [
            live(site, who, f"after-{number}", SCENES[number % 5], at, number)
            for site, who in ((first, "ann"), (second, "bob"))
        ]
        assert replies[0] == replies[1], number
    at += DAY
    live(first, "ann", "later", "video", at, 0)
    live(second, "bob", "later", "video", at, 0)  # by now what was shown before has closed
    assert [known_of(one, "ann"), known_of(two, "bob")] == was
    assert one.state.model.rows == two.state.model.rows > 0


def test_opting_in_begins_with_nothing(
    engines: tuple[tuple[Fieldline, Site], tuple[Fieldline, Site]],
) -> None:
    """Opted in again there is no intent and nothing watched, and the next deed is noted."""
    app, site = engines[0]
    ask(site, "PUT", "/v1/viewers/ann/personalisation", {"on": False})
    reply = ask(site, "PUT", "/v1/viewers/ann/personalisation", {"on": True})
    assert (reply.json()["personalised"], reply.json()["intents"]) == (True, [])
    viewer = app.state.people.names.find("ann")
    assert (app.state.people.recent[viewer] == -1).all()
    assert app.state.people.counts[viewer].tolist() == [0.0, 0.0, 0.0]
    live(site, "ann", "again", "video", app.now() + MINUTE, 0)
    assert ask(site, "GET", "/v1/viewers/ann/intents").json()["intents"]
