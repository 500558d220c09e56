"""Laws of engines that share records: whoever was told what, and whoever died when, all end up knowing the same."""

import itertools
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START
from tests.shared import CATEGORIES, PRODUCTS, ROOMS, VIEWERS, entries, known, offers, product

from fieldline.app import Fieldline
from fieldline.errors import Refused
from fieldline.facts import (
    AnyFact,
    Appeal,
    Chosen,
    IntentCorrected,
    IntentsReset,
    Personalised,
    Ruling,
    Staged,
    Viewer,
    decode,
)
from fieldline.leases import Node
from fieldline.ports import Commit
from fieldline.stores import open_snapshots
from fieldline.stores.memory import MemoryLedger, MemoryLog, MemoryRecords
from fieldline.units import Instant

Act = Callable[[Fieldline, int], object]
"""What is done at an engine, at a moment."""


class Died(Exception):
    """The process is gone."""


class Pair:
    """Two engines, each with a log, of which what was not yet durable may be lost."""

    def __init__(self) -> None:
        self.records, self.ledger = MemoryRecords(), MemoryLedger()
        self.logs = {"a": MemoryLog(), "b": MemoryLog()}
        self.apps = {name: self.start(name) for name in self.logs}
        self.apps["a"].begin(Instant(START))
        for of_kind in entries():
            self.apps["a"].upsert(of_kind)

    def start(self, name: str, log: MemoryLog | None = None) -> Fieldline:
        """An engine from its log."""
        node = Node(name, 3, self.records, self.ledger)
        kept = log or self.logs[name]
        return Fieldline(kept, open_snapshots("memory:"), self.records, self.ledger, policy=POLICY, node=node)

    def cut(self, name: str, lost: int) -> None:
        """Kill an engine that had not made its last facts durable, and start it again."""
        log, shorter = self.logs[name], MemoryLog()
        shorter.append([payload for _, payload in log.read()][: max(1, log.end - lost)])
        self.logs[name] = shorter
        self.apps[name] = self.start(name)

    def die(self, name: str, act: Act, at: int) -> None:
        """Kill an engine between records and log, while it does something, and start it again."""

        def deadly(*facts: AnyFact) -> Commit:
            raise Died

        self.apps[name].take = deadly  # type: ignore[method-assign]
        with suppress(Died, Refused):
            act(self.apps[name], at)
        self.apps[name] = self.start(name)


def stage(room: int, number: int) -> Act:
    """Plan a room, in place of whatever its plan is."""
    return lambda app, _: app.stage(f"room-{room}", offers(number), "ann")


def choose(viewer: int, what: int) -> Act:
    """Choose something for a viewer."""
    name = f"viewer-{viewer}"

    def act(app: Fieldline, at: int) -> object:
        choices: tuple[Chosen, ...] = (
            Personalised(name, at, False),
            Personalised(name, at, True),
            IntentsReset(name, at),
            *(IntentCorrected(name, at, of, stage) for of in CATEGORIES for stage in (None, "ready")),
        )
        return app.choose(choices[what], name)

    return act


def erase(viewer: int) -> Act:
    """Forget a viewer."""
    return lambda app, _: app.erase_viewer(f"viewer-{viewer}", "ann")


def enter(viewer: int) -> Act:
    """Enter a viewer, again perhaps."""
    return lambda app, at: app.upsert([Viewer(f"viewer-{viewer}", traits=(f"age={at % 3}",))])


def review(item: int, approved: bool) -> Act:
    """Refuse a product, or not."""
    return lambda app, _: app.upsert([product(item, approved)])


def appeal(item: int, id: int) -> Act:
    """Contest that a product was refused."""
    return lambda app, at: app.appeal(Appeal(f"a-{id}", at, "shop", "item", f"product-{item}", "no"), "shop")


def rule(id: int, upheld: bool) -> Act:
    """Rule on an appeal."""
    return lambda app, at: app.rule(Ruling(f"a-{id}@{at}", at, f"a-{id}", upheld, str(at)), "lin")


def hear() -> Act:
    """Let an engine hear what the other was told."""
    return lambda app, _: app.tick()


def everywhere_the_same(pair: Pair, items: int = PRODUCTS) -> None:
    """Check that both know the same once they heard everything, and a third that begins with an empty log."""
    for app in pair.apps.values():
        app.tick()
    late = pair.start("c", MemoryLog())
    assert known(pair.apps["a"], items) == known(pair.apps["b"], items) == known(late, items)


some_viewer, some_item = st.integers(0, VIEWERS - 1), st.integers(0, PRODUCTS - 1)
ACTS = st.one_of(
    st.builds(stage, st.integers(0, ROOMS - 1), st.integers(0, 9)),
    st.builds(choose, some_viewer, st.integers(0, 6)),
    st.builds(erase, some_viewer),
    st.builds(enter, some_viewer),
    st.builds(review, some_item, st.booleans()),
    st.builds(appeal, some_item, st.integers(0, 3)),
    st.builds(rule, st.integers(0, 3), st.booleans()),
    st.builds(hear),
)
HOW = st.sampled_from(["done", "done", "done", "died", "lost"])
STEPS = st.lists(st.tuples(st.sampled_from("ab"), ACTS, HOW, st.integers(1, 9)), max_size=25)


@settings(max_examples=20)
@given(STEPS)
def test_two_engines_end_up_knowing_the_same(steps: list[tuple[str, Act, str, int]]) -> None:
    """After any acts at either, deaths between records and log, and lost ends of logs, both know the same.

    So does a third that begins with an empty log, and each that starts again from its log, which takes nothing more.
    """
    pair = Pair()
    for number, (name, act, how, lost) in enumerate(steps, 1):
        if how == "died":
            pair.die(name, act, START + number)
            continue
        with suppress(Refused):
            act(pair.apps[name], START + number)
        if how == "lost":
            pair.cut(name, lost)
    everywhere_the_same(pair)
    for name, app in pair.apps.items():
        end = app.log.end
        again = pair.start(name)
        assert (known(again), again.log.end) == (known(app), end)


@pytest.mark.parametrize("heard", range(4))
def test_every_four_choices_come_to_the_same_everywhere(heard: int) -> None:
    """Out, in, reset and a correction, in all 256 orders of four: heard in two parts, or all at once."""
    pair, orders = Pair(), list(itertools.product((0, 1, 2, 4), repeat=4))
    pair.apps["a"].upsert([Viewer(f"viewer-{n}") for n in range(len(orders))])
    for step in range(4):
        for viewer, order in enumerate(orders):
            with suppress(Refused):
                choose(viewer, order[step])(pair.apps["a"], START + step)
        if step == heard:
            pair.apps["b"].tick()
    everywhere_the_same(pair)


@pytest.mark.parametrize("heard", range(4))
def test_every_four_words_about_an_item_come_to_the_same_everywhere(heard: int) -> None:
    """Refused, approved, contested, upheld and rejected, in all 625 orders of four, each about an item of its own."""
    pair, orders = Pair(), list(itertools.product(range(5), repeat=4))
    pair.apps["a"].upsert([product(item) for item in range(len(orders))])
    for step in range(4):
        for item, order in enumerate(orders):
            acts = (
                review(item, False),
                review(item, True),
                appeal(item, item),
                rule(item, True),
                rule(item, False),
            )
            with suppress(Refused):
                acts[order[step]](pair.apps["a"], START + step)
        if step == heard:
            pair.apps["b"].tick()
    everywhere_the_same(pair, len(orders))


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, ROOMS - 1), st.booleans()), max_size=20))
def test_each_plan_is_taken_once_and_in_order(steps: list[tuple[str, int, bool]]) -> None:
    """Whoever stages, a room's plan is as many versions on as there were calls, and each log has each at most once."""
    pair = Pair()
    for number, (name, room, hears) in enumerate(steps):
        stage(room, number)(pair.apps[name], START)
        if hears:
            pair.apps["b" if name == "a" else "a"].tick()
    for app in pair.apps.values():
        app.tick()
        facts = [decode(payload) for _, payload in app.log.read()]
        for room in range(ROOMS):
            calls = sum(step[1] == room for step in steps)
            versions = [
                fact.version for fact in facts if isinstance(fact, Staged) and fact.room == f"room-{room}"
            ]
            assert versions == sorted(set(versions))
            assert (versions or [0])[-1] == calls


def test_what_is_asked_for_in_between_is_heard_first() -> None:
    """Of two plans for one version asked for at once one is refused; one for whatever version comes next."""
    pair = Pair()
    a, b = pair.apps.values()
    b.tick()
    put = pair.records.put_asked

    def beaten(*what: object, **more: object) -> int:
        pair.records.put_asked = put  # type: ignore[method-assign]
        a.stage("room-0", offers(1), "ann")
        return put(*what, **more)  # type: ignore[arg-type]

    pair.records.put_asked = beaten  # type: ignore[method-assign]
    with pytest.raises(Refused, match="version"):
        b.stage("room-0", offers(2), "bob", version=0)
    assert known(b).plans == {"room-0": (1, offers(1))}
    pair.records.put_asked = beaten  # type: ignore[method-assign]
    b.stage("room-0", offers(3), "bob")
    a.tick()
    assert known(a).plans == known(b).plans == {"room-0": (3, offers(3))}
    assert [line["by"] for line in pair.records.audit("room:room-0")] == ["ann", "ann", "bob"]
