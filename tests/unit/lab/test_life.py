"""Stays in live rooms and followers in the made market, and what a season's engine makes of them."""

import numpy as np
import pytest
from msgspec.structs import replace

from fieldline.contracts import book
from fieldline.contracts.book import Book
from fieldline.draws import key_of
from fieldline.facts import Mix, Scene
from fieldline.lab.experiments import domains, staging
from fieldline.lab.experiments.policies import Whole
from fieldline.lab.season import POLICY, Arm, Course, Life, Opening, Policies, open_season, plan_of, play
from fieldline.lab.season import staged as season_staging
from fieldline.lab.season.columns import (
    FANS_WON,
    LOOKED,
    MET,
    NEW_FAN,
    PRIVATE,
    PUBLIC,
    SEEN_LOOKS,
    STAYED,
    WORTH,
    Ahead,
)
from fieldline.lab.season.market import desk_of
from fieldline.lab.season.opening import rooms_in, stage_of
from fieldline.lab.world import LOCAL_TIME, Size, World
from fieldline.lab.world.days import net_worth, outlook
from fieldline.lab.world.fans import BEFORE, WINS, WON, follows_of, nobody_follows, wins
from fieldline.lab.world.goods import LIVE
from fieldline.lab.world.rooms import (
    OFFER,
    later_worth,
    pulled,
    sessions,
    starts,
    stay_of,
    there,
    turns,
)
from fieldline.lab.world.truth import FOLLOW, VIDEO, Visit
from fieldline.traffic import staging as serving
from fieldline.units import HOUR, MINUTE

WORLD = World.make(5, Size(viewers=300, creators=60, merchants=40, products=120, videos=320, rooms=12))
PLAN = plan_of(WORLD, 5, contracts=10, days=1)
BIDS = np.full(10, 0.1)
LIVES = np.flatnonzero(WORLD.items.kind == LIVE)
ROOMS = rooms_in(WORLD, PLAN, Life(rooms=True))


@pytest.fixture(scope="module")
def lived_in() -> Opening:
    return open_season(WORLD, warm=0, life=Life(rooms=True))


@pytest.fixture(scope="module")
def untold(lived_in: Opening) -> Course:
    return play(WORLD, PLAN, Arm(standing=BIDS), opening=lived_in)


@pytest.fixture(scope="module")
def fond() -> Opening:
    return open_season(WORLD, warm=0, life=Life(fans=True))


@pytest.fixture(scope="module")
def unlinked(fond: Opening) -> Course:
    return play(WORLD, PLAN, Arm(standing=BIDS), opening=fond)


def test_rooms_sell_in_their_hours() -> None:
    """A room sells something in exactly its opening hours, its shop's own unless it sells for others."""
    slots = np.arange(ROOMS.offers.shape[1])
    hour = (PLAN.start + slots * OFFER + LOCAL_TIME) // HOUR % 24
    for room, item in enumerate(LIVES.tolist()):
        inside = (hour - WORLD.items.opens[item]) % 24 < WORLD.items.hours[item]
        assert np.array_equal(ROOMS.offers[room] >= 0, inside)
        own = WORLD.products.merchant[ROOMS.offers[room][inside]] == WORLD.items.merchant[item]
        assert own.all() or ROOMS.mixed[room]
    assert 0 < ROOMS.mixed.sum() < len(LIVES)


def test_sessions_are_openings() -> None:
    """A room that is open for six hours a day opens once a day; one that never closes once in all."""
    hours = WORLD.items.hours[LIVES]
    found = sessions(ROOMS)
    assert (found[hours == 24] == 1).all()
    overnight = WORLD.items.opens[LIVES] + hours > 24
    assert (found[(hours < 24) & ~overnight] == 1).all()
    assert (found[(hours < 24) & overnight] == 2).all()


def test_stays_last_as_the_chance_says() -> None:
    """Of 20,000 who enter as many are there after 20 seconds, 2 and 8 minutes as `there` says, within .01."""
    keys = [np.uint64(key_of(1, f"{n}", "stay")) for n in range(20_000)]
    for watched in (False, True):
        stays = np.array([stay_of(ROOMS, 3, key, watched) for key in keys])
        for wait in (20_000, 2 * MINUTE, 8 * MINUTE):
            expected = there(ROOMS, 3, wait, float(watched))
            assert (stays >= wait).mean() == pytest.approx(expected, abs=0.01)


def test_what_is_met_later_is_worth_its_chances(lived_in: Opening) -> None:
    """What is spent later is the sum over offers of the chances to be there and to order, and the net price."""
    stage = stage_of(WORLD, PLAN, Arm(), lived_in, _book(), ROOMS, 0)
    room = int(np.argmax((ROOMS.offers >= 0).sum(axis=1)))
    visit, entered = Visit(np.uint64(7), 11, 1), int(PLAN.start + 12 * HOUR)
    total = 0.0
    for slot in range(12 * 6 + 1, 12 * 6 + 30):
        if turns(ROOMS, room, slot):
            product = int(ROOMS.offers[room, slot])
            kept = there(ROOMS, room, starts(ROOMS, slot) - entered, 0.4)
            if kept >= 1e-3:
                order = outlook(stage.days, stage.lived, visit, product, product, entered).order
                total += kept * order * net_worth(stage.days, product)
    assert total > 0.0
    found = later_worth(stage.days, stage.lived, ROOMS, visit, room, entered, 0.4)
    assert found == pytest.approx(total, rel=1e-12)


def test_what_is_pulled_goes_on_as_before() -> None:
    """With everything pulled a room sells one product until it closes; with nothing pulled, what was planned."""
    gone = pulled(ROOMS, WORLD.seed, 1.0)
    assert not any(turns(gone, room, slot) for room in range(len(LIVES)) for slot in range(1, 288))
    assert np.array_equal(gone.offers >= 0, ROOMS.offers >= 0)
    assert np.array_equal(pulled(ROOMS, WORLD.seed, 0.0).offers, ROOMS.offers)


def test_viewers_stay_and_meet_offers(untold: Course) -> None:
    """Viewers are in rooms for minutes, some meet an offer's start, and orders of products met later come."""
    assert untold.rooms[:, STAYED].sum() > 0.0
    assert untold.rooms[:, MET].sum() > 0.0
    assert untold.items[-1, LIVES, WORTH].sum() > 0.0


def test_no_plan_told_is_no_plan(lived_in: Opening, untold: Course) -> None:
    """A season in which no room of a mask tells its plan is the one without staging, bit for bit."""
    none = Policies(staged=np.zeros(len(LIVES), bool))
    course = play(WORLD, PLAN, Arm(standing=BIDS, policies=none), opening=lived_in)
    assert np.array_equal(course.total, untold.total)
    assert np.array_equal(course.items, untold.items)


def test_told_plans_bring_viewers_in_time(lived_in: Opening, untold: Course) -> None:
    """Where goods are worth much to viewers, rooms that tell their plan have more looks than without, others fewer."""
    told = np.arange(len(LIVES)) % 2 == 0
    rich = replace(POLICY, goods_value=0.5)
    plain = play(WORLD, PLAN, Arm(standing=BIDS, policy=rich), opening=lived_in)
    course = play(
        WORLD, PLAN, Arm(standing=BIDS, policy=rich, policies=Policies(staged=told)), opening=lived_in
    )
    gained = course.items[-1, LIVES, LOOKED] - plain.items[-1, LIVES, LOOKED]
    assert gained[told].sum() > 0.0 > gained[~told].sum()


def test_a_season_learns_stays_as_serving_does() -> None:
    """One stay of 2.5 minutes and one of an hour teach a season what they teach the engine, room by room."""
    for ms in (150_000, HOUR):
        served, played = serving.Staging(), serving.Staging()
        serving.note_stay(served, 3, ms)
        stays = season_staging.no_stays(4)
        assert season_staging.note_stay(stays, 3, ms) == ms / MINUTE
        season_staging.learn(played, stays, 0)
        assert np.array_equal(served.left, played.left)
        assert np.array_equal(served.lived, played.lived)
        assert played.stays[3] == pytest.approx(served.stays[3])
        assert not stays.room_lived.any()


def test_a_season_values_what_is_due_as_serving_does(lived_in: Opening) -> None:
    """Candidates gain what `traffic.staging` adds for the same offers; none adds that starts now or in 11 minutes."""
    stage = stage_of(WORLD, PLAN, Arm(), lived_in, _book(), ROOMS, 0)
    rows = stage.machine.rows.copy()
    rows[:] = np.random.default_rng(2).normal(0.0, 0.3, rows.shape)
    desk = desk_of(WORLD, 160, 0)
    desk.viewer[:] = np.random.default_rng(3).normal(0.0, 0.3, len(desk.viewer))
    at = int(PLAN.start)
    waits = np.array([4 * MINUTE, 9 * MINUTE, 0, 11 * MINUTE])
    rooms = LIVES[[0, 0, 1, 2]].astype(np.int32)
    products, yuan = np.arange(4, dtype=np.int32), np.array([50.0, 900.0, 70.0, 80.0])
    rates, quick = serving.hazard(serving.Staging()), np.array([1.0, 1.2, 1.0, 1.0])
    kept = np.exp(-quick * np.array([rates[:4].sum(), rates[:9].sum(), np.inf, np.inf]))
    candidates = np.concatenate([LIVES[:4], [0, 1]]).astype(np.int32)
    desk.candidates[:6] = candidates
    ahead = Ahead(at + waits, rooms, products, yuan, quick, rates, 0.05)
    season_staging.add_ahead(ahead, desk, rows, at, 6)
    due = serving.Due(rooms, products, yuan, kept)
    expected = serving.extra_value(due, serving.values(due, rows, desk.viewer, 0.05), candidates, len(rows))
    assert expected[0] > 0.0
    assert desk.extra[:6] == pytest.approx(expected, rel=1e-5)
    assert not desk.best.any()


def test_following_is_won_once() -> None:
    """Of 20,000 long views by strangers as many win a follower as the log says, a follower is never won again."""
    keys = [np.uint64(key_of(2, f"{n}", "long view")) for n in range(20_000)]
    follows = np.zeros((1, 2), np.uint8)
    won = 0
    for key in keys:
        follows[0, 0] = 0
        won += wins(follows, key, 0, 0, VIDEO)
    assert won / 20_000 == pytest.approx(WINS[VIDEO], abs=0.0015)
    follows[0, 1] = BEFORE
    assert not any(wins(follows, key, 0, 1, VIDEO) for key in keys)
    assert follows[0, 1] == BEFORE
    assert not any(wins(nobody_follows(), key, 0, 0, VIDEO) for key in keys)
    assert not any(wins(follows, key, 0, -1, VIDEO) for key in keys)


def test_who_follows_likes_it_more(fond: Opening) -> None:
    """Following adds to a look's logits what the follow feed has above the first one, within rounding."""
    stage = stage_of(WORLD, PLAN, Arm(), fond, _book(), ROOMS, 0)
    video = int(np.flatnonzero(WORLD.items.creator >= 0)[0])
    maker = int(WORLD.items.creator[video])
    before = follows_of(WORLD.viewers, WORLD.size.creators)[:, maker]
    viewer = int(np.flatnonzero(before == 0)[0])
    visit, product = Visit(np.uint64(1), viewer, VIDEO), 0
    lived = stage.lived._replace(follows=stage.lived.follows.copy())
    stranger = outlook(stage.days, lived, visit, video, product, int(PLAN.start))
    lived.follows[viewer, maker] = WON
    fan = outlook(stage.days, lived, visit, video, product, int(PLAN.start))
    for now, then, more in zip(fan, stranger, (0.57, 0.8, 0.3), strict=True):
        assert np.log(now / (1 - now)) - np.log(then / (1 - then)) == pytest.approx(more, abs=0.01)


def test_the_follow_feed_has_followed_makers(fond: Opening, unlinked: Course) -> None:
    """With follows known fans have more of the follow feed's looks than without; new followers are won in either."""
    linked = play(WORLD, PLAN, Arm(standing=BIDS, policies=Policies(follows="known")), opening=fond)

    def share(course: Course, scene: int) -> float:
        looks = course.domains[scene, :, SEEN_LOOKS]
        return float(1.0 - looks[PUBLIC] / looks.sum())

    assert share(linked, FOLLOW) > share(unlinked, FOLLOW) + 0.2
    for course in (linked, unlinked):
        assert course.domains[:, PUBLIC, FANS_WON].sum() > 0.0
        assert course.domains[:, [PRIVATE, NEW_FAN], FANS_WON].sum() == 0.0


def test_a_share_of_the_feed_is_kept(fond: Opening, unlinked: Course) -> None:
    """With half of the feed's places for followed makers fans have more of its looks than with follows known alone."""
    known = Policies(follows="known")
    scene = Scene("video", (1.0, 0.9, 0.8, 0.7, 0.6, 0.5))
    dials = replace(POLICY, scenes=(scene,), mixes=(Mix("video", "private", 0.5),))
    mixed = play(WORLD, PLAN, Arm(standing=BIDS, policy=dials, policies=known), opening=fond)
    plain = play(WORLD, PLAN, Arm(standing=BIDS, policies=known), opening=fond)
    of_feed = [course.domains[VIDEO, :, SEEN_LOOKS] for course in (mixed, plain)]
    assert 1 - of_feed[0][PUBLIC] / of_feed[0].sum() > 1 - of_feed[1][PUBLIC] / of_feed[1].sum()


def test_follows_cannot_be_known_where_nobody_follows(lived_in: Opening) -> None:
    """An arm that knows follows is refused in a market that was opened without followers."""
    with pytest.raises(ValueError, match="without followers"):
        play(WORLD, PLAN, Arm(policies=Policies(follows="known")), opening=lived_in)


def test_plans_cannot_be_told_where_nobody_stays(fond: Opening) -> None:
    """An arm in which rooms tell their plans is refused in a market that was opened without stays."""
    with pytest.raises(ValueError, match="without stays"):
        play(WORLD, PLAN, Arm(policies=Policies(staged=np.ones(len(LIVES), bool))), opening=fond)


def test_stagings_figures_are_shares_of_what_was_there() -> None:
    """Rooms that go from 100 to 110 net yuan over the same sessions gain 10%; the half's own figures are the half's."""
    whole = Whole(100.0, 1_000.0, 0.0, 0.9)

    def rooms(worth: float, met: float) -> staging.Rooms:
        return staging.Rooms(worth, 0.0, 10.0, 10.0, met, 0.1 * met, 5)

    none = staging.Played(rooms(40.0, 4.0), rooms(60.0, 4.0), whole)
    told = staging.Played(rooms(50.0, 6.0), rooms(60.0, 6.0), whole)
    half = staging.Played(rooms(50.0, 4.0), rooms(54.0, 4.0), whole)
    market = staging.Found(none, told, half, none, none)
    found = staging.figures_of([market, market], staging.QUICK)
    assert found.gmv_per_session.estimate == pytest.approx(0.10)
    assert found.yuan_per_session.estimate == pytest.approx(10.0)
    assert found.half_told.gmv_per_session.estimate == pytest.approx(0.25)
    assert found.half_untold.gmv_per_session.estimate == pytest.approx(-0.10)
    assert found.all_rooms.met.estimate == pytest.approx(0.5)
    assert found.all_rooms.match.estimate == pytest.approx(0.0)
    assert found.pulled.gmv_per_session.estimate == 0.0
    assert np.isnan(found.all_rooms.gmv_as_it_came.estimate)
    assert found.claim == {"gmv_per_session": 0.10}


def test_domains_figures_are_at_equal_impressions() -> None:
    """Twice the fans' GMV of as many looks is +100%, whatever their share; rates are told as points."""

    def played(private: float, worth: float, repeated: float) -> domains.Played:
        return domains.Played(
            private, 50.0, worth, private, 1.0, 2.0, repeated, 9.0, 0.8, Whole(30.0, 40.0, 0.0, 0.9)
        )

    base, linked = played(0.1, 5.0, 0.2), played(0.3, 10.0, 0.25)
    market = domains.Found(base, base, linked, (linked, linked))
    found = domains.figures_of([market, market], domains.QUICK)
    assert found.linked.private_gmv.estimate == pytest.approx(1.0)
    assert found.linked.repeat_change.estimate == pytest.approx(0.05)
    assert found.linked.private_share.estimate == pytest.approx(0.3)
    assert found.before.gmv.estimate == 0.0
    assert len(found.mixed) == len(found.shares) == 2
    assert [row.label for row in domains.rows_of(found)].count("  fans' GMV") == 4


def _book() -> Book:
    found = Book()
    for contract in PLAN.contracts:
        book.put(found, contract.wish, 1, (contract,))
    return found
