"""One of two engines on one database, in a process of its own, at which people type: plans, choices, appeals, erasures.

python -m tests.e2e.typist FOLDER NAME MONEY ROUNDS [WHERE COUNT]: with WHERE it kills itself, −9, as soon as the
records (`recorded`) hold what was asked for so many times, the log not yet, or the log (`logged`) was given it. Each
plan that was acknowledged is a line of FOLDER.told.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.made import POLICY, START
from tests.shared import ROOMS, VIEWERS, offers, product

from fieldline.app import Fieldline
from fieldline.errors import Refused
from fieldline.facts import Appeal, Chosen, IntentCorrected, IntentsReset, Personalised, Ruling, Viewer


def opened(folder: Path, name: str, money: str) -> Fieldline:
    """Open an engine of the pair, whose time follows what it is told."""
    return Fieldline.open(folder, None, policy=POLICY, node=name, money=money)


def type_at(app: Fieldline, name: str, told: Path, rounds: int) -> None:
    """Type so many rounds; who was refused goes on."""
    first = len(told.read_text().split()) if told.exists() else 0
    with told.open("a") as lines:
        for number in range(first, first + rounds):
            app.stage(f"room-{number % ROOMS}", offers(number), name).wait()
            lines.write(f"room-{number % ROOMS}\n")
            lines.flush()
            for act in acts(app, name, number):
                with suppress(Refused):
                    act()
            app.tick()


def acts(app: Fieldline, name: str, number: int) -> Sequence[Callable[[], object]]:
    """What else is typed in a round: of viewers of both engines, and of a product of this one."""
    viewer, at, case = f"viewer-{number % VIEWERS}", START + number, f"{name}-{number // 4}"
    choices: Sequence[Chosen] = (
        Personalised(viewer, at, False),
        IntentCorrected(viewer, at, "tea", None),
        Personalised(viewer, at, True),
        IntentsReset(viewer, at),
        IntentCorrected(viewer, at, "shoes", "ready"),
    )
    item = "ab".index(name)
    words: Sequence[Callable[[], object]] = (
        lambda: app.upsert([product(item, approved=False)]),
        lambda: app.appeal(Appeal(case, at, "shop", "item", f"product-{item}", "no"), "shop"),
        lambda: app.rule(Ruling(f"{case}@{at}", at, case, True), "lin"),
        lambda: app.rule(Ruling(f"{case}@{at}", at, case, number % 8 > 4), "lin"),
    )
    found = [lambda: app.choose(choices[number % len(choices)], viewer), words[number % len(words)]]
    if number % 7 == 6:
        found += [lambda: app.erase_viewer(viewer, name), lambda: app.upsert([Viewer(viewer)])]
    return found


def die_after(app: Fieldline, where: str, count: int) -> None:
    """Have the process killed once the records, or the log, were given so much."""
    given: list[None] = []

    def deadly(give: Callable[..., Any]) -> Callable[..., Any]:
        def given_to(*what: object, **more: object) -> Any:
            done = give(*what, **more)
            given.append(None)
            if len(given) >= count:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return given_to

    if where == "recorded":
        app.records.put_asked = deadly(app.records.put_asked)  # type: ignore[method-assign]
    else:
        app.log.append = deadly(app.log.append)  # type: ignore[method-assign]


if __name__ == "__main__":
    folder, name, money, rounds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    engine = opened(folder, name, money)
    if len(sys.argv) > 5:
        die_after(engine, sys.argv[5], int(sys.argv[6]))
    type_at(engine, name, folder.with_suffix(".told"), rounds)
    engine.close()
