"""Models outside: who is asked about, what their answers change, and that nothing they do fails a request."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.made import POLICY, START, play

from fieldline import engine
from fieldline.facts import Decision, Personalised, Request
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.prediction.outside import Models, chosen
from fieldline.traffic.prediction.sheet import FEATURES, PAIR, VIEWER, sheet
from fieldline.traffic.state import State

Sheet = NDArray[np.float32]
NEVER_DRAWN = msgspec.structs.replace(POLICY, random_share=0.0)


@dataclass(frozen=True)
class Says:
    """A model that is a function of the embedded chances."""

    answer: Callable[[Sheet], Sheet]
    name: str = "says"
    kind: str = "lightgbm"
    tasks: tuple[str, ...] = ("click", "long_view")
    features: tuple[str, ...] = ("embedded_click", "embedded_long_view")
    until: int = 0

    def predict(self, sheet: Sheet) -> Sheet:
        return self.answer((1.0 / (1.0 + np.exp(-sheet))).astype(np.float32))


def inverted(chances: Sheet) -> Sheet:
    return (1.0 - chances).astype(np.float32)


def silent(chances: Sheet) -> Sheet:
    return np.full_like(chances, np.nan)


def broken(chances: Sheet) -> Sheet:
    raise RuntimeError("out of luck")


@pytest.fixture(scope="module")
def state() -> State:
    """The made market after 60 requests."""
    return play(60, NEVER_DRAWN)[0]


def ask(state: State, models: Models | None = None, id: str = "asked") -> Decision:
    request = Request(id, "viewer-3", "video", at=state.now)
    return engine.decide(state, request, True, models) if models else engine.decide(state, request)


def as_decided(decision: Decision) -> Decision:
    """A decision without what tells of the models."""
    return msgspec.structs.replace(decision, model="", rescored=0, fallbacks=0, shadow_model="", shadow=b"")


def told(decision: Decision) -> NDArray[np.void]:
    return np.frombuffer(decision.contenders, CONTENDER)


@pytest.mark.parametrize(
    "answer",
    [
        silent,
        broken,
        lambda chances: chances[:, :1],
        lambda chances: chances + 1.0,
        lambda chances: np.full_like(chances, np.inf),
        lambda chances: np.stack([chances[:, 0], np.full(len(chances), np.nan, np.float32)], axis=1),
    ],
    ids=["silent", "raises", "wrong shape", "no chances", "infinite", "one task"],
)
def test_a_model_without_an_answer_leaves_the_embedded_decision(
    state: State, answer: Callable[[Sheet], Sheet]
) -> None:
    """Slate, charges, contenders and landscape are byte for byte those without a model, and all is counted."""
    plain = ask(state)
    decision = ask(state, Models(Says(answer)))
    assert as_decided(decision) == plain
    assert (decision.model, decision.rescored) == ("says", decision.fallbacks)
    assert decision.fallbacks >= decision.candidates > 0


def test_a_model_that_raises_is_told_of(state: State) -> None:
    """What it raised is told with its name, once a request, for the live and for the shadow model."""
    heard: list[tuple[str, str]] = []
    models = Models(
        Says(broken), Says(broken, name="other"), failed=lambda name, error: heard.append((name, str(error)))
    )
    decision = ask(state, models)
    assert heard == [("says", "out of luck"), ("other", "out of luck")]
    assert np.isnan(np.frombuffer(decision.shadow, np.float32)).all()


def test_what_a_model_says_of_some_counts_for_those(state: State) -> None:
    """Where every other row is NaN, those contenders have the embedded chances, the others the model's."""

    def every_other(chances: Sheet) -> Sheet:
        given = np.full_like(chances, 0.125)
        given[::2] = np.nan
        return given

    decision = ask(state, Models(Says(every_other)))
    plain = {int(row["item"]): row for row in told(ask(state))}
    from_model = np.isclose(told(decision)["p_click"], 0.125, atol=1e-6)
    assert 0 < from_model.sum() < len(from_model)
    for row, given in zip(told(decision), from_model, strict=True):
        if not given and int(row["item"]) in plain:
            assert row["p_click"] == plain[int(row["item"])]["p_click"]
    assert decision.fallbacks == (decision.rescored + 1) // 2


def test_a_model_that_inverts_the_ranking_inverts_the_slate(state: State) -> None:
    """With 1 − p in the place of p the best organic items are the ones that were worst, with the model's chances."""
    plain, other = ask(state, Models(Says(lambda p: p))), ask(state, Models(Says(inverted)))
    assert [slot.item for slot in plain.slots] != [slot.item for slot in other.slots]
    chances = 1.0 / (1.0 + np.exp(-_embedded(state, other)))
    assert told(other)["p_long"] == pytest.approx(1.0 - chances[:, 1], abs=1e-5)
    assert told(other)["p_order"] == pytest.approx(chances[:, 2], abs=1e-5)  # none of its tasks


def _embedded(state: State, decision: Decision) -> NDArray[np.float64]:
    viewer = state.people.names.find("viewer-3")
    items = told(decision)["item"].astype(np.int32)
    rows = sheet(state, viewer, items, state.scenes.numbers["video"], state.now)
    columns = [FEATURES.index(f"embedded_{task}") for task in ("click", "long_view", "order")]
    return rows[:, columns].astype(np.float64)


def test_an_order_task_counts_where_there_is_one(state: State) -> None:
    """A model that says one half of orders has it on every contender."""
    model = Says(
        lambda p: np.full_like(p, 0.5), tasks=("order", "long_view", "click"),
        features=("embedded_order", "embedded_long_view", "embedded_click"),
    )  # fmt: skip
    assert (told(ask(state, Models(model)))["p_order"] == 0.5).all()


def test_no_more_than_the_limit_are_asked_about(state: State) -> None:
    """With a limit of 12 the model sees 12 rows, and all others keep the embedded chances."""
    rows: list[int] = []

    def counting(chances: Sheet) -> Sheet:
        rows.append(len(chances))
        return np.full_like(chances, 0.001)

    decision = ask(state, Models(Says(counting), limit=12))
    assert (rows, decision.rescored, decision.fallbacks) == ([12], 12, 0)
    assert (told(decision)["p_click"] > 0.0011).any()


def test_half_of_the_limit_at_most_is_kept_for_contracts() -> None:
    """Of seven eligible with a limit of four: the two best held, then the two best of what is left."""
    organic = np.array([9.0, 8.0, -np.inf, 7.0, 6.0, 5.0, 5.0, 1.0])
    held = np.array([0, 0, 1, 0, 0, 1, 1, 1], bool)
    assert chosen(organic, held, 4).tolist() == [0, 1, 5, 6]
    assert chosen(organic, ~held, 4).tolist() == [0, 1, 3, 4]
    assert chosen(organic, held & False, 4).tolist() == [0, 1, 3, 4]
    assert chosen(organic, held, 100).tolist() == [0, 1, 3, 4, 5, 6, 7]


def test_a_shadow_changes_nothing(state: State) -> None:
    """With a model beside it a decision is the same but for what that one said of its slots, in their order."""
    plain = ask(state)
    decision = ask(state, Models(shadow=Says(inverted)))
    assert as_decided(decision) == plain
    assert (decision.shadow_model, decision.model, decision.rescored) == ("says", "", 0)
    said = np.frombuffer(decision.shadow, np.float32).reshape(len(decision.slots), 3)
    shown = told(decision)[: len(decision.slots)]
    assert said[:, 0] == pytest.approx(1.0 - shown["p_click"], abs=1e-6)
    assert said[:, 1] == pytest.approx(1.0 - shown["p_long"], abs=1e-6)
    assert np.isnan(said[:, 2]).all()


def test_what_was_logged_needs_no_model() -> None:
    """A day decided with a live and a shadow model folds from its facts alone to the same state, bit for bit."""
    models = Models(Says(inverted), Says(lambda p: p, name="plain"))
    state, facts = engine.init(NEVER_DRAWN), play(0, NEVER_DRAWN)[1]
    for fact in facts:
        engine.reduce(state, fact)
    for number in range(6):
        request = Request(f"r{number}", f"viewer-{number}", "video", at=START + number * 1_000)
        facts.append(engine.decide(state, request, True, models))
        engine.reduce(state, facts[-1])
    again = engine.init(NEVER_DRAWN)
    for fact in facts:
        engine.reduce(again, fact)
    assert engine.encode(again) == engine.encode(state)
    assert (again.outside.live, again.outside.requests) == ("says", 6)


def test_a_viewer_who_opted_out_is_judged_by_the_moment_alone() -> None:
    """Of two viewers with other pasts who opted out, models read the same sheets, and nothing of a viewer in them."""
    state = play(60, NEVER_DRAWN)[0]
    read: list[Sheet] = []

    @dataclass(frozen=True)
    class Reads(Says):
        features: tuple[str, ...] = FEATURES

        def predict(self, sheet: Sheet) -> Sheet:
            read.append(sheet.copy())
            return np.full((len(sheet), 2), 0.5, np.float32)

    models = Models(Reads(inverted), Reads(inverted))
    mine = [FEATURES.index(name) for name in (*VIEWER, *PAIR)]
    request = Request("same", "viewer-3", "video", at=state.now)
    engine.decide(state, request, True, models)
    untold = {FEATURES[column] for column in mine if np.isnan(read[0][:, column]).all()}
    assert all(name.startswith("viewer_trait") for name in untold)  # this viewer has one trait
    read.clear()
    for viewer in ("viewer-3", "viewer-4"):
        engine.reduce(state, Personalised(viewer, state.now, False))
        engine.decide(state, msgspec.structs.replace(request, viewer=viewer), True, models)
    assert len(read) == 4
    assert all(np.isnan(sheet[:, mine]).all() for sheet in read)
    assert [sheet.tobytes() for sheet in read[:2]] == [sheet.tobytes() for sheet in read[2:]]
