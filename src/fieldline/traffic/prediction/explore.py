"""Exploration on purpose: an item of which little is known scores by what it may be worth, not by its mean alone.

Its organic price gets, in yuan per look, the policy's dial times the posterior standard deviation of its worth:

    exploration·(w_view·σ(p_long) + w_goods·price·p_click·p_order·√((σ(p_click)/p_click)² + σ(ln p_order)²))

with σ(p)² = p·(1 − p)/(looks + 20). Looks and orders let it fall; a shop that sells nothing yet has its category's.
Source: upper confidence bounds (Auer, JMLR 2002) on Gamma–Poisson posteriors; ADR 0012.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Policy
from fieldline.traffic.prediction.features import ITEM_STRENGTH

Singles = NDArray[np.float32]


def optimism(
    policy: Policy, looks: Singles, chances: Singles, deviation: Singles, net_price: Singles
) -> Singles:
    """Return what is added to each item's score for what is not known of it, yuan per look [I].

    Args:
        policy: the dials.
        looks: at each item so far [I].
        chances: of a click, a long view and an order given a click, for a viewer of whom nothing is known [I, 3].
        deviation: of the log-odds of the last [I].
        net_price: yuan [I].

    Source: this module's formula.
    """
    if policy.exploration == 0.0:
        return np.zeros(len(looks), np.float32)
    click, long_view, order = chances.T
    known = looks + np.float32(ITEM_STRENGTH)
    viewed = np.sqrt(long_view * (1.0 - long_view) / known)
    spread = np.sqrt((1.0 - click) / (click * known) + np.square((1.0 - order) * deviation))
    found = policy.viewer_value * viewed + policy.goods_value * net_price * click * order * spread
    return np.asarray(policy.exploration * found, np.float32)
