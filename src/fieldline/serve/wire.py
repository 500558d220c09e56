"""What goes over HTTP beside the facts themselves: requests' envelopes and replies, frozen and strict."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fieldline.contracts.assurance import Credit, Status
from fieldline.facts import (
    API_VERSION,
    Ahead,
    Behaviour,
    Contestable,
    Decision,
    Id,
    Money,
    Slot,
    Stage,
    StagedOffer,
    Time,
    Wish,
    Word,
)
from fieldline.traffic.audiences import LEAST, Audience
from fieldline.traffic.explain import Candidate
from fieldline.trust.quotes import Mood


class Placed(msgspec.Struct, frozen=True, gc=False):
    """One place of a slate as a client needs it; contract is told where the place is sponsored."""

    item: str
    position: int
    sponsored: bool
    contract: str | UnsetType = UNSET


class DecideReply(msgspec.Struct, frozen=True, gc=False):
    """A slate in the order to show it."""

    id: str
    at: int
    scene: str
    slots: tuple[Placed, ...]
    organic_only: bool
    query: str | UnsetType = UNSET
    """What was typed, normalised; told where something was."""
    searched: str | UnsetType = UNSET
    """What was searched, perhaps corrected; empty: nothing was found, and the slate is what the scene shows anyway."""
    version: int = API_VERSION


class EventBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events in the order in which they happened; taken all or none."""

    events: Annotated[tuple[Behaviour, ...], Meta(max_length=10_000)]


class EventsReply(msgspec.Struct, frozen=True):
    """What became of a batch: events that are new, and those whose id had been taken before."""

    accepted: int
    repeated: int
    version: int = API_VERSION


class UpsertReply(msgspec.Struct, frozen=True):
    """How many catalogue entries were inserted or replaced."""

    count: int
    version: int = API_VERSION


class IntentReply(msgspec.Struct, frozen=True):
    """One intent of a viewer: how far it is, and the chance that the next click is in its category."""

    category: str
    stage: Stage
    confidence: float
    said: bool
    """Whether the viewer stated the stage; its confidence is then 1."""


class IntentList(msgspec.Struct, frozen=True):
    """What is inferred of a viewer, the surest first; nothing of one who opted out."""

    viewer: str
    at: int
    personalised: bool
    intents: tuple[IntentReply, ...]
    not_interested: tuple[str, ...]
    """Categories of which the viewer said so."""
    version: int = API_VERSION


class StageSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A viewer's own word on one category; null: not interested."""

    stage: Stage | None


class PersonalisationSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what is known of a viewer may choose what they are shown."""

    on: bool


class AppealNew(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant or creator contests, and why."""

    id: Id
    by: Id
    """Whom it concerns: the merchant, or the creator of an item."""
    kind: Contestable
    about: Id
    """The id of the review, refund, delivery, dialogue or item."""
    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]


class RulingNew(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person decided on an appeal."""

    upheld: bool
    reason: Annotated[str, Meta(max_length=1_000)] = ""


class AppealReply(msgspec.Struct, frozen=True):
    """An appeal and where it stands."""

    id: str
    at: Time
    by: str
    kind: str
    about: str
    reason: str
    status: str
    """open, upheld or rejected."""
    ruled_at: Time | None
    ruling: str
    """The reason that was given."""


class AppealList(msgspec.Struct, frozen=True):
    """Appeals of the last year, newest first."""

    items: tuple[AppealReply, ...]
    version: int = API_VERSION


class ContractNew(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract to be made through an offer."""

    id: Id
    offer: Word
    owner: Id
    terms: msgspec.Raw


class ContractEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New terms of a contract, and the version that they were written against."""

    terms: msgspec.Raw
    version: Annotated[int, Meta(ge=1)]


class ContractReply(msgspec.Struct, frozen=True):
    """A contract as it was asked for; version counts its edits from 1."""

    id: str
    version: int
    offer: str
    owner: str
    paused: bool
    ended_at: Time | None
    """When it was ended before its time."""
    at: Time
    terms: msgspec.Raw


def reply_of(decision: Decision) -> DecideReply:
    """Return what a client is told of a decision."""
    return DecideReply(
        decision.id,
        decision.at,
        decision.scene,
        tuple(
            [
                Placed(slot.item, position, False)
                if slot.contract is None
                else Placed(slot.item, position, True, slot.contract)
                for position, slot in enumerate(decision.slots)
            ]
        ),
        not decision.paid,
        decision.query or UNSET,
        decision.searched if decision.query else UNSET,
    )


class ContractList(msgspec.Struct, frozen=True):
    """A page of contracts, and where the next one begins."""

    items: tuple[ContractReply, ...]
    next: str | None


class DecisionReply(msgspec.Struct, frozen=True):
    """A decision as it was logged, each of its candidates' scores taken apart."""

    id: str
    at: Time
    viewer: str
    scene: str
    slots: tuple[Slot, ...]
    looks: tuple[float, ...]
    candidates: int
    paid: bool
    ad_price: float
    randomised: bool
    propensity: float
    explanation: tuple[Candidate, ...]
    model: str = ""
    """The model outside that was asked for the chances; empty: none."""
    rescored: int = 0
    """Candidates that it was asked about."""
    fallbacks: int = 0
    """Those of them whose chances the embedded predictor gave."""
    query: str = ""
    """What was typed; empty: the request had no query."""
    searched: str = ""
    """What was searched for it, perhaps corrected; empty: nothing was found."""
    relevance: tuple[float, ...] = ()
    """Of each slot to what was searched, in [0, 1]."""
    ahead: tuple[Ahead, ...] = ()
    """Live rooms of the slate whose value to the viewer holds something for what they are about to sell."""
    version: int = API_VERSION


def decision_of(decision: Decision, explanation: tuple[Candidate, ...]) -> DecisionReply:
    """Return what is told of a logged decision."""
    return DecisionReply(
        decision.id,
        decision.at,
        decision.viewer,
        decision.scene,
        decision.slots,
        decision.looks,
        decision.candidates,
        decision.paid,
        decision.ad_price,
        decision.randomised,
        decision.propensity,
        explanation,
        decision.model,
        decision.rescored,
        decision.fallbacks,
        decision.query,
        decision.searched,
        decision.relevance,
        decision.ahead,
    )


class OfferReply(msgspec.Struct, frozen=True):
    """Something that can be asked for: its name, what it is, and the JSON schema of its terms."""

    name: str
    about: str
    terms: msgspec.Raw


class OfferList(msgspec.Struct, frozen=True):
    """All that can be asked for."""

    items: tuple[OfferReply, ...]
    version: int = API_VERSION


class AssuredDay(msgspec.Struct, frozen=True):
    """Where the assurance of a day (UTC+8) stands, and the formula's inputs and result, in micro-yuan."""

    day: str
    status: Status
    result: Credit


class AssuranceReply(msgspec.Struct, frozen=True):
    """The assurance of a campaign, day by day."""

    id: str
    days: tuple[AssuredDay, ...]
    version: int = API_VERSION


class VoiceEvidence(msgspec.Struct, frozen=True):
    """What vouches for a quote."""

    review: str
    orders: tuple[str, ...]
    """Kept ones of the buyer at the merchant, oldest first."""


class VoiceTold(msgspec.Struct, frozen=True):
    """What one repeat buyer said; who that is is not told."""

    quote: str
    stars: int
    mood: Mood
    orders_kept: int
    """Orders at the merchant of which no money went back; 16 may stand for more."""
    at: int
    """When it was said, ms."""
    product: str
    reply: str | None
    """The merchant's; null where there is none."""
    evidence: VoiceEvidence | None = None
    """Where it was asked for."""


class VoicesReply(msgspec.Struct, frozen=True):
    """What repeat buyers say of a merchant."""

    merchant: str | None
    """Null where an item belongs to none."""
    reviews: int
    """Those that the quotes were chosen from."""
    voices: tuple[VoiceTold, ...]
    version: int = API_VERSION


def contract_of(wish: Wish, paused: bool, ended_at: int | None) -> ContractReply:
    """Return what is told of a contract."""
    terms = msgspec.Raw(wish.terms.encode())
    return ContractReply(wish.id, wish.version, wish.offer, wish.owner, paused, ended_at, wish.at, terms)


Progress = Literal["waiting", "due", "on", "over"]
"""Of an offer: more than ten minutes away; within them; begun, until its stated end; past."""
MOST_PRODUCTS = 50
"""Products whose audiences are told at once."""


class PlanSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a room is to sell, in place of its plan before; without offers everything is pulled."""

    offers: Annotated[tuple[StagedOffer, ...], Meta(max_length=500)]
    version: Annotated[int, Meta(ge=0)] | None = None
    """That of the plan which this replaces, 0 for none; null: whatever it is."""


class PlannedOffer(msgspec.Struct, frozen=True):
    """An offer of a plan, as it stands now."""

    product: str
    starts_at: Time
    ends_at: Time | None
    price: Money | None
    status: Progress
    still_there: float
    """Chance that a viewer who comes now is still in the room when it starts."""


class PlanReply(msgspec.Struct, frozen=True):
    """The plan of a live room."""

    room: str
    version: int
    """0: it never had one."""
    at: Time
    offers: tuple[PlannedOffer, ...]
    api_version: int = API_VERSION


class AudienceAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Products whose audiences are asked for; null: those of the room's plan that are not over."""

    products: Annotated[tuple[Id, ...], Meta(max_length=MOST_PRODUCTS)] | None = None


class AudienceReply(msgspec.Struct, frozen=True):
    """For whom each product is; counts below `least` are null."""

    room: str
    at: Time
    audiences: tuple[Audience, ...]
    least: int = LEAST
    version: int = API_VERSION
