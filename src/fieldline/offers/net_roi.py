"""Net ROI (S37, S39): the storewide promise, counted net of refunds: expected ones at once, real ones as they come."""

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "net_roi"


class Terms(campaign.RoiCampaign, frozen=True, kw_only=True):
    """One ROI over all sales of the items, paid and organic, less what is returned."""


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a net ROI stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    limit = Limit(goal=terms.goal, counts_organic=True, net=True)
    return (campaign.contract(wish, NAME, terms, Meter(gmv=1.0), limit, terms.assured),)
