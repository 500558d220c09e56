"""The market at a glance: contracts against their plan, tiers, counts."""

import msgspec
import pytest

from fieldline.app import Fieldline
from fieldline.facts import Creator, Merchant, Viewer
from fieldline.serve.overview import History, overview_of
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots

START = 1_763_740_800_000
DAY = 86_400_000


@pytest.fixture
def app() -> Fieldline:
    """Return an engine with two creators, two viewers, of whom one is forgotten, and one contract."""
    app = Fieldline(
        open_log("memory:"), open_snapshots("memory:"), open_records("memory:"), open_ledger("memory:")
    )
    app.upsert(
        [Creator("c1", followers=2_000_000), Creator("c2"), Merchant("m1"), Viewer("v1"), Viewer("v2")]
    )
    app.erase_viewer("v2", "lin")
    terms = {"merchant": "m1", "budget": 4_000_000, "goal": 2.0, "start": START, "end": START + DAY}
    app.put_contract("s1", "storewide", "m1", msgspec.json.encode(terms), "lin")
    return app


def test_a_contract_stands_against_its_plan(app: Fieldline) -> None:
    """A contract tells target, plan by now and what is done; its plan runs from nothing to all of it."""
    app.state.now = START + DAY // 2
    app.state.book.spent[0] = 1_000_000
    standing = overview_of(app.state, (), History()).contracts[0]
    assert (standing.id, standing.pays, standing.target, standing.done) == (
        "s1",
        True,
        4_000_000.0,
        1_000_000.0,
    )
    assert (standing.plan[0].share, standing.plan[-1].share) == (0.0, 1.0)
    assert all(a.share <= b.share for a, b in zip(standing.plan, standing.plan[1:], strict=False))
    assert standing.planned == pytest.approx(4_000_000 * standing.plan[12].share)


def test_what_was_spent_becomes_a_curve(app: Fieldline) -> None:
    """History keeps a point whenever enough engine time has passed, and no more than that."""
    history = History()
    for step in range(10):
        app.state.now = START + step * DAY // 240
        app.state.book.spent[0] = step * 400_000
        history.beat(app.state, float(step))
    curve = overview_of(app.state, (), history).contracts[0].curve
    assert [(point.at, point.share) for point in curve] == [
        (START + step * DAY // 240, step / 10) for step in range(0, 10, 2)
    ]


def test_the_rate_is_that_of_late(app: Fieldline) -> None:
    """Decisions per second are those of the last ten beats of wall time."""
    history = History()
    for beat in range(20):
        app.state.decisions = 100 if beat < 9 else 100 + (beat - 9) * 30
        history.beat(app.state, beat * 1.5)
    assert overview_of(app.state, (), history).counts.decisions_per_second == pytest.approx(300 / 15)
    assert History().decisions_per_second() == 0.0


def test_tiers_and_counts_say_what_there_is(app: Fieldline) -> None:
    """Creators count in their tiers by followers, and a forgotten viewer counts no more."""
    app.state.content.exposure[:2] = (30.0, 10.0)
    view = overview_of(app.state, (), History())
    assert [
        (tier.name, tier.creators, tier.share_of_creators, tier.share_of_looks) for tier in view.tiers
    ] == [
        ("head", 1, 0.5, 0.75),
        ("middle", 0, 0.0, 0.0),
        ("tail", 1, 0.5, 0.25),
    ]
    assert (view.counts.viewers, view.counts.creators, view.counts.contracts) == (1, 2, 1)
