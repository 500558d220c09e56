"""GET /v1/domains: what is told, for which days and whom, and what is refused."""

import asyncio

import httpx
import pytest
from tests.made import play
from tests.unit.serve.serving import client_of

from fieldline.app import Fieldline
from fieldline.contracts.horizon import day_of
from fieldline.facts import Order
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.traffic.assured import date_of


@pytest.fixture(scope="module")
def served() -> tuple[Site, int, int]:
    """A site over the played market, the day it was played and its orders."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.state, facts = play(120)
    site = site_of(app)
    site.ready = True
    return site, day_of(app.state.now), sum(isinstance(fact, Order) for fact in facts)


def get(site: Site, path: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client_of(site) as client:
            return await client.get(path)

    return asyncio.run(send())


def test_the_report_is_told(served: tuple[Site, int, int]) -> None:
    """Without a period it is of the days that are kept, and its orders are those of the log."""
    site, today, orders = served
    reply = get(site, "/v1/domains").json()
    assert (reply["first"], reply["last"]) == (date_of(today - 29), date_of(today))
    assert [of["domain"] for of in reply["total"]] == ["public", "private", "circle", "channel", "none"]
    assert sum(of["orders"] for of in reply["total"]) == orders > 0
    assert sum(tier["creators"] for tier in reply["tiers"]) == 6
    assert sum(journey["orders"] for journey in reply["journeys"]) == orders


def test_merchants_share_the_whole(served: tuple[Site, int, int]) -> None:
    """The orders of the merchants, each asked for alone, sum to all, and nothing of others is told beside them."""
    site, today, orders = served
    replies = [get(site, f"/v1/domains?merchant=merchant-{i}").json() for i in range(4)]
    assert sum(of["orders"] for reply in replies for of in reply["total"]) == orders
    assert all(not reply[part] for reply in replies for part in ("channels", "circles", "segments", "tiers"))
    shown = [get(site, f"/v1/domains?creator=creator-{i}").json() for i in range(6)]
    of_creators = sum(of["impressions"] for reply in shown for of in reply["total"])
    cards = sum(of["impressions"] for of in get(site, "/v1/domains").json()["total"]) - of_creators
    assert of_creators > 0 and cards > 0 and all(reply["journeys"] == [] for reply in shown)
    empty = get(site, f"/v1/domains?from={date_of(today - 9)}&to={date_of(today - 5)}").json()
    assert empty["days"] == [] and sum(of["impressions"] for of in empty["total"]) == 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("from=2026-02-30", "from"),
        ("to=yesterday", "to"),
        ("from=2026-02-02&to=2026-02-01", "to"),
        ("merchant=nobody", "merchant"),
        ("creator=nobody", "creator"),
        ("merchant=merchant-1&creator=creator-1", "creator"),
    ],
)
def test_what_cannot_be_reported_is_refused(served: tuple[Site, int, int], asked: str, field: str) -> None:
    """A day that is none, a period the wrong way round and an unknown merchant are refused by name."""
    reply = get(served[0], f"/v1/domains?{asked}")
    assert reply.status_code == 422
    assert field in [error["field"] for error in reply.json()["errors"]]
