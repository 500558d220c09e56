"""The two hot routes: replies, retries, durability, overload and deadlines."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec
from tests.unit.serve.serving import Market, client_of, post, site_of

from fieldline.serve.hot import Site
from fieldline.serve.queue import Limits

JSON = {"content-type": "application/json"}
CLICK = b'{"type":"click","id":"%s","at":1,"decision":"d","item":"i1"}'


def request(number: int, **more: int) -> bytes:
    return msgspec.json.encode({"id": f"r{number}", "viewer": "v1", "scene": "video"} | more)


def together(site: Site, act: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with client_of(site) as client:
            await act(client)

    asyncio.run(run())


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_slate_is_told_with_its_sponsored_places() -> None:
    """The reply holds the items in order, and the contract of the sponsored one alone."""
    response = post(site_of(Market()), "/v1/decide", request(1))
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "id": "r1",
        "at": 1_700_000_000_000,
        "scene": "video",
        "slots": [
            {"item": "i1", "position": 0, "sponsored": False},
            {"item": "i2", "position": 1, "sponsored": True, "contract": "c1"},
            {"item": "i3", "position": 2, "sponsored": False},
        ],
        "organic_only": False,
        "version": 1,
    }


def test_msgpack_goes_both_ways() -> None:
    """A msgpack request that accepts msgpack gets the same reply as the JSON one."""
    site = site_of(Market())
    body = msgspec.msgpack.encode({"id": "r1", "viewer": "v1", "scene": "video"})
    packed = post(site, "/v1/decide", body, "application/msgpack", accept="application/msgpack")
    assert packed.headers["content-type"] == "application/msgpack"
    assert msgspec.msgpack.decode(packed.content) == post(site, "/v1/decide", request(1)).json()


def test_a_retried_request_gets_the_same_decision() -> None:
    """The same request id is decided once and answered twice alike."""
    market = Market()
    site = site_of(market)
    first, second = (post(site, "/v1/decide", request(1)) for _ in range(2))
    assert first.content == second.content
    assert len(market.log) == 1


def test_a_repeated_event_changes_nothing() -> None:
    """An event id that was taken before counts as repeated and is not stored again."""
    market = Market()
    site = site_of(market)
    batch = b'{"events":[' + b",".join([CLICK % b"e1", CLICK % b"e2", CLICK % b"e2"]) + b"]}"
    assert post(site, "/v1/events", batch).json() == {"accepted": 2, "repeated": 1, "version": 1}
    assert post(site, "/v1/events", batch).json() == {"accepted": 0, "repeated": 3, "version": 1}
    assert len(market.log) == 2


def test_nothing_is_acknowledged_before_it_is_durable() -> None:
    """Decisions and events wait for their commit, and are told as soon as it is kept."""
    market = Market(durable=False)

    async def act(client: httpx.AsyncClient) -> None:
        batch = b'{"events":[' + CLICK % b"e1" + b"]}"
        tasks = [
            asyncio.create_task(client.post("/v1/decide", content=request(n), headers=JSON)) for n in range(5)
        ]
        tasks.append(asyncio.create_task(client.post("/v1/events", content=batch, headers=JSON)))
        await settled()
        assert len(market.promises) == 6
        assert not any(task.done() for task in tasks)

        def group() -> None:
            for promise in market.promises[:5]:
                promise.keep()

        await asyncio.to_thread(group)
        replies = await asyncio.gather(*tasks[:5])
        assert [reply.status_code for reply in replies] == [200] * 5
        assert [reply.json()["id"] for reply in replies] == [f"r{n}" for n in range(5)]
        assert not tasks[5].done()
        market.promises[5].keep()
        assert (await tasks[5]).json()["accepted"] == 1

    together(site_of(market), act)


def test_a_failed_write_is_never_acknowledged() -> None:
    """A commit that fails gets 503 for each who waited for it."""
    market = Market(durable=False)

    async def act(client: httpx.AsyncClient) -> None:
        tasks = [
            asyncio.create_task(client.post("/v1/decide", content=request(n), headers=JSON)) for n in range(3)
        ]
        await settled()
        await asyncio.to_thread(market.fail_writes)
        for reply in await asyncio.gather(*tasks):
            assert reply.status_code == 503
            assert reply.json()["type"] == "urn:fieldline:problem:not-durable"

    together(site_of(market), act)


def test_a_decision_may_be_told_early_but_events_may_not() -> None:
    """With reply_before_durable a decision is told at once, while events still wait for the disk."""
    market = Market(durable=False)

    async def act(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/decide", content=request(1), headers=JSON)).status_code == 200
        batch = b'{"events":[' + CLICK % b"e1" + b"]}"
        task = asyncio.create_task(client.post("/v1/events", content=batch, headers=JSON))
        await settled()
        assert not task.done()
        market.promises[1].keep()
        assert (await task).status_code == 200

    together(site_of(market, reply_before_durable=True), act)


def test_under_overload_paid_delivery_goes_first_then_requests() -> None:
    """Up to the soft limit slates are mixed, up to the hard one organic only, beyond it refused by 503."""
    market = Market(durable=False)

    async def act(client: httpx.AsyncClient) -> None:
        tasks = []
        for number in range(6):
            tasks.append(
                asyncio.create_task(client.post("/v1/decide", content=request(number), headers=JSON))
            )
            await settled()
        assert [paid for _, paid in market.asked] == [True, True, False, False]
        for refused in tasks[4:]:
            reply = await refused
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
            assert reply.json()["type"] == "urn:fieldline:problem:overloaded"
        batch = b'{"events":[' + CLICK % b"e1" + b"]}"
        assert (await client.post("/v1/events", content=batch, headers=JSON)).status_code == 503
        assert len(market.log) == 4
        for promise in market.promises:
            promise.keep()
        replies = await asyncio.gather(*tasks[:4])
        assert [reply.json()["organic_only"] for reply in replies] == [False, False, True, True]
        task = asyncio.create_task(client.post("/v1/decide", content=request(9), headers=JSON))
        await settled()
        market.promises[-1].keep()
        assert (await task).json()["organic_only"] is False

    together(site_of(market, limits=Limits(soft=2, hard=4)), act)


class Steps:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_deadline_first_drops_paid_delivery_and_then_the_request() -> None:
    """Past half of its deadline a request is decided organic only among 200, past all of it refused."""
    market, clock = Market(), Steps()
    site = site_of(market, clock=clock)
    waits: dict[str, float] = {"early": 0.05, "late": 0.051, "small": 0.099, "gone": 0.1}

    def asked(name: str, limit: int) -> bytes:
        return msgspec.json.encode(
            {"id": name, "viewer": "v1", "scene": "video", "candidate_limit": limit, "deadline_ms": 100}
        )

    for name, wait in waits.items():
        clock.now = 0.0

        async def act(client: httpx.AsyncClient, name: str = name, wait: float = wait) -> None:
            task = asyncio.create_task(
                client.post("/v1/decide", content=asked(name, 50 if name == "small" else 2_000), headers=JSON)
            )
            while site.in_flight == 0 and not task.done():
                await asyncio.sleep(0)
            clock.now += wait
            reply = await task
            assert reply.status_code == (503 if name == "gone" else 200)
            if name == "gone":
                assert reply.json()["errors"][0]["field"] == "deadline_ms"
                assert reply.headers["retry-after"] == "1"

        together(site, act)
    assert [(asked.id, asked.candidate_limit, paid) for asked, paid in market.asked] == [
        ("early", 2_000, True),
        ("late", 200, False),
        ("small", 50, False),
    ]


def test_nothing_is_answered_before_the_kernels_are_warm() -> None:
    """A site that is not ready says so with 503 and asks to come back."""
    market = Market()
    site = site_of(market)
    site.ready = False
    response = post(site, "/v1/decide", request(1))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["type"] == "urn:fieldline:problem:starting"
    assert market.log == []


def test_one_failing_request_does_not_hold_up_the_next() -> None:
    """Requests that arrive together are answered each on its own, in order."""
    market = Market()

    async def act(client: httpx.AsyncClient) -> None:
        bad = msgspec.json.encode({"id": "bad", "viewer": "nobody", "scene": "nowhere"})
        bodies = [request(1), bad, request(2)]
        replies = await asyncio.gather(
            *[client.post("/v1/decide", content=body, headers=JSON) for body in bodies]
        )
        assert [reply.status_code for reply in replies] == [200, 422, 200]

    together(site_of(market), act)
    assert [asked.id for asked, _ in market.asked] == ["r1", "bad", "r2"]
