"""Trust in the market: what each fact does to a merchant's evidence, what is refused, and what follows from it."""

import msgspec
import numpy as np
import pytest
from msgspec import structs
from tests import town
from tests.town import START, order

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import (
    AnyFact,
    Appeal,
    Creator,
    Delivery,
    Dialogue,
    Merchant,
    Product,
    Refund,
    Reply,
    Review,
    Ruling,
    Tick,
    TrustWeights,
    Video,
    Viewer,
    ViewerErased,
)
from fieldline.traffic import trusted
from fieldline.traffic.checks import check_batch
from fieldline.traffic.rows import FLAGS, SHOWN, TRUST
from fieldline.trust import evidence
from fieldline.trust.evidence import HALF_LIFE
from fieldline.trust.signals import ANSWERED, KEPT_MONEY, KEPT_ORDERS, ON_TIME, SOLVED, STARS, WORDS
from fieldline.units import DAY, HOUR, MINUTE, YUAN

AT = START + DAY


@pytest.fixture
def state() -> engine.State:
    """Three shops with one product each, a refused video, and four viewers."""
    state = engine.init(DEFAULT_POLICY)
    engine.reduce(state, Tick(START))
    for shop in range(3):
        engine.reduce(state, Merchant(f"shop-{shop}"))
        engine.reduce(state, Product(f"goods-{shop}", f"shop-{shop}", 50 * YUAN, 100, category="tea"))
    engine.reduce(state, Creator("host"))
    engine.reduce(state, Video("refused", "host", merchant="shop-0", approved=False))
    for viewer in range(4):
        engine.reduce(state, Viewer(f"viewer-{viewer}"))
    return state


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def shares(state: engine.State, viewer: int = 0, shop: int = 0) -> dict[int, float]:
    """What a buyer told of a merchant, signal by signal."""
    known = state.trust.evidence
    row = known.row_of[viewer, known.shops.find(f"shop-{shop}")]
    told = np.flatnonzero(known.counts[row] > 1e-9)
    return {int(k): float(known.values[row, k] / known.counts[row, k]) for k in told}


def test_an_order_and_what_became_of_it(state: engine.State) -> None:
    """Half the money back, late, four stars in a glad voice: each shows as its share."""
    take(
        state, *order("o", "viewer-0", 0, AT), Refund("r", AT + 1, "o", 25 * YUAN),
        Delivery("d", AT + DAY, "o", AT + HOUR), Review("v", AT + DAY, "o", 4, "好", tone=0.5),
    )  # fmt: skip
    assert shares(state) == pytest.approx(
        {KEPT_MONEY: 0.5, KEPT_ORDERS: 0.5, STARS: 0.75, WORDS: 0.75, ON_TIME: 0.0}
    )


def test_a_dialogue_counts_how_long_it_took(state: engine.State) -> None:
    """An answer after three minutes is worth a half; what nobody says was solved is not counted."""
    take(state, Dialogue("a", AT, "viewer-0", "shop-0", 3 * MINUTE))
    assert shares(state) == {ANSWERED: 0.5}
    take(state, Dialogue("b", AT, "viewer-0", "shop-0", 0, solved=False))
    assert shares(state) == pytest.approx({ANSWERED: 0.75, SOLVED: 0.0})


def test_a_second_review_takes_the_first_one_s_place(state: engine.State) -> None:
    """The later of two reviews counts, whichever of them comes first."""
    early, late = Review("v1", AT + 1, "o", 1), Review("v2", AT + 2, "o", 5)
    take(state, *order("o", "viewer-0", 0, AT), late, early)
    assert shares(state)[STARS] == pytest.approx(1.0)


def test_evidence_halves_in_ninety_days(state: engine.State) -> None:
    """An order 90 days before another weighs half of it."""
    take(
        state,
        *order("old", "viewer-0", 0, AT, stars=1),
        *order("new", "viewer-0", 0, AT + HALF_LIFE * DAY, stars=5),
    )
    assert shares(state)[STARS] == pytest.approx(2 / 3)


def test_days_make_visits(state: engine.State) -> None:
    """Three orders in one day are one visit, the order of another day is a second, and it goes when it comes back."""
    orders = [fact for k in range(3) for fact in order(f"o{k}", "viewer-0", 0, AT + k)]
    take(state, *orders, *order("later", "viewer-0", 0, AT + 2 * DAY))
    assert state.trust.evidence.visits[0] == 2.0
    take(state, Refund("r", AT + 2 * DAY, "later", 50 * YUAN))
    assert state.trust.evidence.visits[0] == 1.0


def test_an_upheld_appeal_takes_evidence_out_and_a_later_ruling_puts_it_back(state: engine.State) -> None:
    """The contested refund counts, then not, then again."""
    take(state, *order("o", "viewer-0", 0, AT), Refund("r", AT + 1, "o", 50 * YUAN))
    assert shares(state)[KEPT_ORDERS] == 0.0
    contested = Appeal("a", AT + 2, "shop-0", "refund", "r", "the buyer kept it")
    engine.check(state, contested)
    take(state, contested, Ruling("x", AT + 3, "a", upheld=True))
    assert shares(state)[KEPT_ORDERS] == 1.0
    assert state.trust.evidence.visits[0] == 1.0
    take(state, Ruling("y", AT + 4, "a", upheld=False))
    assert shares(state)[KEPT_ORDERS] == 0.0


def test_a_contested_review_and_dialogue_leave_nothing(state: engine.State) -> None:
    """Upheld, neither stars nor waits are left of them."""
    take(
        state, *order("o", "viewer-0", 0, AT, stars=1), Dialogue("q", AT, "viewer-0", "shop-0", HOUR, False),
        Appeal("a", AT + 2, "shop-0", "review", "o/review", "?"), Ruling("x", AT + 3, "a", True),
        Appeal("b", AT + 2, "shop-0", "dialogue", "q", "?"), Ruling("y", AT + 3, "b", True),
    )  # fmt: skip
    assert set(shares(state)) == {KEPT_MONEY, KEPT_ORDERS}


def test_a_refused_item_is_shown_again_on_appeal(state: engine.State) -> None:
    """Upheld, the item is approved and may be shown; a later ruling against it takes it away again."""
    engine.check(state, Appeal("a", AT, "host", "item", "refused", "it breaks no rule"))
    take(state, Appeal("a", AT, "host", "item", "refused", "it breaks no rule"))
    item = state.shelf.names.find("refused")
    flags = state.shelf.rows.view(np.int32)[:, FLAGS]
    assert not flags[item] & SHOWN
    take(state, Ruling("x", AT + 1, "a", upheld=True))
    assert state.shelf.facts[item].approved
    assert state.shelf.rows.view(np.int32)[item, FLAGS] & SHOWN
    take(state, Ruling("y", AT + 2, "a", upheld=False))
    assert not state.shelf.rows.view(np.int32)[item, FLAGS] & SHOWN


NOT: dict[str, tuple[Appeal, type[Refused], str]] = {
    "another's order": (Appeal("a", AT, "shop-1", "refund", "r", "?"), Refused, "by"),
    "no refund": (Appeal("a", AT, "shop-0", "refund", "o/review", "?"), Unknown, "about"),
    "no review": (Appeal("a", AT, "shop-0", "review", "nothing", "?"), Unknown, "about"),
    "no dialogue": (Appeal("a", AT, "shop-0", "dialogue", "r", "?"), Unknown, "about"),
    "no item": (Appeal("a", AT, "shop-0", "item", "nothing", "?"), Unknown, "about"),
    "an approved item": (Appeal("a", AT, "shop-0", "item", "goods-0", "?"), Refused, "about"),
    "another's item": (Appeal("a", AT, "shop-1", "item", "refused", "?"), Refused, "by"),
    "a year ahead": (Appeal("a", AT + 365 * DAY, "shop-0", "refund", "r", "?"), Refused, "at"),
}


@pytest.mark.parametrize(("fact", "kind", "field"), NOT.values(), ids=NOT)
def test_what_cannot_be_contested(state: engine.State, fact: Appeal, kind: type[Refused], field: str) -> None:
    """It is refused by its field, and the state is as it was."""
    take(state, *order("o", "viewer-0", 0, AT, stars=3), Refund("r", AT + 1, "o", YUAN))
    before = engine.encode(state)
    with pytest.raises(kind) as refused:
        engine.check(state, fact)
    assert refused.value.field == field
    assert engine.encode(state) == before


def test_nothing_is_contested_twice_unless_it_was_rejected(state: engine.State) -> None:
    """A second appeal is a conflict while the first is open or upheld, and is taken after a rejection."""
    take(state, *order("o", "viewer-0", 0, AT), Refund("r", AT + 1, "o", YUAN))
    second = Appeal("b", AT + 3, "shop-0", "refund", "r", "again")
    take(state, Appeal("a", AT + 2, "shop-0", "refund", "r", "?"))
    for upheld in (None, True):
        if upheld is not None:
            take(state, Ruling("x", AT + 2, "a", upheld))
        with pytest.raises(Conflict):
            engine.check(state, second)
    take(state, Ruling("y", AT + 2, "a", upheld=False))
    engine.check(state, second)


def test_service_names_what_exists(state: engine.State) -> None:
    """An order, review, viewer or merchant that nothing has is refused by its field; a batch may bring it itself."""
    for fact, field in (
        (Delivery("d", AT, "o"), "order"),
        (Review("v", AT, "o", 5), "order"),
        (Reply("p", AT, "v", "thanks"), "review"),
        (Dialogue("q", AT, "nobody", "shop-0", 0), "viewer"),
        (Dialogue("q", AT, "viewer-0", "nobody", 0), "merchant"),
    ):
        with pytest.raises(Unknown) as refused:
            engine.check(state, fact)
        assert refused.value.field == field
    batch = [
        *order("o", "viewer-0", 0, AT),
        Delivery("d", AT, "o"),
        Review("v", AT, "o", 5),
        Reply("p", AT, "v", "!"),
    ]
    check_batch(state, list(enumerate(batch)))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["x" * 2_001, "好" * 50_000])
def test_a_text_too_long_is_refused_by_its_name(text: str) -> None:
    """2,001 characters are one too many; the error names the field."""
    sent = msgspec.json.encode(
        {"type": "review", "id": "v", "at": AT, "order": "o", "stars": 5, "text": text}
    )
    with pytest.raises(msgspec.ValidationError, match=r"\$.text"):
        msgspec.json.decode(sent, type=Review)


def test_an_erased_viewer_leaves_no_trace(state: engine.State) -> None:
    """Their orders, dialogues and visits are gone, and so is what they said of the merchant."""
    clean = engine.decode(engine.encode(state)).trust.evidence
    take(
        state,
        *order("o", "viewer-0", 0, AT, stars=5, back=True),
        Dialogue("q", AT, "viewer-0", "shop-0", 0, True),
    )
    take(state, ViewerErased("viewer-0", AT + DAY))
    known = state.trust.evidence
    assert (known.row_of, known.deals, known.order_of, known.asked, known.days) == ({}, {}, {}, {}, {})
    assert (known.values == clean.values).all()
    assert (known.counts == clean.counts).all()
    with pytest.raises(Unknown):
        engine.check(state, Review("late", AT + DAY, "o", 1))


def test_a_look_counts_as_far_as_its_viewer_does(state: engine.State) -> None:
    """A long, disliked look of a viewer who counts a half is half a look; of one who opted out, none."""
    trusted.turn(state, AT)
    state.trust.lookers = np.full(16, 0.5)
    item = state.shelf.names.find("goods-1")
    for viewer in (0, 1):
        state.people.personalised[1] = False
        trusted.note_look(state, viewer, item, AT, long=True, liked=False, hated=True)
    known = state.trust.evidence
    now = evidence.gain(known, AT) ** np.array((1, 1, 1, 1, 2))
    looks = known.looks[known.shops.find("shop-1")] / now
    assert looks.tolist() == pytest.approx([0.5, 0.5, 0.0, 0.0, 0.25])


def test_rows_that_faded_are_let_go(state: engine.State) -> None:
    """After 1,000 days a buyer's row is gone, and the one of this day keeps what it told under its new number."""
    take(state, *order("old", "viewer-0", 0, AT), *order("new", "viewer-1", 1, AT + 1_000 * DAY, stars=4))
    evidence.forget(state.trust.evidence, AT + 1_000 * DAY)
    known = state.trust.evidence
    assert known.row_of == {(1, known.shops.find("shop-1")): 0}
    assert (known.rows, known.of_shop[known.shops.find("shop-1")], set(known.deals)) == (1, [0], {"new"})
    assert shares(state, 1, 1)[STARS] == pytest.approx(0.75)


def test_weights_sum_to_one() -> None:
    """Weights that sum to 0.9 are refused, and so are negative ones."""
    with pytest.raises(ValueError, match=r"sum to 0\.9"):
        TrustWeights(quality=0.25)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"quality": -0.1, "repeat": 0.7}', type=TrustWeights)


def test_rows_follow_the_index() -> None:
    """Each row's trust factor is 1 + w·(2T − 1), and a new weighing of the dimensions shows at once."""
    state = town.after(town.settled())

    def expected() -> list[float]:
        return [1.0 + 0.3 * (2.0 * town.trust(state, shop) - 1.0) for shop in range(town.SHOPS)]

    def factors() -> list[float]:
        items = [state.shelf.names.find(f"goods-{shop}") for shop in range(town.SHOPS)]
        return [float(state.shelf.rows[item, TRUST]) for item in items]

    before = expected()
    assert factors() == pytest.approx(before, abs=1e-6)
    take(state, structs.replace(state.policy, trust_weights=TrustWeights(1.0, 0.0, 0.0, 0.0)))
    assert factors() == pytest.approx(expected(), abs=1e-6)
    assert max(abs(one - other) for one, other in zip(before, expected(), strict=True)) > 0.01


def test_a_refund_shows_at_the_next_tick() -> None:
    """Within the day the index of its merchant alone follows, measured by the peers of the last midnight."""
    state = town.after(town.settled())
    known = state.trust.evidence
    id, deal = next((id, deal) for id, deal in known.deals.items() if not deal.refunds and deal.shop == 3)
    before = dict(state.goods.trusted)
    take(state, Refund("r", deal.at + DAY, id, deal.amount), Tick(state.now + 5 * MINUTE))
    changed = {shop for shop, index in state.goods.trusted.items() if index != before[shop]}
    assert changed == {known.shops.ids[3]}
    assert state.goods.trusted[known.shops.ids[3]] < before[known.shops.ids[3]]
