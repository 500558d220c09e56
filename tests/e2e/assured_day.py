"""A data folder in which an assured day fell short, made in a process of its own.

python -m tests.e2e.assured_day FOLDER [before|after]: with a word it kills itself, −9, just before or just after the
ledger takes the day's credit.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.made import START
from tests.unit.test_assured import FINAL, QUIET, pass_to, serve, shop, stock

from fieldline.app import Fieldline
from fieldline.units import Instant, Micros


def fall_short(app: Fieldline) -> None:
    """Play the day, and the three after it, as far as they are not in the log."""
    if not app.state.terms:
        stock(app)
        app.begin(Instant(START))
        shop(app)
        serve(app)
    pass_to(app, FINAL)


def die(app: Fieldline, when: str) -> None:
    """Have the process killed at its first credit."""
    post = app.ledger.post

    def deadly(key: str, at: Instant, postings: Sequence[tuple[str, Micros]], note: str = "") -> bool:
        if key.startswith("credit:") and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = post(key, at, postings, note)
        if key.startswith("credit:"):
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    app.ledger.post = deadly  # type: ignore[method-assign]


if __name__ == "__main__":
    engine = Fieldline.open(Path(sys.argv[1]), None, policy=QUIET)
    if len(sys.argv) > 2:
        die(engine, sys.argv[2])
    fall_short(engine)
    engine.close()
