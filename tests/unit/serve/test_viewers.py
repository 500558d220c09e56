"""What viewers see and choose of themselves, over HTTP: intents, corrections, resets, the page."""

import json

import httpx
import pytest
from tests.made import START, catalogue
from tests.unit.serve.test_admin import JSON, ask, fields

from fieldline.app import Fieldline
from fieldline.facts import Follow, Outcome
from fieldline.serve.hot import Site
from fieldline.serve.site import site_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import Instant

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def app() -> Fieldline:
    """Return an engine whose viewer-1 clicked one video of each of three kinds, kind-2 twice."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.begin(Instant(START))
    for entry in catalogue():
        app.upsert([entry])
    for number, video in enumerate((0, 1, 2, 5)):
        app.record(
            [
                Outcome(
                    f"o{number}",
                    START + number,
                    "viewer-29",
                    f"video-{video}",
                    "video",
                    click=True,
                    long_view=False,
                )
            ]
        )
    return app


@pytest.fixture
def site(app: Fieldline) -> Site:
    """Return the whole site over that engine."""
    site = site_of(app)
    site.ready = True
    return site


def put(site: Site, path: str, body: object) -> httpx.Response:
    return ask(site, "PUT", path, json.dumps(body).encode(), JSON)


def kinds(site: Site, viewer: str = "viewer-29") -> list[str]:
    return [of["category"] for of in ask(site, "GET", f"/v1/viewers/{viewer}/intents").json()["intents"]]


def test_a_viewer_sees_what_is_inferred(site: Site) -> None:
    """The intents come surest first, each with a confidence between 0 and 1, beside the choice as it stands."""
    told = ask(site, "GET", "/v1/viewers/viewer-29/intents").json()
    assert (told["viewer"], told["personalised"], told["not_interested"]) == ("viewer-29", True, [])
    assert told["intents"][0]["category"] == "kind-2"
    chances = [of["confidence"] for of in told["intents"]]
    assert len(chances) == 3
    assert 1.0 > chances[0] >= chances[1] >= chances[2] > 0.0
    assert {of["said"] for of in told["intents"]} == {False}


def test_a_correction_stands_and_is_audited(app: Fieldline, site: Site) -> None:
    """A stage is told back with confidence 1, null takes the category away, and the audit has both."""
    told = put(site, "/v1/viewers/viewer-29/intents/kind-0", {"stage": "ready"}).json()
    assert told["intents"][0] == {"category": "kind-0", "stage": "ready", "confidence": 1.0, "said": True}
    told = put(site, "/v1/viewers/viewer-29/intents/kind-0", {"stage": None}).json()
    assert told["not_interested"] == ["kind-0"]
    assert kinds(site) == ["kind-2", "kind-1"]
    lines = app.records.audit("viewer:viewer-29")
    assert [(line["by"], line["before"]["stage"], line["after"]["stage"]) for line in lines] == [
        ("local", "browse", "ready"),
        ("local", "ready", None),
    ]


def test_a_reset_leaves_nothing(app: Fieldline, site: Site) -> None:
    """After a reset there is no intent, no correction and nothing watched lately."""
    put(site, "/v1/viewers/viewer-29/intents/kind-0", {"stage": None})
    assert ask(site, "DELETE", "/v1/viewers/viewer-29/intents").status_code == 204
    told = ask(site, "GET", "/v1/viewers/viewer-29/intents").json()
    assert (told["intents"], told["not_interested"]) == ([], [])
    assert (app.state.people.recent[app.state.people.names.find("viewer-29")] == -1).all()


BAD: dict[str, tuple[str, object, int, list[str]]] = {
    "an unknown viewer": ("/v1/viewers/nobody/intents/kind-0", {"stage": "ready"}, 404, ["id"]),
    "an unknown category": ("/v1/viewers/viewer-1/intents/kind-9", {"stage": "ready"}, 422, ["category"]),
    "an unknown stage": ("/v1/viewers/viewer-1/intents/kind-0", {"stage": "buying"}, 422, ["stage"]),
    "no stage": ("/v1/viewers/viewer-1/intents/kind-0", {}, 422, ["stage"]),
    "another field": ("/v1/viewers/viewer-1/intents/kind-0", {"stage": None, "x": 1}, 422, ["x"]),
    "a word for on": ("/v1/viewers/viewer-1/personalisation", {"on": "yes"}, 422, ["on"]),
    "nobody opts out": ("/v1/viewers/nobody/personalisation", {"on": False}, 404, ["id"]),
}


@pytest.mark.parametrize(("path", "body", "status", "named"), BAD.values(), ids=BAD)
def test_what_cannot_be_chosen_changes_nothing(
    app: Fieldline, site: Site, path: str, body: object, status: int, named: list[str]
) -> None:
    """It is refused by its field, and neither the log nor the audit has a word of it."""
    end = app.log.end
    reply = put(site, path, body)
    assert (reply.status_code, fields(reply)) == (status, named)
    assert app.log.end == end
    assert app.records.audit("viewer:viewer-1") == app.records.audit("viewer:nobody") == []


def test_who_opted_out_corrects_nothing(app: Fieldline, site: Site) -> None:
    """A correction by one who opted out gets 409, and nothing is logged."""
    put(site, "/v1/viewers/viewer-29/personalisation", {"on": False})
    end = app.log.end
    reply = put(site, "/v1/viewers/viewer-29/intents/kind-0", {"stage": "ready"})
    assert (reply.status_code, fields(reply), app.log.end) == (409, ["id"], end)


def test_erasure_takes_the_audit_too(app: Fieldline, site: Site) -> None:
    """After a viewer is erased no audit line of theirs is left, and the same id is a new person, treated personally."""
    put(site, "/v1/viewers/viewer-29/personalisation", {"on": False})
    assert len(app.records.audit("viewer:viewer-29")) == 1
    assert ask(site, "DELETE", "/v1/viewers/viewer-29").status_code == 204
    assert app.records.audit("viewer:viewer-29") == []
    lines = {"content-type": "application/x-ndjson"}
    ask(site, "POST", "/v1/viewers", b'{"id":"viewer-29"}', lines)
    told = ask(site, "GET", "/v1/viewers/viewer-29/intents").json()
    assert (told["personalised"], told["intents"]) == (True, [])


def test_choices_survive_a_restart(app: Fieldline, site: Site) -> None:
    """An engine that folds the same log again knows the same choices."""
    put(site, "/v1/viewers/viewer-29/intents/kind-1", {"stage": "repeat"})
    put(site, "/v1/viewers/viewer-3/personalisation", {"on": False})
    again = Fieldline(app.log, open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:"))
    assert not again.state.people.personalised[again.state.people.names.find("viewer-3")]
    assert again.state.people.intents.said == app.state.people.intents.said != {}


def test_following_counts_once(app: Fieldline, site: Site) -> None:
    """A follow adds to the category of the creator's newest item; following again adds nothing."""
    intents, viewer = app.state.people.intents, app.state.people.names.find("viewer-28")
    app.record([Follow("f1", START + 9, "viewer-28", "creator-0")])
    once = intents.strength[viewer].copy()
    app.record([Follow("f2", START + 9, "viewer-28", "creator-0")])
    assert once.sum() > 0.0
    assert (intents.strength[viewer] == once).all()


@pytest.mark.parametrize(("lang", "words"), [("en", "Looking around"), ("zh", "随便看看")])
def test_the_page_tells_it_in_words(site: Site, lang: str, words: str) -> None:
    """The viewer's page names categories and stages in the language asked for; nobody's page is 404."""
    page = ask(site, "GET", f"/viewers/viewer-29?lang={lang}").text
    assert "kind-2" in page
    assert words in page
    assert ask(site, "GET", "/viewers/nobody").status_code == 404


def test_the_pages_forms_do_what_the_routes_do(app: Fieldline, site: Site) -> None:
    """Correct, reset and opt out lead back to the page and stand in the state; a choice that is none gets 422."""
    path = "/viewers/viewer-29"
    reply = ask(site, "POST", f"{path}/correct", b"lang=zh&category=kind-2&choice=none", FORM)
    assert (reply.status_code, reply.headers["location"]) == (303, f"{path}?lang=zh")
    assert "kind-2" not in kinds(site)
    end = app.log.end
    reply = ask(site, "POST", f"{path}/correct", b"category=kind-2&choice=soon", FORM)
    assert (reply.status_code, app.log.end) == (422, end)
    assert ask(site, "POST", f"{path}/reset", b"", FORM).status_code == 303
    assert kinds(site) == []
    assert ask(site, "POST", f"{path}/personalisation", b"choice=off", FORM).status_code == 303
    assert not ask(site, "GET", "/v1/viewers/viewer-29/intents").json()["personalised"]
    assert ask(site, "POST", f"{path}/sell", b"", FORM).status_code == 404
