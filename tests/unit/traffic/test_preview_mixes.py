"""Previews of mixes and pools: prices that give a share, or move so many looks, and no more than that."""

import msgspec
import numpy as np
import pytest
from tests import made
from tests.unit.traffic.test_preview import asked, figure, market, ran

from fieldline import engine
from fieldline.contracts import Contract
from fieldline.errors import Conflict, Refused
from fieldline.facts import Mix, WishEnded, WishPaused
from fieldline.offers import contracts_of
from fieldline.traffic.domains.mix import SPREAD
from fieldline.traffic.domains.tags import PRIVATE, PUBLIC
from fieldline.traffic.preview import preview
from fieldline.traffic.preview.dials import changed, value_of
from fieldline.traffic.preview.mixing import Mixing, settle_mixes
from fieldline.traffic.preview.placing import Told
from fieldline.traffic.preview.settle import Floor, Moving, settle_looks
from fieldline.units import HOUR

DIAL = "mixes.video.private"


def told(lack: float) -> Told:
    """One slate of one place: the second of two works lacks so much of a score."""
    nobody = np.full(2, -1)
    return Told(
        np.array([0, -1]), np.array([1.0, 1.0 - lack]), np.arange(2), np.arange(2), nobody, nobody,
        np.zeros(2, np.int64), np.ones(1), (1, 1),
    )  # fmt: skip


def mixed(share: float, floor: bool = False) -> Floor:
    """Ten slates whose private work lacks 0.05, 0.15 … 0.95; every request's draw is the middle one."""
    domain, factor = np.array([PUBLIC, PRIVATE]), np.ones(2)
    slates = [Mixing(told(0.1 * n + 0.05), "video", domain, factor, 0.5, ("private",)) for n in range(10)]
    key, mix = ("video", "private"), Mix("video", "private", share, floor)
    with pytest.raises(StopIteration) as done:
        next(settle_mixes(slates, 1.0, [mix], {}, [key]))
    found: dict[tuple[str, str], Floor] = done.value.value
    return found[key]


@pytest.mark.parametrize(("share", "price"), [(0.3, 0.25), (0.7, 0.65), (1.0, 0.95), (0.25, 0.25)])
def test_a_mix_has_the_least_price_that_does(share: float, price: float) -> None:
    """The price is what the last work needed lacks, to 7/4096 of a mean score, and gives the share or just more."""
    found = mixed(share)
    assert price < found.price <= price + 7.0 / 4096
    assert found.given == np.ceil(10 * share) / 10


def test_a_share_below_what_value_gives_lowers_but_for_a_floor() -> None:
    """With no price the share is 0; a share of 0 takes the lowest price of all, and of a floor none."""
    assert mixed(0.0) == Floor(-3.5, 0.0, 0.0)
    assert mixed(0.0, floor=True) == Floor(0.0, 0.0, 0.0)


def test_trust_and_the_requests_own_draw_count_as_in_deciding() -> None:
    """A work that lacks 1.0 and whose trust multiplies by 2 needs 0.5, less a tenth where the draw is highest."""
    for draw, price in ((0.5, 0.5), (1.0, 0.5 - SPREAD)):
        one = Mixing(told(1.0), "video", np.array([PUBLIC, PRIVATE]), np.full(2, 2.0), draw, ("private",))
        with pytest.raises(StopIteration) as done:
            next(settle_mixes([one], 1.0, [Mix("video", "private", 1.0)], {}, [("video", "private")]))
        assert done.value.value["video", "private"].price == pytest.approx(price, abs=7.0 / 4096)


def test_a_mix_gives_its_share_of_the_sample() -> None:
    """Decided again at the price found, the domain has the share; what it costs stands beside it."""
    found = asked((DIAL, "0.3"))
    settled, exchange = found.settled[0], found.exchange[0]
    assert (settled.dial, settled.today, settled.met) == (DIAL, None, True)
    assert settled.price > 0.0
    assert settled.expected == pytest.approx(0.3, abs=0.02)
    assert exchange.buys == "domain_share"
    assert 0.0 < exchange.bought <= 0.32
    assert figure(found, "private_share").difference > 0.0
    assert found.moved_looks > 0.0


def test_a_lower_share_has_a_price_below_nought() -> None:
    """A mix of 0 lowers the domain until none of its organic places is left; its share of places falls."""
    found = asked((DIAL, "0"))
    assert found.settled[0].price < 0.0
    assert figure(found, "private_share").difference < 0.0
    assert found.exchange[0].bought < 0.0


def test_a_floor_that_value_meets_costs_nothing() -> None:
    """A least share below what is shown anyway has a price of 0: no figure differs."""
    state, sample = market()
    other = engine.decode(engine.encode(state))
    floor = msgspec.structs.replace(state.policy, mixes=(Mix("video", "private", 0.0, True),))
    engine.reduce(other, floor)
    found = ran(preview(other, sample, [(DIAL, "0.01")]))
    assert (found.settled[0].price, found.settled[0].met) == (0.0, True)
    assert {one.difference for one in found.figures} == {0.0}


def test_a_mix_that_is_not_there_can_be_turned_off() -> None:
    """`off` is what it is today: nothing differs. Set, changed and off again is the policy of before."""
    assert {one.difference for one in asked((DIAL, "off")).figures} == {0.0}
    policy = market()[0].policy
    one, _ = changed(policy, [(DIAL, "0.2")])
    two, (change,) = changed(one, [(DIAL, "0.3")])
    assert (change.today, change.changed, two.mixes) == (0.2, 0.3, (Mix("video", "private", 0.3),))
    assert changed(two, [(DIAL, "off")])[0] == policy
    assert value_of(two, DIAL) == 0.3


def test_a_floor_stays_a_floor() -> None:
    """Another share leaves the mix the least one that it was."""
    policy = msgspec.structs.replace(market()[0].policy, mixes=(Mix("video", "circle", 0.1, True),))
    after, _ = changed(policy, [("mixes.video.circle", "0.2")])
    assert after.mixes == (Mix("video", "circle", 0.2, True),)


@pytest.mark.parametrize(
    ("dial", "value", "field"),
    [
        (DIAL, "1.2", DIAL),
        (DIAL, "-0.1", DIAL),
        (DIAL, "half", DIAL),
        ("mixes.video.public", "0.2", "dial"),
        ("mixes.nowhere.private", "0.2", "dial"),
        ("mixes", "0.2", "dial"),
        ("pools.none.looks", "10", "dial"),
    ],
)
def test_a_mix_or_pool_that_cannot_be_is_named(dial: str, value: str, field: str) -> None:
    """What is refused names the mix, or says that there is no such dial."""
    with pytest.raises(Refused) as refused:
        asked((dial, value))
    assert refused.value.field == field


def test_a_domain_without_candidates_is_said() -> None:
    """No place near any viewer of the sample: the mix is named, and its price is not made up."""
    with pytest.raises(Conflict) as refused:
        asked(("mixes.mall.circle", "0.5"))
    assert refused.value.field == "mixes.mall.circle"


# ── Pools ────────────────────────────────────────────────────────────────────────────────────────────────────


def pool(looks: float, **more: object) -> Contract:
    """A pool of the next six hours for two merchants."""
    (contract,) = contracts_of(made.wish("p", "pool", "operator", terms(looks) | more))
    return contract


def terms(looks: float) -> dict[str, object]:
    now = market()[0].now
    merchants = ["merchant-0", "merchant-3"]
    return {"name": "p", "looks": looks, "merchants": merchants, "start": now, "end": now + 6 * HOUR}


def with_pool(looks: float) -> engine.State:
    """The made market, in which the pool was just made."""
    state = engine.decode(engine.encode(market()[0]))
    engine.reduce(state, made.wish("p", "pool", "operator", terms(looks), at=state.now))
    return state


def test_a_pool_has_the_least_price_that_moves_its_looks() -> None:
    """Ten places, of works that lack 0.05 … 0.95: three looks need 0.25; another price beside it earns its part."""
    slates = [Moving(told(0.1 * n + 0.05), np.array([1.0, 0.0]), np.zeros(2)) for n in range(10)]
    beside = [one._replace(beside=np.array([0.0, 0.25])) for one in slates]
    prices = []
    for sample, looks in ((slates, 3.0), (beside, 1.5)):
        with pytest.raises(StopIteration) as done:
            next(settle_looks(sample, 1.0, np.array([False, True]), looks))
        prices.append(done.value.value)
    assert prices[0].price == pytest.approx(0.25, abs=3.5 / 256)
    assert (prices[0].given, prices[1].given >= 1.5) == (3.0, True)
    assert prices[1].price == pytest.approx(0.26, abs=0.03)


def test_a_pool_moves_what_is_due_and_names_who_pays() -> None:
    """Works of its merchants gain looks, others lose; the state stays to the bit."""
    state, sample = market()
    before = engine.encode(state)
    found = ran(preview(state, sample, (), pool=pool(20.0)))
    settled = found.settled[0]
    assert engine.encode(state) == before
    assert (found.changes[0].dial, found.changes[0].today, found.changes[0].changed) == ("pool", None, 20.0)
    assert settled.met
    assert 0.0 < settled.wanted <= settled.expected < settled.wanted + 1.0
    assert figure(found, "pool_looks").difference == found.exchange[0].bought > 0.0
    assert any(one.changed < one.today for one in found.moved)


def test_a_pool_that_is_there_is_held_to_its_own_looks() -> None:
    """More looks ask a higher price than today's, none at all gives back what it moves; the same change nothing."""
    _, sample = market()
    state = with_pool(8.0)
    more, off, same = (
        ran(preview(state, sample, [("pools.p.looks", value)])) for value in ("20", "off", "8")
    )
    assert more.settled[0].today is not None
    assert more.settled[0].price > more.settled[0].today > 0.0
    assert figure(off, "pool_looks").difference < 0.0
    assert off.changes[0].changed is None
    assert {one.difference for one in same.figures} == {0.0}


def test_pools_that_cannot_be_previewed_say_why() -> None:
    """Matching, paused, ended, two at once, and looks out of range: each is refused by its field."""
    state, sample = with_pool(8.0), market()[1]
    dial = "pools.p.looks"
    follows = {"looks_per_yuan": 1.0, "member_looks": 5.0}
    for pairs, planned, field in (
        ((), pool(20.0, matching=follows), "pool.matching"),
        ([(dial, "0")], None, dial),
        ([(dial, "much")], None, dial),
        ([(dial, "10")], pool(20.0), dial),
        ([("pools.shop-0.looks", "10")], None, "dial"),
    ):
        with pytest.raises(Refused) as refused:
            ran(preview(state, sample, pairs, pool=planned))
        assert refused.value.field == field
    for fact in (WishPaused("p", state.now, True), WishEnded("p", state.now)):
        other = engine.decode(engine.encode(state))
        engine.reduce(other, fact)
        with pytest.raises(Refused) as refused:
            ran(preview(other, sample, [(dial, "10")]))
        assert refused.value.field == dial
