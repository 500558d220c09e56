"""Replay of a recorded feed: the engine decides as if it had been there, and learns what was logged.

Every logged look is a request with its viewer, scene and time. The engine predicts the logged video, decides a
slate out of it and what it retrieves, and only then learns the logged outcome. No outcome is ever invented: what
a slate would have earned is the model's own prediction, and is called so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from fieldline import engine
from fieldline.facts import Assumed, CatalogueEntry, Decision, Outcome, Policy, Request, Scene, Tick, Wish
from fieldline.lab.replay.kuairand import SCENES, FeedLog
from fieldline.traffic.forecast import Traffic, planned_share
from fieldline.traffic.prediction import model
from fieldline.traffic.rows import CLICK, LONG_VIEW
from fieldline.units import HOUR, YUAN, Instant

LOOKS = tuple(round(0.93**k, 4) for k in range(10))
"""Declared chance that each slot is looked at."""
CANDIDATES = 256
"""Of a request: the logged video and those retrieved."""
FIRST_AUTHOR, AUTHORS = 10, 20
"""Contracts stand on the 11th to the 30th author by exposure in the log."""
VALUE_PER_LONG_VIEW, GOAL = 0.10, 2.0
PRIOR_LOOKS = 20.0
"""Looks that the mean of all videos counts for in the popularity baseline."""
SAMPLED = 4
"""The dry pass plays every 4th request."""
TOLD = 24
"""Contenders of a slate among which it is found what a dial moved."""
TIGHT, AMPLE = 0.5, 2.0
"""Budgets as shares of what the dry pass says a contract would spend without one."""

POLICY = Policy(
    scenes=tuple(Scene(name, LOOKS) for name in SCENES),
    candidate_limit=CANDIDATES,
    category_cap=10,
    explained=0,
)

Progress = Callable[[int], None]


@dataclass(slots=True)
class Played:
    """What a replay saw, row by row and hour by hour."""

    chances: NDArray[np.float32]  # [n, 2] click, long view, before learning
    popularity: NDArray[np.float64]  # [n, 2] running rate of the video, before learning
    frozen: NDArray[np.float32]  # [n] the engine's chance of a long view at the day's start
    frozen_popularity: NDArray[np.float64]  # [n] the video's rate of long views at the day's start
    exposure: NDArray[np.float64]  # [authors] looks in the engine's slates
    spent: list[NDArray[np.int64]] = field(default_factory=list)
    """Micro-yuan spent by each contract, at the end of every hour."""
    hours: list[int] = field(default_factory=list)
    """Instants of those ends, ms."""
    mean: tuple[float, float] = (0.4, 0.3)
    """Rates of clicks and long views over all videos, at the end of the newest hour."""
    cpu_s: float = 0.0


def loaded(log: FeedLog, gini: float | None = None) -> engine.State:
    """Return the engine before the log's first look: its catalogue and what viewers watched before.

    Args:
        log: the feed.
        gini: the dial of authors' exposure; None: none.
    """
    dialled = structs.replace(POLICY, gini=gini, explained=TOLD) if gini is not None else POLICY
    state = engine.init(dialled)
    engine.reduce(state, Tick(start_of(log)))
    entries: tuple[CatalogueEntry, ...] = (*log.creators, *log.merchants, *log.videos, *log.viewers)
    for entry in entries:
        engine.reduce(state, entry)
    return state


def promoted(log: FeedLog) -> NDArray[np.int64]:
    """Return the log's 11th to 30th author by exposure (fewer where it has fewer), by index."""
    exposures = np.bincount(log.author, minlength=len(log.creators))
    return np.lexsort((np.arange(len(exposures)), -exposures))[FIRST_AUTHOR : FIRST_AUTHOR + AUTHORS]


def contracts_of(log: FeedLog, budgets: NDArray[np.int64]) -> tuple[Wish, ...]:
    """Return the storewide contracts on the log's 11th to 30th author by exposure.

    Args:
        log: the feed.
        budgets: micro-yuan, [20].
    """
    return tuple(
        Wish(
            id=f"author-{rank}",
            at=start_of(log),
            version=1,
            offer="storewide",
            owner=log.merchants[author].id,
            terms=msgspec.json.encode(
                {
                    "merchant": log.merchants[author].id,
                    "budget": int(budgets[rank]),
                    "goal": GOAL,
                    "start": start_of(log),
                    "end": int(log.at[-1]) + 1,
                    "value_per_long_view": VALUE_PER_LONG_VIEW,
                    "predicted": True,
                }
            ).decode(),
        )
        for rank, author in enumerate(promoted(log))
    )


def unbound_spend(log: FeedLog, state: engine.State, progress: Progress) -> NDArray[np.float64]:
    """Return what each contract would spend over the log with a budget that never binds, micro-yuan [20].

    A dry pass over every 4th request, from which nothing is learned.
    """
    wishes = contracts_of(log, np.full(AUTHORS, 10**6 * YUAN))
    for wish in wishes:
        engine.reduce(state, wish)
    for row in range(0, len(log), SAMPLED):
        pass_time(state, int(log.at[row]))
        _decide(state, log, row)
        progress(min(SAMPLED, len(log) - row))
    return np.asarray(state.book.spent[: len(wishes)] * float(SAMPLED))


def play(log: FeedLog, state: engine.State, wishes: tuple[Wish, ...], progress: Progress) -> Played:
    """Replay a log from its first look to its last.

    Args:
        log: the feed.
        state: the engine with the log's catalogue, changed in place.
        wishes: contracts from the start.
        progress: told how many rows were done.
    """
    rows = len(log)
    played = Played(
        chances=np.zeros((rows, 2), np.float32),
        popularity=np.zeros((rows, 2)),
        frozen=np.zeros(rows, np.float32),
        frozen_popularity=np.zeros(rows),
        exposure=np.zeros(len(log.creators)),
    )
    for wish in wishes:
        engine.reduce(state, wish)

    def hour_ends(at: int) -> None:
        played.spent.append(state.book.spent[: len(wishes)].copy())
        played.hours.append(at)
        played.mean = _mean(state)

    day_ends = np.append(np.flatnonzero(np.diff(log.day)) + 1, rows)
    played.mean = _mean(state)
    begun = time.process_time()
    for row in range(rows):
        at = int(log.at[row])
        pass_time(state, at, hour_ends)
        if row == 0 or row in day_ends:
            _freeze(state, log, row, int(day_ends[np.searchsorted(day_ends, row, side="right")]), played)
        item, viewer = int(log.video[row]), int(log.viewer[row])
        played.chances[row] = model.predict(state, viewer, item, int(log.scene[row]), at)[[CLICK, LONG_VIEW]]
        played.popularity[row] = _rates(state, item, played.mean)
        _count(played, _decide(state, log, row), state)
        engine.reduce(state, outcome_of(log, row))
        progress(1)
    hour_ends(int(log.at[-1]))
    played.cpu_s = time.process_time() - begun
    return played


def planned(log: FeedLog, budgets: NDArray[np.float64], hours: list[int]) -> NDArray[np.float64]:
    """Return what each contract plans to have spent by each hour, micro-yuan [hours, 20].

    The budget (or, where the goal stops it before, the spend that the dry pass expects) × the share of the
    horizon's traffic by then according to the declared shape of a day.

    Args:
        log: the feed.
        budgets: what each contract plans to spend in all, micro-yuan [20].
        hours: ends of hours, ms.
    """
    day = Traffic()
    shares = [planned_share(day, start_of(log), int(log.at[-1]) + 1, at) for at in hours]
    return np.outer(shares, budgets)


def start_of(log: FeedLog) -> int:
    """Return the instant of the last tick before a log's first look, ms."""
    return int(log.at[0]) // POLICY.tick_ms * POLICY.tick_ms


def pass_time(state: engine.State, to: int, hour_ends: Callable[[int], None] | None = None) -> None:
    """Fold the ticks up to an instant; told are those that end an hour."""
    for at in range(state.ticked + POLICY.tick_ms, to + 1, POLICY.tick_ms):
        engine.reduce(state, Tick(at))
        if hour_ends and at % HOUR == 0:
            hour_ends(at)


def _decide(state: engine.State, log: FeedLog, row: int) -> Decision:
    request = Request(
        id=f"look-{row}",
        viewer=log.viewers[log.viewer[row]].id,
        scene=SCENES[log.scene[row]],
        at=int(log.at[row]),
        candidates=(log.videos[log.video[row]].id,),
    )
    decision = engine.decide(state, request)
    engine.reduce(state, decision)
    engine.reduce(state, Assumed(request.id, Instant(int(log.at[row]))))
    return decision


def outcome_of(log: FeedLog, row: int) -> Outcome:
    """Return what came of a look."""
    return Outcome(
        id=f"outcome-{row}",
        at=int(log.at[row]),
        viewer=log.viewers[log.viewer[row]].id,
        item=log.videos[log.video[row]].id,
        scene=SCENES[log.scene[row]],
        click=bool(log.click[row]),
        long_view=bool(log.long_view[row]),
        like=_told(log.like[row]),
        follow=_told(log.follow[row]),
        hate=_told(log.hate[row]),
        watched_ms=int(log.played_ms[row]) if log.played_ms[row] >= 0 else None,
    )


def _told(label: np.int8) -> bool | None:
    return None if label < 0 else bool(label)


def _count(played: Played, decision: Decision, state: engine.State) -> None:
    for slot, look in zip(decision.slots, decision.looks, strict=True):
        played.exposure[state.shelf.creator[state.shelf.names.find(slot.item)]] += look


def _freeze(state: engine.State, log: FeedLog, first: int, end: int, played: Played) -> None:
    """Score a day's looks as the engine stands at its start, at the moment of its start."""
    for row in range(first, end):
        item = int(log.video[row])
        chances = model.predict(state, int(log.viewer[row]), item, int(log.scene[row]), int(log.at[first]))
        played.frozen[row] = chances[LONG_VIEW]
        played.frozen_popularity[row] = _rates(state, item, played.mean)[1]


def _mean(state: engine.State) -> tuple[float, float]:
    looks, clicks, longs = state.shelf.counts.sum(axis=0, dtype=np.float64)
    return float(clicks / max(looks, 1.0)), float(longs / max(looks, 1.0))


def _rates(state: engine.State, item: int, mean: tuple[float, float]) -> tuple[float, float]:
    """A video's running rates of clicks and long views, shrunk to those of all videos by 20 looks."""
    looks, clicks, longs = state.shelf.counts[item].tolist()
    shrunk = PRIOR_LOOKS / (looks + PRIOR_LOOKS)
    own = (clicks / max(looks, 1.0), longs / max(looks, 1.0))
    return (
        own[0] + shrunk * (mean[0] - own[0]),
        own[1] + shrunk * (mean[1] - own[1]),
    )
