"""What each offer makes of its terms: exact contracts."""

import msgspec
import pytest

from fieldline import offers
from fieldline.contracts import ALL, Audience, Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.grants import Eligible, Grant, Matching
from fieldline.errors import Unknown
from fieldline.facts import Place, Wish
from fieldline.offers import OFFERS, contracts_of, names_of, terms_of
from fieldline.units import DAY, YUAN

START = 1_650_816_000_000
"""2022-04-25 00:00 in UTC+8, a Monday."""
CAMPAIGN = {"merchant": "m1", "budget": 500 * YUAN, "start": START, "end": START + 7 * DAY}
STORE = {"latitude": 30.25, "longitude": 120.17}

MEANT: dict[str, tuple[str, dict[str, object], Meter, Limit, bool]] = {
    "storewide": (
        "storewide",
        {"goal": 4.0},
        Meter(gmv=1.0),
        Limit(goal=4.0, counts_organic=True),
        True,
    ),
    "storewide with long views": (
        "storewide",
        {"goal": 4.0, "value_per_long_view": 0.5},
        Meter(gmv=1.0, long_view=0.5),
        Limit(goal=4.0, counts_organic=True),
        True,
    ),
    "storewide of a replay, which has no orders to assure": (
        "storewide",
        {"goal": 4.0, "predicted": True},
        Meter(gmv=1.0),
        Limit(goal=4.0, counts_organic=True, predicted=True),
        False,
    ),
    "net ROI": (
        "net_roi",
        {"goal": 3.0},
        Meter(gmv=1.0),
        Limit(goal=3.0, counts_organic=True, net=True),
        True,
    ),
    "ads ROI": ("ads_roi", {"goal": 2.0}, Meter(gmv=1.0), Limit(goal=2.0), True),
    "ads ROI without assurance": (
        "ads_roi",
        {"goal": 2.0, "assured": False},
        Meter(gmv=1.0),
        Limit(goal=2.0),
        False,
    ),
    "incremental ROI": (
        "incremental_roi",
        {"goal": 1.5},
        Meter(gmv=1.0, incremental=True),
        Limit(goal=1.5),
        True,
    ),
    "long-run ROI of a week": (
        "long_run_roi",
        {"goal": 5.0, "days": 7},
        Meter(gmv=1.0, days=7),
        Limit(goal=5.0),
        True,
    ),
    "long-run ROI of a month": (
        "long_run_roi",
        {"goal": 5.0, "days": 30},
        Meter(gmv=1.0, days=30),
        Limit(goal=5.0),
        True,
    ),
    "cost cap": ("cost_cap", {"cost": 20.0}, Meter(order=20.0), Limit(goal=1.0), True),
    "most GMV": ("max_delivery", {}, Meter(gmv=1.0), Limit(net=True), False),
    "most orders": ("max_delivery", {"value": "orders"}, Meter(order=1.0), Limit(), False),
    "most clicks": ("max_delivery", {"value": "clicks"}, Meter(click=1.0), Limit(), False),
    "fans at a cost": ("follower_growth", {"cost": 3.0}, Meter(follow=3.0), Limit(goal=1.0), True),
    "fans at an ROI": ("follower_growth", {"goal": 2.0}, Meter(fan_days=30), Limit(goal=2.0), True),
    "leads": ("leads", {"cost": 60.0, "capacity": 30}, Meter(lead=60.0), Limit(goal=1.0, capacity=30), True),
    "leads of any number": ("leads", {"cost": 60.0}, Meter(lead=60.0), Limit(goal=1.0), True),
    "visits": (
        "visits",
        {"cost": 15.0, "capacity": 80},
        Meter(visit=15.0),
        Limit(goal=1.0, capacity=80),
        True,
    ),
}


def wish(offer: str, terms: dict[str, object]) -> Wish:
    return Wish("w1", START, 1, offer, "m1", msgspec.json.encode(terms).decode())


def compiled(offer: str, terms: dict[str, object]) -> Contract:
    """Return the only contract of a campaign with these terms beside the usual ones."""
    (contract,) = contracts_of(wish(offer, CAMPAIGN | terms))
    return contract


@pytest.mark.parametrize("case", MEANT)
def test_an_offer_means_its_meter_and_its_limit(case: str) -> None:
    """Each offer's terms become exactly one contract: its meter, its limit and, where it has a goal, assurance."""
    offer, terms, meter, limit, assured = MEANT[case]
    assert compiled(offer, terms) == Contract(
        id="w1",
        wish="w1",
        offer=offer,
        owner="m1",
        reach=(Reach(merchant="m1"),),
        meter=meter,
        limit=msgspec.structs.replace(limit, budget=500 * YUAN),
        horizon=Horizon(START, START + 7 * DAY),
        merchant="m1",
        holdout=0.05,
        assured=assured,
    )


def test_every_campaign_offer_is_tried_above() -> None:
    """The cases above leave out no offer but those that are granted, which have tests of their own."""
    assert {case[0] for case in MEANT.values()} | {"cold_start", "pool"} == set(OFFERS)


def test_every_offer_file_is_in_the_registry() -> None:
    """The registry holds each module of the package that has a NAME, under that name, and nothing else."""
    modules = [module for module in vars(offers).values() if hasattr(module, "NAME")]
    assert {module.NAME: (module.Terms, module.compile) for module in modules} == {
        name: (offer.terms, offer.compile) for name, offer in OFFERS.items()
    }
    assert all(module.__name__ == f"fieldline.offers.{module.NAME}" for module in modules)


@pytest.mark.parametrize("name", OFFERS)
def test_every_term_says_what_it_is(name: str) -> None:
    """Each field of an offer's terms, and of what they contain, has a description in its JSON schema."""
    schema = msgspec.json.schema(OFFERS[name].terms)["$defs"]
    # What contracts and facts define beside Time is described where they are.
    own = {title: each for title, each in schema.items() if title in {"Terms", "Unit", "Circle"}}
    assert "Terms" in own
    for title, each in own.items():
        for field, about in each["properties"].items():
            assert "description" in str(about), f"{title}.{field}"


def test_cold_start_owes_each_work_its_looks() -> None:
    """Two works become two floors of 400 looks, without budget, holdout or assurance, each on its own item."""
    terms: dict[str, object] = {
        "creator": "c1",
        "items": ["v1", "v2"],
        "looks": 400.0,
        "start": START,
        "end": START + DAY,
    }
    assert contracts_of(wish("cold_start", terms)) == tuple(
        Contract(
            id=f"w1#{item}",
            wish="w1",
            offer="cold_start",
            owner="m1",
            reach=(Reach(items=(item,)),),
            meter=Meter(),
            limit=Limit(looks=400.0),
            horizon=Horizon(START, START + DAY),
        )
        for item in ("v1", "v2")
    )


def test_what_all_campaigns_share_reaches_the_contract() -> None:
    """A daily budget, a schedule, a holdout and scenes stand in the contract as they were typed."""
    hours = "1" * 48 + "0" * 120
    terms: dict[str, object] = {
        "goal": 4.0,
        "daily": 90 * YUAN,
        "hours": hours,
        "holdout": 0.2,
        "scenes": ["mall", "search"],
        "confirmed": True,
    }
    contract = compiled("storewide", terms)
    assert contract.limit == Limit(500 * YUAN, 90 * YUAN, goal=4.0, counts_organic=True)
    assert contract.horizon == Horizon(START, START + 7 * DAY, hours)
    assert contract.holdout == 0.2
    assert contract.reach == (Reach(merchant="m1", scenes=("mall", "search")),)


UNITS = [
    {"id": "shelf", "items": ["p1"], "creatives": ["v1", "r1"], "scenes": ["mall"]},
    {"id": "hosts", "creators": ["c1", "c2"], "audience": {"buyers": "new", "without": ["age=0-17"]}},
    {"id": "goods", "items": ["p2"], "creators": ["c1"]},
    {"id": "rest"},
]


def test_a_unit_becomes_the_reach_it_names() -> None:
    """Named items make one reach, each creator one for the merchant's goods, no name at all the whole merchant;
    products bring what shows them along only where no creatives are named."""
    new = Audience(buyers="new", without=("age=0-17",))
    both = ("mall", "video")
    assert compiled("ads_roi", {"goal": 2.0, "scenes": both, "units": UNITS}).reach == (
        Reach(items=("p1", "v1", "r1"), unit="shelf", scenes=("mall",)),
        Reach(creator="c1", merchant="m1", unit="hosts", scenes=both, audience=new),
        Reach(creator="c2", merchant="m1", unit="hosts", scenes=both, audience=new),
        Reach(items=("p2",), shown_by=True, unit="goods", scenes=both),
        Reach(creator="c1", merchant="m1", unit="goods", scenes=both),
        Reach(merchant="m1", unit="rest", scenes=both),
    )


def test_a_branch_keeps_its_own_circle() -> None:
    """The circle of a visits campaign holds for its units, but not for the one whose audience has one."""
    branch = {"latitude": 31.0, "longitude": 121.0}
    units = [{"id": "a"}, {"id": "b", "audience": {"near": branch, "within_km": 3.0}}]
    reach = compiled(
        "visits", {"cost": 15.0, "circle": {"place": STORE, "within_km": 5.0}, "units": units}
    ).reach
    assert [(each.unit, each.audience) for each in reach] == [
        ("a", Audience(near=Place(30.25, 120.17), within_km=5.0)),
        ("b", Audience(near=Place(31.0, 121.0), within_km=3.0)),
    ]
    assert compiled("visits", {"cost": 15.0}).reach[0].audience == ALL


def test_what_a_campaign_names_is_told_with_its_field() -> None:
    """Merchant, scenes, items, creatives and creators come in the order typed, each with its index."""
    asked = wish("ads_roi", CAMPAIGN | {"goal": 2.0, "scenes": ["mall", "video"], "units": UNITS})
    assert names_of(asked) == (
        ("terms.merchant", "merchant", "m1"),
        ("terms.scenes[0]", "scene", "mall"),
        ("terms.scenes[1]", "scene", "video"),
        ("terms.units[0].items[0]", "item", "p1"),
        ("terms.units[0].creatives[0]", "item", "v1"),
        ("terms.units[0].creatives[1]", "item", "r1"),
        ("terms.units[0].scenes[0]", "scene", "mall"),
        ("terms.units[1].creators[0]", "creator", "c1"),
        ("terms.units[1].creators[1]", "creator", "c2"),
        ("terms.units[2].items[0]", "item", "p2"),
        ("terms.units[2].creators[0]", "creator", "c1"),
    )


def test_what_a_cold_start_names_is_told_with_its_field() -> None:
    """A cold start names its creator and each of its works."""
    asked = wish("cold_start", {"creator": "c1", "items": ["v1", "v2"], "looks": 1.0, "start": 0, "end": 1})
    assert names_of(asked) == (
        ("terms.creator", "creator", "c1"),
        ("terms.items[0]", "item", "v1"),
        ("terms.items[1]", "item", "v2"),
    )


def test_a_pool_grants_its_looks_to_whom_it_names() -> None:
    """A pool becomes one contract without items or budget; its grant says how many looks, for whom, by what rule."""
    terms: dict[str, object] = {"name": "May", "looks": 90.0, "merchants": ["m1"], "creators": ["c1"], "start": START,
                                "end": START + DAY}  # fmt: skip
    whole = Contract(
        id="w1", wish="w1", offer="pool", owner="m1", reach=(), meter=Meter(), limit=Limit(looks=90.0),
        horizon=Horizon(START, START + DAY), grant=Grant(90.0, Eligible(("m1",), ("c1",))),
    )  # fmt: skip
    assert contracts_of(wish("pool", terms)) == (whole,)
    matched = terms | {"matching": {"looks_per_yuan": 2.0, "member_looks": 30.0}, "least_trust": 0.4}
    (contract,) = contracts_of(wish("pool", matched))
    assert contract.grant == Grant(
        90.0, Eligible(("m1",), ("c1",), least_trust=0.4), 0.0, Matching(2.0, 30.0)
    )
    assert contract.limit == Limit()
    assert names_of(wish("pool", terms)) == (
        ("terms.merchants[0]", "merchant", "m1"),
        ("terms.creators[0]", "creator", "c1"),
    )


def test_an_offer_that_is_not_there_is_unknown() -> None:
    """A wish for an offer that nobody wrote is refused by all three questions about it, naming the offer."""
    for ask in (terms_of, contracts_of, names_of):
        with pytest.raises(Unknown, match=r"offer: no offer is called 'magic'; there are storewide, "):
            ask(wish("magic", CAMPAIGN))
