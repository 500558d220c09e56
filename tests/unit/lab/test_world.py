"""The simulated market: what it is made of, who asks, and what they do."""

from collections import Counter

import msgspec
import numpy as np
import pytest

from fieldline.facts import (
    CatalogueEntry,
    Click,
    Creator,
    Decision,
    Follow,
    Impression,
    LiveRoom,
    LongView,
    Merchant,
    Order,
    Product,
    Refund,
    Slot,
    Video,
    Viewer,
)
from fieldline.lab.world import (
    Size,
    World,
    catalogue,
    live_rooms,
    on_sale,
    requests,
    respond,
    responses,
    truth,
)
from fieldline.units import DAY, HOUR, MINUTE, SECOND, YUAN, Instant

OPENING = Instant(20_000 * DAY)
"""08:00 on 4 October 2024 in China."""
SMALL = Size(viewers=60, creators=12, merchants=6, products=30, videos=60, rooms=4)


@pytest.fixture(scope="module")
def demo() -> World:
    return World.make(7)


@pytest.fixture(scope="module")
def entries(demo: World) -> list[CatalogueEntry]:
    return list(catalogue(demo, OPENING))


def test_a_seed_makes_one_market() -> None:
    """Two markets of one seed have equal catalogues and requests; another seed's differ."""
    first, again, other = World.make(3, SMALL), World.make(3, SMALL), World.make(4, SMALL)
    assert list(catalogue(first, OPENING)) == list(catalogue(again, OPENING))
    assert list(catalogue(first, OPENING)) != list(catalogue(other, OPENING))
    day = Instant(OPENING + DAY)
    assert list(requests(first, OPENING, day)) == list(requests(again, OPENING, day))
    assert list(requests(first, OPENING, day)) != list(requests(other, OPENING, day))


def test_a_market_is_frozen() -> None:
    """No array of a made market can be written."""
    world = World.make(3, SMALL)
    with pytest.raises(ValueError, match="read-only"):
        world.viewers.taste[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        world.products.price[0] = 1


def test_the_demo_market_has_the_stated_size(entries: list[CatalogueEntry]) -> None:
    """The demo has 2,000 viewers, 300 creators (6 head, 39 mid), 150 merchants and 3,000 items."""
    assert Counter(type(entry) for entry in entries) == {
        Viewer: 2_000,
        Creator: 300,
        Merchant: 150,
        Product: 600,
        Video: 2_320,
        LiveRoom: 80,
    }
    followers = sorted((entry.followers for entry in entries if isinstance(entry, Creator)), reverse=True)
    assert [sum(f >= 1_000_000 for f in followers), sum(50_000 <= f < 1_000_000 for f in followers)] == [
        6,
        39,
    ]


def test_the_bench_market_has_the_stated_size() -> None:
    """The bench has 20,000 viewers, 2,000 merchants and 20,000 items."""
    world = World.make(7, "bench")
    assert (len(world.viewers.city), len(world.merchants.city), len(world.items.kind)) == (
        20_000,
        2_000,
        20_000,
    )


def test_an_impossible_size_is_refused() -> None:
    """A market with more merchants than creators, or more rooms than merchants, is not made."""
    with pytest.raises(ValueError, match="creator and a product for every merchant"):
        World.make(1, Size(viewers=5, creators=2, merchants=3, products=9, videos=9, rooms=1))
    with pytest.raises(ValueError, match="merchant for every room"):
        World.make(1, Size(viewers=5, creators=4, merchants=3, products=9, videos=9, rooms=4))


def test_every_entry_follows_what_it_names(entries: list[CatalogueEntry]) -> None:
    """Merchants, creators and products come before whatever names them, and no id comes twice."""
    known: set[str] = set()
    for entry in entries:
        named: list[str | None] = []
        match entry:
            case Viewer():
                named = list(entry.follows)
            case Product():
                named = [entry.merchant]
            case Video() | LiveRoom():
                named = [entry.creator, entry.product, entry.merchant]
        assert {name for name in named if name} <= known
        assert entry.id not in known
        known.add(entry.id)


def test_entries_survive_a_strict_reading(entries: list[CatalogueEntry]) -> None:
    """Every entry is a valid fact once written as JSON and read back."""
    for entry in entries:
        assert msgspec.json.decode(msgspec.json.encode(entry), type=CatalogueEntry) == entry


def test_names_are_chinese_and_english(entries: list[CatalogueEntry]) -> None:
    """Every name and title has a Chinese part and an English one."""
    for entry in entries:
        if isinstance(entry, Viewer):
            continue
        name = entry.name if isinstance(entry, Creator | Merchant) else entry.title
        zh, _, en = name.partition(" · ")
        assert any("一" <= letter <= "鿿" for letter in zh)
        assert en and en.isascii()


def test_tastes_stay_in_the_market(entries: list[CatalogueEntry]) -> None:
    """A viewer's entry tells age, gender, city, place and follows, and nothing else."""
    viewer = next(entry for entry in entries if isinstance(entry, Viewer))
    assert [trait.partition("=")[0] for trait in viewer.traits] == ["age", "gender", "city"]
    assert viewer.watched == viewer.liked == ()


def test_a_day_has_a_night(demo: World) -> None:
    """A Friday of seed 7 has 22,498 requests, 55 from three to four at night, 1,946 from nine to ten."""
    asked = list(requests(demo, Instant(OPENING - 8 * HOUR), Instant(OPENING + 16 * HOUR)))
    hours = Counter((request.at or 0) // HOUR % 24 for request in asked)
    assert (len(asked), hours[19], hours[13]) == (22_498, 55, 1_946)
    assert [request.at for request in asked] == sorted(request.at or 0 for request in asked)
    assert len({request.id for request in asked}) == len(asked)


def test_searches_name_a_category_and_local_requests_a_place(demo: World) -> None:
    """Only search requests carry a category, only local ones a place."""
    for request in requests(demo, OPENING, Instant(OPENING + HOUR)):
        assert (request.category is not None) == (request.scene == "search")
        assert (request.place is not None) == (request.scene == "local")


def test_viewers_respond_at_the_rates_of_the_seed(demo: World) -> None:
    """In an evening of fixed slates seed 7 has exactly these deeds, and 21 of 46 orders within 20 minutes."""
    counts: Counter[str] = Counter()
    clicked: dict[str, int] = {}
    waits: list[int] = []
    videos = [f"video-{n:06d}" for n in range(0, 2_320, 400)]
    products = [f"product-{n:06d}" for n in range(0, 600, 100)]
    for request in requests(demo, Instant(OPENING + 10 * HOUR), Instant(OPENING + 14 * HOUR)):
        items = products if request.scene in ("mall", "search") else videos
        who = (request.id, request.viewer, request.scene)
        for event in responses(demo, *who, items, at=Instant(request.at or 0)):
            counts[type(event).__name__] += 1
            if isinstance(event, Click):
                clicked[f"{event.decision}/order/{event.item}"] = event.at
            if isinstance(event, Order):
                waits.append(event.at - clicked[event.id])
    assert counts == {
        "Impression": 38_952,
        "Click": 1_331,
        "LongView": 5_350,
        "Follow": 83,
        "Order": 46,
        "Refund": 3,
    }
    assert sum(wait < 20 * MINUTE for wait in waits) == 21


def test_a_slate_that_never_renders_has_no_response(demo: World) -> None:
    """Of seed 7's requests r0 … r1999, 69 get no event at all, not even an impression."""
    asked = [(f"r{n}", f"viewer-{n:06d}", "video", ["video-000000"]) for n in range(2_000)]
    assert sum(not responses(demo, *ask, at=OPENING) for ask in asked) == 69


def test_responses_name_only_what_was_shown(demo: World) -> None:
    """A decision's responses are about its items, its viewer and its contracts' products alone."""
    slate = ["video-000000", "live-000003", *(f"product-{n:06d}" for n in range(100, 600, 100))]
    slots = tuple(Slot(item, None, 0, 0.0, 0.0, 0.0, k, k) for k, item in enumerate(slate))
    seen = Counter[type]()
    for n in range(3_000):
        decision = Decision(f"r{n}", OPENING, f"viewer-{n % 2_000:06d}", "search", slots, (), 7, True, 0.0)
        for event in respond(demo, decision):
            seen[type(event)] += 1
            match event:
                case Impression() | Click() | LongView():
                    assert event.decision == decision.id
                    assert event.item in slate
                case Order():
                    assert event.viewer == decision.viewer
                    assert event.id.split("/order/")[1] in slate
                    assert event.amount % event.quantity == 0
                case Follow():
                    assert event.viewer == decision.viewer
                case Refund():
                    assert event.order.startswith(f"{decision.id}/order/")
    assert min(seen[kind] for kind in (Impression, Click, LongView, Follow, Order, Refund)) > 0


def test_a_closed_room_is_shown_to_nobody(demo: World) -> None:
    """A live room outside its hours gets its impression and nothing more; inside them it is clicked."""
    room = next(room for room in live_rooms(demo, OPENING) if room.ended_at is not None)
    number = len(demo.items.kind) - demo.size.rooms + int(room.id[-6:])
    assert on_sale(demo, number, OPENING) == -2
    hours = [Instant(OPENING + k * HOUR) for k in range(24)]
    opened = next(at for at in hours if on_sale(demo, number, at) != -2)
    asked = [(f"r{n}", f"viewer-{n % 2_000:06d}", "live", [room.id]) for n in range(500)]
    closed = Counter(type(e) for ask in asked for e in responses(demo, *ask, at=OPENING))
    then = Counter(type(e) for ask in asked for e in responses(demo, *ask, at=opened))
    assert set(closed) == {Impression}
    assert closed[Impression] == then[Impression]
    assert then[Click] > 0


def test_a_room_goes_through_its_merchants_products(demo: World) -> None:
    """An open room sells its own merchant's products alone, one after the other where there are several."""
    merchant_of = demo.products.merchant
    for room in range(len(demo.items.kind) - demo.size.rooms, len(demo.items.kind)):
        hours = [on_sale(demo, room, Instant(OPENING + k * 30 * MINUTE)) for k in range(48)]
        on = [product for product in hours if product >= 0]
        assert {int(merchant_of[product]) for product in on} == {int(demo.items.merchant[room])}
        several = np.diff(demo.merchants.product_ptr)[demo.items.merchant[room]] > 1
        assert (len(set(on)) > 1) == several


def test_looks_fall_by_slot_and_prices_are_whole_fen(demo: World) -> None:
    """True looks never rise with the slot, and every price is a multiple of ten fen, at least one yuan."""
    assert (np.diff(truth.LOOKS, axis=1) <= 0).all()
    assert (demo.products.price % 100_000 == 0).all()
    assert (demo.products.price >= YUAN).all()


@pytest.mark.parametrize(
    ("viewer", "scene", "item", "reason"),
    [
        ("viewer-002000", "video", "video-000000", "no viewer"),
        ("user-000001", "video", "video-000000", "no viewer"),
        ("viewer-000001", "kitchen", "video-000000", "kitchen"),
        ("viewer-000001", "video", "video-002320", "no item"),
        ("viewer-000001", "video", "video-1", "no item"),
        ("viewer-000001", "video", "song-000000", "no item"),
    ],
)
def test_strangers_are_refused(demo: World, viewer: str, scene: str, item: str, reason: str) -> None:
    """A viewer, scene or item that the market does not have is an error that says so."""
    with pytest.raises(ValueError, match=reason):
        responses(demo, "r", viewer, scene, [item], at=OPENING)


def test_events_come_soon_after_the_look(demo: World) -> None:
    """Clicks come within 6.2 s of a first slot's decision, long views from 15 s to a minute."""
    for n in range(400):
        for event in responses(demo, f"q{n}", f"viewer-{n:06d}", "video", ["video-000005"], at=OPENING):
            if isinstance(event, Click):
                assert SECOND < event.at - OPENING <= 6_200
            if isinstance(event, LongView):
                assert 15 * SECOND < event.at - OPENING <= 60_200
