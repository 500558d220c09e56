"""The engine's laws: the log alone makes the state, and money is never passed."""

import os
import subprocess
import sys
from hashlib import blake2b

import pytest
from tests.made import POLICY, play

from fieldline import engine
from fieldline.facts import Decision, Request, decode, encode

DIGEST = """
from hashlib import blake2b
from fieldline import engine
from tests.made import play
print(blake2b(engine.encode(play(150)[0])).hexdigest())
"""


@pytest.fixture(scope="module")
def played() -> tuple[engine.State, list[bytes]]:
    """A played market: its state, and its log as bytes."""
    state, facts = play(300)
    return state, [encode(fact) for fact in facts]


def test_the_log_alone_makes_the_state(played: tuple[engine.State, list[bytes]]) -> None:
    """Folding the encoded facts again gives the same state, byte for byte, without deciding anything."""
    state, log = played
    again = engine.State(policy=POLICY)
    for payload in log:
        engine.reduce(again, decode(payload))
    assert engine.encode(again) == engine.encode(state)


@pytest.mark.parametrize("cut", [1, 40, 700])
def test_a_snapshot_and_the_tail_make_the_state(played: tuple[engine.State, list[bytes]], cut: int) -> None:
    """A state that is encoded, decoded and continued is the state of the whole log, wherever it is cut."""
    state, log = played
    half = engine.State(policy=POLICY)
    for payload in log[:cut]:
        engine.reduce(half, decode(payload))
    half = engine.decode(engine.encode(half))
    for payload in log[cut:]:
        engine.reduce(half, decode(payload))
    assert engine.encode(half) == engine.encode(state)


def test_deciding_changes_nothing(played: tuple[engine.State, list[bytes]]) -> None:
    """Deciding the same request twice gives the same decision and leaves the state as it was."""
    state, _ = played
    before = blake2b(engine.encode(state)).digest()
    request = Request("again", "viewer-1", "video", at=state.now)
    assert engine.decide(state, request) == engine.decide(state, request)
    assert blake2b(engine.encode(state)).digest() == before


def test_one_and_two_threads_make_the_same_state() -> None:
    """A market played with one thread and with two ends in the same bytes."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            check=True, capture_output=True, text=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def test_a_budget_is_never_passed(played: tuple[engine.State, list[bytes]]) -> None:
    """At every fact of the log what is spent and reserved stays within the budget, and the small one is used."""
    _, log = played
    state = engine.State(policy=POLICY)
    for payload in log:
        engine.reduce(state, decode(payload))
        count = len(state.book)
        taken = state.book.spent[:count] + state.book.reserved[:count]
        assert (taken <= state.book.budget[:count]).all()
        assert (state.book.reserved[:count] >= 0).all()
    assert state.book.spent[state.book.names.find("shop-0")] > 0


def test_charges_stay_within_bids(played: tuple[engine.State, list[bytes]]) -> None:
    """No slot of any decision is charged more than its bid, and only paid slots are charged."""
    _, log = played
    slots = [slot for payload in log if isinstance(fact := decode(payload), Decision) for slot in fact.slots]
    assert any(slot.contract for slot in slots)
    assert all(slot.charge <= slot.bid * 1e6 for slot in slots if slot.contract)
    assert all(slot.charge == 0 for slot in slots if slot.contract is None)
