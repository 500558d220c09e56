"""Cost cap (S36): as many orders as the budget buys at no more than so many yuan each.

An order is worth its cap and a yuan of spend must return one: orders·cost ≥ spend.
"""

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "cost_cap"


class Terms(campaign.CostCampaign, frozen=True, kw_only=True):
    """So many yuan per attributed order, at most."""


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a cost cap stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    meter = Meter(order=terms.cost)
    return (campaign.contract(wish, NAME, terms, meter, Limit(goal=1.0), terms.assured),)
