"""The follow feed: what followed creators made, as far as it fills the slate."""

from msgspec.structs import replace
from tests.made import wish

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.facts import Creator, Decision, Merchant, Personalised, Product, Request, Video, Viewer
from fieldline.units import DAY, YUAN

ANN, BO, CY = "ann", "bo", "cy"
POLICY = replace(DEFAULT_POLICY, random_share=0.0)


def market(*follows: str) -> engine.State:
    """Three creators with eight works each in four categories, and one viewer."""
    state = engine.init(POLICY)
    for maker in (ANN, BO, CY):
        engine.reduce(state, Creator(maker))
        for n in range(8):
            video = Video(f"{maker}-{n}", maker, scenes=("video", "follow"), category=f"c{n % 4}")
            engine.reduce(state, video)
    engine.reduce(state, Viewer("vera", follows=follows))
    return state


def asked(state: engine.State, scene: str = "follow", slots: int = 4) -> Decision:
    """The slate of a request."""
    return engine.decide(state, Request("r", "vera", scene, at=0, slots=slots))


def makers(decision: Decision) -> list[str]:
    """Whose the items of a slate are."""
    return sorted(slot.item.split("-")[0] for slot in decision.slots)


def test_a_follow_feed_has_followed_creators_alone() -> None:
    """With two creators followed, two places each at most, a slate of four is theirs; in the video feed all compete."""
    state = market(ANN, BO)
    decision = asked(state)
    assert makers(decision) == [ANN, ANN, BO, BO]
    assert decision.candidates == 16
    assert asked(state, "video").candidates == 24


def test_a_slate_is_filled_all_the_same() -> None:
    """Where caps leave followed creators fewer places than there are, others compete for all of them."""
    state = market(ANN, BO)
    five = asked(state, slots=5)
    assert len(five.slots) == 5
    assert five.candidates == 24
    alone = asked(market(ANN))
    assert len(alone.slots) == 4
    assert alone.candidates == 24


def test_categories_caps_count_too() -> None:
    """Where followed creators' works are of one category, of which two may stand at once, others compete."""
    state = engine.init(replace(POLICY, category_cap=2))
    for maker in (ANN, BO, CY):
        engine.reduce(state, Creator(maker))
    for maker in (ANN, BO):
        for n in range(4):
            engine.reduce(state, Video(f"{maker}-{n}", maker, scenes=("follow",), category="one"))
    engine.reduce(state, Video("cy-0", CY, scenes=("follow",), category="two"))
    engine.reduce(state, Viewer("vera", follows=(ANN, BO)))
    assert asked(state, slots=3).candidates == 9


def test_who_opted_out_has_no_follow_feed() -> None:
    """Opted out, the same viewer's follow feed has all makers' works: whom they follow is not read."""
    state = market(ANN, BO)
    engine.reduce(state, Personalised("vera", 0, False))
    assert asked(state).candidates == 24


def test_what_is_paid_for_may_stand_there() -> None:
    """A work under contract competes in the follow feed of who does not follow its maker."""
    state = market(ANN, BO)
    engine.reduce(state, Merchant("shop"))
    engine.reduce(state, Product("goods", "shop", 10_000_000, 100, scenes=("mall",), category="c0"))
    engine.reduce(state, Video("sold", CY, product="goods", scenes=("follow",), category="c0"))
    assert asked(state).candidates == 16
    terms: dict[str, object] = {"merchant": "shop", "budget": YUAN, "goal": 2.0, "start": 0, "end": DAY}
    engine.reduce(state, wish("sale", "storewide", "shop", terms, at=0))
    assert asked(state).candidates == 17
