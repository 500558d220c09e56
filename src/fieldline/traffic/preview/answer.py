"""The answer: figures of today and of the change side by side, with intervals, and who would gain and lose looks."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.draws import MASK, key_of, mix
from fieldline.facts import API_VERSION
from fieldline.traffic.domains.tags import CHANNEL, CIRCLE, PRIVATE
from fieldline.traffic.preview.dials import DIALS, Bought, Change, mix_of
from fieldline.traffic.preview.measure import (
    GMV,
    NEW,
    PAID,
    PLACES,
    POOLED,
    PUBLIC,
    REQUESTS,
    REVENUE,
    SELLING,
    TRUSTED,
    VIEWER,
    Known,
    Slate,
)
from fieldline.traffic.state import State

RESAMPLES = 200
LOW, HIGH = 0.05, 0.95
MOST = 5
"""Winners, and losers, that are named of each kind."""
MILLE = 1_000.0

Floats = NDArray[np.float64]
Named = Literal[
    "viewer_value", "gmv", "revenue", "paid_share", "trust", "newcomer_looks", "private_share", "circle_share",
    "channel_share", "pool_looks", "gini",
]  # fmt: skip
NAMES: tuple[Named, ...] = get_args(Named)


class Figure(msgspec.Struct, frozen=True):
    """One figure under today's dials and under the changed ones; sums are of 1,000 requests."""

    name: Named
    """`viewer_value`, `gmv` and `revenue`: yuan; `paid_share`: of places; `trust`: mean over looks at what a merchant
    sells; `newcomer_looks`; `private_share`, `circle_share`, `channel_share`: of places; `pool_looks`: at works that
    draw on the pool asked about, and only where one is; `gini`: of creators' looks in these requests alone, which is
    above that of a day."""
    today: float
    changed: float
    difference: float
    low: float
    """Of the difference: 90% interval by resampling viewers. It tells of the sample, not of the model's error."""
    high: float


class Moved(msgspec.Struct, frozen=True):
    """Organic looks of one creator or merchant in 1,000 requests."""

    kind: Literal["creator", "merchant"]
    id: str
    today: float
    changed: float


class Settled(msgspec.Struct, frozen=True):
    """A price that was solved on the sample."""

    dial: str
    price: float
    """`gini`: the weight w; floors and pools: mean scores of what is shown that a work is lifted by; mixes: likewise
    the domain, below 0 where it is lowered."""
    today: float | None
    """The same now (of a pool: solved, too); null: it is each work's own, or there is none."""
    wanted: float
    """The dial; of floors and pools the looks that are due in this sample."""
    expected: float
    """What the price would come to."""
    met: bool


class Exchange(msgspec.Struct, frozen=True):
    """What one unit of what a dial buys costs; null where it buys nothing here. Below 0: it gains."""

    dial: str
    buys: Bought
    bought: float
    """In 1,000 requests; `domain_share`: of the places that the mix is of."""
    viewer_value: float | None
    """Yuan of viewer value given up per unit."""
    gmv: float | None
    """Yuan of expected GMV given up per unit."""


class Preview(msgspec.Struct, frozen=True):
    """What other dials would have shown for the newest requests, had each come once more now."""

    at: int
    requests: int
    viewers: int
    changes: tuple[Change, ...]
    settled: tuple[Settled, ...]
    figures: tuple[Figure, ...]
    moved_looks: float
    """Organic looks of 1,000 requests that would go to another item."""
    moved: tuple[Moved, ...]
    """Those who would gain most and lose most."""
    exchange: tuple[Exchange, ...]
    basis: Literal["predicted"] = "predicted"
    """Every figure is what the model expects, none was observed."""
    version: int = API_VERSION


class Pair(NamedTuple):
    """One request, decided under today's dials and under the changed ones."""

    today: Slate
    changed: Slate


def answer_of(
    state: State,
    known: Known,
    pairs: Sequence[Pair],
    changes: tuple[Change, ...],
    settled: tuple[Settled, ...],
) -> Preview:
    """Return the answer.

    Args:
        state: of today, only read.
        known: of its items.
        pairs: every request of the sample, at least one.
        changes: what was asked about.
        settled: what was solved.
    """
    figures = _figures(state, known, pairs)
    scale = MILLE / len(pairs)
    moved = scale * sum(_moved(pair) for pair in pairs)
    by_name = {figure.name: figure for figure in figures}
    exchange = tuple(_exchange(change, by_name, moved, pairs) for change in changes if change.way != "held")
    return Preview(
        at=state.now,
        requests=len(pairs),
        viewers=len({pair.today.viewer for pair in pairs}),
        changes=changes,
        settled=settled,
        figures=tuple(figure for figure in figures if figure.name != "pool_looks" or known.pooled.any()),
        moved_looks=moved,
        moved=_displaced(state, known, pairs, scale),
        exchange=exchange,
    )


def resampled(key: int, viewers: int) -> Floats:
    """Return how often each viewer is drawn in each resample [200, V]: keyed draws, with replacement."""
    counter = np.arange(1, RESAMPLES * viewers + 1, dtype=np.uint64)
    words = mix.py_func(np.uint64(key & MASK) + counter * np.uint64(0x9E3779B97F4A7C15))
    units = (words >> np.uint64(11)).astype(np.float64) / 9007199254740992.0
    drawn = (units * viewers).astype(np.int64).reshape(RESAMPLES, viewers)
    return np.stack([np.bincount(row, minlength=viewers) for row in drawn]).astype(np.float64)


def _figures(state: State, known: Known, pairs: Sequence[Pair]) -> tuple[Figure, ...]:
    names = list(dict.fromkeys(pair.today.viewer for pair in pairs))
    place = {name: number for number, name in enumerate(names)}
    whose = np.array([place[pair.today.viewer] for pair in pairs])
    weights = np.concatenate(
        (np.ones((1, len(names))), resampled(key_of(state.policy.seed, "policy", "preview"), len(names)))
    )
    arms = []
    for arm in ([pair.today for pair in pairs], [pair.changed for pair in pairs]):
        sums = np.zeros((len(names), len(arm[0].sums)))
        np.add.at(sums, whose, np.array([slate.sums for slate in arm]))
        arms.append(_of(weights @ sums, _ginis(known, arm, whose, weights)))
    today, changed = arms  # [1 + 200, 11]
    spread = changed[1:] - today[1:]
    spread += changed[0] - today[0] - spread.mean(axis=0)  # a Gini of fewer viewers is another one
    low, high = np.quantile(spread, [LOW, HIGH], axis=0)
    return tuple(
        Figure(name, *(float(x) for x in (today[0, n], changed[0, n], changed[0, n] - today[0, n], low[n], high[n])))
        for n, name in enumerate(NAMES)
    )  # fmt: skip


def _of(sums: Floats, gini: Floats) -> Floats:
    """Return the figures [R, 11] of sums [R, 15]."""
    per = MILLE / np.maximum(sums[:, REQUESTS], 1.0)
    return np.stack(
        [
            sums[:, VIEWER] * per,
            sums[:, GMV] * per,
            sums[:, REVENUE] * per,
            sums[:, PAID] / np.maximum(sums[:, PLACES], 1.0),
            sums[:, TRUSTED] / np.maximum(sums[:, SELLING], 1e-9),
            sums[:, NEW] * per,
            *(
                sums[:, PUBLIC + domain] / np.maximum(sums[:, PLACES], 1.0)
                for domain in (PRIVATE, CIRCLE, CHANNEL)
            ),
            sums[:, POOLED] * per,
            gini,
        ],
        axis=1,
    )


def _ginis(known: Known, arm: Sequence[Slate], whose: NDArray[np.int64], weights: Floats) -> Floats:
    """Return the Gini of creators' looks in each resample [R], over all creators with something to show."""
    makers = np.flatnonzero(known.makers)
    column = np.full(len(known.makers) + 1, -1)
    column[makers] = np.arange(len(makers))
    looks = np.zeros((weights.shape[1], len(makers) + 1))
    for viewer, slate in zip(whose.tolist(), arm, strict=True):
        np.add.at(looks[viewer], column[known.creator[slate.items]], slate.looks)
    looks = looks[:, :-1]
    looks = looks[:, looks.any(axis=0)]  # of the others there are none in any resample
    each = np.sort(weights @ looks, axis=1)  # [R, c]
    total = each.sum(axis=1)
    rank = 2.0 * np.arange(len(makers) - each.shape[1] + 1, len(makers) + 1) - len(makers) - 1.0
    return np.where(total > 0.0, each @ rank / np.maximum(total * max(len(makers), 1), 1e-9), 0.0)


def _moved(pair: Pair) -> float:
    before, after = (_organic(slate) for slate in pair)
    return sum(max(looks - before.get(item, 0.0), 0.0) for item, looks in after.items())


def _organic(slate: Slate) -> dict[int, float]:
    return dict(zip(slate.items[slate.organic].tolist(), slate.looks[slate.organic].tolist(), strict=True))


def _displaced(state: State, known: Known, pairs: Sequence[Pair], scale: float) -> tuple[Moved, ...]:
    """Return those whose organic looks would change most, the winners of each kind first."""
    sums: dict[tuple[Literal["creator", "merchant"], str], list[float]] = {}
    creators = state.content.creators.ids
    for pair in pairs:
        for arm, slate in enumerate(pair):
            for item, looks in _organic(slate).items():
                _, merchant, _ = state.shelf.links[item]
                if known.creator[item] >= 0:
                    sums.setdefault(("creator", creators[known.creator[item]]), [0.0, 0.0])[arm] += looks
                if merchant:
                    sums.setdefault(("merchant", merchant), [0.0, 0.0])[arm] += looks
    found = list[Moved]()
    for kind in ("creator", "merchant"):
        of_kind = [
            Moved(key[0], key[1], today * scale, changed * scale)
            for key, (today, changed) in sums.items()
            if key[0] == kind
        ]
        of_kind.sort(key=lambda one: (one.today - one.changed, one.id))
        found += [one for one in of_kind[:MOST] if one.changed - one.today > TINY]
        found += [one for one in of_kind[::-1][:MOST] if one.today - one.changed > TINY]
    return tuple(found)


TINY = 1e-9


def _exchange(change: Change, figures: dict[Named, Figure], moved: float, pairs: Sequence[Pair]) -> Exchange:
    mixed = mix_of(change.dial)
    buys: Bought = (
        "domain_share" if mixed else DIALS[change.dial].buys if change.dial in DIALS else "pool_looks"
    )
    match buys:
        case "domain_share":
            assert mixed is not None
            bought = _share(pairs, mixed)
        case "moved_looks":
            bought = moved
        case "gini_lowered":
            bought = -figures["gini"].difference
        case _:
            bought = figures[buys].difference
    given_up = [-figures[name].difference for name in ("viewer_value", "gmv")]
    rates = [cost / bought if abs(bought) > TINY else None for cost in given_up]
    return Exchange(change.dial, buys, bought, *rates)


def _share(pairs: Sequence[Pair], mixed: tuple[str, str]) -> float:
    """How much more of the places a domain has, of slates of a scene for which it has a candidate."""
    scene, name = mixed
    which = [pair for pair in pairs if pair.today.scene == scene and any(name in of.offered for of in pair)]
    shares = [
        sum(slate.domains.count(name) for slate in arm) / max(sum(len(slate.domains) for slate in arm), 1)
        for arm in ([pair.today for pair in which], [pair.changed for pair in which])
    ]
    return shares[1] - shares[0]
