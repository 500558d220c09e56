"""Appeals: what merchants and creators contest, and what was ruled."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from fieldline.facts import Appeal, Ruling
from fieldline.units import DAY

KEPT = 365 * DAY
Status = Literal["open", "upheld", "rejected"]


class Case(msgspec.Struct, gc=False):
    """One appeal and where it stands."""

    id: str
    at: int
    by: str
    kind: str
    about: str
    reason: str
    status: Status = "open"
    ruled_at: int = 0
    ruling: str = ""
    """What the ruling gave as its reason."""


@dataclass(slots=True)
class Appeals:
    """All of the last year, oldest first."""

    cases: dict[str, Case] = field(default_factory=dict)
    of: dict[str, list[str]] = field(default_factory=dict)
    """Appeals about the same thing, by its id."""


def open_case(appeals: Appeals, fact: Appeal) -> None:
    """Enter an appeal; one that is there already changes nothing."""
    if fact.id in appeals.cases:
        return
    appeals.cases[fact.id] = Case(fact.id, fact.at, fact.by, fact.kind, fact.about, fact.reason)
    appeals.of.setdefault(fact.about, []).append(fact.id)


def rule(appeals: Appeals, fact: Ruling) -> Case | None:
    """Enter a ruling and return its case; of several rulings the last stands."""
    case = appeals.cases.get(fact.appeal)
    if case is not None:
        case.status = "upheld" if fact.upheld else "rejected"
        case.ruled_at, case.ruling = fact.at, fact.reason
    return case


def standing(appeals: Appeals, about: str) -> Status | None:
    """Return where the newest appeal about something stands; None: there is none."""
    ids = appeals.of.get(about)
    return appeals.cases[ids[-1]].status if ids else None


def statement(appeals: Appeals, by: str | None = None) -> tuple[Case, ...]:
    """Return the appeals of one who made them, or of all, newest first."""
    return tuple(case for case in reversed(appeals.cases.values()) if by is None or case.by == by)


def forget(appeals: Appeals, at: int) -> None:
    """Let go of what was ruled long ago."""
    for id in [
        id for id, case in appeals.cases.items() if case.status != "open" and case.ruled_at < at - KEPT
    ]:
        case = appeals.cases.pop(id)
        appeals.of[case.about].remove(id)
        if not appeals.of[case.about]:
            del appeals.of[case.about]
