"""Previews held against what the dials then did: predicted change beside the market's, from one state in two arms."""

import gc
from collections import deque
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.made import LEARNED, Market, learned, opened, played, take, truth_of
from fieldline.app import DEFAULT_POLICY
from fieldline.facts import Decision, Wish
from fieldline.offers import contracts_of, pool
from fieldline.traffic.organic.inclusion import gini
from fieldline.traffic.preview import SAMPLE, Preview, preview
from fieldline.traffic.preview.answer import Figure, Pair, answer_of, resampled
from fieldline.traffic.preview.dials import changed
from fieldline.traffic.preview.measure import Known, Slate, known_of, measured
from fieldline.traffic.preview.pooled import drawing, planned
from fieldline.traffic.preview.solve import mark_of
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR, Instant


class Arm(NamedTuple):
    """What one arm showed in a stretch, request by request."""

    at: list[int]
    slates: list[Slate]
    truth: list[tuple[float, float]]
    """Yuan of viewer value and of GMV, as the market's own chances expect them."""
    realised: list[float]
    """Gini of creators' exposure, as the engine holds it."""


class Dial(NamedTuple):
    """What is asked about."""

    value: Callable[[State], str]
    since: int
    """How long after it was set measuring begins, ms."""
    until: int


SOON, LATER = (2 * HOUR, 5 * HOUR), (20 * HOUR, 26 * HOUR)
"""When what a dial did is measured: its price is found within hours, or, for exposure fades over a day, after one."""
POOL, NOTHING = "pool", "another seed"
"""A pool is made; no dial is set, and other requests are answered at random: what differs then is no dial's."""
DIALS = {
    "gini": Dial(lambda state: f"{state.organic.inclusion.realised - 0.1:.3f}", *LATER),
    "trust_weight": Dial(lambda _: "0.6", *SOON),
    "newcomer_looks": Dial(lambda _: "40", *SOON),
    "mixes.video.private": Dial(lambda _: "0.2", *SOON),
    "random_share": Dial(lambda _: "0.1", *SOON),
    POOL: Dial(lambda _: "2000", *SOON),
    NOTHING: Dial(lambda _: "", *SOON),
}
SEEDS = (1, 2, 3)
MEMBERS = 20
"""Merchants whose works the pool is for."""
PERCENT = ("viewer_value", "gmv", "revenue")
"""Figures that are told in per cent of today's."""
Figures = dict[str, Any]


def arm_of(market: Market, until: int) -> Arm:
    """Play a market and keep what it showed."""
    found, known, mark = Arm([], [], [], []), known_of(market.state), mark_of(market.state)
    for decision in played(market, Instant(until)):
        if mark != (mark := mark_of(market.state)):
            known = known_of(market.state)
        found.at.append(decision.at)
        found.slates.append(measured(market.state, known, market.state, decision))
        found.truth.append(truth_of(market.world, decision))
        found.realised.append(market.state.organic.inclusion.realised)
    return found


def compared(market: Market, sample: Sequence[Decision]) -> Figures:
    """Return what is foretold of each dial in a market that was played for a day, beside what it then does.

    Args:
        market: left as it is.
        sample: its newest decisions, the newest first.
    """
    with learned():
        base = arm_of(market.copy(), LEARNED + max(dial.until for dial in DIALS.values()))
        return {name: _compared(market, sample, base, name, dial) for name, dial in DIALS.items()}


def _compared(market: Market, sample: Sequence[Decision], base: Arm, name: str, dial: Dial) -> Figures:
    value, other, pooled, told = dial.value(market.state), market.copy(), None, None
    if name == POOL:
        wish = _wish(market, float(value))
        (contract,) = contracts_of(wish)
        pooled = planned(contract)
        told = _end(preview(market.state, sample, (), pool=contract))
        take(other, wish)
    elif name == NOTHING:
        policy = market.state.policy
        take(other, msgspec.structs.replace(policy, seed=policy.seed + 1))
    else:
        told = _end(preview(market.state, sample, [(name, value)]))
        take(other, changed(market.state.policy, [(name, value)])[0])
    arm = arm_of(other, LEARNED + dial.until)
    which = [n for n, at in enumerate(arm.at) if at >= LEARNED + dial.since]
    pairs = [Pair(base.slates[n], arm.slates[n]) for n in which]
    known = known_of(other.state)
    came = answer_of(other.state, known, pairs, (), ())
    did = {figure.name: _row(figure) for figure in came.figures}
    did["gini"] = [
        _blocks(known, [pair.changed for pair in pairs]) - _blocks(known, [pair.today for pair in pairs])
    ]
    if pooled:
        members = drawing(market.state, pooled)
        did["pool_looks"] = [
            _looks(members, [pair.changed for pair in pairs])
            - _looks(members, [pair.today for pair in pairs])
        ]
    found: Figures = {
        "value": value,
        "settled": [msgspec.to_builtins(one) for one in told.settled] if told else [],
    }
    foretold = {figure.name: _row(figure) for figure in told.figures} if told else {}
    for figure_name, row in did.items():
        found[figure_name] = {"foretold": foretold.get(figure_name, []), "did": row}
    for column, of in enumerate(("viewer_value", "gmv")):
        found[of]["truth"] = _truth(base, arm, which, column)
    if told and name == "gini":
        found["realised"] = {
            "foretold": [told.settled[0].expected], "did": [float(np.mean([arm.realised[n] for n in which]))],
            "without": float(np.mean([base.realised[n] for n in which])),
        }  # fmt: skip
    if told and name.startswith("mixes."):
        offered = [pair.changed for pair in pairs if pair.changed.offered]
        places = sum(len(slate.domains) for slate in offered)
        had = sum(slate.domains.count("private") for slate in offered) / max(places, 1)
        found["realised"] = {"foretold": [told.settled[0].expected], "did": [had]}
    return found


def _wish(market: Market, looks: float) -> Wish:
    """A pool for the merchants that have fewest products."""
    owned = np.diff(market.world.merchants.product_ptr)
    fewest = np.argsort(owned, kind="stable")[:MEMBERS]
    members = tuple(f"merchant-{merchant:06d}" for merchant in fewest)
    end = Instant(LEARNED + DAY)
    terms = pool.Terms(name="small shops", looks=looks, merchants=members, start=LEARNED, end=end)
    return Wish(
        "small-shops", market.state.now, 1, pool.NAME, "operator", msgspec.json.encode(terms).decode()
    )


def _end(steps: Generator[None, None, Preview]) -> Preview:
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Preview = done.value
            return found


def _row(figure: Figure) -> list[float]:
    """A difference with its interval, in per cent of today's where the figure is money."""
    unit = 100.0 / figure.today if figure.name in PERCENT and figure.today else 1.0
    return [figure.difference * unit, figure.low * unit, figure.high * unit]


def _truth(base: Arm, arm: Arm, which: Sequence[int], column: int) -> list[float]:
    """The difference by the market's own chances, in per cent, with the 90% interval of resampled viewers."""
    names = {name: n for n, name in enumerate(dict.fromkeys(arm.slates[n].viewer for n in which))}
    sums = np.zeros((len(names), 2))
    for n in which:
        sums[names[arm.slates[n].viewer]] += base.truth[n][column], arm.truth[n][column]
    drawn = resampled(1, len(names)) @ sums
    low, high = np.quantile(drawn[:, 1] / drawn[:, 0], [0.05, 0.95])
    whole = sums.sum(axis=0)
    return [100.0 * (float(of) - 1.0) for of in (whole[1] / whole[0], low, high)]


def _looks(members: NDArray[np.bool_], slates: Sequence[Slate]) -> float:
    """Looks at some items in 1,000 requests; items that came later are none of them."""
    looks = 0.0
    for slate in slates:
        old = slate.items < len(members)
        looks += float(slate.looks[old] @ members[slate.items[old]])
    return 1_000.0 * looks / len(slates)


def _blocks(known: Known, slates: Sequence[Slate]) -> float:
    """Mean Gini of creators' looks in so many requests at a time as a preview has."""
    found = []
    for first in range(0, len(slates) - SAMPLE + 1, SAMPLE):
        looks = np.zeros(len(known.makers) + 1)
        for slate in slates[first : first + SAMPLE]:
            np.add.at(looks, known.creator[slate.items], slate.looks)
        found.append(gini(looks[:-1][known.makers]))
    return float(np.mean(found))


def measure(data: Path | None = None) -> Figures:  # noqa: ARG001 (the form's)
    """Return what previews foretold of some dials beside what those did, in markets of several seeds."""
    figures = {}
    gc.freeze()  # facts and states are many objects, and in no cycles
    try:
        for seed in SEEDS:
            market, newest = opened(seed, DEFAULT_POLICY), deque[Decision](maxlen=SAMPLE)
            newest.extend(played(market, LEARNED))
            figures[str(seed)] = compared(market, list(newest)[::-1])
    finally:
        gc.unfreeze()
    return figures


def table_of(figures: Figures) -> Table:
    """Return the figures as one table, each the mean over seeds, and in how many the arm lay in the interval."""
    table = Table("dial", "figure", "foretold", "by the engine", "in truth", "within", padding=(0, 0))
    seeds = list(figures.values())
    for dial in seeds[0]:
        for name, of in seeds[0][dial].items():
            if name not in ("value", "settled"):
                rows = [seed[dial][name] for seed in seeds]
                table.add_row(
                    dial, name, _mean(rows, "foretold"), _mean(rows, "did"),
                    _mean(rows, "truth") if "truth" in of else "", _within(rows),
                )  # fmt: skip
        table.add_section()
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def _mean(rows: Sequence[dict[str, list[float]]], part: str) -> str:
    if not rows[0][part]:
        return ""
    means = np.mean([row[part] for row in rows], axis=0)
    interval = f" [{means[1]:+.3g}, {means[2]:+.3g}]" if len(means) > 1 else ""
    return f"{means[0]:+.3g}{interval}"


def _within(rows: Sequence[dict[str, list[float]]]) -> str:
    """In how many markets what was done lay in the interval that was foretold."""
    if len(rows[0]["foretold"]) < 3:
        return ""
    part = "truth" if "truth" in rows[0] else "did"
    inside = sum(row["foretold"][1] - 1e-9 <= row[part][0] <= row["foretold"][2] + 1e-9 for row in rows)
    return f"{inside} of {len(rows)}"
