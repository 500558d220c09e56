"""Offers: one small file per product, which turns a wish into contracts and does nothing else."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from fieldline.contracts import Contract
from fieldline.errors import Refused, Unknown
from fieldline.facts import Wish
from fieldline.offers import (
    ads_roi,
    campaign,
    cold_start,
    cost_cap,
    follower_growth,
    incremental_roi,
    leads,
    long_run_roi,
    max_delivery,
    net_roi,
    pool,
    storewide,
    visits,
)
from fieldline.offers.campaign import Campaign
from fieldline.offers.naming import Named

__all__ = ["OFFERS", "Campaign", "Named", "Offer", "Terms", "contracts_of", "names_of", "terms_of"]

Terms = Campaign | cold_start.Terms | pool.Terms
"""What a wish may ask for."""

FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)


class Offer(NamedTuple):
    """A product: its terms, how they become contracts, and what of the catalogue they name."""

    terms: type[Terms]
    compile: Callable[[Wish, Any], tuple[Contract, ...]]
    names: Callable[[Any], Iterator[Named]] = campaign.names


OFFERS = {
    storewide.NAME: Offer(storewide.Terms, storewide.compile),
    net_roi.NAME: Offer(net_roi.Terms, net_roi.compile),
    ads_roi.NAME: Offer(ads_roi.Terms, ads_roi.compile),
    incremental_roi.NAME: Offer(incremental_roi.Terms, incremental_roi.compile),
    long_run_roi.NAME: Offer(long_run_roi.Terms, long_run_roi.compile),
    cost_cap.NAME: Offer(cost_cap.Terms, cost_cap.compile),
    max_delivery.NAME: Offer(max_delivery.Terms, max_delivery.compile),
    follower_growth.NAME: Offer(follower_growth.Terms, follower_growth.compile),
    leads.NAME: Offer(leads.Terms, leads.compile),
    visits.NAME: Offer(visits.Terms, visits.compile),
    cold_start.NAME: Offer(cold_start.Terms, cold_start.compile, cold_start.names),
    pool.NAME: Offer(pool.Terms, pool.compile, pool.names),
}


def terms_of(wish: Wish) -> Terms:
    """Return the terms of a wish as its offer reads them.

    Raises:
        Unknown: no offer has this name.
        Refused: the terms are not the offer's; the field is named.
    """
    try:
        return msgspec.json.decode(wish.terms, type=_offer(wish).terms)
    except msgspec.DecodeError as error:
        raise Refused(*_place(str(error))) from None


def contracts_of(wish: Wish) -> tuple[Contract, ...]:
    """Return the contracts that a wish stands for.

    Raises:
        Unknown: no offer has this name.
        Refused: the terms are not the offer's, or contradict each other; the field is named.
    """
    return _offer(wish).compile(wish, terms_of(wish))


def names_of(wish: Wish) -> tuple[Named, ...]:
    """Return every merchant, creator, item and scene that a wish names, each with the field it stands in.

    Raises:
        Unknown: no offer has this name.
        Refused: the terms are not the offer's; the field is named.
    """
    return tuple(_offer(wish).names(terms_of(wish)))


def _offer(wish: Wish) -> Offer:
    offer = OFFERS.get(wish.offer)
    if offer is None:
        raise Unknown("offer", f"no offer is called {wish.offer!r}; there are {', '.join(OFFERS)}")
    return offer


def _place(message: str) -> tuple[str, str]:
    reason, _, path = message.partition(" - at `$")
    field = f"terms{path.rstrip('`')}"
    absent = FIELD.fullmatch(reason)
    if absent is None:
        return field, reason
    return f"{field}.{absent[2]}", "is missing" if absent[1].startswith("missing") else "is unknown"
