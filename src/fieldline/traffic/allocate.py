"""Allocation: one request's candidates, scored, sold and placed, at given prices."""

from dataclasses import dataclass, field
from struct import Struct

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Policy
from fieldline.traffic.gates import ALL_OPEN
from fieldline.traffic.kernels.request import answer, room_for
from fieldline.traffic.kernels.words import LANDSCAPE, LOOKS, PAID, RANDOM
from fieldline.traffic.rows import FLAGS, SCENES, SHOWN, VIEWER_WIDTH, new_rows

NO_KEY = np.uint64(0)
NOT_GIVEN = np.zeros((3, 0), np.float32)
NO_EXTRA = np.zeros(0, np.float32)

SLOT = np.dtype(
    [
        ("item", "<i4"),
        ("contract", "<i4"),  # who pays; −1: an organic place, free and unlabelled
        ("organic_rank", "<i4"),  # place if nobody bid; the number of slots: not shown
        ("rank_without_bid", "<i4"),  # place if the paying contract alone did not bid on this item
        ("charge", "<f8"),  # yuan per impression
        ("bid", "<f8"),  # yuan per look; 0 where nobody pays
        ("value", "<f8"),  # yuan per look; 0 where nobody pays
        ("score", "<f8"),  # o in yuan per look
    ]
)
"""One place of a slate."""

PLACES = Struct("<4i4d")
"""The same, for unpacking into plain tuples, which is quicker than numpy's `.tolist()`."""


@dataclass(frozen=True, slots=True)
class Index:
    """What allocation reads of items; all arrays C-contiguous and writable, items and contracts by number."""

    rows: NDArray[np.float32]  # [I, 32], fieldline.traffic.rows
    merchant: NDArray[np.int32]  # [I] group of the merchant cap; −1: uncapped
    category: NDArray[np.int32]  # [I] −1: uncapped
    first_contract: NDArray[np.int32]  # [I + 1] where each item's contracts begin
    contracts: NDArray[np.int32]  # [nnz] bidding and organic-price contracts, ascending within an item
    gate: NDArray[np.int32]  # [nnz] for which requests the entry bids; 0: all


@dataclass(frozen=True, slots=True)
class Prices:
    """What allocation reads of contracts; all arrays C-contiguous and writable."""

    alpha: NDArray[np.float64]  # [C] multiplier; 0: does not bid
    bid_cap: NDArray[np.float64]  # [C] yuan: the largest bid its allowance admits
    organic: NDArray[np.float64]  # [C] mu, yuan per look; may be negative
    meter: NDArray[np.float64]  # [S, C, 5] yuan per look, click, long view, yuan of g and order, by scene
    holdout: NDArray[np.float64]  # [C] share of viewers for whom it does not bid
    contract_key: NDArray[np.uint64]  # [C] of the holdout


@dataclass(frozen=True, slots=True)
class Rules:
    """The dials of an allocation and the chance that each slot is looked at; one per scene and slate size."""

    looks: NDArray[np.float64]  # [K] e_k, not increasing; e_K = 0 is understood
    viewer_value: float
    goods_value: float
    ad_price: float
    max_ads: int
    first_ad: int
    ad_gap: int
    merchant_cap: int
    category_cap: int
    explained: int
    random_temperature: float
    seen: tuple[float, ...] = field(init=False, repr=False, compare=False)  # the looks, as facts hold them
    words: NDArray[np.float64] = field(init=False, repr=False, compare=False)  # the same, as kernels read it

    def __post_init__(self) -> None:
        dials = (
            self.viewer_value,
            self.goods_value,
            self.ad_price,
            self.max_ads,
            self.first_ad,
            self.ad_gap,
            self.merchant_cap,
            self.category_cap,
            self.explained,
            self.random_temperature,
        )
        object.__setattr__(self, "seen", tuple(self.looks.tolist()))
        object.__setattr__(self, "words", np.array([*dials, *self.looks, 0.0], np.float64))


def rules_of(policy: Policy, looks: NDArray[np.float64]) -> Rules:
    """Return a policy's rules for slates of len(looks) slots; max_ads = ⌊ad_load · K⌋."""
    return Rules(
        looks=looks,
        viewer_value=policy.viewer_value,
        goods_value=policy.goods_value,
        ad_price=policy.ad_price,
        max_ads=int(policy.ad_load * len(looks) + 1e-9),
        first_ad=policy.first_ad,
        ad_gap=policy.ad_gap,
        merchant_cap=policy.merchant_cap,
        category_cap=policy.category_cap,
        explained=policy.explained,
        random_temperature=policy.random_temperature,
    )


MOST_STEPS = 4_096
"""Most landscape steps of one request."""


class Desk:
    """Room to allocate in: buffers for one thread, used again and again."""

    def __init__(self, candidates: int = 2_000, slots: int = 10, explained: int = 30) -> None:
        """Make room for requests of a size; larger ones make more room when they come.

        Args:
            candidates: most candidates of a request.
            slots: most slots of a slate.
            explained: most contenders told.
        """
        self.sizes = (0, 0, 0)
        self.room = np.zeros(0)
        self.slots = np.zeros((0, 6))
        self.contenders = np.zeros((0, 17), np.float32)
        self.contributions = np.zeros((256, 3), np.float32)
        self.steps = np.zeros((MOST_STEPS, 4), np.float32)
        self.fit(candidates, slots, explained)

    def fit(self, candidates: int, slots: int, explained: int) -> None:
        """Make room for a request of that size where there is not enough."""
        most = self.sizes
        if candidates <= most[0] and slots <= most[1] and explained <= most[2]:
            return
        candidates, slots, explained = map(max, most, (candidates, slots, explained))
        self.sizes = (candidates, slots, explained)
        words = room_for(candidates, slots, explained)
        if self.room.size < words:
            self.room = np.zeros(words)
        if self.slots.shape[0] < slots:
            self.slots = np.zeros((slots, 6))
        if self.contenders.shape[0] < slots + explained:
            self.contenders = np.zeros((slots + explained, 17), np.float32)

    def fit_contributions(self, count: int) -> None:
        """Make room for that many contributions."""
        self.contributions = np.zeros((2 * count, 3), np.float32)


class Slate(msgspec.Struct, frozen=True, gc=False):
    """What was allocated; nothing in it is shared with the desk."""

    places: bytes
    """Rows of SLOT, shown ≤ K."""
    eligible: int
    """How many candidates competed."""
    contenders: bytes
    """Rows of explain.CONTENDER, the slate's first."""
    contributions: bytes
    """Rows of explain.CONTRIBUTION."""
    landscape: bytes
    """Rows of pace.STEP; empty unless asked for."""
    dropped_steps: int
    """Steps that did not fit."""
    propensity: float
    """Chance of exactly this slate; 1 unless randomised."""

    @property
    def slots(self) -> NDArray[np.void]:
        """The places as an array of SLOT, [shown]."""
        return np.frombuffer(self.places, SLOT)


def allocate(
    candidates: NDArray[np.int32],
    viewer: NDArray[np.float32],
    scene: int,
    index: Index,
    prices: Prices,
    rules: Rules,
    desk: Desk,
    *,
    paid: bool = True,
    landscape: bool = False,
    random_key: int | None = None,
    open_gates: NDArray[np.uint8] = ALL_OPEN,
    viewer_key: int = 0,
    given: NDArray[np.float32] = NOT_GIVEN,
    extra: NDArray[np.float32] = NO_EXTRA,
) -> Slate:
    """Return the slate of one request: organic and paid places, chosen together, sold by the increment.

    At slot k the best organic o meets the best o − theta + b·(e_k − e_r)/e_k; the charge of a winner is
    Σ_{l=k}^{r−1} (e_l − e_{l+1})·min(b, critical_l).

    Args:
        candidates: int32 [n], item numbers, each once, in any order, C-contiguous.
        viewer: float32 [27], the viewer's side of the predictor.
        scene: the scene's bit number, 0 … 31.
        index: items.
        prices: contracts.
        rules: the policy's dials and the looks.
        desk: buffers; one per thread.
        paid: False: nobody bids.
        landscape: whether to log what each contract could have climbed to.
        random_key: a `draws.key_of(…)`: draw the slate from the top 20 and sell nothing.
        open_gates: uint8 [G], 0 where a gate of the index is closed to this request; [1]: none is closed.
        viewer_key: a `draws.holdout_key(…)`: who is held out of which contracts.
        given: float32 [3, n] logits of click, long view and order that a model outside gives, NaN where it gives
            none; [3, 0]: there is no such model.
        extra: float32 [n] what a look is worth to the viewer beside a long view, yuan; [0]: nothing.

    Returns:
        The slate; shorter than K where the caps leave too few.

    Source: docs/algorithms/auction.md, ADR 0004.
    """
    slots = rules.words.size - LOOKS - 1
    desk.fit(candidates.size, slots, rules.explained)
    mode = (PAID if paid else 0) | (LANDSCAPE if landscape else 0)
    key = NO_KEY
    if random_key is not None:
        mode |= RANDOM
        key = np.uint64(random_key)
    shown, eligible, told, contributions, steps, dropped, propensity = answer(
        candidates,
        viewer,
        1 << scene,
        mode,
        key,
        rules.words,
        index.rows,
        index.merchant,
        index.category,
        index.first_contract,
        index.contracts,
        prices.alpha,
        prices.bid_cap,
        prices.organic,
        prices.meter[scene],
        index.gate,
        open_gates,
        prices.holdout,
        prices.contract_key,
        np.uint64(viewer_key),
        given,
        extra,
        desk.room,
        desk.slots,
        desk.contenders,
        desk.contributions,
        desk.steps,
    )
    if contributions > desk.contributions.shape[0]:
        desk.fit_contributions(contributions)
        return allocate(
            candidates, viewer, scene, index, prices, rules, desk,
            paid=paid, landscape=landscape, random_key=random_key,
            open_gates=open_gates, viewer_key=viewer_key, given=given, extra=extra,
        )  # fmt: skip
    return Slate(
        desk.slots[:shown].tobytes(),
        eligible,
        desk.contenders[:told].tobytes(),
        desk.contributions[:contributions].tobytes(),
        desk.steps[:steps].tobytes() if steps else b"",
        dropped,
        propensity,
    )


def warm() -> None:
    """Answer one toy request, so that the kernel is compiled (or read from the cache) before serving."""
    rows = new_rows(1)
    rows.view(np.int32)[0, FLAGS] = SHOWN
    rows.view(np.int32)[0, SCENES] = 1
    one = np.zeros(1, np.int32)
    index = Index(rows, one, one, np.zeros(2, np.int32), one, one)
    nought = np.zeros(1)
    prices = Prices(nought, nought, nought, np.zeros((1, 1, 5)), nought, np.zeros(1, np.uint64))
    rules = rules_of(Policy(), np.ones(1))
    allocate(one, np.zeros(VIEWER_WIDTH, np.float32), 0, index, prices, rules, Desk(1, 1, 1))
