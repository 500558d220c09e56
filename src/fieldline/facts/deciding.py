"""Deciding: what is asked, and what was shown for it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.facts.words import Domain, Fact, Id, Money, Place, Time, Word


class Request(Fact, frozen=True, tag="request"):
    """One request for a slate; `at` is set by the server's clock when absent, candidates by retrieval when empty."""

    id: Id
    viewer: Id
    scene: Word
    at: Time | None = None
    slots: Annotated[int, Meta(ge=1, le=50)] | None = None
    category: Word | None = None
    place: Place | None = None
    candidates: Annotated[tuple[Id, ...], Meta(max_length=5_000)] = ()
    """Items that must be among the candidates (unknown ones are refused)."""
    candidate_limit: Annotated[int, Meta(ge=1, le=20_000)] | None = None
    deadline_ms: Annotated[int, Meta(ge=1, le=60_000)] | None = None
    query: Annotated[str, Meta(max_length=20_000)] = ""
    """What the viewer typed; what is shown is then relevant to it."""


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One place of a slate. Ranks count from 0; a rank equal to the number of slots means: not shown."""

    item: Id
    contract: Id | None
    """Who pays, or None: an organic place is free and unlabelled."""
    charge: Money
    """What the impression costs (0 when organic)."""
    bid: float
    """alpha·v in yuan per look."""
    value: float
    """v in yuan per look: what the contract says a look at this item is worth."""
    score: float
    """o_i in yuan per look."""
    organic_rank: int
    """Place if nobody bid."""
    rank_without_bid: int
    """Place if this contract alone did not bid."""
    source: str = ""
    """Which source brought it among the candidates, the first that did; see `Sources`."""
    domain: Domain | None = None
    """How it came to its viewer; None: decided before domains were told."""


class Ahead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a look at a live room was worth more for what the room is about to sell."""

    item: Id
    """The room."""
    product: Id
    value: float
    """Yuan per look, before the trust factor; part of the room's value to the viewer."""


class Decision(Fact, frozen=True, tag="decision"):
    """What was shown for a request, why, and at what charge."""

    id: Id
    """The request's id."""
    at: Time
    viewer: Id
    scene: Word
    slots: tuple[Slot, ...]
    looks: tuple[float, ...]
    """e_k used."""
    candidates: int
    """How many competed."""
    paid: bool
    """False where paid delivery was dropped (overload, deadline or a randomised request)."""
    ad_price: float
    """theta used."""
    randomised: bool = False
    propensity: float = 1.0
    """Chance of exactly this slate, given the state, where randomised."""
    sampled: bool = False
    """Whether its landscape was logged."""
    contenders: bytes = b""
    """Rows of `fieldline.traffic.explain.CONTENDER`: the scores taken apart."""
    contributions: bytes = b""
    """Rows of `fieldline.traffic.explain.CONTRIBUTION`: each organic price's part of a contender's score."""
    landscape: bytes = b""
    """Rows of `fieldline.traffic.pace.STEP`: what each contract could have climbed to, on sampled requests."""
    category: Word | None = None
    """The one that the request named."""
    query: Annotated[str, Meta(max_length=100)] = ""
    """What the viewer typed, normalised and cut to 100 characters."""
    model: str = ""
    """Which model outside was asked for the chances; empty: none, the embedded one gave all."""
    rescored: int = 0
    """Candidates that it was asked about."""
    fallbacks: int = 0
    """Those of them of which it had nothing to say, so that the embedded one's chances stood."""
    shadow_model: str = ""
    """Which model was asked beside the one that decided; empty: none."""
    shadow: bytes = b""
    """What that one said: float32 [slots, 3], chances of click, long view and order; NaN: nothing."""
    searched: Annotated[str, Meta(max_length=400)] = ""
    """What was searched for the query, which may be corrected; empty: nothing was found (or asked), and the slate is
    what the scene would show anyway, without paid places."""
    relevance: tuple[float, ...] = ()
    """How relevant each slot is to what was searched, in [floor, 1)."""
    offered: tuple[Domain, ...] = ()
    """Domains with a set mix of which there was a candidate."""
    ahead: tuple[Ahead, ...] = ()
    """Of the rooms shown, those that are about to sell what was planned."""
