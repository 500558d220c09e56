"""Small markets, made by hand or at random: for tests, benches and worked numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.allocate import Index, Prices, Rules
from fieldline.traffic.gates import ALL_OPEN
from fieldline.traffic.rows import (
    BIAS,
    BIDS,
    FLAGS,
    NET_PRICE,
    ORGANIC_PRICE,
    PRICED,
    SCENES,
    SHOWN,
    TRUST,
    VECTOR,
    VIEWER_WIDTH,
    new_rows,
)

SCENE_BITS = 32


@dataclass(frozen=True, slots=True)
class Market:
    """Items, contracts and a viewer."""

    index: Index
    prices: Prices
    viewer: NDArray[np.float32]
    open_gates: NDArray[np.uint8]
    viewer_key: int

    @property
    def candidates(self) -> NDArray[np.int32]:
        """Return all items."""
        return np.arange(len(self.index.rows), dtype=np.int32)


def market_by_hand(
    scores: Sequence[float],
    bids: Sequence[tuple[Sequence[int], float]],
    merchants: Sequence[int] | None = None,
    categories: Sequence[int] | None = None,
) -> Market:
    """Return a market whose organic scores and bids are those given.

    Args:
        scores: o of each item, in yuan per look (as float32).
        bids: (items, alpha) of each contract; a look is worth 1 yuan to all, so that alpha is the bid.
        merchants: of each item; uncapped when absent.
        categories: likewise.
    """
    count = len(scores)
    rows = new_rows(count)
    rows[:, ORGANIC_PRICE] = scores
    rows.view(np.int32)[:, FLAGS] = SHOWN
    rows.view(np.int32)[:, SCENES] = 1
    of_item: list[list[int]] = [[] for _ in range(count)]
    for contract, (items, _) in enumerate(bids):
        for item in items:
            of_item[item].append(contract)
            rows.view(np.int32)[item, FLAGS] |= BIDS
    meter = np.zeros((SCENE_BITS, max(len(bids), 1), 5))
    meter[..., 0] = 1.0
    contracts = np.array(list(chain.from_iterable(of_item)) or [0], np.int32)
    return Market(
        Index(
            rows,
            np.array(merchants if merchants is not None else [-1] * count, np.int32),
            np.array(categories if categories is not None else [-1] * count, np.int32),
            np.cumsum([0, *map(len, of_item)], dtype=np.int32),
            contracts,
            np.zeros_like(contracts),
        ),
        Prices(
            np.array([alpha for _, alpha in bids] or [0.0]),
            np.full(meter.shape[1], 1e9),
            np.zeros(meter.shape[1]),
            meter,
            np.zeros(meter.shape[1]),
            np.zeros(meter.shape[1], np.uint64),
        ),
        np.zeros(VIEWER_WIDTH, np.float32),
        ALL_OPEN,
        0,
    )


def market_at_random(
    seed: int,
    items: int,
    contracts: int = 30,
    promoted: float = 0.1,
    merchants: int = 5_000,
    categories: int = 50,
    bid_scale: float = 0.1,
    gates: int = 1,
    holdout: float = 0.0,
) -> Market:
    """Return a market with predictions, prices, bids, caps and organic prices of every kind.

    Args:
        seed: of NumPy's generator.
        items: how many.
        contracts: how many; four in five bid, one in five has an organic price.
        promoted: share of items that contracts are on, up to three each.
        merchants: how many; one more is −1, uncapped.
        categories: likewise.
        bid_scale: the largest alpha.
        gates: how many; where there are several, each is open with chance 1/2 and a contract may stand on an
            item twice, behind two of them.
        holdout: the largest share held out; half of the contracts hold nobody out.
    """
    rng = np.random.default_rng(seed)
    rows = new_rows(items)
    rows[:, :VECTOR] = rng.standard_normal((items, VECTOR), dtype=np.float32) * np.float32(0.3)
    rows[:, BIAS : BIAS + 3] = rng.standard_normal((items, 3), dtype=np.float32) * np.float32(0.5)
    rows[:, BIAS : BIAS + 3] += np.array([-1.0, -0.5, -3.0], np.float32)
    rows[:, NET_PRICE] = np.exp(rng.standard_normal(items, dtype=np.float32)) * 60
    rows[:, TRUST] = 0.7 + 0.6 * rng.random(items, dtype=np.float32)

    organic = np.where(rng.random(contracts) < 0.2, rng.normal(size=contracts) * 0.004, 0.0)
    alpha = np.where(rng.random(contracts) < 0.8, rng.random(contracts) * bid_scale, 0.0)
    count = np.where(rng.random(items) < promoted, rng.integers(1, min(3, contracts) + 1, items), 0)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    owner = np.repeat(np.arange(items), count)
    nth = np.arange(len(owner)) - first[owner]
    entries = (rng.integers(0, contracts, items)[owner] + nth // (1 + (gates > 1))) % contracts
    entries = entries[np.lexsort((entries, owner))].astype(np.int32)
    flags = np.where(rng.random(items) < 0.97, SHOWN, 0)
    flags |= np.where(np.bincount(owner, alpha[entries] > 0, items) > 0, BIDS, 0)
    flags |= np.where(np.bincount(owner, organic[entries] != 0, items) > 0, PRICED, 0)
    rows[:, ORGANIC_PRICE] = np.bincount(owner, organic[entries], items)
    rows.view(np.int32)[:, FLAGS] = flags
    rows.view(np.int32)[:, SCENES] = np.where(rng.random(items) < 0.95, 0b101, 0b010)
    group = rng.integers(-1, merchants, items).astype(np.int32)
    category = rng.integers(-1, categories, items).astype(np.int32)
    bid_cap = np.array([0.0, 0.01, 1.0])[np.searchsorted([0.1, 0.2], rng.random(contracts))]
    meter = rng.random((3, contracts, 5)) * np.array([0.5, 0.5, 0.5, 0.05, 2.0])
    viewer = (rng.standard_normal(VIEWER_WIDTH) * 0.5).astype(np.float32)
    entries = entries if len(entries) else np.zeros(1, np.int32)
    gate = rng.integers(0, gates, len(entries)).astype(np.int32)
    held = np.where(rng.random(contracts) < 0.5, rng.random(contracts) * holdout, 0.0)
    keys = rng.integers(0, 1 << 64, contracts, np.uint64)
    return Market(
        Index(rows, group, category, first, entries, gate),
        Prices(alpha, bid_cap, organic, meter, held, keys),
        viewer,
        np.where(np.arange(gates) == 0, 1, rng.integers(0, 2, gates)).astype(np.uint8),
        int(rng.integers(0, 1 << 64, dtype=np.uint64)),
    )


def rules_by_hand(
    looks: Sequence[float],
    *,
    viewer_value: float = 0.05,
    goods_value: float = 0.05,
    ad_price: float = 0.0,
    max_ads: int = 50,
    first_ad: int = 0,
    ad_gap: int = 0,
    merchant_cap: int = 50,
    category_cap: int = 50,
    explained: int = 30,
    random_temperature: float = 0.3,
) -> Rules:
    """Return rules that forbid nothing unless told so."""
    return Rules(
        looks=np.array(looks, np.float64),
        viewer_value=viewer_value,
        goods_value=goods_value,
        ad_price=ad_price,
        max_ads=max_ads,
        first_ad=first_ad,
        ad_gap=ad_gap,
        merchant_cap=merchant_cap,
        category_cap=category_cap,
        explained=explained,
        random_temperature=random_temperature,
    )
