"""The routes of campaigns over a played market: ends, forecasts, reports, returns, assurance, alerts, offers."""

import json

import pytest
from tests import made
from tests.unit.serve.played import ADS, JSON, ask, played, site

from fieldline.app import Fieldline
from fieldline.contracts.tally import FIGURES
from fieldline.facts import Lead, Order
from fieldline.offers import OFFERS
from fieldline.serve.hot import Site
from fieldline.traffic.report import BY
from fieldline.units import DAY, HOUR, YUAN

AT = made.START + 4 * HOUR
SUMMED = set(FIGURES) - {"attributed_refunded"}


@pytest.fixture(scope="module")
def app() -> Fieldline:
    """A played market with two orders and a refund; tests of this module do not change it, unless they say so."""
    app = played()
    app.record(
        [
            Order("o1", AT, "viewer-1", "product-2", 29 * YUAN),
            Order("o2", AT, "viewer-2", "product-6", 69 * YUAN),
        ]
    )
    return app


@pytest.fixture(scope="module")
def over(app: Fieldline) -> Site:
    """The site over it."""
    return site(app)


@pytest.mark.parametrize("by", [by for by in BY if by != "unit"])
def test_every_split_of_a_report_has_the_same_total(over: Site, by: str) -> None:
    """The rows of each way of splitting sum to the campaign's spend, impressions and orders."""
    reply = ask(over, "GET", f"/v1/contracts/ads/report?by={by}").json()
    spend = ask(over, "GET", "/v1/overview").json()["contracts"]
    (standing,) = (contract for contract in spend if contract["id"] == "ads")
    assert reply["total"]["spend"] == standing["done"] > 0
    assert (reply["total"]["orders"], reply["total"]["storewide"]) == (2, 98 * YUAN)
    for figure in SUMMED:
        assert sum(row[figure] for row in reply["rows"]) == reply["total"][figure]


def test_units_are_told_with_their_items(over: Site) -> None:
    """A unit's row is the sum of its items, so that an item of two units stands in both."""
    items = ask(over, "GET", "/v1/contracts/ads/report?by=item").json()["rows"]
    units = ask(over, "GET", "/v1/contracts/ads/report?by=unit").json()["rows"]
    spend = {row["key"]: row["spend"] for row in units}
    assert list(spend) == ["first", "all"]
    assert spend["all"] == sum(row["spend"] for row in items)
    assert spend["first"] == sum(row["spend"] for row in items if row["key"] == "product-2")


def test_a_report_is_of_the_days_asked_for(over: Site) -> None:
    """The day before the campaign has no rows and no return; its own day has the whole spend."""
    before = ask(over, "GET", "/v1/contracts/ads/report?from=2022-04-24&to=2022-04-24").json()
    assert (before["rows"], before["total"]["spend"], before["total"]["roi_storewide"]) == ([], 0, None)
    own = ask(over, "GET", "/v1/contracts/ads/report?from=2022-04-25&to=2022-04-25").json()
    assert [row["key"] for row in own["rows"]] == ["2022-04-25"]
    assert own["total"]["roi_storewide"] == own["total"]["storewide"] / own["total"]["spend"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2022-02-30", "from"),
        ("from=yesterday", "from"),
        ("to=20220425", "to"),
        ("from=2022-04-26&to=2022-04-25", "to"),
        ("from=2021-01-01&to=2022-04-25", "to"),
        ("by=moon", "by"),
    ],
)
def test_a_report_of_no_days_is_refused(over: Site, query: str, field: str) -> None:
    """A day that is none, days in the wrong order or too many, and an unknown split are named."""
    reply = ask(over, "GET", f"/v1/contracts/ads/report?{query}")
    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]


@pytest.mark.parametrize("path", ["report", "rois", "assurance", "learning"])
def test_what_is_no_campaign_has_no_report(over: Site, path: str) -> None:
    """An unknown id is 404; a granted contract is refused, because it spends nothing."""
    assert ask(over, "GET", f"/v1/contracts/nothing/{path}").status_code == 404
    granted = ask(over, "GET", f"/v1/contracts/newcomer/{path}")
    assert (granted.status_code, granted.json()["errors"][0]["field"]) == (422, "id")


def test_four_returns_are_told_day_by_day(over: Site) -> None:
    """Each day has its four returns, its holdout and what was displaced: gained = from own + from others."""
    reply = ask(over, "GET", "/v1/contracts/ads/rois").json()
    (day,) = reply["days"]
    assert day["returns"]["storewide"] == 98 * YUAN / day["spend"]
    assert day["returns"] == reply["total"]
    assert day["holdout"] == 0.2
    limits = day["returns"]["incremental"]
    assert limits["low"] <= limits["value"] <= limits["high"]
    assert day["gained"] == pytest.approx(day["from_own"] + day["from_others"])


def test_assurance_and_learning_are_told(over: Site) -> None:
    """A running day is in force, and a campaign of no credited order is learning, with the cost still expected."""
    (day,) = ask(over, "GET", "/v1/contracts/ads/assurance").json()["days"]
    assert (day["day"], day["status"]["state"], day["status"]["reason"]) == (
        "2022-04-25",
        "in_force",
        "day_runs",
    )
    spend = ask(over, "GET", "/v1/contracts/ads/report").json()["total"]["spend"]
    assert day["result"]["spend"] == spend
    assert day["result"]["owed"] == pytest.approx(0.5 * spend, abs=1)
    learning = ask(over, "GET", "/v1/contracts/ads/learning").json()
    assert (learning["state"], learning["reason"]) == ("learning", "few_results")
    assert learning["cost_left"] > 0.0


def test_a_campaign_ends_once_and_for_good() -> None:
    """Ending is audited once; an ended campaign can be neither ended again, paused, resumed nor edited."""
    app = played(0)
    over, path = site(app), "/v1/contracts/ads"
    first = ask(over, "POST", f"{path}/end", headers=JSON | {"x-fieldline-user": "lin"})
    assert first.json()["ended_at"] == app.state.book.ended["ads"]
    end = app.log.end
    assert ask(over, "POST", f"{path}/end", headers={"x-fieldline-user": "eve"}).json() == first.json()
    for way in ("pause", "resume"):
        reply = ask(over, "POST", f"{path}/{way}")
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (409, "id")
    edit = ask(over, "PATCH", path, {"version": 1, "terms": ADS})
    assert (edit.status_code, edit.json()["errors"][0]["field"]) == (409, "id")
    assert app.log.end == end
    assert [line["by"] for line in app.records.audit("wish:ads")] == ["lin", "lin"]
    assert ask(over, "POST", "/v1/contracts/nothing/end").status_code == 404


def test_a_forecast_makes_nothing(over: Site, app: Fieldline) -> None:
    """A forecast needs contracts of its kind that were seen, names what is wrong, and never logs anything."""
    end = app.log.end
    terms = {"merchant": "merchant-3", "budget": 9 * YUAN, "goal": 1.0, "start": AT, "end": AT + DAY}

    def asked(offer: str, **changes: object) -> tuple[int, str]:
        body = {"offer": offer, "owner": "m", "terms": terms | changes}
        reply = ask(over, "POST", "/v1/contracts/forecast", body)
        return reply.status_code, reply.json()["errors"][0]["field"]

    assert asked("leads", cost=3.0)[0] == 422  # goal is not a term of leads
    assert asked("storewide", budget=0) == (422, "terms.budget")
    assert asked("storewide", merchant="nobody") == (422, "terms.merchant")
    assert asked("storewide", end=AT - DAY) == (422, "terms.end")
    assert asked("miracle") == (422, "offer")
    assert asked("storewide") == (409, "terms")
    assert app.log.end == end


def test_a_forecast_is_told_with_its_bands() -> None:
    """Where enough was seen, spend and value come with bands, and a goal out of reach is said with its reason."""
    app = played(0)
    app.state.prices.sampled[:3] = 500.0
    app.state.prices.served[:3] = 500.0
    app.state.prices.supply_cost[:3, 120] = 5.0
    app.state.prices.supply_value[:3, 120] = 20.0
    app.state.traffic.slow = 10.0
    terms = {"merchant": "merchant-3", "budget": 900 * YUAN, "start": made.START, "end": made.START + DAY}

    def asked(goal: float) -> dict[str, dict[str, float]]:
        body = {"offer": "ads_roi", "owner": "m", "terms": terms | {"goal": goal}}
        reply = ask(site(app), "POST", "/v1/contracts/forecast", body)
        assert reply.status_code == 200, reply.text
        found: dict[str, dict[str, float]] = reply.json()
        return found

    near = asked(1.0)
    assert near["out_of_reach"] is None
    outlook = near["outlook"]
    assert 0.0 < outlook["spend_low"] <= outlook["spend"] <= outlook["spend_high"]
    assert outlook["roi"] == pytest.approx(4.0)
    far = asked(90.0)
    assert "out of reach" in str(far["out_of_reach"])
    assert far["outlook"]["spend"] < outlook["spend"]


def test_leads_are_events(over: Site, app: Fieldline) -> None:
    """A lead is taken by the events route, once, and one of an unknown merchant is named."""
    lead = {
        "type": "lead",
        "id": "l1",
        "at": AT,
        "viewer": "viewer-1",
        "merchant": "merchant-2",
        "visit": True,
    }
    assert ask(over, "POST", "/v1/events", {"events": [lead]}).json()["accepted"] == 1
    assert ask(over, "POST", "/v1/events", {"events": [lead]}).json()["repeated"] == 1
    wrong = ask(over, "POST", "/v1/events", {"events": [lead | {"id": "l2", "merchant": "nobody"}]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "events[0].merchant")
    assert Lead("l1", AT, "viewer-1", "merchant-2", True).id in app.state.outcomes.seen


def test_alerts_are_told(app: Fieldline) -> None:
    """A campaign whose price stood at its end for three ticks is in the alerts, and others are not."""
    own = played(0)
    own.state.prices.clamped[own.state.book.wishes["ads"][0]] = 3.0
    (alert,) = ask(site(own), "GET", "/v1/alerts").json()["items"]
    assert (alert["wish"], alert["code"], alert["level"]) == ("ads", "price_at_clamp", "warning")


def test_offers_are_told_with_the_schema_of_their_terms(over: Site) -> None:
    """Every offer is listed with a JSON schema in which each of its terms is described."""
    listed = ask(over, "GET", "/v1/offers").json()["items"]
    assert [offer["name"] for offer in listed] == list(OFFERS)
    for offer in listed:
        schema = offer["terms"]["$defs"]["Terms"]
        assert schema["additionalProperties"] is False
        assert all("description" in json.dumps(term) for name, term in schema["properties"].items())
