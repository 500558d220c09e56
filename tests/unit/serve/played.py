"""A made market in memory, played for some hours through the application itself."""

import asyncio
import json

import httpx
import msgspec
from tests import made
from tests.unit.serve.serving import client_of

from fieldline.app import Fieldline
from fieldline.facts import Behaviour, Request, Wish
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import DAY, MINUTE, YUAN, Instant

JSON = {"content-type": "application/json"}
POLICY = msgspec.structs.replace(made.POLICY, first_ad=0, ad_gap=0, ad_load=0.5)
ADS = {
    "merchant": "merchant-2",
    "budget": 300 * YUAN,
    "goal": 0.5,
    "start": made.START,
    "end": made.START + 3 * DAY,
    "holdout": 0.2,
    "units": [{"id": "first", "items": ["product-2"]}, {"id": "all"}],
}


def played(requests: int = 150) -> Fieldline:
    """Return an application in which three campaigns and a cold start ran."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:"),
        policy=POLICY,
    )  # fmt: skip
    app.begin(Instant(made.START))
    for entry in made.catalogue():
        app.upsert([entry])
    for asked in made.wishes():
        put(app, asked)
    put(app, made.wish("ads", "ads_roi", "merchant-2", ADS))
    for number in range(requests):
        scene = ("video", "follow", "mall")[number % 3]
        at = made.START + number * MINUTE
        decision, _ = app.decide(Request(f"request-{number}", f"viewer-{number % 30}", scene, at=at))
        app.record([answer for answer in made.answers(decision) if isinstance(answer, Behaviour)])
    return app


def put(app: Fieldline, asked: Wish) -> None:
    """Make a contract."""
    app.put_contract(asked.id, asked.offer, asked.owner, asked.terms.encode(), "lin")


def site(app: Fieldline) -> Site:
    """Return the whole site over an application."""
    made_site = site_of(app)
    made_site.ready = True
    return made_site


def ask(
    over: Site, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send one request; a body that is no bytes goes as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()

    async def send() -> httpx.Response:
        async with client_of(over) as client:
            return await client.request(method, path, content=content, headers=headers or JSON)

    return asyncio.run(send())
