"""Follower growth (S34): new fans, at a cost each or at an ROI over what they are expected to buy in 30 days.

At a cost, every fan is worth the same; at an ROI, a fan is worth what one like them buys, so that quality counts.
Fans are those of the creators whose works the campaign uses: name an account under `units[].creators`.
"""

from typing import Annotated

from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter
from fieldline.errors import Refused
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "follower_growth"
FAN_DAYS = 30


class Terms(campaign.Campaign, frozen=True, kw_only=True):
    """So many yuan per new fan, at most, or an ROI over what new fans buy in 30 days: one of the two."""

    cost: Annotated[campaign.Cost | None, Meta(description="yuan per new fan, at most")] = None
    goal: Annotated[
        campaign.Roi | None, Meta(description="yuan that new fans buy in 30 days per yuan of spend, at least")
    ] = None
    assured: campaign.Assured = True


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that follower growth stands for.

    Raises:
        Refused: neither or both of cost and goal, or terms that contradict each other; the field is named.
    """
    if terms.cost is not None and terms.goal is None:
        meter, limit = Meter(follow=terms.cost), Limit(goal=1.0)
    elif terms.cost is None and terms.goal is not None:
        meter, limit = Meter(fan_days=FAN_DAYS), Limit(goal=terms.goal)
    elif terms.cost is None:
        raise Refused("terms.cost", "is missing; give it or terms.goal")
    else:
        raise Refused("terms.goal", "cannot stand beside terms.cost; give one of them")
    return (campaign.contract(wish, NAME, terms, meter, limit, terms.assured),)
