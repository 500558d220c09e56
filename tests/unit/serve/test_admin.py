"""Every route that is not hot, over a real engine in memory: what is taken, what is refused, what is told."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from tests.unit.serve.serving import client_of

from fieldline.app import Fieldline
from fieldline.facts import Typed, ViewerErased, decode
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots

AT = 1_763_800_000_000
LINES = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}
TERMS = {"merchant": "m1", "budget": 50_000_000, "goal": 1.5, "start": AT, "end": AT + 86_400_000}
CONTRACT = {"id": "s1", "offer": "storewide", "owner": "m1", "terms": TERMS}


@pytest.fixture
def app() -> Fieldline:
    """Return an engine that knows one merchant, one creator and one viewer."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    site = site_of(app)
    site.ready = True
    for path, line in (("merchants", {"id": "m1"}), ("creators", {"id": "c1"}), ("viewers", {"id": "v1"})):
        assert ask(site, "POST", f"/v1/{path}", json.dumps(line).encode(), LINES).status_code == 200
    return app


@pytest.fixture
def site(app: Fieldline) -> Site:
    """Return the whole site over that engine."""
    site = site_of(app)
    site.ready = True
    return site


@pytest.fixture
def unchanged(app: Fieldline) -> Iterator[None]:
    """Check afterwards that nothing was logged."""
    end = app.log.end
    yield
    assert app.log.end == end


def ask(
    site: Site, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client_of(site) as client:
            return await client.request(method, path, content=body, headers=headers)

    return asyncio.run(send())


def fields(response: httpx.Response) -> list[str]:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return [error["field"] for error in problem["errors"]]


# ── The catalogue ───────────────────────────────────────────────────────────────────────────────────────────

PRODUCT = b'{"id":"p%d","merchant":"m1","price":1000000,"stock":5}'
BAD_LINES = {
    "no line": (b"", ["body"]),
    "no JSON": (b"price: 5", ["line 1: body"]),
    "an empty line in between": (PRODUCT % 1 + b"\n\n" + PRODUCT % 2, ["line 2: body"]),
    "an unknown field": (PRODUCT % 1 + b"\n" + PRODUCT[:-1] % 2 + b',"colour":"red"}', ["line 2: colour"]),
    "negative money": ((PRODUCT % 1).replace(b"1000000", b"-1"), ["line 1: price"]),
    "a text for money": ((PRODUCT % 1).replace(b"1000000", b'"1"'), ["line 1: price"]),
    "NaN": (PRODUCT[:-1] % 1 + b',"refund_rate":NaN}', ["line 1: refund_rate"]),
    "a share above one": (PRODUCT[:-1] % 1 + b',"refund_rate":1.1}', ["line 1: refund_rate"]),
    "broken UTF-8": (PRODUCT[:-1] % 1 + b',"title":"\xe7\x89"}', ["line 1: title"]),
    "two bad lines": (b"1\n" + PRODUCT % 1 + b"\n{}", ["line 1: body", "line 3: id"]),
    "an unknown merchant": (PRODUCT % 1 + b"\n" + (PRODUCT % 2).replace(b"m1", b"m9"), ["line 2: merchant"]),
    "another type": (b'{"type":"video","id":"p1","merchant":"m1","price":1,"stock":1}', ["line 1: type"]),
}


@pytest.mark.parametrize(("body", "named"), BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.usefixtures("unchanged")
def test_bad_lines_are_named_and_none_is_stored(site: Site, body: bytes, named: list[str]) -> None:
    """A bad line gets 422 by its number and field, and the good lines beside it are not stored either."""
    response = ask(site, "POST", "/v1/products", body, LINES)
    assert response.status_code == 422
    assert fields(response) == named
    assert ask(site, "GET", "/v1/products").json() == {"items": [], "next": None}


@pytest.mark.usefixtures("unchanged")
def test_too_many_and_too_long_lines_are_refused(site: Site) -> None:
    """Line 10,001, a line over 1 MiB and a declared 65 MiB are refused."""
    many = b"\n".join(b'{"id":"v%d"}' % number for number in range(10_001))
    assert fields(ask(site, "POST", "/v1/viewers", many, LINES)) == ["line 10001"]
    long = b'{"id":"v1","traits":["' + b"x" * (1 << 20) + b'"]}'
    assert fields(ask(site, "POST", "/v1/viewers", b"\n" + long, LINES))[-1] == "line 2"
    declared = LINES | {"content-length": str(65 << 20)}
    assert ask(site, "POST", "/v1/viewers", b"{}", declared).status_code == 413


@pytest.mark.usefixtures("unchanged")
def test_a_document_is_not_lines(site: Site) -> None:
    """A catalogue sent as another media type than JSON Lines gets 415."""
    response = ask(site, "POST", "/v1/viewers", b'{"id":"v2"}', JSON)
    assert (response.status_code, fields(response)) == (415, ["content-type"])


def test_a_catalogue_is_read_back_page_by_page(site: Site) -> None:
    """Entries come back in the order of their ids, and `next` leads to the following page."""
    lines = b"\n".join(PRODUCT % number for number in (3, 1, 2)) + b"\n"
    assert ask(site, "POST", "/v1/products", lines, LINES).json() == {"count": 3, "version": 1}
    page = ask(site, "GET", "/v1/products?limit=2").json()
    assert ([item["id"] for item in page["items"]], page["next"]) == (["p1", "p2"], "p2")
    page = ask(site, "GET", "/v1/products?limit=2&after=p2").json()
    assert ([item["id"] for item in page["items"]], page["next"]) == (["p3"], None)
    assert ask(site, "GET", "/v1/products/p3").json()["price"] == 1_000_000
    assert fields(ask(site, "GET", "/v1/products/p9")) == ["id"]
    assert fields(ask(site, "GET", "/v1/products?limit=0")) == ["limit"]


def test_an_id_may_hold_a_slash(site: Site) -> None:
    """An id with a slash is stored, read and forgotten under its own name."""
    assert ask(site, "POST", "/v1/viewers", b'{"id":"shop/42"}', LINES).status_code == 200
    assert ask(site, "GET", "/v1/viewers/shop%2F42").json()["id"] == "shop/42"
    assert ask(site, "DELETE", "/v1/viewers/shop%2F42").status_code == 204


def test_a_viewer_is_forgotten_once(site: Site, app: Fieldline) -> None:
    """A deleted viewer cannot be read and is decided for as a stranger, whose slates a second deletion forgets."""
    assert ask(site, "DELETE", "/v1/viewers/v1").status_code == 204
    assert ask(site, "GET", "/v1/viewers/v1").status_code == 404
    body = b'{"id":"r1","viewer":"v1","scene":"video"}'
    assert ask(site, "POST", "/v1/decide", body, JSON).status_code == 200
    assert app.recent(1)[0].id == "r1"
    end = app.log.end
    assert ask(site, "DELETE", "/v1/viewers/v1").status_code == 204
    assert app.recent(1) == []
    assert [type(decode(payload)) for _, payload in app.log.read(end)] == [ViewerErased, Typed]


# ── Contracts ───────────────────────────────────────────────────────────────────────────────────────────────


def contract(**changes: object) -> bytes:
    return json.dumps(CONTRACT | changes).encode()


BAD_CONTRACTS = {
    "no JSON": (b"{", "body"),
    "an unknown field": (contract(colour="red"), "colour"),
    "no owner": (b'{"id":"s1","offer":"storewide","terms":{}}', "owner"),
    "an unknown offer": (contract(offer="miracle"), "offer"),
    "terms that are no object": (contract(terms=5), "terms"),
    "a negative budget": (contract(terms=TERMS | {"budget": -1}), "terms.budget"),
    "a text for a budget": (contract(terms=TERMS | {"budget": "1"}), "terms.budget"),
    "an end before the start": (contract(terms=TERMS | {"end": AT - 1}), "terms.end"),
    "an unknown merchant": (contract(terms=TERMS | {"merchant": "m9"}), "terms.merchant"),
    "NaN": (contract(terms=TERMS | {"goal": float("nan")}), "terms.goal"),
    "broken UTF-8": (contract(owner="m?").replace(b"m?", b"m\xff"), "owner"),
}


@pytest.mark.parametrize(("body", "named"), BAD_CONTRACTS.values(), ids=BAD_CONTRACTS)
@pytest.mark.usefixtures("unchanged")
def test_a_bad_contract_is_named_and_not_stored(site: Site, body: bytes, named: str) -> None:
    """A contract that its offer does not take gets 422 by field and leaves no trace."""
    response = ask(site, "POST", "/v1/contracts", body, JSON)
    assert (response.status_code, fields(response)) == (422, [named])
    assert ask(site, "GET", "/v1/contracts").json() == {"items": [], "next": None}


def test_a_contract_is_made_edited_paused_and_resumed(site: Site, app: Fieldline) -> None:
    """A contract's version counts its edits, and an edit against an older version conflicts."""
    made = ask(site, "POST", "/v1/contracts", contract(), JSON | {"x-fieldline-user": "lin"})
    assert (made.status_code, made.json()["version"], made.json()["paused"]) == (201, 1, False)
    assert ask(site, "POST", "/v1/contracts", contract(), JSON).status_code == 409
    edit = json.dumps({"version": 1, "terms": TERMS | {"budget": 60_000_000}}).encode()
    assert ask(site, "PATCH", "/v1/contracts/s1", edit, JSON).json()["version"] == 2
    end = app.log.end
    late = ask(site, "PATCH", "/v1/contracts/s1", edit, JSON)
    assert (late.status_code, fields(late)) == (409, ["version"])
    assert app.log.end == end
    assert ask(site, "POST", "/v1/contracts/s1/pause").json()["paused"] is True
    assert ask(site, "GET", "/v1/contracts/s1").json()["paused"] is True
    assert ask(site, "POST", "/v1/contracts/s1/resume").json()["paused"] is False
    assert ask(site, "GET", "/v1/contracts").json()["items"][0]["terms"]["budget"] == 60_000_000
    assert [line["by"] for line in app.records.audit("wish:s1")] == ["lin", "local", "local", "local"]


@pytest.mark.usefixtures("unchanged")
def test_a_contract_that_is_not_there_is_not_found(site: Site) -> None:
    """Reading, editing or pausing an unknown contract gets 404."""
    edit = json.dumps({"version": 1, "terms": TERMS}).encode()
    for method, path, body in (
        ("GET", "", b""),
        ("PATCH", "", edit),
        ("POST", "/pause", b""),
        ("POST", "/resume", b""),
    ):
        response = ask(site, method, f"/v1/contracts/s9{path}", body, JSON)
        assert (response.status_code, fields(response)) == (404, ["id"])


@pytest.mark.usefixtures("unchanged")
def test_a_user_must_have_a_name(site: Site) -> None:
    """An empty or overlong X-Fieldline-User is refused before anything is written."""
    for name in ("", "x" * 129):
        response = ask(site, "POST", "/v1/contracts", contract(), JSON | {"x-fieldline-user": name})
        assert (response.status_code, fields(response)) == (422, ["x-fieldline-user"])


# ── Policy, decisions, system ───────────────────────────────────────────────────────────────────────────────


def test_a_policy_is_set_whole(site: Site) -> None:
    """What is put is what is read, beside the time at which it was set."""
    policy = ask(site, "GET", "/v1/policy").json()
    put = ask(site, "PUT", "/v1/policy", json.dumps(policy | {"ad_load": 0.5}).encode(), JSON)
    assert put.json() | {"at": 0} == policy | {"ad_load": 0.5, "at": 0}
    assert ask(site, "GET", "/v1/policy").json() == put.json()


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ad_load": 1.5}, "ad_load"),
        ({"ad_lode": 0.5}, "ad_lode"),
        ({"ad_price": "x"}, "ad_price"),
        ({"scenes": []}, "scenes"),
    ],
    ids=["range", "name", "type", "scenes"],
)
def test_a_bad_policy_is_refused(site: Site, change: dict[str, object], named: str) -> None:
    """A dial out of its range, of another type or of no such name is refused and the policy stays."""
    policy = ask(site, "GET", "/v1/policy").json()
    response = ask(site, "PUT", "/v1/policy", json.dumps(policy | change).encode(), JSON)
    assert (response.status_code, fields(response)) == (422, [named])
    assert ask(site, "GET", "/v1/policy").json() == policy


@pytest.mark.usefixtures("unchanged")
def test_what_is_not_there_is_told_as_a_problem(site: Site) -> None:
    """Unknown paths get 404, other methods 405 with Allow, an unknown decision 404, as API and as page."""
    assert ask(site, "GET", "/v1/nothing").json()["type"] == "urn:fieldline:problem:unknown"
    wrong = ask(site, "DELETE", "/v1/policy")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, PUT")
    assert wrong.headers["content-type"] == "application/problem+json"
    for path in ("/v1/decisions/none", "/decisions/none"):
        assert (ask(site, "GET", path).status_code, fields(ask(site, "GET", path))) == (404, ["id"])


@pytest.mark.usefixtures("unchanged")
def test_only_health_and_metrics_answer_before_the_kernels_are_warm(site: Site) -> None:
    """Before it is ready the site lives but answers nothing else."""
    site.ready = False
    codes = {
        path: ask(site, "GET", path).status_code
        for path in ("/healthz", "/metrics", "/readyz", "/", "/v1/policy")
    }
    assert codes == {"/healthz": 200, "/metrics": 200, "/readyz": 503, "/": 503, "/v1/policy": 503}
    site.ready = True
    assert ask(site, "GET", "/readyz").status_code == 200


@pytest.mark.usefixtures("unchanged")
def test_a_fault_inside_is_told_without_its_inside(
    site: Site, app: Fieldline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error gets 500 as problem+json without its text, and the next request is answered."""

    def broken() -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(app, "policy", broken)
    response = ask(site, "GET", "/v1/policy")
    assert response.status_code == 500
    assert fields(response) == []
    assert "secret" not in response.text
    assert ask(site, "GET", "/v1/contracts").status_code == 200


def test_metrics_count_what_was_answered(site: Site) -> None:
    """The metrics hold each route's answers by status, under Prometheus' names."""
    ask(site, "POST", "/v1/decide", b"{}", JSON)
    ask(site, "POST", "/v1/events", b'{"events":[]}', JSON)
    text = ask(site, "GET", "/metrics").text
    assert 'fieldline_http_requests_total{route="/v1/decide",status="422"} 1.0' in text
    assert 'fieldline_http_requests_total{route="/v1/events",status="200"} 1.0' in text
    assert 'fieldline_events_seconds_bucket{le="+Inf"} 1.0' in text
    assert 'fieldline_events_total{kind="accepted"} 0.0' in text
    assert "fieldline_in_flight 0.0" in text


def test_reliability_is_told_of_every_task(site: Site) -> None:
    """Each of the seven tasks is there, and before a tick has counted anything none has bins with looks."""
    tasks = ask(site, "GET", "/v1/models/reliability").json()["tasks"]
    assert [task["task"] for task in tasks] == [
        "click", "long_view", "order", "like", "follow", "hate", "watch",
    ]  # fmt: skip
    assert sum(of["looks"] for task in tasks for of in task["bins"]) == 0.0


def test_every_route_is_described(site: Site) -> None:
    """The OpenAPI document has the hot routes and all others, every reference in it leads somewhere."""
    document = ask(site, "GET", "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    paths = {
        f"/v1/{name}" for name in ("viewers", "creators", "merchants", "products", "videos", "live_rooms")
    }
    paths |= {f"{path}/{{id}}" for path in paths}
    ways = ("pause", "resume", "end", "report", "rois", "assurance", "learning")
    paths |= {"/v1/contracts", "/v1/contracts/{id}", "/v1/contracts/forecast", "/v1/offers", "/v1/alerts"}
    paths |= {f"/v1/contracts/{{id}}/{way}" for way in ways}
    paths |= {"/v1/contracts/{id}/terms", "/v1/searches", "/v1/domains"}
    paths |= {"/v1/rooms/{id}/plan", "/v1/rooms/{id}/audience"}
    paths |= {"/v1/merchants/{id}/voices", "/v1/items/{id}/voices"}
    paths |= {f"/v1/policy/{name}" for name in ("organic", "inclusion", "newcomers", "preview")}
    paths |= {"/v1/pools", "/v1/pools/{id}", "/v1/merchants/{id}/credits"}
    paths |= {"/v1/merchants/{id}/trust", "/v1/appeals", "/v1/appeals/{id}", "/v1/appeals/{id}/ruling"}
    paths |= {f"/v1/viewers/{{id}}/{way}" for way in ("intents", "intents/{category}", "personalisation")}
    paths |= {
        "/v1/policy",
        "/v1/overview",
        "/v1/models",
        "/v1/models/reliability",
        "/v1/decisions/{id}",
        "/v1/decide",
        "/v1/events",
    }
    assert set(document["paths"]) == paths | {"/healthz", "/readyz", "/metrics"}
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])
    assert "type" not in document["components"]["schemas"]["Request"]["required"]
    assert "type" in document["components"]["schemas"]["Click"]["required"]
