"""Grants: looks that a platform gives away, to whom, and how far they follow what a member spends."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.facts import Id, Share, Time, Word

MILLION = 1_000_000
"""Micro-looks of a look: ledgers of looks are kept in whole ones."""

Looks = Annotated[float, Meta(gt=0.0, le=1e9)]


class Eligible(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose works a grant is for; what is empty excludes nobody, and nothing under review is ever eligible."""

    merchants: Annotated[tuple[Id, ...], Meta(max_length=10_000)] = ()
    """These, and the creators named beside them; both empty: everybody."""
    creators: Annotated[tuple[Id, ...], Meta(max_length=10_000)] = ()
    since: Time = 0
    """Works listed at this instant or later."""
    categories: Annotated[tuple[Word, ...], Meta(max_length=1_000)] = ()
    least_trust: Share = 0.0
    """Merchants whose trust is at least so high; a work without one has the trust of a newcomer, one half."""


class Matching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Looks granted for what a member's campaigns spend within the window."""

    looks_per_yuan: Annotated[float, Meta(gt=0.0, le=10_000.0)]
    member_looks: Looks
    """Most that one merchant is granted."""


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many looks, for whom, and by which rule."""

    looks: Looks
    """In all; with matching, at most."""
    eligible: Eligible = Eligible()
    member_looks: Annotated[float, Meta(ge=0.0, le=1e9)] = 0.0
    """Most that one member uses. 0: any number."""
    matching: Matching | None = None
