"""Staging: what a live room is about to sell, as its host or assistant planned it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.facts.words import Fact, Id, Money, Time


class StagedOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product that a room will sell from an instant on."""

    product: Id
    starts_at: Time
    ends_at: Time | None = None
    """Until when the room sells it; None: from its start on only the room's own entry says so."""
    price: Money | None = None
    """In the room; None: its list price."""


class Staged(Fact, frozen=True, tag="staged"):
    """The whole plan of a live room, in place of the one before: to delay, change or pull an offer is to plan anew."""

    room: Id
    at: Time
    version: Annotated[int, Meta(ge=1)]
    """1, 2, 3 … of this room."""
    offers: Annotated[tuple[StagedOffer, ...], Meta(max_length=500)] = ()
