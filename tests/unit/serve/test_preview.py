"""The operator's trade-off over HTTP: what dials would do, told before one is set, and the page of them."""

import asyncio
import html
import json
from urllib.parse import quote

import msgspec
import pytest
from tests import made
from tests.unit.serve.played import JSON, ask, played, site
from tests.unit.serve.serving import client_of

from fieldline import engine
from fieldline.app import Fieldline
from fieldline.serve.hot import Site
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import DAY, Instant

PATH = "/v1/policy/preview"


@pytest.fixture(scope="module")
def app() -> Fieldline:
    """An application that decided ninety requests."""
    return played(90)


@pytest.fixture(scope="module")
def over(app: Fieldline) -> Site:
    """The site over it."""
    return site(app)


def fields(reply: object) -> list[str]:
    return [fault["field"] for fault in reply.json()["errors"]]  # type: ignore[attr-defined]


def test_a_preview_tells_every_figure_and_changes_nothing(app: Fieldline, over: Site) -> None:
    """Both ways to name dials give one answer, marked as predicted; state, log and policy stay to the bit."""
    before, end = engine.encode(app.state), app.log.end
    one = ask(over, "GET", f"{PATH}?dial=trust_weight&value=0.9&dial=gini&value=0.3")
    same = ask(over, "GET", f"{PATH}?set=trust_weight:0.9&set=gini:0.3")
    assert (one.status_code, one.json()) == (200, same.json())
    told = one.json()
    assert (told["basis"], told["requests"], told["viewers"]) == ("predicted", 90, 30)
    assert [change["dial"] for change in told["changes"]] == ["trust_weight", "gini"]
    assert [settled["dial"] for settled in told["settled"]] == ["gini"]
    assert {figure["name"] for figure in told["figures"]} >= {"viewer_value", "gmv", "revenue", "gini"}
    assert told["moved_looks"] > 0.0
    assert (engine.encode(app.state), app.log.end) == (before, end)


def planned(**more: object) -> str:
    """A pool's terms, as a query has them."""
    terms = {
        "name": "p",
        "looks": 30,
        "merchants": ["merchant-3"],
        "start": made.START,
        "end": made.START + DAY,
    }
    return quote(json.dumps(terms | more))


REFUSED: dict[str, tuple[str, int, list[str]]] = {
    "nothing asked": ("", 422, ["dial"]),
    "an unknown dial": ("dial=shine&value=1", 422, ["dial"]),
    "a dial that acts on no slate": ("dial=tick_ms&value=1000", 422, ["dial"]),
    "no number": ("dial=gini&value=much", 422, ["gini"]),
    "not finite": ("dial=ad_price&value=NaN", 422, ["ad_price"]),
    "out of range": ("dial=gini&value=0.99", 422, ["gini"]),
    "out of range, inside": ("set=earned.cap:9", 422, ["earned.cap"]),
    "off that cannot be": ("dial=ad_price&value=off", 422, ["ad_price"]),
    "weights that sum to more": ("set=trust_weights.quality:0.9", 422, ["trust_weights"]),
    "twice": ("set=gini:0.6&set=gini:0.5", 422, ["gini"]),
    "without its value": ("dial=gini", 422, ["value"]),
    "without a colon": ("set=gini", 422, ["set"]),
    "a share above one": ("set=mixes.video.private:1.5", 422, ["mixes.video.private"]),
    "a domain without a mix": ("set=mixes.video.public:0.5", 422, ["dial"]),
    "a scene that is none": ("set=mixes.moon.private:0.5", 422, ["dial"]),
    "a pool that is none": ("set=pools.gold.looks:5", 422, ["dial"]),
    "a pool that is no JSON": ("pool=much", 422, ["pool"]),
    "a pool for nobody": (f"pool={planned(merchants=[])}", 422, ["pool.merchants"]),
    "a pool for strangers": (f"pool={planned(merchants=['x'])}", 422, ["pool.merchants[0]"]),
    "a pool of no looks": (f"pool={planned(looks=0)}", 422, ["pool.looks"]),
    "a pool that ends first": (f"pool={planned(end=made.START - 1)}", 422, ["pool.end"]),
    "a pool that matches": (
        f"pool={planned(matching={'looks_per_yuan': 1, 'member_looks': 2})}",
        422,
        ["pool.matching"],
    ),
    "too many": ("&".join(["set=gini:0.6"] * 9), 422, ["set"]),
}


@pytest.mark.parametrize(("query", "status", "named"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_by_its_field(
    app: Fieldline, over: Site, query: str, status: int, named: list[str]
) -> None:
    """The reply names the dial or parameter at fault, and nothing was changed."""
    before, end = engine.encode(app.state), app.log.end
    reply = ask(over, "GET", f"{PATH}?{query}")
    assert (reply.status_code, fields(reply)) == (status, named)
    assert (engine.encode(app.state), app.log.end) == (before, end)


def test_a_mix_and_a_pool_are_told_beside_each_other(app: Fieldline, over: Site) -> None:
    """Both have their price, their figure and their exchange, and nothing was changed."""
    before, end = engine.encode(app.state), app.log.end
    told = ask(over, "GET", f"{PATH}?set=mixes.video.private:0.3&pool={planned()}").json()
    assert [change["dial"] for change in told["changes"]] == ["mixes.video.private", "pool"]
    assert {settled["dial"] for settled in told["settled"]} == {"mixes.video.private", "pool"}
    assert {figure["name"] for figure in told["figures"]} >= {"private_share", "pool_looks"}
    assert [rate["buys"] for rate in told["exchange"]] == ["domain_share", "pool_looks"]
    assert (engine.encode(app.state), app.log.end) == (before, end)


def test_a_preview_is_for_the_operator(over: Site) -> None:
    """A merchant sees neither the answer nor the page."""
    merchant = JSON | {"x-fieldline-user": "merchant-1"}
    for path in (f"{PATH}?set=gini:0.6", "/policy"):
        assert ask(over, "GET", path, headers=merchant).status_code == 403


def test_there_must_be_a_request() -> None:
    """An engine that decided nothing yet answers 409 and says so."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:"),
        policy=made.POLICY,
    )  # fmt: skip
    app.begin(Instant(made.START))
    reply = ask(site(app), "GET", f"{PATH}?set=gini:0.6")
    assert (reply.status_code, fields(reply)) == (409, ["requests"])


def test_one_preview_is_made_at_a_time(over: Site) -> None:
    """Of two that come together one is answered, the other told to come again; then the next one is answered."""

    async def send() -> list[int]:
        async with client_of(over) as client:
            replies = await asyncio.gather(*[client.get(f"{PATH}?set=gini:0.6") for _ in range(2)])
            replies.append(await client.get(f"{PATH}?set=gini:0.6"))
            return [reply.status_code for reply in replies]

    assert asyncio.run(send()) == [200, 503, 200]


def test_decisions_go_on_while_a_preview_is_made(over: Site) -> None:
    """A request that comes after a preview began is answered before it ends."""
    done = list[str]()

    async def send() -> None:
        async with client_of(over) as client:

            async def get(path: str) -> None:
                await client.get(path)
                done.append(path)

            await asyncio.gather(get(f"{PATH}?set=gini:0.3"), get("/healthz"))

    asyncio.run(send())
    assert done[0] == "/healthz"


def test_a_policy_set_meanwhile_ends_the_preview(app: Fieldline) -> None:
    """It answers 409 rather than comparing with dials that are no longer today's."""
    over, dials = site(app), msgspec.json.decode(msgspec.json.encode(app.policy()))

    async def send() -> list[int]:
        async with client_of(over) as client:
            asked = client.get(f"{PATH}?set=gini:0.3")
            put = client.put("/v1/policy", json=dials | {"ad_gap": 3})
            return [reply.status_code for reply in await asyncio.gather(asked, put)]

    assert asyncio.run(send()) == [409, 200]
    assert ask(over, "PUT", "/v1/policy", dials).status_code == 200


def test_the_page_shows_dials_and_their_preview(over: Site) -> None:
    """In both languages it has every dial; with one typed in, today, changed and difference; markup stays text."""
    for lang, word, predicted in (
        ("en", "Dials and their prices", "predicted by"),
        ("zh", "策略旋钮", "模型预测"),
    ):
        plain = html.unescape(ask(over, "GET", f"/policy?lang={lang}").text)
        assert word in plain
        assert predicted not in plain
        asked = "dial=trust_weight&value=0.9&dial=gini&value=&dial=gini&value="
        page = ask(over, "GET", f"/policy?lang={lang}&{asked}")
        assert (page.status_code, predicted in page.text) == (200, True)
    pool = ask(over, "GET", "/policy?lang=en&pool_looks=20&pool_hours=6&pool_whose=merchant-3,creator-1").text
    assert "A new pool" in html.unescape(pool)
    assert "Looks at the pool" in pool
    nobody = ask(over, "GET", "/policy?lang=en&pool_looks=20&pool_hours=6&pool_whose=<b>")
    assert (nobody.status_code, "<b>" in nobody.text) == (422, False)
    wrong = ask(over, "GET", "/policy?dial=gini&value=<script>alert(1)</script>")
    assert wrong.status_code == 422
    assert "<script>alert" not in wrong.text
