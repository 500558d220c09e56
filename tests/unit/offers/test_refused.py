"""What is refused, and with which field."""

import msgspec
import pytest

from fieldline.errors import Conflict, Refused
from fieldline.facts import Wish
from fieldline.offers import campaign, contracts_of, cost_cap, storewide
from fieldline.units import DAY, HOUR, YUAN

START = 1_650_816_000_000
"""2022-04-25 00:00 in UTC+8, a Monday."""
STOREWIDE: dict[str, object] = {
    "merchant": "m1",
    "budget": 500 * YUAN,
    "goal": 4.0,
    "start": START,
    "end": START + 7 * DAY,
}
COSTED = {key: STOREWIDE[key] for key in ("merchant", "budget", "start", "end")} | {"cost": 20.0}
UNCOSTED = {key: value for key, value in COSTED.items() if key != "cost"}
COLD: dict[str, object] = {"creator": "c1", "items": ["v1"], "looks": 9.0, "start": START, "end": START + DAY}
POOL: dict[str, object] = {
    "name": "May",
    "looks": 9.0,
    "merchants": ["m1"],
    "start": START,
    "end": START + DAY,
}
MATCHING = {"looks_per_yuan": 1.0, "member_looks": 9.0}
MONDAY_ALONE = "1" * 24 + "0" * 144


def units(**second: object) -> dict[str, object]:
    """Return terms with two units, the second of which is at fault."""
    return STOREWIDE | {"units": [{"id": "a"}, {"id": "b"} | second]}


def audience(**fault: object) -> dict[str, object]:
    return units(audience=fault)


REFUSED: dict[str, tuple[str, dict[str, object], str]] = {
    "no merchant": ("storewide", {k: v for k, v in STOREWIDE.items() if k != "merchant"}, "terms.merchant"),
    "an unknown term": ("storewide", STOREWIDE | {"gaol": 3.0}, "terms.gaol"),
    "no budget": ("storewide", STOREWIDE | {"budget": 0}, "terms.budget"),
    "a negative budget": ("storewide", STOREWIDE | {"budget": -1}, "terms.budget"),
    "a budget beyond all money": ("storewide", STOREWIDE | {"budget": 1 << 60}, "terms.budget"),
    "half a micro-yuan": ("storewide", STOREWIDE | {"budget": 1.5}, "terms.budget"),
    "no daily budget": ("storewide", STOREWIDE | {"daily": 0}, "terms.daily"),
    "more a day than in all": ("storewide", STOREWIDE | {"daily": 501 * YUAN}, "terms.daily"),
    "an ROI of nothing": ("storewide", STOREWIDE | {"goal": 0}, "terms.goal"),
    "a typing error of an ROI": ("storewide", STOREWIDE | {"goal": 1e9}, "terms.goal"),
    "an ROI above 100": ("ads_roi", STOREWIDE | {"goal": 100.5}, "terms.goal"),
    "a net ROI below nothing": ("net_roi", STOREWIDE | {"goal": -2.0}, "terms.goal"),
    "no incremental goal": ("incremental_roi", UNCOSTED, "terms.goal"),
    "an end at the start": ("storewide", STOREWIDE | {"end": START}, "terms.end"),
    "a period above 366 days": ("storewide", STOREWIDE | {"end": START + 366 * DAY + 1}, "terms.end"),
    "a time before time": ("storewide", STOREWIDE | {"start": -1}, "terms.start"),
    "too few hours": ("storewide", STOREWIDE | {"hours": "1" * 167}, "terms.hours"),
    "an hour that is neither 0 nor 1": ("storewide", STOREWIDE | {"hours": "2" * 168}, "terms.hours"),
    "no hour of the week": ("storewide", STOREWIDE | {"hours": "0" * 168}, "terms.hours"),
    "Mondays alone, of a Tuesday": (
        "storewide",
        STOREWIDE | {"hours": MONDAY_ALONE, "start": START + DAY, "end": START + 2 * DAY},
        "terms.hours",
    ),
    "a pool that ends before it starts": ("pool", POOL | {"end": START - 1}, "terms.end"),
    "a pool of a year and more": ("pool", POOL | {"end": START + 366 * DAY + 1}, "terms.end"),
    "a pool for nobody in particular": ("pool", POOL | {"merchants": []}, "terms.merchants"),
    "a pool without a name": ("pool", POOL | {"name": ""}, "terms.name"),
    "a pool of no looks": ("pool", POOL | {"looks": 0.0}, "terms.looks"),
    "a pool that names one twice": ("pool", POOL | {"creators": ["c", "c"]}, "terms.creators[1]"),
    "a member of more than the pool": ("pool", POOL | {"member_looks": 9.5}, "terms.member_looks"),
    "a match of more than the pool": (
        "pool",
        POOL | {"matching": MATCHING | {"member_looks": 9.5}},
        "terms.matching.member_looks",
    ),
    "two caps of a member": (
        "pool",
        POOL | {"member_looks": 1.0, "matching": MATCHING},
        "terms.member_looks",
    ),
    "a trust above one": ("pool", POOL | {"least_trust": 1.1}, "terms.least_trust"),
    "more than half held out": ("storewide", STOREWIDE | {"holdout": 0.51}, "terms.holdout"),
    "a negative holdout": ("storewide", STOREWIDE | {"holdout": -0.01}, "terms.holdout"),
    "a scene twice": ("storewide", STOREWIDE | {"scenes": ["mall", "live", "mall"]}, "terms.scenes[2]"),
    "a unit without a name": ("storewide", STOREWIDE | {"units": [{}]}, "terms.units[0].id"),
    "two units of one name": (
        "storewide",
        STOREWIDE | {"units": [{"id": "a"}, {"id": "a"}]},
        "terms.units[1].id",
    ),
    "an unknown term of a unit": ("storewide", units(product="p1"), "terms.units[1].product"),
    "an item twice": ("storewide", units(items=["p1", "p1"]), "terms.units[1].items[1]"),
    "a creative twice": ("storewide", units(creatives=["v1", "v1"]), "terms.units[1].creatives[1]"),
    "an item as a creative": (
        "storewide",
        units(items=["p1"], creatives=["v1", "p1"]),
        "terms.units[1].creatives[1]",
    ),
    "a creator twice": ("storewide", units(creators=["c1", "c1"]), "terms.units[1].creators[1]"),
    "a scene of a unit twice": ("storewide", units(scenes=["live", "live"]), "terms.units[1].scenes[1]"),
    "a unit outside the campaign's scenes": (
        "storewide",
        units(scenes=["mall", "live"]) | {"scenes": ["mall"]},
        "terms.units[1].scenes[1]",
    ),
    "no radius": ("storewide", audience(within_km=0.0), "terms.units[1].audience.within_km"),
    "a radius around nothing": ("storewide", audience(within_km=3.0), "terms.units[1].audience.near"),
    "a place off the earth": (
        "storewide",
        audience(near={"latitude": 91.0, "longitude": 0.0}),
        "terms.units[1].audience.near.latitude",
    ),
    "buyers of no kind": ("storewide", audience(buyers="some"), "terms.units[1].audience.buyers"),
    "a trait with and without": (
        "storewide",
        audience(traits=["age=18-24"], without=["city=hz", "age=18-24"]),
        "terms.units[1].audience.without[1]",
    ),
    "a trait twice": ("storewide", audience(traits=["a", "a"]), "terms.units[1].audience.traits[1]"),
    "a trait left out twice": (
        "storewide",
        audience(without=["a", "a"]),
        "terms.units[1].audience.without[1]",
    ),
    "a negative word twice": (
        "storewide",
        audience(negative_words=["red dress", "red dress"]),
        "terms.units[1].audience.negative_words[1]",
    ),
    "a negative word without a word": (
        "storewide",
        audience(negative_words=["free", " !! "]),
        "terms.units[1].audience.negative_words[1]",
    ),
    "an empty negative word": (
        "storewide",
        audience(negative_words=["free", ""]),
        "terms.units[1].audience.negative_words[1]",
    ),
    "201 negative words": (
        "storewide",
        audience(negative_words=[f"word{n}" for n in range(201)]),
        "terms.units[1].audience.negative_words",
    ),
    "a category twice": ("storewide", audience(negatives=["a", "a"]), "terms.units[1].audience.negatives[1]"),
    "a negative worth of a long view": (
        "storewide",
        STOREWIDE | {"value_per_long_view": -1.0},
        "terms.value_per_long_view",
    ),
    "an order for nothing": ("cost_cap", COSTED | {"cost": 0.009}, "terms.cost"),
    "an order for a fortune": ("cost_cap", COSTED | {"cost": 100_001.0}, "terms.cost"),
    "no cost": ("cost_cap", UNCOSTED, "terms.cost"),
    "a goal of maximum delivery": ("max_delivery", UNCOSTED | {"goal": 2.0}, "terms.goal"),
    "maximum delivery of looks": ("max_delivery", UNCOSTED | {"value": "looks"}, "terms.value"),
    "a long run of a fortnight": ("long_run_roi", STOREWIDE | {"days": 14}, "terms.days"),
    "a long run without an end": ("long_run_roi", STOREWIDE, "terms.days"),
    "fans at no cost and no ROI": ("follower_growth", UNCOSTED, "terms.cost"),
    "fans at a cost and an ROI": ("follower_growth", COSTED | {"goal": 2.0}, "terms.goal"),
    "leads that nobody can serve": ("leads", COSTED | {"capacity": 0}, "terms.capacity"),
    "leads at no cost": ("leads", COSTED | {"cost": 0.0}, "terms.cost"),
    "visits within no distance": (
        "visits",
        COSTED | {"circle": {"place": {"latitude": 30.0, "longitude": 120.0}, "within_km": -1.0}},
        "terms.circle.within_km",
    ),
    "visits within 5 km of nowhere": (
        "visits",
        COSTED | {"circle": {"within_km": 5.0}},
        "terms.circle.place",
    ),
    "a cold start of nothing": ("cold_start", COLD | {"items": []}, "terms.items"),
    "a cold start of one work twice": ("cold_start", COLD | {"items": ["v1", "v1"]}, "terms.items[1]"),
    "a cold start that is over at once": ("cold_start", COLD | {"end": START}, "terms.end"),
    "a cold start of no looks": ("cold_start", COLD | {"looks": 0.0}, "terms.looks"),
    "a cold start whose contract has too long a name": (
        "cold_start",
        COLD | {"items": ["v1", "v" * 127]},
        "terms.items[1]",
    ),
}


def wish(offer: str, terms: dict[str, object]) -> Wish:
    return Wish("w1", START, 1, offer, "m1", msgspec.json.encode(terms).decode())


@pytest.mark.parametrize("case", REFUSED)
def test_terms_that_cannot_be_are_refused_with_their_field(case: str) -> None:
    """Each faulty term is refused, and the refusal names exactly its field."""
    offer, terms, field = REFUSED[case]
    with pytest.raises(Refused) as refusal:
        contracts_of(wish(offer, terms))
    assert refusal.value.field == field


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"merchant":"m1"'])
def test_what_is_no_object_is_refused_as_terms(text: str) -> None:
    """Text that is no JSON object is refused with the field "terms"."""
    with pytest.raises(Refused) as refusal:
        contracts_of(Wish("w1", START, 1, "storewide", "m1", text))
    assert refusal.value.field == "terms"


@pytest.mark.parametrize(
    "edges",
    [
        {"goal": 100.0},
        {"goal": 1e-6},
        {"budget": 1},
        {"daily": 500 * YUAN},
        {"end": START + 366 * DAY},
        {"hours": "0" * 167 + "1"},
        {"hours": MONDAY_ALONE, "end": START + 1},
        {"hours": "0" * 23 + "1" + "0" * 144, "start": START + 23 * HOUR, "end": START + DAY},
        {"holdout": 0.0},
        {"holdout": 0.5},
    ],
)
def test_the_edges_of_what_may_be_are_taken(edges: dict[str, object]) -> None:
    """The largest and smallest budgets, goals, periods, holdouts and schedules are one contract each."""
    assert len(contracts_of(wish("storewide", STOREWIDE | edges))) == 1


def test_an_id_in_use_is_no_name_twice() -> None:
    """Two units may use the same item: only within a unit is a name given once."""
    both = [{"id": "a", "items": ["p1"]}, {"id": "b", "items": ["p1"]}]
    (contract,) = contracts_of(wish("storewide", STOREWIDE | {"units": both}))
    assert [(reach.unit, reach.items) for reach in contract.reach] == [("a", ("p1",)), ("b", ("p1",))]


OLD = storewide.Terms(merchant="m1", budget=500 * YUAN, goal=4.0, start=START, end=START + 7 * DAY)


@pytest.mark.parametrize(
    ("change", "now", "field"),
    [
        ({"merchant": "m2"}, START - 1, "terms.merchant"),
        ({"merchant": "m2", "start": START + 1}, START, "terms.merchant"),
        ({"start": START + 1}, START, "terms.start"),
        ({"start": START - 1}, START + 8 * DAY, "terms.start"),
    ],
)
def test_an_edit_keeps_who_pays_and_when_it_began(change: dict[str, object], now: int, field: str) -> None:
    """Another merchant at any time, or another start once it runs, is a conflict that names the field."""
    with pytest.raises(Conflict) as refusal:
        campaign.editable(OLD, msgspec.structs.replace(OLD, **change), now)
    assert refusal.value.field == field


def test_an_edit_keeps_the_offer() -> None:
    """A storewide campaign cannot become a cost cap."""
    other = cost_cap.Terms(merchant="m1", budget=500 * YUAN, cost=20.0, start=START, end=START + 7 * DAY)
    with pytest.raises(Conflict, match="offer: cannot change"):
        campaign.editable(OLD, other, START - 1)


def test_all_else_may_be_edited() -> None:
    """Every other term may change while it runs, and the start as well before it does."""
    changes: dict[str, object] = {
        "budget": YUAN,
        "daily": 1,
        "goal": 1.0,
        "end": START + 9 * DAY,
        "hours": MONDAY_ALONE,
        "scenes": ("mall",),
        "units": (campaign.Unit(id="a"),),
        "holdout": 0.1,
        "assured": False,
        "confirmed": True,
        "predicted": True,
        "value_per_long_view": 1.0,
    }
    assert set(changes) | {"merchant", "start"} == set(storewide.Terms.__struct_fields__)
    for name, value in changes.items():
        campaign.editable(OLD, msgspec.structs.replace(OLD, **{name: value}), START + DAY)
    campaign.editable(OLD, msgspec.structs.replace(OLD, start=START + DAY), START - 1)
