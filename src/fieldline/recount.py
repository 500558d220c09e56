"""Recounting: what a log alone says that a campaign's day is credited, by folding its facts once more."""

from collections.abc import Iterable

import msgspec

from fieldline import engine
from fieldline.contracts.assurance import CONFIDENCE, CONFIRM_DAYS, Status, status
from fieldline.contracts.horizon import day_of, day_start
from fieldline.facts import AnyFact, Policy, Tick
from fieldline.traffic.assured import Finding, date_of, finding
from fieldline.units import DAY, YUAN, Instant


class Recounted(msgspec.Struct, frozen=True):
    """A campaign's day as its log tells it."""

    campaign: str
    owner: str
    day: int
    found: Finding
    status: Status
    shared: bool
    """Whether several engines share the campaign: then none of them credits it."""

    @property
    def due(self) -> int:
        """Return what the ledger should hold, micro-yuan: the credit, once it is final."""
        return self.status.credit if self.status.until is None and not self.shared else 0

    def lines(self) -> tuple[str, ...]:
        """Return the formula with its numbers, as lines of text; money in yuan."""
        result, order, course = self.found.result, self.found.order, self.found.course
        mean, variance = result.value / YUAN + order.mean, self.found.squares + order.square
        share = 1.0 - result.upper / result.owed if result.owed else 0.0
        until = "" if self.status.until is None else f", until {date_of(day_of(self.status.until))}"
        shared = " (shared by several engines: none of them credits it)" if self.shared else ""
        return (
            f"campaign {self.campaign}, {date_of(self.day)} (UTC+8), of merchant {self.owner}",
            f"state   {self.status.state}: {self.status.reason}{until}{shared}",
            f"S       {result.spend / YUAN:.6f} yuan spent",
            f"O       {result.owed / YUAN:.6f} yuan owed, the sum of goal x charge",
            f"G       {result.value / YUAN:.6f} yuan of value counted",
            f"m, s    {order.mean:.6f} yuan, {order.square:.6f} yuan^2: an order before that day",
            f"U       {result.upper / YUAN:.6f} = max(G, the {CONFIDENCE:.0%} quantile of the gamma distribution "
            f"of mean {mean:.6f} and variance {variance:.6f})",
            f"halted  {course.halted_ms / 60_000:.0f} of {course.ran_ms / 60_000:.0f} minutes",
            f"formula S * max(0, 1 - U/O) = {result.spend / YUAN:.6f} * {max(0.0, share):.6f} = "
            f"{result.credit / YUAN:.6f} yuan",
            f"credit  {self.due / YUAN:.6f} yuan",
        )


def recounted(facts: Iterable[AnyFact], campaign: str, day: int) -> Recounted | None:
    """Return what a campaign's day is credited, from facts alone; None where they name no such campaign.

    The fold stops with the tick at which the day is final: what was told later changes nothing.

    Args:
        facts: of a whole log, in order.
        campaign: its id.
        day: counted from 1970-01-01 in UTC+8.
    """
    final = day_start(day + 1) + CONFIRM_DAYS * DAY
    state = engine.State(policy=Policy())
    for fact in facts:
        engine.reduce(state, fact)
        if isinstance(fact, Tick) and fact.at >= final:
            break
    numbers = state.book.wishes.get(campaign)
    if not numbers:
        return None
    contract = state.book.contracts[numbers[0]]
    found = finding(state, numbers[0], day)
    stands = status(day, Instant(state.ticked), found.result, found.course)
    shared = state.book.leased.item(numbers[0]) >= 0
    return Recounted(campaign, contract.owner, day, found, stands, shared)
