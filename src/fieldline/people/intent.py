"""Intents: in which categories a viewer is interested now, how far, and how sure that is.

Of each viewer the last few categories are kept, each with two strengths that fade: s over half an hour, h over a
week. A deed adds its weight to both. The chance that the next click is in category c is that of anybody, p_c,
times a lift for the categories that are kept:

    P(c) = p_c·exp(w·x_c) / (1 − Σ_kept p + Σ_kept p_k·exp(w·x_k)),   x = (lift of h, lift of s, 1)
    lift of h = ln[(h_c + 4·p_c) / ((Σ_kept h + 4)·p_c)], likewise of s with 2

w is learned online from every click, by the gradient of ln P(c), so the chance is calibrated by what happened.
How far an intent is, is a matter of rules (`stage_of`). Source: McFadden (1974), conditional logit.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.compiled import njit
from fieldline.facts import Stage
from fieldline.units import DAY, MINUTE

STAGES: tuple[Stage, ...] = get_args(Stage)
BROWSE, COMPARE, READY, REPEAT = range(len(STAGES))
UNWANTED = -1
"""What stands for a stage where a viewer said not to be interested."""

KEPT = 8
"""Categories that are kept of a viewer."""
SESSION, HISTORY = 30 * MINUTE, 7 * DAY
"""Time scales of the two strengths."""
COMPARED = 4
"""Products that are remembered of a viewer and category."""
MANY = 5
"""Product clicks without an order that make a viewer ready to buy."""
SHOWN = DAY
"""How long a viewer is taken to compare, or to be ready, after the deed that showed it."""
PINNED = 7 * DAY
"""How long a stage that a viewer stated holds."""
MOST_SAID = 64
"""Categories of which a viewer's word is remembered, the newest."""
USUAL, USUAL_ORDERS = 30 * DAY, 5.0
"""Time between two purchases in a category of which nothing is known, and how many it counts for."""
DUE, OVERDUE = 0.8, 2.0
"""From when to when after a purchase the next one is expected, in usual times."""
PURCHASE = DAY
"""Orders closer than this are one purchase."""

LOOK, CLICK, LONG_VIEW, LIKE, HATE, FOLLOW, SEARCH, ORDER = 0.5, 1.0, 0.5, 2.0, -2.0, 1.0, 2.0, 1.0
"""What each deed adds to the strengths of its category."""
WATCHED, WATCHED_LONG = 0.5, 1.5
"""The same of what was watched before the log, which adds to the history alone."""

SMOOTHED = np.array([4.0, 2.0])
"""Strength that everybody's shares count for: in the history, in the session."""
FEATURES = 3
START = (0.5, 0.3, 0.0)
RATE = 0.05
"""First step of the weights (AdaGrad)."""

DEED, PRODUCT, STAGED, BOUGHT = range(4)
"""Columns of `Intents.at`."""
COUNT, STAGE = range(2)
"""Columns of `Intents.evidence`."""


class Intent(NamedTuple):
    """One intent of a viewer."""

    category: int
    stage: int
    """Index into `STAGES`."""
    confidence: float
    """Chance that the next click is in the category; 1 where the viewer said so."""
    said: bool
    """Whether the viewer stated the stage."""


@dataclass(slots=True)
class Intents:
    """What is inferred of every viewer, by number, and what was learned of all of them."""

    category: NDArray[np.int32] = field(default_factory=lambda: np.full((16, KEPT), -1, np.int32))
    """[V, 8], −1 = none."""
    strength: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, KEPT, 2), np.float32))
    """[V, 8, 2] history and session, as of the newest deed."""
    at: NDArray[np.int64] = field(default_factory=lambda: np.full((16, KEPT, 4), -1, np.int64))
    """[V, 8, 4] newest deed, newest product click, when the stage showed, newest purchase; −1 = never."""
    products: NDArray[np.int32] = field(default_factory=lambda: np.full((16, KEPT, COMPARED), -1, np.int32))
    """[V, 8, 4] different products clicked, newest first, since the last order; −1 = none."""
    evidence: NDArray[np.int32] = field(default_factory=lambda: np.zeros((16, KEPT, 2), np.int32))
    """[V, 8, 2] product clicks since the last order; the stage that they showed."""
    said: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)
    """By viewer and category, what the viewer said: a stage or −1 (not interested), and when."""
    clicks: NDArray[np.float64] = field(default_factory=lambda: np.zeros(16))
    """Everybody's clicks by category."""
    gaps: NDArray[np.float64] = field(default_factory=lambda: np.zeros((16, 2)))
    """[C, 2] times between two purchases of one viewer in a category: how many, and the sum of their logarithms."""
    weights: NDArray[np.float64] = field(default_factory=lambda: np.array([START, [1e-6] * FEATURES]))
    """[2, 3] w, and the sum of its squared gradients."""


def place(intents: Intents, viewer: int) -> None:
    """Make room for a viewer."""
    count = viewer + 1
    intents.category = grown(intents.category, count, -1)
    intents.strength = grown(intents.strength, count)
    intents.at = grown(intents.at, count, -1)
    intents.products = grown(intents.products, count, -1)
    intents.evidence = grown(intents.evidence, count)


def forget(intents: Intents, viewer: int) -> None:
    """Forget all that was inferred of a viewer, and what the viewer said of it."""
    intents.category[viewer] = -1
    intents.strength[viewer] = 0.0
    intents.at[viewer] = -1
    intents.products[viewer] = -1
    intents.evidence[viewer] = 0
    intents.said.pop(viewer, None)


def note(intents: Intents, viewer: int, category: int, weight: float, at: int) -> None:
    """Add a deed's weight to a viewer's strengths in a category, unless they said not to be interested in it."""
    if said_of(intents, viewer, category, at) != UNWANTED:
        _add(intents, viewer, category, weight, weight, at)


def note_past(intents: Intents, viewer: int, category: int, weight: float, at: int) -> None:
    """Add what was done before the log to a viewer's history in a category; no session comes of it."""
    _add(intents, viewer, category, weight, 0.0, at)


def note_search(intents: Intents, viewer: int, category: int, at: int) -> None:
    """Note that a viewer searched in a category, which shows that they compare."""
    note(intents, viewer, category, SEARCH, at)
    _show(intents, viewer, category, COMPARE, at)


def note_product(intents: Intents, viewer: int, category: int, product: int, at: int) -> None:
    """Note which product of a category was clicked, as evidence of how far the viewer is.

    A second product within half an hour shows that they compare; one that was clicked before, or the fifth
    click since the last order, that they are ready to buy. After a week without one all is forgotten.
    """
    note(intents, viewer, category, 0.0, at)
    k = _find(intents, viewer, category)
    if k < 0:
        return
    products, last = intents.products[viewer, k], int(intents.at[viewer, k, PRODUCT])
    if last >= 0 and at - last > HISTORY:
        products[:] = -1
        intents.evidence[viewer, k, COUNT] = 0
    back = product in products
    others = last >= 0 and at - last <= SESSION and int(products[0]) not in (-1, product)
    rest = [other for other in products.tolist() if other != product]
    products[:] = [product, *rest][:COMPARED]
    intents.evidence[viewer, k, COUNT] += 1
    intents.at[viewer, k, PRODUCT] = max(at, last)
    if back or intents.evidence[viewer, k, COUNT] >= MANY:
        _show(intents, viewer, category, READY, at)
    elif others:
        _show(intents, viewer, category, COMPARE, at)


def note_order(intents: Intents, viewer: int, category: int, at: int) -> None:
    """Note a purchase in a category: what led to it is done with, and the time since the one before is learned."""
    note(intents, viewer, category, ORDER, at)
    if said_of(intents, viewer, category, at) not in (None, UNWANTED):
        del intents.said[viewer][category]
    k = _find(intents, viewer, category)
    if k < 0:
        return
    intents.products[viewer, k] = -1
    intents.evidence[viewer, k] = 0
    before = int(intents.at[viewer, k, BOUGHT])
    intents.at[viewer, k, [PRODUCT, STAGED]] = -1
    intents.at[viewer, k, BOUGHT] = max(at, before)
    if before >= 0 and at - before >= PURCHASE:
        intents.gaps = grown(intents.gaps, category + 1)
        intents.gaps[category] += (1.0, math.log(at - before))


def note_refund(intents: Intents, viewer: int, category: int) -> None:
    """Note that a purchase was given back: nothing is due to be bought again."""
    k = _find(intents, viewer, category)
    if k >= 0:
        intents.at[viewer, k, BOUGHT] = -1


def learn(intents: Intents, viewer: int, category: int, at: int) -> None:
    """Learn from a click in a category, before it is noted; of a viewer below 0 it counts as anybody's alone."""
    intents.clicks = grown(intents.clicks, category + 1)
    if viewer >= 0:
        chances, x = _chances(intents, viewer, at)
        _step(intents.weights, intents.category[viewer], chances, x, category)
    intents.clicks[category] += 1.0


def say(intents: Intents, viewer: int, category: int, stage: int, at: int) -> None:
    """Take a viewer's word for a category: its stage, or −1 where they are not interested."""
    said = intents.said.setdefault(viewer, {})
    said.pop(category, None)
    said[category] = (stage, at)
    while len(said) > MOST_SAID:
        del said[next(iter(said))]
    k = _find(intents, viewer, category)
    if stage == UNWANTED and k >= 0:
        intents.category[viewer, k] = -1
        intents.strength[viewer, k] = 0.0


def said_of(intents: Intents, viewer: int, category: int, at: int) -> int | None:
    """Return what a viewer said of a category and still holds: a stage, −1 where not interested, or None."""
    of_viewer = intents.said.get(viewer)
    if of_viewer is None or category not in of_viewer:
        return None
    stage, when = of_viewer[category]
    return stage if stage == UNWANTED or at - when < PINNED else None


def intents_of(intents: Intents, viewer: int, at: int) -> tuple[Intent, ...]:
    """Return a viewer's intents at a moment, the surest first; what they said not to want is none of them."""
    said = {
        category: stage
        for category in intents.said.get(viewer, ())
        if (stage := said_of(intents, viewer, category, at)) is not None
    }
    found = [Intent(category, stage, 1.0, True) for category, stage in said.items() if stage != UNWANTED]
    chances, _ = _chances(intents, viewer, at)
    for k, category in enumerate(intents.category[viewer].tolist()):
        if category >= 0 and category not in said:
            found.append(Intent(category, _stage(intents, viewer, k, at), float(chances[k]), False))
    return tuple(sorted(found, key=lambda intent: (-intent.confidence, intent.category)))


def next_click(intents: Intents, viewer: int, at: int) -> NDArray[np.float64]:
    """Return the chance that a viewer's next click is in each category, as behaviour alone tells it.

    Args:
        intents: of everybody.
        viewer: number; below 0, nobody in particular: everybody's shares.
        at: when, ms.

    Returns:
        float64 [≥ C], which sums to 1.
    """
    shares: NDArray[np.float64] = (intents.clicks + 1.0) / (intents.clicks.sum() + len(intents.clicks))
    if viewer < 0:
        return shares
    kept = intents.category[viewer]
    chances, x = np.zeros(KEPT), np.zeros((KEPT, FEATURES))
    shares /= _foresee(
        kept, intents.strength[viewer], intents.at[viewer], intents.clicks, intents.weights[0], SMOOTHED, at,
        chances, x,
    )  # fmt: skip
    shares[kept[kept >= 0]] = chances[kept >= 0]
    return shares


def top_categories(intents: Intents, viewer: int, at: int, most: int = 3) -> tuple[int, ...]:
    """Return the categories of a viewer's surest intents, at most so many; none of a viewer below 0."""
    if viewer < 0:
        return ()
    if viewer in intents.said:
        return tuple(intent.category for intent in intents_of(intents, viewer, at)[:most])
    kept: list[int] = intents.category[viewer].tolist()
    chances = _chances(intents, viewer, at)[0].tolist()
    surest = sorted(
        (-chance, category) for chance, category in zip(chances, kept, strict=True) if category >= 0
    )
    return tuple(category for _, category in surest[:most])


def unwanted(intents: Intents, viewer: int) -> tuple[int, ...]:
    """Return the categories that a viewer said not to be interested in."""
    said = intents.said.get(viewer, {})
    return tuple(category for category, (stage, _) in said.items() if stage == UNWANTED)


def usual_gap(intents: Intents, category: int) -> float:
    """Return the usual time between two purchases in a category, of those who bought again, in ms.

    exp[(5·ln 30 d + Σ ln gap)/(5 + n)]
    """
    count, total = intents.gaps[category] if category < len(intents.gaps) else (0.0, 0.0)
    return float(round(math.exp((USUAL_ORDERS * math.log(USUAL) + total) / (USUAL_ORDERS + count))))


def stage_of(shown: int, staged: int, bought: int, usual: float, at: int) -> int:
    """Return how far an intent is.

    Ready to buy for a day after that showed; else repeat where the last purchase is 0.8 to 2 usual times old; else
    compare for a day after that showed; else browse.

    Args:
        shown: the stage that products clicked and searches showed.
        staged: when they did, −1 = never.
        bought: the last purchase, −1 = none.
        usual: time between two purchases in the category, ms.
        at: now.
    """
    fresh = staged >= 0 and at - staged < SHOWN
    if fresh and shown == READY:
        return READY
    if bought >= 0 and DUE * usual <= at - bought <= OVERDUE * usual:
        return REPEAT
    return shown if fresh else BROWSE


def _add(intents: Intents, viewer: int, category: int, history: float, session: float, at: int) -> None:
    intents.clicks = grown(intents.clicks, category + 1)
    _note(
        intents.category, intents.strength, intents.at, intents.products, intents.evidence,
        viewer, category, history, session, at,
    )  # fmt: skip


def _stage(intents: Intents, viewer: int, k: int, at: int) -> int:
    _, _, staged, bought = intents.at[viewer, k].tolist()
    usual = usual_gap(intents, int(intents.category[viewer, k]))
    return stage_of(int(intents.evidence[viewer, k, STAGE]), staged, bought, usual, at)


def _show(intents: Intents, viewer: int, category: int, stage: int, at: int) -> None:
    k = _find(intents, viewer, category)
    if k < 0:
        return
    staged = int(intents.at[viewer, k, STAGED])
    fresh = staged >= 0 and at - staged < SHOWN
    if not fresh or stage >= intents.evidence[viewer, k, STAGE]:
        intents.evidence[viewer, k, STAGE] = stage
        intents.at[viewer, k, STAGED] = at


def _find(intents: Intents, viewer: int, category: int) -> int:
    kept: list[int] = intents.category[viewer].tolist()
    return kept.index(category) if category in kept else -1


def _chances(intents: Intents, viewer: int, at: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    chances, x = np.zeros(KEPT), np.zeros((KEPT, FEATURES))
    _foresee(
        intents.category[viewer], intents.strength[viewer], intents.at[viewer], intents.clicks,
        intents.weights[0], SMOOTHED, at, chances, x,
    )  # fmt: skip
    return chances, x


@njit
def _faded(strength: NDArray[np.float32], since: int) -> tuple[float, float]:
    past = float(max(since, 0))
    return strength[0] * math.exp(-past / HISTORY), strength[1] * math.exp(-past / SESSION)


@njit
def _note(
    category: NDArray[np.int32],
    strength: NDArray[np.float32],
    at: NDArray[np.int64],
    products: NDArray[np.int32],
    evidence: NDArray[np.int32],
    viewer: int,
    of: int,
    history: float,
    session: float,
    now: int,
) -> None:
    """Fade a category's strengths to now and add to them; the weakest category gives its place to a new one."""
    k, weakest = -1, np.inf
    for j in range(KEPT):
        if category[viewer, j] == of:
            k = j
            break
        h, s = _faded(strength[viewer, j], now - at[viewer, j, DEED])
        if category[viewer, j] < 0:
            h, s = -1.0, 0.0
        if h + s < weakest:
            k, weakest = j, h + s
    if category[viewer, k] != of:
        if history <= 0.0 and session <= 0.0 and category[viewer, k] >= 0:
            return  # what adds nothing displaces nothing
        category[viewer, k] = of
        strength[viewer, k] = 0.0
        at[viewer, k] = -1
        at[viewer, k, DEED] = now
        products[viewer, k] = -1
        evidence[viewer, k] = 0
    h, s = _faded(strength[viewer, k], now - at[viewer, k, DEED])
    strength[viewer, k, 0] = max(h + history, 0.0)
    strength[viewer, k, 1] = max(s + session, 0.0)
    at[viewer, k, DEED] = max(now, at[viewer, k, DEED])


@njit
def _foresee(
    category: NDArray[np.int32],
    strength: NDArray[np.float32],
    at: NDArray[np.int64],
    clicks: NDArray[np.float64],
    weights: NDArray[np.float64],
    smoothed: NDArray[np.float64],
    now: int,
    chances: NDArray[np.float64],
    x: NDArray[np.float64],
) -> float:
    """Write the chance of a click in each kept category [8] and what it rests on [8, 3].

    Returns:
        What everybody's share of any other category is divided by.
    """
    everybody = clicks.sum() + len(clicks)
    faded = np.zeros((KEPT, 2))
    total = smoothed.copy()
    for k in range(KEPT):
        if category[k] >= 0:
            faded[k, 0], faded[k, 1] = _faded(strength[k], now - at[k, DEED])
            total += faded[k]
    among, rest = 0.0, 1.0
    for k in range(KEPT):
        if category[k] >= 0:
            share = (clicks[category[k]] + 1.0) / everybody
            for f in range(2):
                x[k, f] = math.log((faded[k, f] + smoothed[f] * share) / (total[f] * share))
            x[k, 2] = 1.0
            chances[k] = share * math.exp((weights * x[k]).sum())
            among += chances[k]
            rest -= share
    whole: float = among + max(rest, 0.0)
    chances /= whole
    return whole


@njit
def _step(
    weights: NDArray[np.float64],
    category: NDArray[np.int32],
    chances: NDArray[np.float64],
    x: NDArray[np.float64],
    clicked: int,
) -> None:
    for f in range(FEATURES):
        gradient = 0.0
        for k in range(KEPT):
            if category[k] >= 0:
                gradient += ((1.0 if category[k] == clicked else 0.0) - chances[k]) * x[k, f]
        weights[1, f] += gradient * gradient
        weights[0, f] += RATE * gradient / math.sqrt(weights[1, f])
