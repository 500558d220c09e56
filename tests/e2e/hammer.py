"""One of two engines on one ledger, in a process of its own: decides as fast as it can, and bills late.

python -m tests.e2e.hammer FOLDER NAME MONEY START END [LEASE]: with LEASE it kills itself, −9, as soon as the ledger
has taken that lease of this run, before the log knows of it.
"""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import msgspec
from tests.made import catalogue

from fieldline.app import DEFAULT_POLICY, Fieldline
from fieldline.facts import Decision, Impression, Request
from fieldline.units import HOUR, MINUTE, YUAN, Instant, Micros

BUDGET = 2 * YUAN
EVERY = MINUTE // 4
LATE = 20
"""Requests between a decision and its impressions: five minutes."""
QUIET = msgspec.structs.replace(DEFAULT_POLICY, in_hand="observed", random_share=0.0)


def opened(folder: Path, name: str, money: str) -> Fieldline:
    """Open an engine of the pair, whose time follows its requests."""
    return Fieldline.open(folder, None, policy=QUIET, node=name, money=money)


def stock(app: Fieldline, start: int, end: int) -> None:
    """Type the catalogue and the contract that the pair will share."""
    for _, entries in groupby(catalogue(), type):
        app.upsert(list(entries))
    app.begin(Instant(start))
    terms = {"merchant": "merchant-1", "budget": BUDGET, "goal": 0.05, "start": start, "end": end,
             "value_per_long_view": 1.0, "predicted": True}  # fmt: skip
    app.put_contract("shop", "storewide", "merchant-1", msgspec.json.encode(terms), "ann")


def hammer(app: Fieldline, name: str, end: int) -> None:
    """Decide to the horizon's end, then let enough time pass to settle and to give back."""
    waiting: deque[Decision] = deque()
    at = app.state.now
    while at < end:
        at += EVERY
        if at // EVERY % 40 == 0:
            keep_pace(folder, at)
        request = Request(f"{name}-{at}", f"viewer-{at // EVERY % 30}", "video", at=at)
        waiting.append(app.decide(request)[0])
        if len(waiting) > LATE:
            bill(app, waiting.popleft(), at)
    while waiting:
        bill(app, waiting.popleft(), at)
    for hours in (1, 2, 3):
        app.decide(Request(f"{name}-late-{hours}", "viewer-1", "video", at=end + hours * HOUR))


def keep_pace(folder: Path, at: int) -> None:
    """Say how far this engine's time is, and wait for the other's where that is half an hour behind."""
    own, new = folder.with_suffix(".at"), folder.with_suffix(".new")
    new.write_text(str(at))
    new.rename(own)
    other = folder.with_name({"a": "b", "b": "a"}[folder.name]).with_suffix(".at")
    while not other.exists() or int(other.read_text()) < at - HOUR // 2:
        time.sleep(0.01)


def bill(app: Fieldline, decision: Decision, at: int) -> None:
    """Tell that every slot was rendered."""
    events = [Impression(f"{decision.id}/{k}", at, decision.id, s.item) for k, s in enumerate(decision.slots)]
    app.record(events)


def die_after(app: Fieldline, lease: int) -> None:
    """Have the process killed once the ledger has taken so many leases."""
    post, taken = app.ledger.post, []

    def deadly(key: str, at: Instant, postings: Sequence[tuple[str, Micros]], note: str = "") -> bool:
        done = post(key, at, postings, note)
        taken.extend([key] if key.startswith("lease:") else [])
        if len(taken) >= lease:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    app.ledger.post = deadly  # type: ignore[method-assign]


if __name__ == "__main__":
    folder, name, money, end = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[5])
    engine = opened(folder, name, money)
    engine.begin(Instant(int(sys.argv[4])))
    if len(sys.argv) > 6:
        die_after(engine, int(sys.argv[6]))
    hammer(engine, name, end)
    engine.close()
