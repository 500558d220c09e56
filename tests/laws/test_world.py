"""Laws of the simulated market: shared random numbers, time, and requests that nobody's policy changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.facts import Behaviour, Click, Impression, LongView, Order, Refund
from fieldline.lab.world import Size, World, requests, responses
from fieldline.units import DAY, HOUR, Instant

Ask = tuple[str, str, str]
"""Request id, viewer, scene."""
WORLD = World.make(5, Size(viewers=60, creators=12, merchants=6, products=30, videos=60, rooms=4))
OPENING = Instant(20_000 * DAY)
ITEMS = [f"video-{n:06d}" for n in range(60)] + [f"product-{n:06d}" for n in range(30)]
names = st.integers(0, 5_000).map(lambda n: f"request-{n}")
viewers = st.integers(0, 59).map(lambda n: f"viewer-{n:06d}")
scenes = st.sampled_from(["video", "live", "mall", "search", "follow", "local"])
asks = st.tuples(names, viewers, scenes)
slates = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=8, unique=True)


def about(events: list[Behaviour], item: str) -> list[Behaviour]:
    return [event for event in events if event.id.endswith(f"/{item}")]


@given(asks, slates, slates, st.integers(0, 7), st.sampled_from(ITEMS))
def test_a_slate_changes_no_other_outcome(
    ask: Ask, one: list[str], other: list[str], slot: int, item: str
) -> None:
    """An item in the same slot of two slates for a request meets the same fate at the same times."""
    first, second = ([shown for shown in slate if shown != item] for slate in (one, other))
    slot = min(slot, len(first), len(second))
    first.insert(slot, item)
    second.insert(slot, item)
    a, b = (responses(WORLD, *ask, slate, at=OPENING) for slate in (first, second))
    assert about(a, item) == about(b, item)


@given(asks, st.sampled_from(ITEMS), st.integers(0, 6), st.integers(1, 6))
def test_a_deeper_slot_only_loses_looks(ask: Ask, item: str, slot: int, down: int) -> None:
    """What happens in a deeper slot happens in a higher one too, only sooner."""
    rest = [other for other in ITEMS if other != item]
    high, deep = rest[:slot], rest[: slot + down]
    a = responses(WORLD, *ask, [*high, item], at=OPENING)
    b = responses(WORLD, *ask, [*deep, item], at=OPENING)
    higher = {event.id: event.at for event in about(a, item)}
    assert all(event.id in higher and higher[event.id] <= event.at for event in about(b, item))


@given(asks, slates, st.integers(0, 7 * DAY))
def test_events_are_about_the_slate_and_after_it(ask: Ask, slate: list[str], after: int) -> None:
    """Responses come in time order, after the decision, each id once, and deeds only on what was rendered."""
    at = Instant(OPENING + after)
    events = responses(WORLD, *ask, slate, at=at)
    times = [event.at for event in events]
    assert times == sorted(times)
    assert all(time > at for time in times)
    assert len({event.id for event in events}) == len(events)
    shown = {event.item for event in events if isinstance(event, Impression)}
    clicked = {event.item for event in events if isinstance(event, Click)}
    ordered = {event.id for event in events if isinstance(event, Order)}
    assert shown in (set(), set(slate))
    assert {event.item for event in events if isinstance(event, Click | LongView)} <= shown
    assert {name.split("/order/")[1] for name in ordered} <= clicked
    assert {event.order for event in events if isinstance(event, Refund)} <= ordered


@given(asks, slates)
def test_a_response_is_a_function(ask: Ask, slate: list[str]) -> None:
    """Asked twice, the market answers alike."""
    first = responses(WORLD, *ask, slate, at=OPENING)
    assert responses(WORLD, *ask, slate, at=OPENING) == first


@settings(max_examples=25)
@given(st.integers(0, 3 * HOUR), st.integers(0, 3 * HOUR))
def test_requests_of_two_stretches_are_those_of_both(first: int, second: int) -> None:
    """The requests up to a time and from it on are those of the whole stretch, in time order."""
    middle = Instant(OPENING + first)
    end = Instant(middle + second)
    whole = list(requests(WORLD, OPENING, end))
    assert whole == [*requests(WORLD, OPENING, middle), *requests(WORLD, middle, end)]
    assert [request.at for request in whole] == sorted(request.at or 0 for request in whole)
