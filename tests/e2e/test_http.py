"""The whole server in a process of its own: bad input, retries, the pages, an orderly stop."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.served import Server, market, serving, start

from fieldline.traffic.retrieve import SOURCES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the module's server."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """Return a server with a small market."""
    with serving(folder / "data", folder / "log") as server:
        market(server)
        yield server


def decide(server: Server, id_: str, **more: object) -> httpx.Response:
    return server.ask("POST", "/v1/decide", {"id": id_, "viewer": "v1", "scene": "video"} | more)


def memory_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def test_ten_megabytes_are_neither_taken_nor_kept(server: Server) -> None:
    """Ten 10 MB bodies get 413 and raise the server's peak memory by less than one of them."""
    decide(server, "before-10-mb")
    before = memory_kb(server)
    for number in range(10):
        path = ("/v1/decide", "/v1/events", "/v1/contracts", "/v1/policy")[number % 4]
        method = "PUT" if path == "/v1/policy" else "POST"
        body = b'{"id":"' + b"x" * 10_000_000 + b'"}'
        headers = {"content-type": "application/json"}
        reply = httpx.request(method, server.url + path, content=body, headers=headers, timeout=60)
        assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")
    assert memory_kb(server) - before < 10_000
    assert decide(server, "after-10-mb").status_code == 200


def test_facts_that_cannot_be_are_refused_by_the_engine(server: Server) -> None:
    """Unknown ids and times far ahead are refused by field, and change nothing that is read."""
    overview = server.ask("GET", "/v1/overview").json()
    decision = decide(server, "refusals").json()
    at, item = decision["at"], decision["slots"][0]["item"]
    late = at + 25 * 3_600_000
    click = {"type": "click", "id": "e-bad", "at": at, "decision": "refusals", "item": item}
    cases: list[tuple[str, dict[str, object], str]] = [
        ("/v1/decide", {"id": "q", "viewer": "v1", "scene": "nowhere"}, "scene"),
        (
            "/v1/decide",
            {"id": "q", "viewer": "v1", "scene": "video", "candidates": ["x0", "x-1"]},
            "candidates[1]",
        ),
        ("/v1/decide", {"id": "q", "viewer": "v1", "scene": "video", "at": late}, "at"),
        ("/v1/events", {"events": [click | {"decision": "none"}]}, "events[0].decision"),
        ("/v1/events", {"events": [click | {"item": "nothing"}]}, "events[0].item"),
        ("/v1/events", {"events": [click, click | {"id": "e2", "at": late}]}, "events[1].at"),
    ]
    for path, body, field in cases:
        reply = server.ask("POST", path, body)
        assert reply.status_code == 422, reply.text
        assert [error["field"] for error in reply.json()["errors"]] == [field]
    after = server.ask("GET", "/v1/overview").json()
    assert after["counts"]["decisions"] == overview["counts"]["decisions"] + 1


def test_a_stranger_gets_a_slate_and_an_empty_scene_an_empty_one(server: Server) -> None:
    """A viewer nobody entered is shown a full slate whose impressions count; an empty scene shows nothing."""
    reply = decide(server, "stranger-1", viewer="nobody has seen me")
    assert reply.status_code == 200
    slots = reply.json()["slots"]
    assert len(slots) == 6
    told = server.ask("GET", "/v1/decisions/stranger-1").json()
    assert all(slot["source"] in SOURCES for slot in told["slots"])
    at = reply.json()["at"]
    seen = {
        "type": "impression",
        "id": "stranger-i",
        "at": at,
        "decision": "stranger-1",
        "item": slots[0]["item"],
    }
    assert server.ask("POST", "/v1/events", {"events": [seen]}).json()["accepted"] == 1
    empty = decide(server, "empty-1", scene="local")
    assert empty.status_code == 200
    assert empty.json()["slots"] == []


def test_a_retry_gets_the_same_decision_and_events_count_once(server: Server) -> None:
    """A retried decide is byte for byte the same, and its impressions are taken once."""
    first, second = decide(server, "retry"), decide(server, "retry")
    assert first.content == second.content
    slots = first.json()["slots"]
    events = [
        {
            "type": "impression",
            "id": f"e-{n}",
            "at": first.json()["at"],
            "decision": "retry",
            "item": slot["item"],
        }
        for n, slot in enumerate(slots)
    ]
    assert server.ask("POST", "/v1/events", {"events": events}).json()["accepted"] == len(slots)
    assert server.ask("POST", "/v1/events", {"events": events}).json()["repeated"] == len(slots)


def test_the_pages_show_decisions_and_explain_them(server: Server) -> None:
    """The page at / lists a decision, and its page takes every candidate's score apart, in both languages."""
    decision = decide(server, "shown").json()
    home = httpx.get(server.url + "/?lang=en")
    assert home.headers["content-type"].startswith("text/html")
    assert 'href="/decisions/shown?lang=en"' in home.text
    assert "storewide-1" in home.text
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in home.text
    explained = server.ask("GET", "/v1/decisions/shown").json()
    assert [part["item"] for part in explained["explanation"]][: len(decision["slots"])] == [
        slot["item"] for slot in decision["slots"]
    ]
    for part in explained["explanation"]:
        prices = sum(price["amount"] for price in part["organic_prices"]) + part["exploration"]
        whole = (part["viewer_value"] + part["goods_value"]) * part["trust_factor"] + prices
        assert part["score"] == pytest.approx(whole, rel=1e-4, abs=1e-9)
    page = httpx.get(server.url + "/decisions/shown", headers={"accept-language": "zh-CN"})
    assert "逐项拆解每个候选的得分" in page.text
    assert page.text.count('<th scope="row">') == len(explained["explanation"])
    styles = re.findall(r'(?:href|src)="(/static/[^"]+)"', home.text)
    assert {httpx.get(server.url + style).status_code for style in styles} == {200}


def test_a_campaign_is_reported_forecast_and_ended(server: Server) -> None:
    """A campaign made over HTTP has a report, returns, a learning state and a page; ended, it stays so."""
    terms = {"merchant": "m2", "budget": 90_000_000, "goal": 0.5, "start": 0, "end": (1 << 52)}
    long = server.ask("POST", "/v1/contracts/forecast", {"offer": "ads_roi", "owner": "m2", "terms": terms})
    assert [error["field"] for error in long.json()["errors"]] == ["terms.end"]
    now = server.ask("GET", "/v1/overview").json()["at"]
    terms |= {"start": now - 1000, "end": now + 86_400_000}
    asked = {"offer": "ads_roi", "owner": "m2", "terms": terms}
    early = server.ask("POST", "/v1/contracts/forecast", asked)
    assert (early.status_code, early.json()["errors"][0]["field"]) == (409, "terms")
    made = server.ask("POST", "/v1/contracts", asked | {"id": "ads-1"})
    assert (made.status_code, made.json()["ended_at"]) == (201, None)
    for number in range(20):
        reply = decide(server, f"report-{number}", viewer=f"v{number}").json()
        events = [
            {"type": "impression", "id": f"r-{number}-{k}", "at": reply["at"], "decision": reply["id"],
             "item": slot["item"]}
            for k, slot in enumerate(reply["slots"])
        ]  # fmt: skip
        assert server.ask("POST", "/v1/events", {"events": events}).status_code == 200
    totals = [
        server.ask("GET", f"/v1/contracts/storewide-1/report?by={by}").json()["total"]
        for by in ("day", "hour", "scene", "item", "buyer")
    ]
    assert all(total == totals[0] for total in totals)
    standing = server.ask("GET", "/v1/overview").json()["contracts"]
    done = {contract["id"]: contract["done"] for contract in standing}
    assert totals[0]["spend"] == done["storewide-1"]
    returns = server.ask("GET", "/v1/contracts/storewide-1/rois").json()
    assert sum(day["spend"] for day in returns["days"]) == totals[0]["spend"]
    assert server.ask("GET", "/v1/contracts/ads-1/learning").json()["state"] == "learning"
    assert "Campaign ads-1" in httpx.get(server.url + "/campaigns/ads-1?lang=en").text
    assert server.ask("GET", "/v1/alerts").json()["items"] == []
    ended = server.ask("POST", "/v1/contracts/ads-1/end").json()["ended_at"]
    assert server.ask("POST", "/v1/contracts/ads-1/end").json()["ended_at"] == ended
    assert server.ask("POST", "/v1/contracts/ads-1/resume").status_code == 409


def test_a_second_server_is_refused_in_one_line(server: Server, folder: Path) -> None:
    """A port in use and a locked data folder each give one line and exit status 2."""
    port = server.url.rpartition(":")[2]
    cases = (
        ("other", port, f"port {port} of 127.0.0.1 is in use"),
        ("data", "0", "data is in use by another"),
    )
    for data, asked, line in cases:
        log = folder / f"{data}.second"
        second = start("serve", "--data", str(folder / data), "--port", asked, log=log)
        assert second.wait(120) == 2
        text = log.read_text().strip()
        assert line in text
        assert "\n" not in text


def test_an_orderly_stop_keeps_everything(tmp_path: Path) -> None:
    """SIGTERM stops with status 0, and the next start has the decision, every viewer and the ended campaign."""
    data, log = tmp_path / "data", tmp_path / "log"
    with serving(data, log) as server:
        market(server)
        first = decide(server, "kept").json()
        ended = server.ask("POST", "/v1/contracts/storewide-1/end").json()["ended_at"]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    with serving(data, log) as server:
        assert decide(server, "kept").json() == first
        assert server.ask("GET", "/v1/contracts/storewide-1").json()["ended_at"] == ended > 0
        assert server.ask("GET", "/v1/overview").json()["counts"]["viewers"] == 20
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0
