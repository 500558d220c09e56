"""Gates: which requests a contract bids for, one by one and all at once, and who is held out."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline import goods as goods_of
from fieldline.compiled import njit
from fieldline.content import Content
from fieldline.contracts import Audience, Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, put
from fieldline.draws import campaign_key, held, holdout_key, is_held
from fieldline.facts import Creator, Place, Policy, Product, Request, Scene, Video, Viewer
from fieldline.goods import Goods
from fieldline.scenes import Scenes
from fieldline.traffic import entries as catalogue
from fieldline.traffic import shelf as shelves
from fieldline.traffic.decide import decide
from fieldline.traffic.gates import ALL_OPEN, OPEN, Gate, gate_of, gates_of, open_gates, opens, within
from fieldline.traffic.rows import BIDS, FLAGS, PRICED
from fieldline.traffic.state import State, decode, encode, remeter
from fieldline.units import YUAN

HOME, NEAR, FAR = Place(30.0, 120.0), Place(30.0, 120.1), Place(31.0, 120.0)


def viewer(*traits: str) -> Viewer:
    return Viewer("u", traits=traits)


def let_in(gate: Gate, **request: Any) -> bool:
    asked: dict[str, Any] = {
        "viewer": viewer(),
        "scene": "video",
        "category": None,
        "place": None,
        "returning": False,
    }
    return opens(gate, **(asked | request))


@pytest.mark.parametrize(
    ("gate", "yes", "no"),
    [
        (Gate(("video", "live")), {"scene": "live"}, {"scene": "search"}),
        (Gate(audience=Audience(traits=("a", "b"))), {"viewer": viewer("x", "b")}, {"viewer": viewer("x")}),
        (Gate(audience=Audience(without=("a",))), {"viewer": viewer("b")}, {"viewer": viewer("b", "a")}),
        (Gate(audience=Audience(negatives=("food",))), {"category": "toys"}, {"category": "food"}),
        (Gate(audience=Audience(negatives=("food",))), {"category": None}, {"category": "food"}),
        (
            Gate(audience=Audience(negative_words=("Red dresses",))),
            {"words": frozenset(("red", "shoe"))},
            {"words": frozenset(("long", "dress", "red"))},
        ),
        (Gate(audience=Audience(near=HOME)), {"place": NEAR}, {"place": FAR}),
        (Gate(audience=Audience(near=HOME)), {"place": HOME}, {"place": None}),
        (Gate(audience=Audience(near=HOME, within_km=112.0)), {"place": FAR}, {"place": Place(31.1, 120.0)}),
        (Gate((), Audience(buyers="new"), "m"), {"returning": False}, {"returning": True}),
        (Gate((), Audience(buyers="returning"), "m"), {"returning": True}, {"returning": False}),
        (Gate(audience=Audience(traits=("a",))), {"viewer": viewer("a")}, {"viewer": None}),
    ],
)
def test_a_gate_is_open_to_what_it_names(gate: Gate, yes: dict[str, Any], no: dict[str, Any]) -> None:
    """Each clause of a gate admits what it names and keeps out what it does not."""
    assert let_in(gate, **yes)
    assert not let_in(gate, **no)
    assert let_in(OPEN, **yes)
    assert let_in(OPEN, **no)


@pytest.mark.parametrize(
    ("one", "other", "degrees"),
    [
        (Place(10.0, 5.0), Place(11.0, 5.0), 1.0),
        (Place(0.0, 179.5), Place(0.0, -179.5), 1.0),
        (Place(60.0, 179.9999), Place(60.0, -179.9999), 1e-4),
        (Place(90.0, 0.0), Place(-89.0, 77.0), 179.0),
    ],
)
def test_distances(one: Place, other: Place, degrees: float) -> None:
    """A degree of a great circle is R·π/180 km anywhere, one of longitude that times cos φ."""
    km = 6_371.0088 * np.pi / 180 * degrees
    for a, b in ((one, other), (other, one)):
        assert within(a, km * (1 + 1e-6), b)
        assert not within(a, km * (1 - 1e-6), b)
        assert within(a, 1e-6, a)


words = st.sampled_from(["a", "b", "c", "d"])
some = st.lists(words, max_size=2, unique=True).map(tuple)
phrases = st.lists(st.sampled_from(["a", "b c", "c b", "D"]), max_size=2, unique=True).map(tuple)
places = st.one_of(st.none(), st.builds(Place, st.floats(29.9, 30.1), st.floats(119.9, 120.1)))
gates = st.builds(
    Gate,
    some,
    st.builds(
        Audience,
        some,
        some,
        some,
        st.sampled_from(["all", "new", "returning"]),
        places,
        st.floats(1.0, 20.0),
        phrases,
    ),
    words,
)


@settings(deadline=None)
@given(st.lists(gates, max_size=20), some, words, st.one_of(st.none(), words), places, some, some)
def test_testing_all_gates_is_testing_each(
    others: list[Gate],
    traits: Any,
    scene: str,
    category: str | None,
    place: Place | None,
    bought: Any,
    typed: Any,
) -> None:
    """`open_gates` says of every gate what `opens` says of it."""
    every = [OPEN, *others]
    found = open_gates(gates_of(every), viewer(*traits), scene, category, place, bought, frozenset(typed))
    plain = [
        opens(g, viewer(*traits), scene, category, place, g.merchant in bought, frozenset(typed))
        for g in every
    ]
    assert found.tolist() == plain
    assert found.dtype == np.uint8


def test_without_gates_nothing_is_tested() -> None:
    """With the open gate alone every request gets the same shared array."""
    assert open_gates(gates_of([OPEN]), None, "video", None, None, ()) is ALL_OPEN


@njit
def held_in_a_kernel(viewer_key: np.uint64, contract_key: np.uint64, share: float) -> bool:
    return bool(held(viewer_key, contract_key, share))


def test_kernels_hold_out_whom_python_holds_out() -> None:
    """`held` compiled and `is_held` agree on every pair of keys, and share 0 holds nobody, 1 everybody."""
    rng = np.random.default_rng(3)
    keys = [int(key) for key in rng.integers(0, 1 << 64, 400, np.uint64)] + [0, (1 << 64) - 1]
    for one, other in zip(keys, reversed(keys), strict=True):
        for share in (0.0, 0.05, 0.5, 1.0):
            compiled = held_in_a_kernel(np.uint64(one), np.uint64(other), share)
            assert compiled == is_held(one, other, share)
        assert not is_held(one, other, 0.0)
        assert is_held(one, other, 1.0)


def test_campaigns_hold_out_their_share_independently() -> None:
    """Of 20,000 viewers each of two campaigns holds out its share, and the product of both shares together."""
    viewers = [holdout_key(7, f"u{n}") for n in range(20_000)]
    one = np.array([is_held(v, campaign_key("one"), 0.2) for v in viewers])
    other = np.array([is_held(v, campaign_key("other"), 0.3) for v in viewers])
    for found, share in ((one, 0.2), (other, 0.3), (one & other, 0.06)):
        assert abs(found.sum() - 20_000 * share) < 5 * np.sqrt(20_000 * share * (1 - share))


def contract(id: str, *reach: Reach, budget: int = 1, looks: float = 0.0) -> Contract:
    limit = Limit(budget=budget, looks=looks)
    return Contract(id, id, "made", "m", reach, Meter(look=1.0), limit, Horizon(0, 10), merchant="m")


def shelf_with(*contracts: Contract) -> shelves.Shelf:
    shelf, book, content, goods, scenes = shelves.Shelf(), Book(), Content(), Goods(), Scenes()
    content.creators.add("c")
    for n in range(3):
        shelves.put(shelf, Video(f"v{n}", "c"), content, goods, scenes, Policy())
    for wanted in contracts:
        put(book, wanted.wish, 1, (wanted,))
    book.in_force[: len(book)] = True
    shelves.link_contracts(shelf, book)
    return shelf


def entries(shelf: shelves.Shelf, item: int) -> list[tuple[int, int]]:
    own = slice(shelf.contract_start[item], shelf.contract_start[item + 1])
    return list(zip(shelf.contract[own].tolist(), shelf.gate[own].tolist(), strict=True))


def test_contracts_are_linked_behind_their_gates() -> None:
    """Equal gates share a number, an item in two units has both gates, and an open unit makes others idle."""
    live, grown_up = Reach(items=("v0", "v1"), scenes=("live",)), Audience(traits=("adult",))
    shelf = shelf_with(
        contract("a", live, Reach(items=("v1", "v2"), audience=grown_up)),
        contract("b", msgspec.structs.replace(live, unit="other"), Reach(creator="c")),
        contract("c", Reach(items=("v0",), scenes=("live",)), Reach(items=("v0",), scenes=("live",))),
    )
    assert shelf.gates == [OPEN, Gate(("live",)), Gate(audience=grown_up)]
    assert [entries(shelf, item) for item in range(3)] == [
        [(0, 1), (1, 0), (2, 1)],
        [(0, 1), (0, 2), (1, 0)],
        [(0, 2), (1, 0)],
    ]
    assert shelves.contracts_on(shelf, 1).tolist() == [0, 1]
    assert shelves.contracts_on(shelf, 0).tolist() == [0, 1, 2]


def test_what_is_granted_has_no_gate() -> None:
    """A floor stands on its items for every request, once, whatever its units say; a bid keeps its gate."""
    units = (Reach(items=("v0",), scenes=("live",)), Reach(items=("v0",), scenes=("video",)))
    shelf = shelf_with(contract("floor", *units, budget=0, looks=9.0), contract("bid", units[0]))
    assert entries(shelf, 0) == [(0, 0), (1, 1)]
    assert shelf.rows.view(np.int32)[0, FLAGS] & (BIDS | PRICED) == BIDS | PRICED


def test_a_gate_names_the_merchant_only_for_its_buyers() -> None:
    """Contracts of different merchants share a gate unless it asks about buyers; scenes count as a set."""
    one = contract("a", Reach(scenes=("live", "video"), audience=Audience(traits=("x",))))
    other = msgspec.structs.replace(
        one, merchant="n", reach=(Reach(scenes=("video", "live"), audience=Audience(traits=("x",))),)
    )
    assert gate_of(one, one.reach[0]) == gate_of(other, other.reach[0])
    new = Reach(audience=Audience(buyers="new"))
    assert gate_of(one, new).merchant == "m"
    assert gate_of(other, new).merchant == "n"


POLICY = Policy(
    scenes=(Scene("video", (0.9, 0.6)), Scene("live", (0.9, 0.6))),
    random_share=0.0, ad_load=0.5, first_ad=0, ad_price=0.0,
)  # fmt: skip


def state_with(*reach: Reach, holdout: float = 0.0) -> State:
    """Three videos in two scenes and one ad a slate, which goes to the better of the promoted that needs it."""
    state = State(policy=POLICY)
    catalogue.put_policy(state, POLICY)
    catalogue.put_entry(state, Creator("c"))
    for n in range(3):
        catalogue.put_entry(state, Video(f"v{n}", "c", scenes=("video", "live")))
    for name in ("u", "w"):
        catalogue.put_entry(state, Viewer(name, traits=(name,), place=HOME))
    made = msgspec.structs.replace(contract("a", *reach, budget=1_000 * YUAN), holdout=holdout)
    put(state.book, "a", 1, (made,))
    state.book.in_force[0], state.prices.alpha[0] = True, 10.0
    state.linked = False
    remeter(state)
    return state


def buyers(state: State, viewer: str = "u", scene: str = "video", **request: Any) -> list[str | None]:
    """Who pays for each place of a slate."""
    return [slot.contract for slot in decide(state, Request("r", viewer, scene, at=5, **request)).slots]


def test_a_decision_asks_who_where_and_what() -> None:
    """Scene, traits, category, place and past orders of a request decide whether a unit's contract bids in it."""
    free, reach = [None, None], Reach(items=("v1", "v2"))
    assert "a" in buyers(state_with(reach))
    state = state_with(msgspec.structs.replace(reach, scenes=("live",)))
    assert (buyers(state), "a" in buyers(state, scene="live")) == (free, True)
    state = state_with(msgspec.structs.replace(reach, audience=Audience(traits=("w",))))
    assert (buyers(state), "a" in buyers(state, "w")) == (free, True)
    state = state_with(msgspec.structs.replace(reach, audience=Audience(near=NEAR)))
    assert (buyers(state, place=FAR), "a" in buyers(state)) == (free, True)
    state = state_with(msgspec.structs.replace(reach, audience=Audience(buyers="new")))
    state.people.bought[0]["m"] = 1
    assert (buyers(state), "a" in buyers(state, "w")) == (free, True)


def test_a_held_out_viewer_stays_held_out_after_a_restart() -> None:
    """Decisions leave the contract out exactly for the viewers whom its campaign holds out, before and after."""
    state = state_with(Reach(items=("v1", "v2"), scenes=("video",)), holdout=0.5)
    for n in range(40):
        catalogue.put_entry(state, Viewer(f"u{n}"))
    held_out = [is_held(holdout_key(POLICY.seed, f"u{n}"), campaign_key("a"), 0.5) for n in range(40)]
    assert [("a" not in buyers(state, f"u{n}")) for n in range(40)] == held_out
    again = decode(encode(state))
    assert again.shelf.gates == state.shelf.gates
    assert [("a" not in buyers(again, f"u{n}")) for n in range(40)] == held_out
    assert 0 < sum(held_out) < 40


def test_products_bring_along_what_shows_them_and_creators_their_works_for_the_merchant() -> None:
    """A named product's videos count only with `shown_by`; a creator with a merchant has the works that show its
    goods, a creator alone has all, a merchant alone all that shows its own."""
    shelf, content, goods, scenes = shelves.Shelf(), Content(), Goods(), Scenes()
    content.creators.add("c")
    content.creators.add("d")
    for product in (Product("p", "m", YUAN, 1), Product("q", "n", YUAN, 1)):
        goods_of.reduce(goods, product)
        shelves.put(shelf, product, content, goods, scenes, Policy())
    for video in (Video("v", "c", product="p"), Video("w", "c", product="q"), Video("x", "d", product="p")):
        shelves.put(shelf, video, content, goods, scenes, Policy())
    reached = {
        reach: [shelf.names.ids[item] for item in shelves.reach_of(shelf, contract("a", reach))]
        for reach in (
            Reach(items=("p",)),
            Reach(items=("p",), shown_by=True),
            Reach(items=("w",), shown_by=True),
            Reach(creator="c"),
            Reach(creator="c", merchant="m"),
            Reach(merchant="m"),
            Reach(items=("v", "nothing")),
        )
    }
    assert list(reached.values()) == [
        ["p"],
        ["p", "v", "x"],
        ["w"],
        ["v", "w"],
        ["v"],
        ["p", "v", "x"],
        ["v"],
    ]
