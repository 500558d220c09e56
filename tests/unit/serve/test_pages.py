"""The operator's pages: texts in both languages, numbers for people, nothing executable from data."""

import re
from typing import get_args

import pytest
from starlette.responses import Response

from fieldline.contracts import assurance
from fieldline.facts import Contestable, Decision, Slot
from fieldline.offers import OFFERS
from fieldline.people.intent import STAGES
from fieldline.providers.bundle import FILES
from fieldline.serve import formats
from fieldline.serve.forms import CAMPAIGNS
from fieldline.serve.overview import Counts, Overview, Point, Recent, Shown, Standing, Tier
from fieldline.serve.pages import HERE, LANGUAGES, Pages, Row, language_of
from fieldline.serve.trust import RULINGS
from fieldline.traffic import alerts, learning
from fieldline.traffic.explain import Candidate, Part
from fieldline.traffic.prediction.comparison import COMPARED
from fieldline.traffic.preview.answer import NAMES
from fieldline.traffic.preview.dials import DIALS, MIXED, Bought
from fieldline.traffic.report import BUYERS, BY
from fieldline.traffic.retrieve import SOURCES
from fieldline.trust.appeals import Status
from fieldline.trust.index import BANDS
from fieldline.trust.quotes import Mood
from fieldline.trust.signals import DIMENSIONS, SIGNALS

BUILT: dict[str, tuple[str, ...]] = {
    "offer": tuple(OFFERS),
    "about": CAMPAIGNS,
    "alert": get_args(alerts.Code),
    "level": get_args(alerts.Level),
    "learned": get_args(learning.Progress),
    "why": get_args(learning.Reason),
    "by": BY,
    "no": ("scene", "unit"),
    "buyer": BUYERS,
    "assured": get_args(assurance.State),
    "because": get_args(assurance.Reason),
    "model_kind": ("embedded", *FILES),
    "task": COMPARED,
    "stage": STAGES,
    "source": SOURCES,
    "dimension": DIMENSIONS,
    "signal": tuple(signal.name for signal in SIGNALS),
    "band": BANDS,
    "contested": get_args(Contestable),
    "case": get_args(Status),
    "ruling": RULINGS,
    "dial": ("sources", *(name.replace(".", "_") for name in DIALS if not name.startswith("sources."))),
    "figure": NAMES,
    "buys": get_args(Bought),
    "domain": MIXED,
    "dials_of": ("policy", "mixes", "pools"),
    "way": ("settled", "held"),
    "whose": ("creator", "merchant"),
    "voice": get_args(Mood),
}
"""Texts that a template names by a code: each code of each kind has one."""

AT = 1_763_800_000_000
EVIL = "<script>alert('x')</script>"


def view(title: str = "手工牛肉干", contract: str = "s1") -> Overview:
    shown = (Shown("i1", title, False, 0), Shown("i2", "y", True, 12_300))
    standing = Standing(
        id=contract,
        offer="storewide",
        owner="m1",
        paused=False,
        running=True,
        start=AT - 1000,
        end=AT + 3000,
        pays=True,
        target=4e9,
        done=1e9,
        reserved=0.0,
        planned=1.1e9,
        alpha=3.42,
        organic_price=0.0,
        goal=2.0,
        value=2500.0,
        curve=(Point(AT - 1000, 0.0), Point(AT, 0.25)),
        plan=(Point(AT - 1000, 0.0), Point(AT + 3000, 1.0)),
    )
    recent = Recent("r/1?", AT, "video", "v1", shown, 12_300, True, False)
    counts = Counts(1, 1, 1, 2, 1, 8121, 29.71, 1.0, 1.0, 1.0, 1, 1, 5_000_000, 1_000_000)
    return Overview(AT, counts, (recent,), (standing,), (Tier("tail", 1, 1.0, 1.0, 1.0),))


def candidate(**changes: object) -> Candidate:
    values: dict[str, object] = {
        "item": "i2",
        "slot": 0,
        "chance_of_click": 0.1,
        "chance_of_long_view": 0.4,
        "chance_of_order": 0.01,
        "viewer_value": 0.01,
        "goods_value": 0.02,
        "trust_factor": 1.1,
        "organic_prices": (Part("c9", 0.003),),
        "exploration": 0.0,
        "score": 0.036,
        "contract": "s1",
        "value": 0.03,
        "bid": 0.05,
        "rival_bid": 0.0,
        "charge": 0.0123,
        "organic_rank": None,
        "rank_without_bid": 4,
    }
    return Candidate(**(values | changes))  # type: ignore[arg-type]


def decided(name: str) -> Decision:
    slots = (Slot("i2", name, 12_300, 1.0, 1.0, 1.0, 0, 0),)
    return Decision(name, AT, name, name, slots, (1.0,), 2, True, 0.002)


def home(language: str, shown: Overview) -> str:
    return text_of(Pages().page("home.html", language, {"view": shown}))


def text_of(response: Response) -> str:
    return bytes(response.body).decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_holds_no_other_language(language: str) -> None:
    """The page at / has every figure, in the language asked for alone, and says which one it is."""
    page = home(language, view(title="jerky"))
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page
    assert ("Decisions as they arrive" in page) == (language == "en")
    assert ("最新决策" in page) == (language == "zh")
    for figure in ("8,121", "29.7", "¥0.0123", "3.42", "25%", "2025-11-22 16:26:40"):
        assert figure in page


def test_every_text_is_there_in_both_languages_and_is_used() -> None:
    """The catalogue has both languages for each key, and exactly the keys that the templates ask for."""
    messages = Pages().messages
    assert all(set(texts) == set(LANGUAGES) for texts in messages.values())
    for texts in messages.values():
        holes = [sorted(re.findall(r"{(\w+)}", texts[language])) for language in LANGUAGES]
        assert holes[0] == holes[1]
    sources = "".join(file.read_text("utf-8") for file in sorted((HERE / "templates").iterdir()))
    built = {key for key in messages if key.startswith("tier_")}
    built |= {"running", "paused", "ended", "waiting", "idle", "too_little"}
    built |= {f"{kind}_{code}" for kind, codes in BUILT.items() for code in codes}
    assert set(re.findall(r"\bt\('(\w+)'[,)]", sources)) | looped(sources) | built == set(messages)


def looped(sources: str) -> set[str]:
    return {
        word
        for words in re.findall(r"for name in \(([^)]*)\)", sources)
        for word in re.findall(r"\w+", words)
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_comes_from_data_is_never_markup(language: str) -> None:
    """Titles, ids and contracts that hold markup are shown as text on both pages."""
    assert "<script>alert" not in home(language, view(title=EVIL, contract=EVIL))
    decision = Decision(
        EVIL, AT, EVIL, EVIL, (Slot("i2", EVIL, 1, 1.0, 1.0, 1.0, 0, 0),), (1.0,), 2, True, 0.002
    )
    row = Row(candidate(contract=EVIL, item=EVIL, organic_prices=(Part(EVIL, 0.1),)), EVIL, True)
    page = text_of(
        Pages().page("decision.html", language, {"decision": decision, "explanation": [row], "widest": 1.0})
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 6


def test_a_decision_is_told_in_words() -> None:
    """A sponsored place is told with its bid, its charge and where it would stand without."""
    decision = Decision(
        "r1", AT, "v1", "video", (Slot("i2", "s1", 12_300, 1, 1, 1, 0, 0),), (1.0,), 2, True, 0.002
    )
    rows = [Row(candidate(), "Walnut comb", True), Row(candidate(slot=None, contract=None), "Other", False)]
    page = text_of(
        Pages().page("decision.html", "en", {"decision": decision, "explanation": rows, "widest": 0.036})
    )
    assert "Place 1 is sponsored: s1 values 1,000 looks at ¥30.00, bids ¥50.00 for them" in page
    assert "pays ¥12.30 per 1,000 impressions of “Walnut comb”" in page
    assert "Without any bids it would not be shown; all of its exposure here is bought." in page
    assert "Without this one bid it would stand at place 5." in page
    assert 'scope="colgroup"' in page


def test_pages_run_no_inline_script_or_style() -> None:
    """No template holds an inline script, handler or style, so that the strict policy breaks nothing."""
    for file in sorted((HERE / "templates").iterdir()):
        source = file.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", source), file.name
    policy = Pages().page("home.html", "en", {"view": view()}).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_pages_load_nothing_from_elsewhere() -> None:
    """Every address that a page or its style loads is its own."""
    for file in [*(HERE / "templates").iterdir(), *(HERE / "static").iterdir()]:
        source = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in source, file.name
        assert "https://" not in source, file.name


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        (None, "", "en"),
        (None, "fr,zh-CN;q=0.8,en;q=0.7", "zh"),
        ("xx", "zh", "zh"),
        (None, "en-GB, zh", "en"),
        (None, "zh;q=soon,en", "en"),
        (None, "de", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_accepted(
    asked: str | None, accepted: str, language: str
) -> None:
    """?lang= wins over Accept-Language, which goes by weight and then by order; English otherwise."""
    assert language_of(asked, accepted) == language


def test_numbers_are_written_for_people() -> None:
    """Money, counts and shares keep the figures that matter and no others."""
    assert [formats.yuan(amount) for amount in (0, 12_345, 999_999, 4_500_000, 12_345_678_900)] == [
        "¥0",
        "¥0.0123",
        "¥1.0000",
        "¥4.50",
        "¥12,346",
    ]
    assert [formats.percent(share) for share in (0.0, 0.004, 0.0995, 0.5, 1.0)] == [
        "0.0%",
        "0.4%",
        "10%",
        "50%",
        "100%",
    ]
    assert [formats.figures(value) for value in (0.0, 0.1234, 3.421, 1e4)] == [
        "0",
        "0.123",
        "3.42",
        "10,000",
    ]
    assert formats.mille(0.0123) == "12.30"
    assert formats.iso(AT) == "2025-11-22T08:26:40.000+00:00"
    assert formats.path("a/b?c") == "a%2Fb%3Fc"


def test_a_curve_stays_in_its_picture() -> None:
    """Points run from the horizon's start to its end and from nothing to the whole target."""
    curve = (Point(0, 0.0), Point(50, 0.5), Point(200, 2.0))
    assert formats.points(curve, 0, 100) == "0.00,35.00 50.00,18.00 100.00,1.00"


def test_a_bar_is_as_long_as_its_score() -> None:
    """The parts of a score stand side by side: viewer and goods value after trust, then organic prices."""
    bars = formats.stacked(candidate(), 0.036)
    assert [(bar.kind, bar.x, bar.width) for bar in bars] == [
        ("viewer", 0.0, 30.56),
        ("goods", 30.56, 61.11),
        ("price", 91.67, 8.33),
    ]
    assert formats.stacked(candidate(), 0.0) == []


def test_the_link_to_a_decision_keeps_any_id() -> None:
    """An id with a slash and a question mark stands encoded in its link."""
    assert 'href="/decisions/r%2F1%3F?lang=en"' in home("en", view())


def test_static_files_are_addressed_by_content() -> None:
    """A static file's address names its content, and one that is not there is not found."""
    pages = Pages()
    assert re.fullmatch(r"/static/live\.js\?v=[0-9a-f]{12}", pages.address("live.js"))
    assert pages.file("live.js").media_type in {"text/javascript", "application/javascript"}
    with pytest.raises(Exception, match="No such thing"):
        pages.file("../pages.py")
