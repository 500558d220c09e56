"""People type at two processes on one database, which are killed in the midst of it and start again."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.e2e.typist import opened
from tests.made import START
from tests.shared import ROOMS, entries, known

from fieldline.app import Fieldline
from fieldline.facts import Staged, decode
from fieldline.units import Instant

ROOT = Path(__file__).parents[2]
FOREVER, FEW = "1000000", "20"
PATIENCE = 300
"""Seconds: kernels compile for long where nothing is cached yet."""


def test_what_is_typed_at_either_reaches_both_whoever_is_killed(tmp_path: Path) -> None:
    """Killed by −9 between records and log, after the log was given, and at any moment, both end up knowing the same.

    Every acknowledged plan was counted, none twice, and neither log has a room's plan twice or out of order.
    """
    money = f"sqlite:///{tmp_path / 'money.sqlite'}"
    first = opened(tmp_path / "a", "a", money)
    first.begin(Instant(START))
    for of_kind in entries():
        first.upsert(of_kind)
    first.close()
    running = [run(tmp_path, "a", money, FOREVER, "recorded", "33"), run(tmp_path, "b", money, FOREVER)]
    try:
        assert running[0].wait(PATIENCE) == -signal.SIGKILL
        running.append(run(tmp_path, "a", money, FOREVER, "logged", "44"))
        assert running[2].wait(PATIENCE) == -signal.SIGKILL
        deadline = time.monotonic() + PATIENCE
        while len(told(tmp_path, "b")) < 20:
            assert running[1].poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        running[1].kill()
        running[1].wait(PATIENCE)
        running += [run(tmp_path, name, money, FEW) for name in "ab"]
        assert [process.wait(PATIENCE) for process in running[3:]] == [0, 0]
    finally:
        for process in running:
            process.kill()
    apps = [opened(tmp_path / name, name, money) for name in "ab"]
    for app in apps:
        app.tick()
    assert known(apps[0]) == known(apps[1])
    assert known(apps[0]).cases
    acknowledged = Counter(told(tmp_path, "a") + told(tmp_path, "b"))
    assert min(acknowledged.values()) >= 30
    for room in (f"room-{n}" for n in range(ROOMS)):
        newest = known(apps[0]).plans[room][0]
        assert acknowledged[room] <= newest <= acknowledged[room] + 3
        for app in apps:
            versions = versions_of(app, room)
            assert versions == sorted(set(versions)) and versions[-1] == newest
    for app in apps:
        app.close()


def told(folder: Path, name: str) -> list[str]:
    """The rooms of the plans that an engine acknowledged."""
    lines = folder / f"{name}.told"
    return lines.read_text().split() if lines.exists() else []


def versions_of(app: Fieldline, room: str) -> list[int]:
    """The versions of a room's plan in an engine's log."""
    facts = (decode(payload) for _, payload in app.log.read())
    return [fact.version for fact in facts if isinstance(fact, Staged) and fact.room == room]


def run(folder: Path, name: str, money: str, *more: str) -> "subprocess.Popen[bytes]":
    """Start one of the engines."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.typist", str(folder / name), name, money, *more],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )
