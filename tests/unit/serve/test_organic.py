"""Organic prices over HTTP: dials, statements and the operator's page."""

import msgspec
import pytest
from tests import made
from tests.unit.serve.played import ask, played, put, site

from fieldline.app import Fieldline
from fieldline.facts import Behaviour, Request
from fieldline.serve.hot import Site
from fieldline.traffic.organic import pools
from fieldline.units import DAY, MINUTE

POOL = {
    "name": "新店 <b>May</b>",
    "looks": 50.0,
    "merchants": ["merchant-1", "merchant-3"],
    "start": made.START,
    "end": made.START + DAY,
}


@pytest.fixture(scope="module")
def app() -> Fieldline:
    """An application in which every dial was turned on, and a pool ran."""
    app = played(30)
    over, dials = site(app), msgspec.json.decode(msgspec.json.encode(app.policy()))
    earned = {"per_click": 4.0, "per_order": 8.0}
    set_ = ask(over, "PUT", "/v1/policy", dials | {"gini": 0.3, "newcomer_looks": 5.0, "earned": earned})
    assert set_.status_code == 200
    put(app, made.wish("pool/1", "pool", "ops", POOL))
    for number in range(30, 60):
        asked = Request(
            f"request-{number}",
            f"viewer-{number % 30}",
            "video",
            at=made.START + number * MINUTE,
        )
        decision, _ = app.decide(asked)
        app.record([answer for answer in made.answers(decision) if isinstance(answer, Behaviour)])
    return app


@pytest.fixture
def over(app: Fieldline) -> Site:
    """The site over it."""
    return site(app)


def test_what_prices_do_is_told(over: Site) -> None:
    """Each price is told by its name with what it moved; the Gini with its dial; floors with what is owed."""
    organic = ask(over, "GET", "/v1/policy/organic").json()
    assert [price["name"] for price in organic["prices"]] == ["inclusion", "newcomer", "pool", "credit"]
    assert organic["prices"][0]["effect"]["looks"] > 0.0
    inclusion = ask(over, "GET", "/v1/policy/inclusion").json()
    assert (inclusion["dial"], inclusion["creators"]) == (0.3, 6)
    assert 0.0 < inclusion["gini"] < 1.0
    newcomers = ask(over, "GET", "/v1/policy/newcomers").json()
    assert (newcomers["looks"], newcomers["hours"], newcomers["share_met"]) == (5.0, 24, None)


def test_a_pools_statement_balances(over: Site) -> None:
    """An id with a slash is found, what was granted is what became of it, and the list has the pool without members."""
    found = ask(over, "GET", "/v1/pools/pool%2F1").json()
    assert (found["name"], found["owner"], found["status"]) == (POOL["name"], "ops", "running")
    assert found["granted"] == found["spent"] + found["expired"] + found["left"] == 50_000_000
    listed = ask(over, "GET", "/v1/pools").json()["items"]
    assert [pool["id"] for pool in listed] == ["pool/1"]
    assert listed[0]["members"] == []


def test_a_merchants_credits_balance(over: Site) -> None:
    """The statement balances to the millionth of a look, and where nobody is marked says that nothing went for it."""
    found = ask(over, "GET", "/v1/merchants/merchant-1/credits").json()
    assert found["earned"] > 0
    assert found["earned"] == found["used"] + found["expired"] + found["revoked"] + found["balance"]
    assert (found["revoked_unheard"], found["ignored"], found["unheard"]) == (0, 0, 0)


def test_a_statement_is_for_whom_it_concerns(app: Fieldline, over: Site) -> None:
    """A merchant sees its own credits and its own part of a pool; another sees neither."""
    own, other = ({"x-fieldline-user": name} for name in ("merchant-1", "merchant-2"))
    assert ask(over, "GET", "/v1/merchants/merchant-1/credits", headers=own).status_code == 200
    refused = ask(over, "GET", "/v1/merchants/merchant-1/credits", headers=other)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "id")
    number = app.state.book.names.find("pool/1")
    terms, group = app.state.book.contracts[number].grant, app.state.shelf.groups.find("m:merchant-1")
    assert terms is not None
    assert pools.spend(app.state.organic.pools[number], terms, group, 1_000) == 1_000
    told = [ask(over, "GET", "/v1/pools/pool%2F1", headers=by).json()["members"] for by in (None, own, other)]
    assert "merchant-1" in [member["id"] for member in told[0]]
    assert [[member["id"] for member in members] for members in told[1:]] == [["merchant-1"], []]


@pytest.mark.parametrize("path", ["/v1/pools/shop-0", "/v1/pools/nobody", "/v1/merchants/nobody/credits"])
def test_what_is_not_there_is_not_found(over: Site, path: str) -> None:
    """A contract that is no pool, and a merchant that nobody has, are 404 with the field."""
    reply = ask(over, "GET", path)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (404, "id")


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"end": made.START - 1}, "terms.end"), ({"merchants": []}, "terms.merchants"), ({"looks": 0.0}, "terms.looks"),
     ({"merchants": ["nobody"]}, "terms.merchants[0]")],
)  # fmt: skip
def test_a_pool_that_cannot_be_leaves_nothing(
    app: Fieldline, over: Site, changed: dict[str, object], field: str
) -> None:
    """It is refused with the field, and neither records nor book know it."""
    body = {"id": "bad", "offer": "pool", "owner": "ops", "terms": POOL | changed}
    reply = ask(over, "POST", "/v1/contracts", body)
    assert reply.status_code in {404, 422}
    assert reply.json()["errors"][0]["field"] == field
    assert app.records.wish("bad") is None
    assert "bad" not in app.state.book.names


@pytest.mark.parametrize(("dial", "value"), [("gini", 0.2), ("newcomer_hours", 0), ("earned", {"cap": 9.0})])
def test_a_dial_out_of_range_changes_nothing(app: Fieldline, over: Site, dial: str, value: object) -> None:
    """The policy is refused with the dial's name, and stays as it was."""
    before = app.policy()
    dials = msgspec.json.decode(msgspec.json.encode(before))
    reply = ask(over, "PUT", "/v1/policy", dials | {dial: value})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"].startswith(dial)
    assert app.policy() == before


@pytest.mark.parametrize(("lang", "title"), [("en", "Organic prices"), ("zh", "自然流量价格")])
def test_the_page_is_in_its_language(over: Site, lang: str, title: str) -> None:
    """The page has its title in the language asked for, and a pool's name as text, never as markup."""
    page = ask(over, "GET", f"/policy/organic?lang={lang}").text
    assert title in page
    assert "新店 &lt;b&gt;May&lt;/b&gt;" in page
    assert "<b>May" not in page


def test_a_decisions_page_names_the_prices(over: Site) -> None:
    """A part of a score that is no contract's is told by the price's name."""
    page = ask(over, "GET", "/decisions/request-59?lang=en").text
    assert "Inclusion" in page
