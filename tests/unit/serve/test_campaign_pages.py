"""The pages of campaigns: what they show, what their forms change, and what they refuse."""

import re
from urllib.parse import urlencode

import httpx
import pytest
from tests import made
from tests.unit.serve.played import ask, played, site

from fieldline.app import Fieldline
from fieldline.offers import terms_of
from fieldline.serve import forms
from fieldline.serve.formats import yuan
from fieldline.serve.hot import Site, named
from fieldline.serve.site import HOSTS
from fieldline.units import YUAN

FORM = {"content-type": "application/x-www-form-urlencoded", "origin": "http://127.0.0.1:8420"}
NEW = {
    "lang": "en",
    "id": "spring/1",
    "offer": "storewide",
    "merchant": "merchant-3",
    "goal": "2",
    "budget": "1,200.50",
    "daily": "",
    "start": "2022-04-25T20:00",
    "end": "2022-04-27T00:00",
}


@pytest.fixture
def app() -> Fieldline:
    """A made market in which a little was played."""
    return played(30)


@pytest.fixture
def over(app: Fieldline) -> Site:
    """The site over it."""
    return site(app)


def send(over: Site, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
    return ask(over, "POST", path, urlencode(fields).encode(), FORM | headers)


def foreseeable(app: Fieldline) -> None:
    """Let campaigns of the kind have seen enough for a forecast."""
    app.state.prices.sampled[:3] = 500.0
    app.state.prices.served[:3] = 500.0
    app.state.prices.organic[:3] = 0.0
    app.state.prices.supply_cost[:3, 120] = 5.0
    app.state.prices.supply_value[:3, 120] = 20.0
    app.state.traffic.slow = 10.0


@pytest.mark.parametrize("by", ["hour", "scene", "item", "buyer", "unit", "day"])
def test_a_campaign_has_its_page(over: Site, by: str) -> None:
    """The page of a campaign shows its report split as asked, its returns, assurance, curves and forms."""
    page = ask(over, "GET", f"/campaigns/ads?lang=en&by={by}")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "same-origin"
    assert "form-action 'self'" in page.headers["content-security-policy"]
    for text in ("Campaign ads", "Four returns", "Assurance", "Learning", 'name="version" value="1"'):
        assert text in page.text
    spend = ask(over, "GET", "/v1/contracts/ads/report").json()["total"]["spend"]
    assert yuan(spend) in page.text
    assert 'class="column"' in page.text


def test_pages_lead_to_campaigns(over: Site) -> None:
    """The page at / links to each campaign and to the form for a new one, in the language it is in."""
    home = ask(over, "GET", "/?lang=zh").text
    assert 'href="/campaigns/ads?lang=zh"' in home
    assert 'href="/campaigns/new?lang=zh"' in home
    assert 'href="/campaigns/newcomer' not in home


def test_what_is_no_campaign_has_no_page(over: Site) -> None:
    """An unknown campaign is 404, a granted contract has no campaign page, an unknown way is 404."""
    assert ask(over, "GET", "/campaigns/nothing").status_code == 404
    assert ask(over, "GET", "/campaigns/newcomer").status_code == 422
    assert send(over, "/campaigns/ads/explode", {}).status_code == 404


def test_a_form_edits_and_keeps_the_rest(over: Site, app: Fieldline) -> None:
    """An edit changes goal, budget and end alone; one against an older version changes nothing and says so."""
    before = terms_of(app.wish("ads")[0])
    fields = {
        "lang": "en",
        "version": "1",
        "goal": "0.75",
        "budget": "310.5",
        "daily": "40",
        "end": "2022-04-29T00:00",
    }
    reply = send(over, "/campaigns/ads/edit", fields)
    assert (reply.status_code, reply.headers["location"]) == (303, "/campaigns/ads?lang=en")
    after = terms_of(app.wish("ads")[0])
    assert (after.goal, after.budget, after.daily) == (0.75, 310_500_000, 40 * YUAN)  # type: ignore[union-attr]
    assert (after.units, after.holdout, after.start) == (before.units, before.holdout, before.start)  # type: ignore[union-attr]
    end = app.log.end
    late = send(over, "/campaigns/ads/edit", fields)
    assert late.status_code == 422
    assert "version is 1, but the contract is at 2" in late.text
    wrong = send(over, "/campaigns/ads/edit", fields | {"version": "2", "goal": "plenty"})
    assert 'value="plenty" aria-invalid="true"' in wrong.text
    assert app.log.end == end


def test_forms_pause_resume_and_end(over: Site, app: Fieldline) -> None:
    """The three buttons do what they say; what was ended has no form left and refuses to be paused."""
    for way, word in (("pause", "Paused"), ("resume", "Running"), ("end", "Ended")):
        assert send(over, f"/campaigns/ads/{way}", {"lang": "en"}).status_code == 303
        assert f">{word}</span></h1>" in ask(over, "GET", "/campaigns/ads?lang=en").text
    assert "/campaigns/ads/edit" not in ask(over, "GET", "/campaigns/ads").text
    end = app.log.end
    assert send(over, "/campaigns/ads/pause", {"lang": "en"}).status_code == 422
    assert app.log.end == end


def test_forms_come_from_this_site_alone(over: Site, app: Fieldline) -> None:
    """A form from another origin, or without one that a browser would name, and JSON in a form's place are refused."""
    end = app.log.end
    for origin in ("https://elsewhere.example", "null"):
        assert send(over, "/campaigns/ads/end", {}, origin=origin).status_code == 421
    assert ask(over, "POST", "/campaigns/ads/end", {}).status_code == 415
    assert not named({"headers": [(b"host", b"127.0.0.1"), (b"origin", b"null")]}, HOSTS)
    assert app.log.end == end


def test_a_campaign_is_forecast_before_it_is_made(over: Site, app: Fieldline) -> None:
    """The first step shows a forecast and makes nothing; the second makes exactly what was forecast."""
    foreseeable(app)
    end = app.log.end
    shown = send(over, "/campaigns/new", NEW | {"step": "forecast"})
    assert shown.status_code == 200
    assert "Make this campaign" in shown.text
    assert app.log.end == end
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.text))
    assert kept == NEW | {"step": "create", "cost": "", "days": ""}
    made_ = send(over, "/campaigns/new", kept)
    assert (made_.status_code, made_.headers["location"]) == (303, "/campaigns/spring%2F1?lang=en")
    terms = terms_of(app.wish("spring/1")[0])
    assert (terms.budget, terms.daily, terms.start) == (1_200_500_000, None, 1_650_888_000_000)  # type: ignore[union-attr]
    assert ask(over, "GET", "/campaigns/spring%2F1").status_code == 200


@pytest.mark.parametrize("step", ["forecast", "create"])
def test_a_goal_out_of_reach_must_be_confirmed(over: Site, app: Fieldline, step: str) -> None:
    """At a goal that cannot be met both steps show so and make nothing; with a confirmation it is made."""
    foreseeable(app)
    far = NEW | {"goal": "95", "offer": "ads_roi"}
    end = app.log.end
    shown = send(over, "/campaigns/new", far | {"step": step})
    assert "This goal is out of reach" in shown.text
    assert 'name="confirmed" value="yes" required' in shown.text
    assert app.log.end == end
    assert send(over, "/campaigns/new", far | {"step": "create", "confirmed": "yes"}).status_code == 303


def test_a_kind_that_nobody_ran_can_still_be_made(over: Site, app: Fieldline) -> None:
    """Where too little was seen the page says so and offers to make it all the same."""
    shown = send(over, "/campaigns/new", NEW | {"offer": "leads", "cost": "30", "step": "forecast"})
    assert "Too little was seen here" in shown.text
    reply = send(over, "/campaigns/new", NEW | {"offer": "leads", "cost": "30", "step": "create"})
    assert reply.status_code == 303
    assert terms_of(app.wish("spring/1")[0]).cost == 30.0  # type: ignore[union-attr]


BAD = {
    "no shop": ({"merchant": ""}, "terms.merchant"),
    "an unknown shop": ({"merchant": "nobody"}, "terms.merchant"),
    "no goal": ({"goal": ""}, "terms.goal"),
    "a goal of nothing": ({"goal": "0"}, "terms.goal"),
    "a goal that is no number": ({"goal": "1e999999"}, "terms.goal"),
    "NaN": ({"goal": "nan"}, "terms.goal"),
    "a budget below nothing": ({"budget": "-5"}, "terms.budget"),
    "seven decimals": ({"budget": "0.0000001"}, "terms.budget"),
    "a day above the budget": ({"daily": "2000"}, "terms.daily"),
    "an end before the start": ({"end": "2022-04-24T00:00"}, "terms.end"),
    "no time": ({"start": "soon"}, "terms.start"),
    "an unknown offer": ({"offer": "miracle"}, "offer"),
    "what is granted": ({"offer": "cold_start"}, "offer"),
    "no id": ({"id": ""}, "id"),
    "a taken id": ({"id": "ads"}, "id"),
}


@pytest.mark.parametrize(("changes", "field"), BAD.values(), ids=BAD)
def test_a_bad_form_is_named_and_makes_nothing(
    over: Site, app: Fieldline, changes: dict[str, str], field: str
) -> None:
    """Each fault comes back with its field on the same page, with all that was typed, and nothing is logged."""
    end = app.log.end
    reply = send(over, "/campaigns/new", NEW | changes | {"step": "create"})
    assert reply.status_code == 422
    assert f'role="alert">Not taken: {field} ' in reply.text
    assert f'value="{(NEW | changes)["budget"]}"' in reply.text
    assert app.log.end == end


def test_forms_know_every_campaign_offer() -> None:
    """Every offer that is a campaign can be asked for by its form, with a goal, a cost, both or neither."""
    assert set(forms.GOALS) | set(forms.COSTS) == set(forms.CAMPAIGNS) - {"max_delivery"}
    assert set(forms.GOALS) & set(forms.COSTS) == {"follower_growth"}
    for offer in forms.CAMPAIGNS:
        fields = NEW | {"offer": offer, "cost": "5", "days": "7"}
        if offer == "follower_growth":
            fields["goal"] = ""
        asked = forms.asked_of(fields)
        wish = made.wish(asked.id, asked.offer, asked.owner, {})
        assert terms_of(type(wish)(wish.id, 0, 1, offer, "m", asked.terms.decode())).budget == 1_200_500_000  # type: ignore[union-attr]


def test_markup_in_names_is_text(over: Site, app: Fieldline) -> None:
    """A campaign whose id is markup stands on its pages as text."""
    evil = "<script>alert('x')</script>"
    assert send(over, "/campaigns/new", NEW | {"id": evil, "step": "create"}).status_code == 303
    for path in ("/", f"/campaigns/{evil.replace('/', '%2F')}"):
        page = ask(over, "GET", path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
