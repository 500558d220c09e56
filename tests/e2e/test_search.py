"""Search over HTTP: what is typed is answered, whatever it is, and reported."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.served import Server, market, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with a small market and a shop with three titled products."""
    folder = tmp_path_factory.mktemp("searched")
    with serving(folder / "data", folder / "log") as server:
        market(server)
        assert server.put("merchants", [{"id": "shop", "name": "蓝月亮"}]).status_code == 200
        titles = ("白色连衣裙", "红色连衣裙", "silk scarf")
        products: list[dict[str, object]] = [
            {"id": f"p-{n}", "merchant": "shop", "price": 50_000_000, "stock": 9, "title": title}
            for n, title in enumerate(titles)
        ]
        assert server.put("products", products).status_code == 200
        yield server


def search(server: Server, id: str, query: str) -> dict[str, Any]:
    """What is answered to a query in the mall."""
    body = {"id": id, "viewer": f"v{len(id)}", "scene": "mall", "query": query}
    reply = server.ask("POST", "/v1/decide", body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_the_reply_says_what_was_typed_and_what_was_searched(server: Server) -> None:
    """Pinyin finds the two dresses and nothing else, and the reply names both texts."""
    told = search(server, "pinyin", "LianYiQun")
    assert (told["query"], told["searched"]) == ("lianyiqun", "连衣裙")
    assert {slot["item"] for slot in told["slots"]} == {"p-0", "p-1"}


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("emoji", "😀🎉❤️"),
        ("signs", "?!…。、"),
        ("long", "连" * 10_000),
        ("mixed", "\x00\u202e" * 50 + "qqqq"),
    ],
)
def test_nonsense_gets_a_full_slate(server: Server, name: str, query: str) -> None:
    """Emoji, punctuation, 10,000 characters: a full slate without paid places, no error."""
    told = search(server, name, query)
    assert told["searched"] == ""
    assert len(told["slots"]) == len(search(server, f"{name}-none", "")["slots"]) > 2
    assert told["organic_only"]
    assert not any(slot["sponsored"] for slot in told["slots"])
    assert len(told["query"]) <= 100


def test_without_a_query_nothing_is_said_of_one(server: Server) -> None:
    """Spaces are no query, and the reply has neither field."""
    assert not {"query", "searched"} & set(search(server, "spaces", " \t\n"))


def test_reports_are_told_and_unknown_campaigns_refused(server: Server) -> None:
    """A campaign's terms and the platform's searches are told; another id is a problem that names the field."""
    for viewer in range(3):
        search(server, "q" * (viewer + 1), "yusannnn")
    report = server.ask("GET", "/v1/contracts/storewide-1/terms").json()
    assert (report["rows"], report["total"]["spend"]) == ([], 0)
    found = {row["query"]: row for row in server.ask("GET", "/v1/searches").json()["rows"]}
    assert (found["yusannnn"]["requests"], found["yusannnn"]["nothing"]) == (3, 3)
    reply = server.ask("GET", "/v1/contracts/nobody/terms")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    wrong = server.ask("GET", "/v1/contracts/storewide-1/terms?from=2026-13-40")
    assert [error["field"] for error in wrong.json()["errors"]] == ["from"]


@pytest.mark.parametrize(("language", "heading"), [("en", "What viewers searched"), ("zh", "搜索词报告")])
def test_the_campaign_s_page_shows_its_terms(server: Server, language: str, heading: str) -> None:
    """The page has the report's heading in both languages."""
    page = server.ask("GET", f"/campaigns/storewide-1?lang={language}")
    assert page.status_code == 200
    assert heading in page.text
