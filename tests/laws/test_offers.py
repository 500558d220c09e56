"""Laws of offers: whatever is asked for, its contracts say the same and can stand in a log."""

from collections.abc import Mapping

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.contracts import Contract
from fieldline.errors import Conflict
from fieldline.facts import Wish
from fieldline.offers import OFFERS, contracts_of, names_of, terms_of
from fieldline.offers.campaign import Campaign, editable
from fieldline.units import DAY, MAX_MICROS

WORDS = st.text("abcd", min_size=1, max_size=3)
NAMES = st.lists(WORDS, unique=True, max_size=3)
SCENES = st.lists(st.sampled_from(("video", "live", "mall", "search")), unique=True, max_size=3)
PLACES = st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)})
ROI: st.SearchStrategy[object] = st.floats(1e-3, 100.0)
COST: st.SearchStrategy[object] = st.floats(0.01, 100_000.0)
CAPACITY = st.none() | st.integers(1, 1_000_000)

GOALS: Mapping[str, st.SearchStrategy[dict[str, object]]] = {
    "storewide": st.fixed_dictionaries({"goal": ROI, "predicted": st.booleans()}),
    "net_roi": st.fixed_dictionaries({"goal": ROI, "assured": st.booleans()}),
    "ads_roi": st.fixed_dictionaries({"goal": ROI}),
    "incremental_roi": st.fixed_dictionaries({"goal": ROI}),
    "long_run_roi": st.fixed_dictionaries({"goal": ROI, "days": st.sampled_from((7, 30))}),
    "cost_cap": st.fixed_dictionaries({"cost": COST}),
    "max_delivery": st.fixed_dictionaries({"value": st.sampled_from(("gmv", "orders", "clicks"))}),
    "follower_growth": st.fixed_dictionaries({"cost": COST}) | st.fixed_dictionaries({"goal": ROI}),
    "leads": st.fixed_dictionaries({"cost": COST, "capacity": CAPACITY}),
    "visits": st.fixed_dictionaries(
        {
            "cost": COST,
            "capacity": CAPACITY,
            "circle": st.none()
            | st.fixed_dictionaries({"place": PLACES, "within_km": st.floats(0.1, 20_000.0)}),
        }
    ),
}


@st.composite
def units(draw: st.DrawFn, scenes: list[str]) -> list[dict[str, object]]:
    return [
        {
            "id": id,
            "items": [f"p-{name}" for name in draw(NAMES)],
            "creatives": [f"v-{name}" for name in draw(NAMES)],
            "creators": draw(NAMES),
            "scenes": draw(SCENES) if not scenes else scenes[:1],
            "audience": {"traits": draw(NAMES), "near": draw(st.none() | PLACES)},
        }
        for id in draw(NAMES)
    ]


@st.composite
def campaigns(draw: st.DrawFn) -> Wish:
    """A wish for any offer but cold start, with terms that may be."""
    offer = draw(st.sampled_from(sorted(GOALS)))
    budget, start = draw(st.integers(1, MAX_MICROS)), draw(st.integers(0, 1 << 50))
    scenes = draw(SCENES)
    terms: dict[str, object] = {
        "merchant": draw(WORDS),
        "budget": budget,
        "daily": draw(st.none() | st.integers(1, budget)),
        "start": start,
        "end": start + draw(st.integers(1, 366 * DAY)),
        "scenes": scenes,
        "units": draw(units(scenes)),
        "holdout": draw(st.floats(0.0, 0.5)),
    }
    terms |= draw(GOALS[offer])
    return Wish(draw(WORDS), 0, 1, offer, "owner", msgspec.json.encode(terms).decode())


@st.composite
def cold_starts(draw: st.DrawFn) -> Wish:
    items = draw(st.lists(WORDS, unique=True, min_size=1, max_size=5))
    start = draw(st.integers(0, 1 << 50))
    terms = {"creator": "c", "items": items, "looks": draw(st.floats(0.1, 1e7)), "start": start,
             "end": start + draw(st.integers(1, 366 * DAY))}  # fmt: skip
    return Wish(draw(WORDS), 0, 1, "cold_start", "owner", msgspec.json.encode(terms).decode())


@st.composite
def pools(draw: st.DrawFn) -> Wish:
    start, looks = draw(st.integers(0, 1 << 50)), draw(st.floats(1.0, 1e6))
    terms = {"name": "p", "looks": looks, "merchants": draw(NAMES), "creators": ["c"], "start": start,
             "end": start + draw(st.integers(1, 366 * DAY))}  # fmt: skip
    matching = {"looks_per_yuan": draw(st.floats(0.01, 1e3)), "member_looks": looks / 2.0}
    terms |= draw(st.sampled_from(({}, {"matching": matching}, {"member_looks": looks / 2.0})))
    return Wish(draw(WORDS), 0, 1, "pool", "owner", msgspec.json.encode(terms).decode())


def test_the_laws_know_every_offer() -> None:
    """No offer is missing from the wishes that the laws below draw."""
    assert set(GOALS) | {"cold_start", "pool"} == set(OFFERS)


@settings(max_examples=100, deadline=None)
@given(campaigns() | cold_starts() | pools())
def test_a_wish_means_one_thing(wish: Wish) -> None:
    """Compiled twice, a wish gives equal contracts, all its own, with ids and horizons that may be."""
    contracts = contracts_of(wish)
    assert contracts == contracts_of(wish)
    assert contracts
    assert len({contract.id for contract in contracts}) == len(contracts)
    for contract in contracts:
        assert (contract.wish, contract.offer, contract.owner) == (wish.id, wish.offer, wish.owner)
        assert contract.horizon.start < contract.horizon.end
        assert contract.reach or contract.grant
        assert msgspec.json.decode(msgspec.json.encode(contract), type=Contract) == contract


@settings(max_examples=100, deadline=None)
@given(campaigns())
def test_a_campaign_pays_from_its_own_budget_for_what_it_names(wish: Wish) -> None:
    """A campaign's one contract bids with the budget typed, and reaches exactly the names and scenes typed."""
    terms = terms_of(wish)
    assert isinstance(terms, Campaign)
    (contract,) = contracts_of(wish)
    assert contract.bids
    assert (contract.limit.budget, contract.limit.daily) == (terms.budget, terms.daily or 0)
    assert {reach.unit for reach in contract.reach} == ({unit.id for unit in terms.units} or {""})
    named = {(each.kind, each.id) for each in names_of(wish)}
    reached = {("item", item) for reach in contract.reach for item in reach.items}
    reached |= {("creator", reach.creator) for reach in contract.reach if reach.creator}
    reached |= {("scene", scene) for reach in contract.reach for scene in reach.scenes}
    assert reached | {("merchant", terms.merchant)} <= named
    assert {each for each in named if each[0] in {"item", "creator"}} <= reached


@settings(max_examples=50, deadline=None)
@given(campaigns(), campaigns(), st.integers(0, 1 << 51))
def test_an_edit_is_refused_for_three_reasons_alone(old: Wish, new: Wish, now: int) -> None:
    """An edit is taken exactly if offer and merchant stay, and the start too once it is past."""
    before, after = terms_of(old), terms_of(new)
    assert isinstance(before, Campaign)
    assert isinstance(after, Campaign)
    same = old.offer == new.offer and before.merchant == after.merchant
    may = same and (before.start > now or before.start == after.start)
    assert _taken(before, after, now) == may
    same_start = msgspec.structs.replace(before, budget=after.budget, end=before.end + DAY)
    assert _taken(before, same_start, now)


def _taken(before: Campaign, after: Campaign, now: int) -> bool:
    try:
        editable(before, after, now)
    except Conflict:
        return False
    return True
