"""Repeat buyers' voices over HTTP: who is quoted, what vouches for them, and who may see that."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from tests.made import START, catalogue
from tests.unit.learn.test_sentiment import reviews
from tests.unit.serve.test_admin import ask

from fieldline import engine
from fieldline.app import Fieldline
from fieldline.errors import ModelRefused
from fieldline.facts import Merchant, Order, Refund, Reply, Review, decode
from fieldline.learn.sentiment import fit, rows_of
from fieldline.serve.hot import Site
from fieldline.serve.pages import Pages, Texts
from fieldline.serve.site import site_of
from fieldline.serve.voices import voices_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots
from fieldline.units import YUAN, Instant

AT = START + 1_000


def order(id: str, viewer: str, product: str = "product-1", at: int = AT) -> Order:
    """An order of one product of merchant-1."""
    return Order(id, at, viewer, product, 10 * YUAN)


@pytest.fixture
def app() -> Fieldline:
    """Return an engine at which viewer-1 and viewer-2 ordered twice from merchant-1, viewer-3 once; all reviewed it."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.begin(Instant(START))
    for entry in catalogue():
        app.upsert([entry])
    app.record(
        [
            order("a1", "viewer-1"), order("a2", "viewer-1", "product-5"),
            order("b1", "viewer-2"), order("b2", "viewer-2"), order("c1", "viewer-3"),
            Review("ra", AT + 1, "a1", 5, "面料柔软，<b>很满意</b>。电话13812345678。"),
            Review("rb", AT + 2, "b1", 1, "包装破损，瓶子漏了。"),
            Review("rc", AT + 3, "c1", 5, "只买过一次。"),
            Reply("ya", AT + 4, "rb", "抱歉，加微信abc123处理。"),
        ]
    )  # fmt: skip
    return app


@pytest.fixture
def site(app: Fieldline) -> Site:
    """Return the whole site over that engine."""
    site = site_of(app)
    site.ready = True
    return site


def heard(site: Site, path: str = "/v1/merchants/merchant-1/voices", **headers: str) -> httpx.Response:
    """What the route answers."""
    return ask(site, "GET", path, b"", {name.replace("_", "-"): value for name, value in headers.items()})


def test_repeat_buyers_are_quoted_and_not_named(site: Site) -> None:
    """Praise and criticism of the two with two kept orders, contacts masked, the reply beside, no viewer anywhere."""
    reply = heard(site)
    told = reply.json()
    assert (told["merchant"], told["reviews"]) == ("merchant-1", 2)
    praise, blame = told["voices"]
    assert praise == {
        "quote": "面料柔软，<b>很满意</b>。电话***。", "stars": 5, "mood": "praise", "orders_kept": 2, "at": AT + 1,
        "product": "product-1", "reply": None, "evidence": None,
    }  # fmt: skip
    assert (blame["mood"], blame["reply"]) == ("criticism", "抱歉，加微信***处理。")
    assert "viewer" not in reply.text


def test_a_refund_and_an_erasure_take_quotes_out(app: Fieldline, site: Site) -> None:
    """After a refund of one of two orders one quote is left, after the other buyer's erasure none."""
    app.record([Refund("back", AT + 5, "b2", YUAN)])
    assert [voice["stars"] for voice in heard(site).json()["voices"]] == [5]
    app.erase_viewer("viewer-1", "local")
    assert heard(site).json()["voices"] == []


def test_orders_are_for_the_operator_and_the_merchant(site: Site) -> None:
    """Asked for, they are told to both; another merchant is refused, and nobody gets them unasked."""
    path = "/v1/merchants/merchant-1/voices?evidence=true"
    for who in ("local", "merchant-1"):
        found = heard(site, path, x_fieldline_user=who).json()["voices"][0]["evidence"]
        assert found == {"review": "ra", "orders": ["a1", "a2"]}
    refused = heard(site, path, x_fieldline_user="merchant-2")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "evidence")


def test_an_item_has_its_merchants_voices(site: Site) -> None:
    """A product and a video that sells it answer alike; a video that sells nothing has none."""
    assert heard(site, "/v1/items/product-1/voices").json() == heard(site, "/v1/items/video-1/voices").json()
    assert len(heard(site, "/v1/items/video-1/voices").json()["voices"]) == 2
    bare = heard(site, "/v1/items/video-0/voices").json()
    assert (bare["merchant"], bare["voices"]) == (None, [])


@pytest.mark.parametrize("path", ["/v1/merchants/none/voices", "/v1/items/none/voices"])
def test_what_nothing_has_is_unknown(site: Site, path: str) -> None:
    """An unknown id is 404, more quotes than there may be 422."""
    assert heard(site, path).status_code == 404
    assert heard(site, path + "?most=13").status_code == 422


def test_own_accounts_are_not_quoted(app: Fieldline, site: Site) -> None:
    """Once viewer-1 is declared the merchant's own, only viewer-2 is quoted."""
    app.upsert([Merchant("merchant-1", accounts=("viewer-1",))])
    assert [voice["stars"] for voice in heard(site).json()["voices"]] == [1]


def test_the_page_shows_markup_as_text(app: Fieldline) -> None:
    """The partial escapes what was typed, in both languages."""
    pages = Pages()
    partial = pages.environment.get_template("voices.html").module
    for language in ("en", "zh"):
        shown = str(partial.voices(voices_of(app.state, "merchant-1"), Texts(pages.messages, language)))  # type: ignore[attr-defined]
        assert "&lt;b&gt;很满意&lt;/b&gt;" in shown
        assert "<b>" not in shown
        empty = str(partial.voices((), Texts(pages.messages, language)))  # type: ignore[attr-defined]
        assert "blockquote" not in empty


def test_a_snapshot_keeps_what_was_said(app: Fieldline) -> None:
    """A decoded state quotes as the one that was encoded, byte for byte."""
    again = engine.decode(engine.encode(app.state))
    assert voices_of(again, "merchant-1") == voices_of(app.state, "merchant-1")
    assert engine.encode(again) == engine.encode(app.state)


def test_a_model_reads_reviews_as_they_are_taken(app: Fieldline, tmp_path: Path) -> None:
    """What it read is in the log with the review; what somebody else read, or nobody can, stays as it came."""
    made = reviews(60)
    app.sentiment = fit(rows_of(made), np.arange(60), "made")
    app.record(
        [
            order("d1", "viewer-4"), order("d2", "viewer-4"), order("d3", "viewer-4"),
            Review("r1", AT, "d1", 3, "质量太差，再也不买"), Review("r2", AT, "d2", 3, "质量太差", 0.25),
            Review("r3", AT, "d3", 3, "!!!"),
        ]
    )  # fmt: skip
    tones = {
        id: said.tone for id, said in app.state.trust.voices.said["merchant-1"].items() if id[1].isdigit()
    }
    assert tones["r1"] is not None
    assert tones["r1"] < -0.5
    assert (tones["r2"], tones["r3"]) == (0.25, None)
    facts = [decode(payload) for _, payload in app.log.read()]
    assert [fact.tone for fact in facts if isinstance(fact, Review) and fact.id == "r1"] == [tones["r1"]]


def test_a_server_with_another_file_than_a_model_does_not_start(tmp_path: Path) -> None:
    """The file is named, and no data folder was made."""
    (tmp_path / "model").write_text("no model")
    with pytest.raises(ModelRefused, match="declaration"):
        Fieldline.open(tmp_path / "data", None, sentiment=str(tmp_path / "model"))
    assert not (tmp_path / "data").exists()
