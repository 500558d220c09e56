"""Trust over HTTP: the index and its advice, appeals and rulings with their audit, and the page."""

import json

import httpx
import pytest
from tests import town
from tests.unit.serve.test_admin import JSON, ask, fields
from tests.unit.serve.test_viewers import FORM

from fieldline.app import Fieldline
from fieldline.facts import Product, Refund
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import DAY, YUAN, Instant

EVIL = "<script>alert('x')</script> ignore all rules"


@pytest.fixture(scope="module")
def settled() -> bytes:
    """The made town, settled."""
    return town.settled()


@pytest.fixture
def app(settled: bytes) -> Fieldline:
    """Return an engine of the made town, with a product of shop-21 that was refused."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.begin(Instant(town.START))
    app.state = town.after(settled)
    app.upsert([Product("refused", "shop-21", 50 * YUAN, 5, title=EVIL, approved=False)])
    return app


@pytest.fixture
def site(app: Fieldline) -> Site:
    """Return the whole site over that engine."""
    site = site_of(app)
    site.ready = True
    return site


def post(site: Site, path: str, body: object, by: str = "shop-21") -> httpx.Response:
    return ask(site, "POST", path, json.dumps(body).encode(), JSON | {"x-fieldline-user": by})


APPEAL = {"id": "a1", "by": "shop-21", "kind": "item", "about": "refused", "reason": EVIL}


def test_an_index_is_told_with_all_that_it_is_made_of(site: Site) -> None:
    """A bad shop: below its trade, four dimensions whose weights sum to 1, bands that sum to 1, advice with a gain."""
    told = ask(site, "GET", "/v1/merchants/shop-21/trust").json()
    assert (told["merchant"], told["trade"], told["band"]) == ("shop-21", "shoes", "below")
    assert 0.0 < told["trust"] < 0.4
    assert [of["name"] for of in told["dimensions"]] == ["quality", "service", "content", "repeat"]
    assert sum(of["weight"] for of in told["dimensions"]) == pytest.approx(1.0)
    assert sum(told["bands"].values()) == pytest.approx(1.0, abs=1e-3)
    advice = told["advice"][0]
    assert advice["gain"] > 0.0
    assert advice["score_gain"] > 0.0
    assert advice["value"] < advice["peers"]


def test_a_merchant_that_mends_one_dimension_rises(app: Fieldline, site: Site) -> None:
    """What advice says of the gain is what the index gains when the refunds of its known orders go out on appeal."""
    path = "/v1/merchants/shop-21/trust"
    before = ask(site, "GET", path).json()
    known = app.state.trust.evidence
    refunds = [
        id for deal in known.deals.values() if known.shops.ids[deal.shop] == "shop-21" for id in deal.refunds
    ]
    for number, refund in enumerate(refunds):
        asked = {"id": f"r{number}", "by": "shop-21", "kind": "refund", "about": refund, "reason": "?"}
        assert post(site, "/v1/appeals", asked).status_code == 201
        assert post(site, f"/v1/appeals/r{number}/ruling", {"upheld": True}, "local").status_code == 200
    app.pass_time(Instant(app.now() + DAY // 24))
    after = ask(site, "GET", path).json()
    assert after["trust"] > before["trust"]
    assert after["dimensions"][0]["score"] > before["dimensions"][0]["score"]
    assert after["dimensions"][1]["score"] == pytest.approx(before["dimensions"][1]["score"], abs=0.02)


def test_a_refused_item_is_restored_on_appeal_and_audited(app: Fieldline, site: Site) -> None:
    """The appeal is open, then upheld; state and records have the item approved; the audit names both persons."""
    made = post(site, "/v1/appeals", APPEAL)
    assert (made.status_code, made.json()["status"]) == (201, "open")
    ruled = post(site, "/v1/appeals/a1/ruling", {"upheld": True, "reason": "it was fine"}, "local")
    assert (ruled.json()["status"], ruled.json()["ruling"]) == ("upheld", "it was fine")
    assert ask(site, "GET", "/v1/products/refused").json()["approved"] is True
    assert app.state.goods.products["refused"].approved
    assert [line["by"] for line in app.records.audit("appeal:a1")] == ["shop-21", "local"]
    listed = ask(site, "GET", "/v1/appeals?by=shop-21").json()["items"]
    assert [case["id"] for case in listed] == ["a1"]
    assert ask(site, "GET", "/v1/appeals?by=shop-2").json()["items"] == []
    assert ask(site, "GET", "/v1/appeals/a1").json() == listed[0]


BAD: dict[str, tuple[str, object, str, int, list[str]]] = {
    "another's item": ("/v1/appeals", APPEAL | {"by": "shop-2"}, "shop-2", 422, ["by"]),
    "nothing of the kind": ("/v1/appeals", APPEAL | {"about": "none"}, "shop-21", 422, ["about"]),
    "an unknown kind": ("/v1/appeals", APPEAL | {"kind": "price"}, "shop-21", 422, ["kind"]),
    "no reason": ("/v1/appeals", APPEAL | {"reason": ""}, "shop-21", 422, ["reason"]),
    "50,000 characters": ("/v1/appeals", APPEAL | {"reason": "x" * 50_000}, "shop-21", 422, ["reason"]),
    "another field": ("/v1/appeals", APPEAL | {"upheld": True}, "shop-21", 422, ["upheld"]),
    "no such appeal": ("/v1/appeals/none/ruling", {"upheld": True}, "local", 404, ["id"]),
    "no ruling": ("/v1/appeals/open/ruling", {}, "local", 422, ["upheld"]),
    "one's own appeal": ("/v1/appeals/open/ruling", {"upheld": True}, "shop-21", 403, ["x-fieldline-user"]),
    "ruling as a merchant": (
        "/v1/appeals/open/ruling",
        {"upheld": True},
        "shop-2",
        403,
        ["x-fieldline-user"],
    ),
    "in another's name": ("/v1/appeals", APPEAL, "shop-2", 403, ["x-fieldline-user"]),
}


@pytest.mark.parametrize(("path", "body", "by", "status", "named"), BAD.values(), ids=BAD)
def test_what_is_not_taken_changes_nothing(
    app: Fieldline, site: Site, path: str, body: object, by: str, status: int, named: list[str]
) -> None:
    """It is refused by its field, and the log has no word of it."""
    if "open" in path:
        assert post(site, "/v1/appeals", APPEAL | {"id": "open"}).status_code == 201
    end = app.log.end
    reply = post(site, path, body, by)
    assert (reply.status_code, fields(reply)) == (status, named)
    assert app.log.end == end


def test_an_unknown_merchant_has_no_trust(site: Site) -> None:
    """Both the route and the page answer 404."""
    assert ask(site, "GET", "/v1/merchants/nobody/trust").status_code == 404
    assert ask(site, "GET", "/merchants/nobody/trust").status_code == 404


def test_events_of_service_are_taken_with_the_others(app: Fieldline, site: Site) -> None:
    """An order, its delivery, review, reply and a dialogue come in one batch; half a review refuses all of it."""
    at = app.now()
    events: list[dict[str, object]] = [
        {"type": "order", "id": "n", "at": at, "viewer": "buyer-1", "product": "goods-2", "amount": 1},
        {"type": "delivery", "id": "n1", "at": at, "order": "n", "promised": at},
        {"type": "review", "id": "n2", "at": at, "order": "n", "stars": 5, "text": EVIL},
        {"type": "reply", "id": "n3", "at": at, "review": "n2", "text": "谢谢"},
        {"type": "dialogue", "id": "n4", "at": at, "viewer": "buyer-1", "merchant": "shop-2", "waited_ms": 9},
    ]
    bad = post(site, "/v1/events", {"events": [*events, events[2] | {"id": "n5", "stars": 6}]})
    assert (bad.status_code, fields(bad)) == (422, ["events[5].stars"])
    assert post(site, "/v1/events", {"events": events}).json()["accepted"] == 5
    assert app.state.trust.evidence.deals["n"].stars == 5


def test_appeals_are_told_to_the_operator_and_to_who_made_them(app: Fieldline, site: Site) -> None:
    """Another merchant reads none: not one, not all, not on the page, and rules on nothing there."""
    assert post(site, "/v1/appeals", APPEAL).status_code == 201
    for by, status in (("shop-21", 200), ("local", 200), ("shop-2", 403)):
        who = {"x-fieldline-user": by}
        assert ask(site, "GET", "/v1/appeals/a1", b"", who).status_code == status
        assert ask(site, "GET", "/v1/appeals?by=shop-21", b"", who).status_code == status
        shown = ask(site, "GET", "/merchants/shop-21/trust", b"", who).text
        assert ("a1" in shown or APPEAL["reason"] in shown) is (status == 200)
    form = FORM | {"x-fieldline-user": "shop-21"}
    assert ask(site, "POST", "/merchants/shop-21/trust/uphold", b"appeal=a1", form).status_code == 403
    assert app.state.trust.appeals.cases["a1"].status == "open"


def test_the_page_shows_and_takes_an_appeal(app: Fieldline, site: Site) -> None:
    """In both languages, markup as text; its form makes an appeal, a wrong id comes back with the field at fault."""
    for lang, word in (("en", "Slightly below"), ("zh", "略低")):
        page = ask(site, "GET", f"/merchants/shop-21/trust?lang={lang}")
        assert page.status_code == 200
        assert word in page.text
    path = "/merchants/shop-21/trust"
    form = httpx.QueryParams({"kind": "item", "about": "refused", "reason": EVIL, "lang": "zh"})
    made = ask(site, "POST", f"{path}/appeal", str(form).encode(), FORM)
    assert (made.status_code, made.headers["location"]) == (303, "/merchants/shop-21/trust?lang=zh")
    shown = ask(site, "GET", path).text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown
    again = ask(site, "POST", f"{path}/appeal", str(form).encode(), FORM)
    assert (again.status_code, "about" in again.text) == (422, True)
    ruled = ask(site, "POST", f"{path}/uphold", b"appeal=appeal-1&lang=en", FORM)
    assert ruled.status_code == 303
    assert app.state.goods.products["refused"].approved


def test_a_late_refund_lowers_what_is_told(app: Fieldline, site: Site) -> None:
    """One more refund and a tick: the index that is told is lower."""
    before = ask(site, "GET", "/v1/merchants/shop-3/trust").json()["trust"]
    known = app.state.trust.evidence
    found = [
        id for id, deal in known.deals.items() if known.shops.ids[deal.shop] == "shop-3" and not deal.refunds
    ]
    app.record([Refund(f"late-{id}", app.now(), id, 50 * YUAN) for id in found[:5]])
    app.pass_time(Instant(app.now() + DAY // 24))
    assert ask(site, "GET", "/v1/merchants/shop-3/trust").json()["trust"] < before
