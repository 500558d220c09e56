"""Laws of trust: nobody buys it, refunds never raise it, nothing about it has a cliff, and order does not matter."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import town
from tests.town import BUYERS, SHOPS, START, TRADES, order, trust

from fieldline import engine
from fieldline.facts import AnyFact, Creator, Follow, Merchant, Product, Refund, Viewer
from fieldline.trust import index
from fieldline.trust.buyers import credibility
from fieldline.trust.peers import peers, standing
from fieldline.trust.signals import COUNT
from fieldline.units import DAY, MINUTE, YUAN

EPSILON = 0.02
"""What brushing may move an index by, of the 0 … 1 that it spans."""
FAKES = 60
TARGET = 20
"""A shop that serves badly."""


@pytest.fixture(scope="module")
def base() -> bytes:
    """The town, settled."""
    return town.settled()


@pytest.fixture(scope="module")
def before(base: bytes) -> dict[int, float]:
    """The index of every shop, undisturbed."""
    state = town.after(base)
    return {shop: trust(state, shop) for shop in range(SHOPS)}


def fakes(count: int = FAKES) -> list[AnyFact]:
    return [Viewer(f"fake-{number}") for number in range(count)]


def bought(shop: int, times: int, by: int = FAKES, stars: int = 5) -> list[AnyFact]:
    """Every fake account buys so many times at a shop, days apart, and praises it."""
    return [
        fact
        for number in range(by)
        for time in range(times)
        for fact in order(
            f"fake-{number}/{shop}/{time}", f"fake-{number}", shop,
            START + (5 + 4 * time) * DAY + number * MINUTE, stars=stars,
        )
    ]  # fmt: skip


def rush(buyer: str) -> list[AnyFact]:
    """One buyer buys 2,000 times in an hour."""
    times = (START + 9 * DAY + 1_800 * k for k in range(2_000))
    return [fact for k, at in enumerate(times) for fact in order(f"rush-{k}", buyer, TARGET, at)]


def decoys() -> list[AnyFact]:
    """Four shops that only fake accounts buy at."""
    shops: list[AnyFact] = [Merchant(f"shop-{number}") for number in range(90, 94)]
    goods = [
        Product(f"goods-{number}", f"shop-{number}", 50 * YUAN, 1 << 30, category=TRADES[0])
        for number in range(90, 94)
    ]
    return [*shops, *goods]


RINGS: dict[str, list[AnyFact]] = {
    "accounts that live for one shop": [*fakes(), *bought(TARGET, 6)],
    "accounts with decoy shops": [
        *fakes(),
        *decoys(),
        *bought(TARGET, 6),
        *(fact for shop in range(90, 94) for fact in bought(shop, 2)),
    ],
    "a ring of shops with one another's accounts": [
        *fakes(),
        *(fact for shop in (15, 17, 18, 20, 21, 23) for fact in bought(shop, 3)),
    ],
    "one account that bought 2,000 times in an hour": [*fakes(1), *rush("fake-0")],
    "a true buyer who bought 2,000 times in an hour": rush("buyer-3"),
    "bought praise of accounts with no other life": [*fakes(), *bought(TARGET, 1)],
    "bought complaints about a good shop": [*fakes(), *bought(1, 2, stars=1)],
    "bought fans": [
        *fakes(),
        Creator("host"),
        *(Follow(f"fan-{number}", START + DAY, f"fake-{number}", "host") for number in range(FAKES)),
    ],
}


@pytest.mark.parametrize("attack", RINGS.values(), ids=RINGS)
def test_brushing_moves_nothing(base: bytes, before: dict[int, float], attack: list[AnyFact]) -> None:
    """No shop's index, brushed or not, moves by ε = 0.02 in either direction."""
    state = town.after(base, attack)
    for shop in range(SHOPS):
        assert trust(state, shop) == pytest.approx(before[shop], abs=EPSILON)


@pytest.fixture(scope="module")
def sparse() -> Iterator[bytes]:
    """A town whose buyers order three times instead of eight."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(town, "ORDERS", 3)
        yield town.settled()


ALONE = [name for name in RINGS if "decoy" not in name and "ring" not in name]


@pytest.mark.parametrize("name", ALONE)
def test_where_buyers_know_few_shops_accounts_without_a_life_move_nothing(sparse: bytes, name: str) -> None:
    """Where buyers order three times, orders of accounts that live for one shop move no index by 0.02 either."""
    calm, brushed = town.after(sparse), town.after(sparse, RINGS[name])
    for shop in range(SHOPS):
        assert trust(brushed, shop) == pytest.approx(trust(calm, shop), abs=EPSILON)


def test_where_buyers_know_few_shops_these_are_told_apart(sparse: bytes) -> None:
    """Where buyers order three times the index falls with how badly shops serve: a rank correlation below −0.9."""
    state = town.after(sparse)
    ranks = np.argsort(np.argsort([trust(state, shop) for shop in range(SHOPS)]))
    assert np.corrcoef(ranks, np.arange(SHOPS))[0, 1] < -0.9


def test_a_merchant_s_own_accounts_count_nowhere(base: bytes) -> None:
    """A buyer with a true life moves a shop, and no longer once a merchant calls the account its own."""
    facts = [
        f for k in range(3) for f in order(f"own-{k}", "buyer-5", TARGET, START + (5 + k) * DAY, stars=5)
    ]
    mine = Merchant(f"shop-{TARGET}", accounts=("buyer-5",))
    without, own = trust(town.after(base, [mine]), TARGET), trust(town.after(base, [*facts, mine]), TARGET)
    assert own == pytest.approx(without, abs=1e-12)
    assert trust(town.after(base, facts), TARGET) > without + 1e-4


@settings(max_examples=6, deadline=None)
@given(st.integers(0, BUYERS - 1), st.integers(0, 7), st.integers(1, 50))
def test_adding_a_refund_never_raises_trust(base: bytes, buyer: int, number: int, yuan: int) -> None:
    """Whoever's order it is and however much goes back, its merchant's index does not rise."""
    plain = engine.decode(base)
    deal = plain.trust.evidence.deals[f"{buyer}-{number}"]
    shop = plain.trust.evidence.shops.ids[deal.shop]
    refund = Refund("more", deal.at + DAY, f"{buyer}-{number}", yuan * YUAN)
    assert trust(town.after(base, [refund]), shop) <= trust(town.after(base), shop) + 1e-12


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_facts_within_a_second_does_not_matter(base: bytes, turn: list[int]) -> None:
    """Orders first, then whatever was said and given back in one second, in any order: the same indices."""
    at = START + 30 * DAY
    orders = [fact for k in range(6) for fact in order(f"s-{k}", f"buyer-{k}", k, at)]
    more = [
        fact
        for k in range(6)
        for fact in order(f"s-{k}", f"buyer-{k}", k, at, stars=1 + k % 5, back=True)[1:]
    ]
    one, other = town.after(base, [*orders, *more]), town.after(base, [*orders, *(more[k] for k in turn)])
    assert np.allclose(one.trust.index.trust, other.trust.index.trust, atol=1e-12, rtol=0.0)


def test_no_order_leaves_a_merchant_where_it_was_declared(base: bytes) -> None:
    """A merchant without an order has no index of its own: it stands as declared."""
    state = town.after(base, [Merchant("new", trust=0.7)])
    assert "new" not in state.goods.trusted
    assert trust(state, "new") == 0.7


def test_one_order_moves_a_newcomer_little(base: bytes) -> None:
    """One order that came back, with one star, leaves a newcomer above the floor and within 0.1 of the average."""
    new: list[AnyFact] = [
        Merchant("shop-77"),
        Product("goods-77", "shop-77", 50 * YUAN, 9, category=TRADES[0]),
    ]
    state = town.after(base, [*new, *order("first", "buyer-1", 77, START + 35 * DAY, stars=1, back=True)])
    assert index.FLOOR <= trust(state, "shop-77") < 0.5
    assert trust(state, "shop-77") == pytest.approx(0.5, abs=0.1)


def test_the_town_is_told_apart(before: dict[int, float]) -> None:
    """Over all shops the index falls with how badly they serve: a rank correlation below −0.9."""
    ranks = np.argsort(np.argsort([before[shop] for shop in range(SHOPS)]))
    assert np.corrcoef(ranks, np.arange(SHOPS))[0, 1] < -0.9


@given(st.floats(-3.0, 3.0), st.floats(0.0, 0.99), st.floats(0.02, 0.98))
def test_no_cliff(z: float, known: float, declared: float) -> None:
    """A step of 1e-6 in any dimension moves the index and every band's chance by less than 1e-4."""
    weights = np.array((0.35, 0.25, 0.15, 0.25))
    told = np.full((1, 4), known)

    def of(z: float) -> tuple[float, ...]:
        score = float(index.scored(np.full((1, 4), z), told, np.array([declared]), weights)[0][0])
        return (score, *index.bands(score, told[0], weights))

    assert np.allclose(of(z), of(z + 1e-6), atol=1e-4)


@given(st.floats(-3.0, 3.0), st.floats(0.0, 0.99), st.floats(0.02, 0.98))
def test_bands_are_chances(z: float, known: float, declared: float) -> None:
    """The three bands' chances are not negative and sum to 1."""
    weights = np.array((0.25, 0.25, 0.25, 0.25))
    told = np.full((1, 4), known)
    score = float(index.scored(np.full((1, 4), z), told, np.array([declared]), weights)[0][0])
    chances = index.bands(score, told[0], weights)
    assert min(chances) >= -1e-12
    assert sum(chances) == pytest.approx(1.0)


@settings(max_examples=50)
@given(st.integers(0, 1_000), st.integers(2, 12))
def test_a_merchant_moves_its_standing_and_never_its_yardstick(seed: int, shops: int) -> None:
    """What one merchant's evidence says changes nothing of what it is measured by."""
    draw = np.random.default_rng(seed)
    counts = draw.uniform(0.0, 40.0, (shops, COUNT))
    sums = counts * draw.uniform(0.0, 1.0, (shops, COUNT))
    squares = sums * draw.uniform(0.5, 1.0, (shops, COUNT))
    trade = draw.integers(-1, 2, shops).astype(np.int32)
    one = peers(sums, counts, squares, counts, trade)
    sums[0], squares[0] = counts[0] * 0.01, counts[0] * 0.01
    other = peers(sums, counts, squares, counts, trade)
    for name in ("mean", "apart", "needed"):
        assert np.allclose(getattr(one, name)[0], getattr(other, name)[0], rtol=1e-9)
    z, known = standing(sums, counts, other)
    assert (np.abs(z) <= 3.0).all()
    assert ((known >= 0.0) & (known < 1.0)).all()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), min_size=1, max_size=40, unique=True))
def test_a_buyer_counts_for_nothing_where_they_have_no_other_life(pairs: list[tuple[int, int]]) -> None:
    """Every credibility lies in [0, 1), and is 0 for whoever bought at one merchant alone."""
    buyer, shop = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    found, lasting = credibility(buyer, shop, np.ones(len(pairs)), np.ones(len(pairs), bool), 6)
    assert (found == lasting).all()
    assert ((found >= 0.0) & (found < 1.0)).all()
    assert (found[np.bincount(buyer)[buyer] == 1] == 0.0).all()
