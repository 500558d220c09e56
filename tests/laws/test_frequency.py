"""Laws of frequency: no viewer is given more of anything in a day than a cap says, whatever they ask for and when."""

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START, catalogue, wishes

from fieldline import engine
from fieldline.contracts.horizon import day_of
from fieldline.facts import Decision, Frequency, Impression, Personalised, Policy, Request, Tick
from fieldline.traffic.shelf import merchant_of, product_of
from fieldline.units import HOUR, MINUTE

SCENES = ("video", "follow", "mall", "search", "live")
ASKED = st.lists(
    st.tuples(
        st.sampled_from(("viewer-1", "viewer-2")),
        st.sampled_from(SCENES),
        st.integers(0, 40),  # minutes since the request before
        st.integers(0, 3),  # how many places are rendered
    ),
    min_size=4,
    max_size=14,
)
CAPS = st.builds(Frequency, st.integers(0, 3), st.integers(0, 6), st.integers(0, 2))


def market(policy: Policy) -> engine.State:
    """The made market with its contracts, before any request."""
    state = engine.init(policy)
    for fact in (Tick(START), *catalogue(), *wishes(), Tick(START + 1)):
        engine.reduce(state, fact)
    return state


def ask(state: engine.State, id: str, viewer: str, scene: str, at: int) -> Decision:
    """Decide a request and take it."""
    decision = engine.decide(state, Request(id, viewer, scene, at=at))
    engine.reduce(state, decision)
    return decision


def met(state: engine.State, decision: Decision, totals: Counter[tuple[str, int, str, str]]) -> None:
    """Count what a decision gave its viewer that day."""
    viewer, day = decision.viewer, day_of(decision.at)
    for slot in decision.slots:
        fact = state.shelf.facts[state.shelf.names.find(slot.item)]
        for kind, name in (
            ("product", product_of(fact)),
            ("merchant", merchant_of(fact, state.goods)),
            ("campaign", slot.contract),
        ):
            if name is not None:
                totals[viewer, day, kind, name] += 1


@settings(max_examples=8)
@given(CAPS, ASKED, st.floats(0.0, 1.0))
def test_no_cap_is_passed_under_any_order_of_scenes(
    caps: Frequency, asked: list[tuple[str, str, int, int]], random_share: float
) -> None:
    """Of places given and not given back no viewer has more of a product, merchant or campaign in a day than its cap.

    Requests overlap: most are decided before the places of those before them are rendered or released.
    """
    policy = msgspec.structs.replace(POLICY, frequency=caps, random_share=random_share)
    state, at = market(policy), START + 14 * HOUR  # half an hour before midnight in UTC+8
    for number, (viewer, scene, minutes, rendered) in enumerate(asked):
        at += minutes * MINUTE
        if minutes > 20:
            engine.reduce(state, Tick(at))
        decision = ask(state, f"r{number}", viewer, scene, at)
        for slot in decision.slots[:rendered]:
            engine.reduce(state, Impression(f"r{number}/{slot.item}", at, decision.id, slot.item))
        for today in state.given.of.values():
            rows = today.rows[: today.count].tolist()
            for column, cap in ((0, caps.product), (1, caps.merchant), (2, caps.campaign)):
                counts = Counter(row[column] for row in rows if row[column] >= 0)
                assert not cap or max(counts.values(), default=0) <= cap


@settings(max_examples=4)
@given(CAPS, ASKED)
def test_what_is_rendered_never_passes_a_cap(caps: Frequency, asked: list[tuple[str, str, int, int]]) -> None:
    """Where all that is decided is rendered, a viewer's day stays within every cap, counted from the log."""
    state = market(msgspec.structs.replace(POLICY, frequency=caps))
    totals, at = Counter[tuple[str, int, str, str]](), START + 13 * HOUR
    for number, (viewer, scene, minutes, _) in enumerate(asked):
        at += minutes * MINUTE
        decision = ask(state, f"r{number}", viewer, scene, at)
        for slot in decision.slots:
            engine.reduce(state, Impression(f"r{number}/{slot.item}", at, decision.id, slot.item))
        met(state, decision, totals)
    limits = {"product": caps.product, "merchant": caps.merchant, "campaign": caps.campaign}
    assert all(not limits[kind] or count <= limits[kind] for (_, _, kind, _), count in totals.items())


@settings(max_examples=4)
@given(ASKED)
def test_caps_that_are_never_met_change_nothing(asked: list[tuple[str, str, int, int]]) -> None:
    """With caps of a thousand every slate is the one without caps, to the last figure."""
    free, capped = (
        market(POLICY),
        market(msgspec.structs.replace(POLICY, frequency=Frequency(1_000, 1_000, 1_000))),
    )
    at = START + HOUR
    for number, (viewer, scene, minutes, _) in enumerate(asked):
        at += minutes * MINUTE
        one, other = (ask(state, f"r{number}", viewer, scene, at) for state in (free, capped))
        assert one == other


def test_nothing_is_counted_of_who_opted_out() -> None:
    """A viewer who opts out is forgotten at once and counted no more, so that no cap keeps anything from them."""
    state = market(msgspec.structs.replace(POLICY, frequency=Frequency(product=1)))
    viewer = state.people.names.find("viewer-1")
    ask(state, "before", "viewer-1", "mall", START + HOUR)
    assert state.given.of[viewer].count > 0
    engine.reduce(state, Personalised("viewer-1", START + HOUR, False))
    assert viewer not in state.given.of
    first = ask(state, "r1", "viewer-1", "mall", START + 2 * HOUR)
    again = ask(state, "r2", "viewer-1", "mall", START + 2 * HOUR)
    assert viewer not in state.given.of
    assert {slot.item for slot in first.slots} & {slot.item for slot in again.slots}
