"""Bad input to the two hot routes: told by field, nothing stored, and the next request is answered."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from tests.unit.serve.serving import NOW, Market, client_of, post, site_of

from fieldline.serve.hot import Site

DAY = 86_400_000
GOOD = b'{"id":"r1","viewer":"v1","scene":"video"}'
CLICK = b'{"type":"click","id":"e1","at":1,"decision":"d","item":"i1"}'
ORDER = b'{"type":"order","id":"e2","at":1,"viewer":"v1","product":"p1","amount":%s}'


def events(*events: bytes) -> bytes:
    return b'{"events":[' + b",".join(events) + b"]}"


DECIDE = {
    "an empty body": (b"", "body"),
    "no JSON": (b"not json", "body"),
    "two documents": (GOOD + b"{}", "body"),
    "an array": (b"[]", "body"),
    "deep nesting": (b"[" * 100_000, "body"),
    "an unknown field": (b'{"id":"r1","viewer":"v1","scene":"video","user":"v1"}', "user"),
    "a missing field": (b'{"id":"r1","viewer":"v1"}', "scene"),
    "another fact": (b'{"type":"click","id":"r1","viewer":"v1","scene":"video"}', "type"),
    "a number for a text": (b'{"id":1,"viewer":"v1","scene":"video"}', "id"),
    "a text for a number": (b'{"id":"r1","viewer":"v1","scene":"video","at":"1"}', "at"),
    "a truth for a number": (b'{"id":"r1","viewer":"v1","scene":"video","slots":true}', "slots"),
    "a float for a whole number": (b'{"id":"r1","viewer":"v1","scene":"video","slots":1.0}', "slots"),
    "null": (b'{"id":null,"viewer":"v1","scene":"video"}', "id"),
    "an empty id": (b'{"id":"","viewer":"v1","scene":"video"}', "id"),
    "a long id": (b'{"id":"' + b"x" * 129 + b'","viewer":"v1","scene":"video"}', "id"),
    "no slots": (b'{"id":"r1","viewer":"v1","scene":"video","slots":0}', "slots"),
    "a negative time": (b'{"id":"r1","viewer":"v1","scene":"video","at":-1}', "at"),
    "a time beyond int64": (b'{"id":"r1","viewer":"v1","scene":"video","at":9e99}', "at"),
    "NaN": (
        b'{"id":"r1","viewer":"v1","scene":"video","place":{"latitude":NaN,"longitude":1}}',
        "place.latitude",
    ),
    "Infinity": (
        b'{"id":"r1","viewer":"v1","scene":"video","place":{"latitude":1,"longitude":-Infinity}}',
        "place.longitude",
    ),
    "a float overflow": (
        b'{"id":"r1","viewer":"v1","scene":"video","place":{"latitude":1e999,"longitude":1}}',
        "place.latitude",
    ),
    "broken UTF-8 in a value": (b'{"id":"r1","viewer":"v\xff1","scene":"video"}', "viewer"),
    "broken UTF-8 in a name": (b'{"id":"r1","vie\xffwer":"v1","scene":"video"}', "vie\ufffdwer"),
    "half of a surrogate pair": (b'{"id":"r1","viewer":"v1","scene":"\\ud800"}', "scene"),
    "a wrong candidate": (
        b'{"id":"r1","viewer":"v1","scene":"video","candidates":["i1",2]}',
        "candidates[1]",
    ),
    "an unknown scene": (b'{"id":"r1","viewer":"v1","scene":"nowhere"}', "scene"),
    "a time far ahead": (b'{"id":"r1","viewer":"v1","scene":"video","at":%d}' % (NOW + DAY + 1), "at"),
}

EVENTS = {
    "no list": (b"[]", "body"),
    "no events": (b"{}", "events"),
    "an unknown field of the batch": (b'{"events":[],"more":1}', "more"),
    "an unknown field of an event": (events(CLICK, CLICK[:-1] + b',"amount":1}'), "events[1].amount"),
    "an unknown type": (events(b'{"type":"wink","id":"e1","at":1}'), "events[0].type"),
    "no type": (events(b'{"id":"e1","at":1}'), "events[0].type"),
    "a decision as an event": (events(CLICK, b'{"type":"decision","id":"e1"}'), "events[1].type"),
    "negative money": (events(CLICK, CLICK, CLICK, ORDER % b"-1"), "events[3].amount"),
    "too much money": (events(ORDER % b"9000000000000001"), "events[0].amount"),
    "a fraction of a micro-yuan": (events(ORDER % b"1.5"), "events[0].amount"),
    "NaN money": (events(CLICK, ORDER % b"NaN"), "events[1].amount"),
    "broken UTF-8": (events(CLICK, CLICK.replace(b"i1", b"i\xc3(")), "events[1].item"),
    "a missing field": (events(b'{"type":"click","id":"e1","at":1,"decision":"d"}'), "events[0].item"),
    "a text for a truth": (
        events(b'{"type":"follow","id":"f","at":1,"viewer":"v1","creator":"c","following":"yes"}'),
        "events[0].following",
    ),
    "an unknown decision": (
        events(b'{"type":"impression","id":"e1","at":1,"decision":"no","item":"i1"}'),
        "events[0].decision",
    ),
    "a time far ahead": (
        events(CLICK, CLICK.replace(b'"at":1', b'"at":%d' % (NOW + DAY + 1))),
        "events[1].at",
    ),
}

CASES = [("/v1/decide", name, *case) for name, case in DECIDE.items()]
CASES += [("/v1/events", name, *case) for name, case in EVENTS.items()]


@pytest.mark.parametrize(
    ("path", "name", "body", "field"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES]
)
def test_a_bad_body_is_refused_by_field_and_leaves_no_trace(
    path: str, name: str, body: bytes, field: str
) -> None:
    """Bad input gets 422 as problem+json that names the field, stores nothing, and the server answers on."""
    market = Market()
    site = site_of(market)
    response = post(site, path, body)
    problem = response.json()
    assert response.status_code == problem["status"] == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["instance"] == path
    assert problem["type"] == "urn:fieldline:problem:refused"
    assert problem["errors"][0]["reason"] in problem["detail"]
    assert market.log == []
    assert post(site, "/v1/decide", GOOD).status_code == 200


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/events"])
@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/x-ndjson"])
def test_another_media_type_is_refused(path: str, media: str) -> None:
    """A body that says it is neither JSON nor msgpack gets 415, whatever it holds."""
    market = Market()
    response = post(site_of(market), path, GOOD, media)
    assert response.status_code == 415
    assert response.json()["errors"][0]["field"] == "content-type"
    assert market.log == []


def test_a_media_type_may_carry_parameters_in_any_case() -> None:
    """`Application/JSON; charset=utf-8` is JSON."""
    assert post(site_of(Market()), "/v1/decide", GOOD, "Application/JSON; charset=utf-8").status_code == 200


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/events"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_refused_whole(path: str, declared: bool) -> None:
    """Ten megabytes get 413, with or without a declared length, and reach no decoder."""
    market = Market()
    site = site_of(market)
    response = post(site, path, b" " * 10_000_000) if declared else post_stream(site, path)
    assert response.status_code == 413
    assert response.json()["errors"] == [{"field": "body", "reason": "more than 1048576 bytes"}]
    assert market.log == []
    assert post(site, "/v1/decide", GOOD).status_code == 200


def post_stream(site: Site, path: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async def megabytes() -> AsyncIterator[bytes]:
            for _ in range(10):
                yield b" " * 1_000_000

        async with client_of(site) as client:
            return await client.post(path, content=megabytes(), headers={"content-type": "application/json"})

    return asyncio.run(send())


def test_another_method_is_refused() -> None:
    """A GET of a hot route gets 405 and is told to POST."""

    async def get() -> httpx.Response:
        async with client_of(site_of(Market())) as client:
            return await client.get("/v1/decide")

    response = asyncio.run(get())
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["type"] == "urn:fieldline:problem:method"


def test_another_host_is_refused() -> None:
    """A request that came under another name than the served ones gets 421, so that no page can borrow it."""
    market = Market()
    site = site_of(market, hosts=frozenset({b"127.0.0.1", b"[::1]"}))
    assert post(site, "/v1/decide", GOOD, host="evil.example:8420").status_code == 421
    assert post(site, "/elsewhere", GOOD, host="evil.example").status_code == 421
    assert market.log == []
    assert post(site, "/v1/decide", GOOD, host="[::1]:8420").status_code == 200
    assert post(site, "/v1/decide", GOOD, host="[::1]").status_code == 200


def test_an_unexpected_error_tells_nothing_of_its_inside() -> None:
    """A fault inside gets 500 without its text or its traceback, and the next request is answered."""
    market = Market()
    site = site_of(market)
    market.fails = ZeroDivisionError("secret of the house")
    response = post(site, "/v1/decide", GOOD)
    assert response.status_code == 500
    assert response.json()["type"] == "urn:fieldline:problem:internal"
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    market.fails = None
    assert post(site, "/v1/decide", GOOD).status_code == 200


def test_msgpack_is_refused_by_field_too() -> None:
    """Broken text and a NaN in msgpack are refused; the NaN by the name of its field."""
    market = Market()
    site = site_of(market)
    body = {
        "id": "r1",
        "viewer": "v1",
        "scene": "video",
        "place": {"latitude": float("nan"), "longitude": 1.0},
    }
    response = post(site, "/v1/decide", msgspec.msgpack.encode(body), "application/msgpack")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "place.latitude")
    response = post(site, "/v1/decide", b"\x81\xa2id\xa2\xff\xfe", "application/msgpack")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "body")
    assert market.log == []
