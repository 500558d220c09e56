"""Explaining a decision: every candidate's score taken apart, as it was when it was decided."""

from collections.abc import Sequence

import msgspec
import numpy as np

from fieldline.facts import Decision

CONTENDER = np.dtype(
    [
        ("item", "i4"),
        ("contract", "i4"),
        ("slot", "i4"),
        ("organic_rank", "i4"),
        ("rank_without_bid", "i4"),
        ("p_click", "f4"),
        ("p_long", "f4"),
        ("p_order", "f4"),
        ("viewer_value", "f4"),
        ("goods_value", "f4"),
        ("trust", "f4"),
        ("organic_price", "f4"),
        ("score", "f4"),
        ("value", "f4"),
        ("bid", "f4"),
        ("rival", "f4"),
        ("charge", "f4"),
    ]
)
"""One candidate: score = (viewer_value + goods_value)·trust + organic_price; money in yuan per look."""

CONTRIBUTION = np.dtype([("contender", "i4"), ("contract", "i4"), ("amount", "f4")])
"""One part of a contender's organic price, yuan per look: a contract's, or that of a price with a name (`NAMED`)."""

PRICES = ("inclusion", "newcomer", "pool", "credit")
"""Organic prices with a name; a pool's part is told by the number of its contract."""

NAMED = -2
"""What stands for a contract in the part of the first of them; the others count down from it."""


class Part(msgspec.Struct, frozen=True):
    """One organic price's part of a score."""

    contract: str
    """Whose floor, ceiling or pool it is; empty for the prices that are no contract's."""
    amount: float
    price: str = "contract"
    """`contract`, or its name: `inclusion`, `newcomer`, `credit`."""


class Candidate(msgspec.Struct, frozen=True):
    """One candidate's score taken apart; all amounts in yuan per look but charge (yuan per impression)."""

    item: str
    slot: int | None
    """Its place, from 0; None where it was not shown."""
    chance_of_click: float
    chance_of_long_view: float
    chance_of_order: float
    """Of an order, given a click."""
    viewer_value: float
    goods_value: float
    trust_factor: float
    organic_prices: tuple[Part, ...]
    exploration: float
    """What is added for what is not known of the item."""
    score: float
    """(viewer_value + goods_value) · trust_factor + Σ organic_prices + exploration."""
    contract: str | None
    """Whose bid stood for it (it need not have won)."""
    value: float
    bid: float
    rival_bid: float
    charge: float
    organic_rank: int | None
    rank_without_bid: int | None


def candidates(decision: Decision, items: Sequence[str], contracts: Sequence[str]) -> tuple[Candidate, ...]:
    """Return a decision's contenders, its slate first, as they were scored.

    Args:
        decision: as logged.
        items: item ids by number.
        contracts: contract ids by number.
    """
    rows = np.frombuffer(decision.contenders, CONTENDER)
    parts: dict[int, list[Part]] = {}
    for contender, contract, amount in np.frombuffer(decision.contributions, CONTRIBUTION).tolist():
        parts.setdefault(contender, []).append(_part(contract, amount, contracts))
    slots = len(decision.slots)

    def rank(place: int) -> int | None:
        return place if 0 <= place < slots else None

    return tuple(
        Candidate(
            item=items[row["item"]],
            slot=rank(int(row["slot"])),
            chance_of_click=float(row["p_click"]),
            chance_of_long_view=float(row["p_long"]),
            chance_of_order=float(row["p_order"]),
            viewer_value=float(row["viewer_value"]),
            goods_value=float(row["goods_value"]),
            trust_factor=float(row["trust"]),
            organic_prices=tuple(parts.get(number, ())),
            exploration=float(row["organic_price"]) - sum(part.amount for part in parts.get(number, ())),
            score=float(row["score"]),
            contract=contracts[row["contract"]] if row["contract"] >= 0 else None,
            value=float(row["value"]),
            bid=float(row["bid"]),
            rival_bid=float(row["rival"]),
            charge=float(row["charge"]),
            organic_rank=rank(int(row["organic_rank"])),
            rank_without_bid=rank(int(row["rank_without_bid"])),
        )
        for number, row in enumerate(rows)
    )


def _part(contract: int, amount: float, contracts: Sequence[str]) -> Part:
    if contract <= NAMED:
        return Part("", amount, PRICES[NAMED - contract])
    return Part(contracts[contract], amount)
