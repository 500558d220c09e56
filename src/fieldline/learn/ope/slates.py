"""From randomised slates to weights, under four assumptions about what a slot's reward depends on.

| name | a slot's reward depends on | weight of slot k |
|--|--|--|
| slate | the whole slate | π(slate)/π₀(slate) |
| cascade | its item and those above it | Π_{l ≤ k} π(a_l given a_1 … a_{l−1})/π₀(…) |
| slot | its item and its place | π(a_k at k)/π₀(a_k at k) |
| looks | its item and the chance e_k that it is looked at | Σ_l e_l·π(a_k at l)/Σ_l e_l·π₀(a_k at l) |

The fewer it assumes, the rarer its matches: of a slate of K slots drawn from twenty, the first row's weights are K
factors, the last one's a mean over places. Source: McInerney et al. (KDD 2020); Li et al. (KDD 2018).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from fieldline.learn.ope.estimators import Floats, Sample
from fieldline.learn.ope.replayed import REWARDS, Aim, Drawn, Reward

Assumption = Literal["slate", "cascade", "slot", "looks"]
ASSUMPTIONS: tuple[Assumption, ...] = ("slate", "cascade", "slot", "looks")


def sample_of(
    drawn: Sequence[Drawn], reward: Reward, assumption: Assumption = "looks", served: bool = False
) -> Sample:
    """Return randomised decisions as a sample of what the other policy would have earned, a row for each slot.

    Args:
        drawn: at least one.
        reward: which.
        assumption: what a slot's reward depends on (the table at the top).
        served: for the policy that wrote the log, as it serves, instead of the other one.
    """
    column = REWARDS.index(reward)
    aims = [one.served if served else one.aim for one in drawn]
    sizes = [len(one.looks) for one in drawn]
    by_looks = assumption == "looks"
    viewers: dict[str, int] = {}
    return Sample(
        weight=np.concatenate(
            [weight_of(one, aim, assumption) for one, aim in zip(drawn, aims, strict=True)]
        ),
        reward=np.concatenate([one.rewards[:, column] for one in drawn]),
        predicted=np.concatenate([one.predicted[:, column] for one in drawn]),
        exposure=np.concatenate(
            [one.looks if by_looks else np.full(k, 1.0 / k) for one, k in zip(drawn, sizes, strict=True)]
        ),
        round=np.repeat(np.arange(len(drawn)), sizes),
        target=np.array([aim.expected[column] for aim in aims]),
        exposed=np.array([aim.looks if by_looks else 1.0 for aim in aims]),
        group=np.array([viewers.setdefault(one.viewer, len(viewers)) for one in drawn], np.int64),
    )


def gain_of(drawn: Sequence[Drawn], reward: Reward, assumption: Assumption = "looks") -> Sample:
    """Return the sample of what the other policy would earn beyond the one that wrote the log, as it serves.

    Only IPS and DR, which are linear in the weights, say something of it.
    """
    other = sample_of(drawn, reward, assumption)
    served = sample_of(drawn, reward, assumption, served=True)
    return other._replace(weight=other.weight - served.weight, target=other.target - served.target)


def weight_of(one: Drawn, aim: Aim, assumption: Assumption) -> Floats:
    """Return the weights [K] of a decision's slots."""
    ratio = aim.given / one.given
    weights: Floats
    match assumption:
        case "slate":
            weights = np.full(len(ratio), ratio.prod())
        case "cascade":
            weights = np.cumprod(ratio, dtype=np.float64)
        case "slot":
            weights = np.diag(aim.placed) / np.diag(one.placed)
        case "looks":
            weights = (aim.placed @ one.looks) / (one.placed @ one.looks)
    return weights
