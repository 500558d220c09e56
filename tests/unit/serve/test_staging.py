"""Live rooms' plans and audiences over HTTP."""

import json

import httpx
import pytest
from tests.made import START, catalogue
from tests.unit.serve.test_admin import JSON, ask, fields

from fieldline import engine
from fieldline.app import Fieldline
from fieldline.facts import LiveRoom
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import MINUTE, YUAN, Instant

PLAN = "/v1/rooms/room-1/plan"


@pytest.fixture
def app() -> Fieldline:
    """Return an engine with the made market and a live room."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.begin(Instant(START))
    for entry in (*catalogue(), LiveRoom("room-1", "creator-1")):
        app.upsert([entry])
    return app


@pytest.fixture
def site(app: Fieldline) -> Site:
    """Return the whole site over that engine."""
    site = site_of(app)
    site.ready = True
    return site


def send(site: Site, method: str, path: str, body: object) -> httpx.Response:
    return ask(site, method, path, json.dumps(body).encode(), JSON)


def offer(product: str = "product-1", minutes: int = 5, **rest: int) -> dict[str, object]:
    return {"product": product, "starts_at": START + minutes * MINUTE, **rest}


def test_a_plan_is_told_as_it_stands(site: Site) -> None:
    """A room without a plan has version 0; each offer is told with where it stands and who would still be there."""
    assert ask(site, "GET", PLAN).json()["version"] == 0
    offers = [
        offer("product-1", 5),
        offer("product-2", 30, price=9 * YUAN),
        offer("product-3", -5),
        offer("product-4", -5, ends_at=START + MINUTE),
    ]
    told = send(site, "PUT", PLAN, {"offers": offers}).json()
    assert (told["room"], told["version"], told["at"]) == ("room-1", 1, START)
    assert [one["status"] for one in told["offers"]] == ["due", "waiting", "over", "on"]
    assert [one["still_there"] for one in told["offers"]] == [0.1889, 0.0357, 1.0, 1.0]
    assert told["offers"][1]["price"] == 9 * YUAN
    assert ask(site, "GET", PLAN).json() == told


def test_an_edit_of_an_older_plan_is_a_conflict(app: Fieldline, site: Site) -> None:
    """Two who plan over version 0: the second is told so and nothing changed; without a version the last one stands."""
    assert send(site, "PUT", PLAN, {"offers": [offer()], "version": 0}).status_code == 200
    before = engine.encode(app.state)
    late = send(site, "PUT", PLAN, {"offers": [], "version": 0})
    assert (late.status_code, fields(late)) == (409, ["version"])
    assert engine.encode(app.state) == before
    assert send(site, "PUT", PLAN, {"offers": []}).json()["version"] == 2
    lines = app.records.audit("room:room-1")
    assert [len(line["after"]) for line in lines] == [1, 0]


def test_a_room_is_planned_by_its_host_and_its_merchant_alone(app: Fieldline, site: Site) -> None:
    """Anybody else is refused, also an audience, and nothing changed; the host's plan stands."""
    before = engine.encode(app.state)
    for path, method in ((PLAN, "PUT"), ("/v1/rooms/room-1/audience", "POST")):
        body = json.dumps({"offers": []} if method == "PUT" else {}).encode()
        who = JSON | {"x-fieldline-user": "somebody"}
        assert ask(site, method, path, body, who).status_code == 403
    assert engine.encode(app.state) == before
    who = JSON | {"x-fieldline-user": "creator-1"}
    assert ask(site, "PUT", PLAN, json.dumps({"offers": [offer()]}).encode(), who).json()["version"] == 1


BAD = {
    "an unknown room": ("/v1/rooms/none/plan", {"offers": []}, 404, ["id"]),
    "an unknown product": (PLAN, {"offers": [offer("none")]}, 422, ["offers[0].product"]),
    "an end before its start": (PLAN, {"offers": [offer(ends_at=START)]}, 422, ["offers[0].ends_at"]),
    "an unknown field": (PLAN, {"offers": [offer(colour=1)]}, 422, ["offers[0].colour"]),
    "a negative price": (PLAN, {"offers": [offer(price=-1)]}, 422, ["offers[0].price"]),
    "too many": (PLAN, {"offers": [offer(minutes=n) for n in range(501)]}, 422, ["offers"]),
}


@pytest.mark.parametrize(("path", "body", "status", "named"), BAD.values(), ids=BAD)
def test_a_plan_that_cannot_be_is_refused(
    app: Fieldline, site: Site, path: str, body: object, status: int, named: list[str]
) -> None:
    """The field is named, and nothing changed."""
    before = engine.encode(app.state)
    response = send(site, "PUT", path, body)
    assert (response.status_code, fields(response)) == (status, named)
    assert engine.encode(app.state) == before


def test_audiences_are_of_the_plan_or_of_what_is_named(site: Site) -> None:
    """Without products those of the plan that are not over are told, each once; with some, those."""
    offers = [offer("product-1", 5), offer("product-1", 20), offer("product-2", -5)]
    send(site, "PUT", PLAN, {"offers": offers})
    told = send(site, "POST", "/v1/rooms/room-1/audience", {}).json()
    assert [one["product"] for one in told["audiences"]] == ["product-1"]
    assert (told["room"], told["least"]) == ("room-1", 20)
    named = send(site, "POST", "/v1/rooms/room-1/audience", {"products": ["product-3", "product-4"]}).json()
    assert [[one["product"] for one in of["overlap"]] for of in named["audiences"]] == [
        ["product-4"],
        ["product-3"],
    ]


@pytest.mark.parametrize("products", [["none"], ["product-1", "product-1"]])
def test_audiences_of_what_is_not_there_are_refused(site: Site, products: list[str]) -> None:
    """An unknown product and one named twice are told by their places."""
    response = send(site, "POST", "/v1/rooms/room-1/audience", {"products": products})
    assert fields(response) == [f"products[{len(products) - 1}]"]
    assert send(site, "POST", "/v1/rooms/video-1/audience", {}).status_code == 404
