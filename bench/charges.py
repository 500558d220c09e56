"""Charge rules compared: what a contract gains by reporting another value than its own, over random auctions.

Figures of ADR 0004. Utility is looks bought at their value less charges; regret is what the best of the
reports gains over the truth, as a share of the truth's utility.
"""

from collections.abc import Callable

import numpy as np

from fieldline.traffic import oracle
from fieldline.traffic.allocate import Rules
from fieldline.traffic.toy import Market, market_by_hand, rules_by_hand

REPORTS = (0.5, 0.75, 0.9, 1.0, 1.1, 1.33, 2.0)
AUCTIONS = 400

Charge = Callable[[oracle.Market, Rules, "np.ndarray", list[oracle.Place], int], float]


def measure() -> dict[str, float]:
    """Return utilities by rule and report, and each rule's regret and revenue at true reports."""
    figures: dict[str, float] = {}
    for label, many in (("one_item", False), ("many_items", True)):
        utility, regret, revenue = play(many)
        for n, rule in enumerate(RULES):
            figures |= {f"{label}_{rule}_at_{report}": utility[n, m] for m, report in enumerate(REPORTS)}
            figures[f"{label}_{rule}_regret"] = regret[n]
            figures[f"{label}_{rule}_revenue"] = revenue[n]
    return figures


def steps(
    market: oracle.Market, rules: Rules, rank: np.ndarray, slot: int, n: int, bids: list[float]
) -> float:
    """Return Σ_{l=k}^{r−1} (e_l − e_{l+1})·min(b, bids_l)."""
    looks = np.append(rules.looks, 0.0)
    return float(sum((looks[k] - looks[k + 1]) * min(market.bid[n], bids[k]) for k in range(slot, rank[n])))


def from_its_slot(
    market: oracle.Market, rules: Rules, rank: np.ndarray, run: list[oracle.Place], slot: int
) -> float:
    """The rule that is used: from its slot on the contract does not bid; running minimum of needs."""
    n = run[slot].position
    trial = oracle.run_without(market, rules, rank, run, slot)
    bids = oracle.critical(market, rules, trial, n, int(rank[n]), run[slot].payer, float(market.rival[n]))
    return steps(market, rules, rank, slot, n, bids)


def without_this_bid(market: oracle.Market, rules: Rules, rank: np.ndarray, n: int) -> list[oracle.Place]:
    """The slate without the bid on one item; the contract's other items bid on."""
    bid = market.bid.copy()
    bid[n] = 0.0
    return oracle.fill(market, rules, rank, bid)


def item_alone(
    market: oracle.Market, rules: Rules, rank: np.ndarray, run: list[oracle.Place], slot: int
) -> float:
    """Only the bid on this item is taken out: the contract's own other items set its price."""
    n = run[slot].position
    trial = without_this_bid(market, rules, rank, n)
    return steps(
        market, rules, rank, slot, n, oracle.critical(market, rules, trial, n, int(rank[n]), -3, 0.0)
    )


def whole_slate(
    market: oracle.Market, rules: Rules, rank: np.ndarray, run: list[oracle.Place], slot: int
) -> float:
    """The contract bids nowhere, not even where it won before."""
    n = run[slot].position
    trial = oracle.fill(market, rules, rank, market.bid, (), run[slot].payer)
    return steps(
        market, rules, rank, slot, n, oracle.critical(market, rules, trial, n, int(rank[n]), -3, 0.0)
    )


def plain_need(
    market: oracle.Market, rules: Rules, rank: np.ndarray, run: list[oracle.Place], slot: int
) -> float:
    """As used, but each step at its own slot's need, without the running minimum."""
    n = run[slot].position
    looks = np.append(rules.looks, 0.0)
    trial = oracle.run_without(market, rules, rank, run, slot)
    place = oracle.place_in(trial, n, len(rules.looks))
    needs = []
    for k in range(rank[n]):
        gain = looks[k] - looks[rank[n]]
        if k >= place:
            needs.append(0.0)
        elif k < len(trial) and trial[k].open and gain > 0:
            needs.append(max(trial[k].score - market.organic[n] + rules.ad_price, 0.0) * looks[k] / gain)
        else:
            needs.append(np.inf)
    return steps(market, rules, rank, slot, n, needs)


def keep_the_slot(
    market: oracle.Market, rules: Rules, rank: np.ndarray, run: list[oracle.Place], slot: int
) -> float:
    """The least bid that keeps the slot, for all looks bought."""
    n = run[slot].position
    looks = np.append(rules.looks, 0.0)
    trial = oracle.run_without(market, rules, rank, run, slot)
    bids = oracle.critical(market, rules, trial, n, int(rank[n]), run[slot].payer, float(market.rival[n]))
    return float((looks[slot] - looks[rank[n]]) * min(market.bid[n], bids[slot]))


RULES: dict[str, Charge] = {
    "from_its_slot": from_its_slot,
    "item_alone": item_alone,
    "whole_slate": whole_slate,
    "plain_need": plain_need,
    "keep_the_slot": keep_the_slot,
}


def auction(seed: int, many: bool) -> tuple[Market, Rules, np.ndarray, np.ndarray]:
    """Return a random market, its rules, who bids on each item (−1: nobody) and each item's value to them."""
    rng = np.random.default_rng(seed)
    items = int(rng.integers(8, 40))
    contracts = int(rng.integers(1, 5))
    owner = rng.integers(-1, contracts, items)
    if not many:
        owner = np.where(rng.random(items) < 0.25, np.arange(items), -1)
    looks = np.sort(rng.random(int(rng.integers(3, 11))))[::-1]
    rules = rules_by_hand(
        looks.tolist(),
        ad_price=0.05,
        max_ads=int(rng.integers(1, 5)),
        first_ad=int(rng.integers(0, 2)),
        ad_gap=int(rng.integers(0, 2)),
        merchant_cap=int(rng.integers(1, 4)),
        category_cap=int(rng.integers(2, 5)),
    )
    value = rng.exponential(0.6, items)
    market = market_by_hand(
        rng.random(items).tolist(),
        [([i], 1.0) for i in range(items)],
        rng.integers(0, 8, items).tolist(),
        rng.integers(0, 4, items).tolist(),
    )
    return market, rules, owner, value


def play(many: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return utility by rule and report, regret by rule and revenue by rule."""
    utility = np.zeros((len(RULES), len(REPORTS)))
    regret, revenue = np.zeros((2, len(RULES)))
    for seed in range(AUCTIONS):
        market, rules, owner, value = auction(seed, many)
        plain = oracle.market_of(
            market.candidates, market.viewer, 0, market.index, market.prices, rules, False
        )
        rank = oracle.ranks(plain, rules)
        looks = np.append(rules.looks, 0.0)
        for contract in set(owner[owner >= 0].tolist()):
            gained = np.zeros((len(RULES), len(REPORTS)))
            for m, report in enumerate(REPORTS):
                bid = np.where(owner >= 0, value * np.where(owner == contract, report, 1.0), 0.0)
                bidders = oracle.Market(
                    plain.item, plain.merchant, plain.category, plain.rows, plain.chances, plain.goods,
                    plain.organic, owner.astype(np.int32), bid, np.zeros(len(bid)), value,
                )  # fmt: skip
                run = oracle.fill(bidders, rules, rank, bid)
                for slot, place in enumerate(run):
                    n = place.position
                    if owner[n] != contract or slot >= rank[n]:
                        continue
                    gained[:, m] += value[n] * (looks[slot] - looks[rank[n]])
                    if place.sold:
                        charges = np.array([rule(bidders, rules, rank, run, slot) for rule in RULES.values()])
                        gained[:, m] -= charges
                        revenue += charges * (report == 1.0)
            utility += gained
            regret += np.maximum(gained.max(axis=1) - gained[:, REPORTS.index(1.0)], 0.0)
    return utility, regret / utility[:, REPORTS.index(1.0)], revenue
