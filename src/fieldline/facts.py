"""Facts: every frozen thing that crosses a border (HTTP, the log, a store), and nothing else.

A fact says what happened and when. Unknown fields are refused, so a typing error is an error. The engine's
state is the fold of the log's facts; nothing else changes it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fieldline.units import MAX_MICROS

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=300)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Time = Annotated[int, Meta(ge=0, le=1 << 52, description="milliseconds since 1970-01-01 UTC")]
Money = Annotated[int, Meta(ge=0, le=MAX_MICROS, description="millionths of a yuan")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False, tag_field="type"):
    """What every fact is: frozen, tagged by its type, strict about its fields."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point on the earth in degrees (WGS 84)."""

    latitude: Annotated[float, Meta(ge=-90.0, le=90.0)]
    longitude: Annotated[float, Meta(ge=-180.0, le=180.0)]


# ── People and goods: the catalogue ──────────────────────────────────────────────────────────────────────────


class Viewer(Fact, frozen=True, tag="viewer"):
    """A person who watches: traits are categorical words such as "age=25-34"; follows are creator ids."""

    id: Id
    traits: tuple[Word, ...] = ()
    follows: tuple[Id, ...] = ()
    place: Place | None = None
    watched: tuple[Id, ...] = ()
    """Videos watched before this platform's log began, oldest first."""
    liked: tuple[Id, ...] = ()
    """Those of them that were watched long, oldest first."""


class Creator(Fact, frozen=True, tag="creator"):
    """A person who makes videos or hosts live rooms."""

    id: Id
    name: Name = ""
    followers: Annotated[int, Meta(ge=0)] = 0


class Merchant(Fact, frozen=True, tag="merchant"):
    """A shop; trust in [0, 1] is its index until orders teach a better one."""

    id: Id
    name: Name = ""
    trust: Share = 0.5


class Product(Fact, frozen=True, tag="product"):
    """A thing for sale; refund_rate is the share of its GMV expected to be returned."""

    id: Id
    merchant: Id
    price: Money
    stock: Annotated[int, Meta(ge=0, le=1 << 40)]
    category: Word = "unknown"
    title: Name = ""
    scenes: tuple[Word, ...] = ("mall", "search")
    refund_rate: Share = 0.0
    place: Place | None = None
    approved: bool = True
    listed_at: Time = 0


class Video(Fact, frozen=True, tag="video"):
    """A short video, which may sell one product; its merchant is who pays to promote it (the product's by default)."""

    id: Id
    creator: Id
    category: Word = "unknown"
    title: Name = ""
    scenes: tuple[Word, ...] = ("video", "follow")
    product: Id | None = None
    merchant: Id | None = None
    duration_ms: Annotated[int, Meta(ge=0, le=1 << 40)] = 0
    traits: tuple[Word, ...] = ()
    place: Place | None = None
    approved: bool = True
    uploaded_at: Time = 0


class LiveRoom(Fact, frozen=True, tag="live_room"):
    """A live room while it is open; product is what its host is selling now."""

    id: Id
    creator: Id
    category: Word = "unknown"
    title: Name = ""
    scenes: tuple[Word, ...] = ("live", "follow")
    product: Id | None = None
    merchant: Id | None = None
    place: Place | None = None
    approved: bool = True
    started_at: Time = 0
    ended_at: Time | None = None


CatalogueEntry = Viewer | Creator | Merchant | Product | Video | LiveRoom


# ── Wishes: what a merchant or an operator asks for ──────────────────────────────────────────────────────────


class Wish(Fact, frozen=True, tag="wish"):
    """A contract as a person typed it: its offer's name and the offer's terms (JSON), new or edited.

    An edit is a wish with the same id and a higher version; prices and spend carry over.
    """

    id: Id
    at: Time
    version: Annotated[int, Meta(ge=1)]
    offer: Word
    owner: Id
    terms: Annotated[str, Meta(max_length=100_000, description="the offer's terms, as JSON text")]


class WishPaused(Fact, frozen=True, tag="wish_paused"):
    """A person paused (or resumed) a contract."""

    id: Id
    at: Time
    paused: bool


class WishEnded(Fact, frozen=True, tag="wish_ended"):
    """A person ended a contract before its time; what it did not spend goes back, and it cannot start again."""

    id: Id
    at: Time


class Leased(Fact, frozen=True, tag="leased"):
    """One of several engines on one ledger may spend so much more of a contract's budget."""

    contract: Id
    at: Time
    amount: Money
    elsewhere: Money = 0
    """What the others had leased of it by then."""
    engines: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """How many share it."""


# ── Policy: what an operator set ─────────────────────────────────────────────────────────────────────────────


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A surface: its slots and the declared chance that each is looked at, until requests teach a better one."""

    name: Word
    looks: tuple[Share, ...]
    """e_k for slots 0 … K−1, not increasing."""
    shelf: bool = False
    """Whether it shows goods rather than content: retrieval then orders by clicks, not by long views."""


class Policy(Fact, frozen=True, tag="policy"):
    """Every dial of the decision, in one place; changed by a new Policy fact alone."""

    at: Time = 0
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 1
    scenes: tuple[Scene, ...] = ()
    viewer_value: Annotated[float, Meta(ge=0.0)] = 0.05
    """w_view: yuan that a look watched long is worth to the platform."""
    goods_value: Annotated[float, Meta(ge=0.0)] = 0.05
    """w_goods: yuan that a yuan of net GMV is worth to the platform."""
    trust_weight: Share = 0.3
    """w_T."""
    ad_price: Annotated[float, Meta(ge=0.0)] = 0.002
    """theta: yuan per look, the price of one more ad to viewers and to the others."""
    ad_load: Share = 0.3
    """Most paid slots of a slate, as a share of its slots (rounded down)."""
    first_ad: Annotated[int, Meta(ge=0)] = 1
    """The first slot (from 0) that may be paid."""
    ad_gap: Annotated[int, Meta(ge=0)] = 2
    """Organic slots between two paid ones."""
    merchant_cap: Annotated[int, Meta(ge=1)] = 2
    """Most slots of one merchant (of one creator where there is no merchant) in a slate."""
    category_cap: Annotated[int, Meta(ge=1)] = 4
    random_share: Share = 0.02
    """Share of requests answered by a Plackett–Luce draw over the top 20; nothing is sold there."""
    random_temperature: Annotated[float, Meta(gt=0.0)] = 0.3
    landscape_share: Share = 0.12
    candidate_limit: Annotated[int, Meta(ge=1, le=20_000)] = 2_000
    tick_ms: Annotated[int, Meta(ge=1_000)] = 300_000
    label_window_ms: Annotated[int, Meta(ge=1_000)] = 600_000
    """How long after an impression a missing click or long view counts as none; also how long money stays reserved."""
    order_window_ms: Annotated[int, Meta(ge=1_000)] = 86_400_000
    """How long after a click an order still counts as its outcome, for learning."""
    in_hand: Literal["observed", "corrected", "confident"] = "confident"
    """How contracts count value in hand; see `fieldline.traffic.pace`."""
    learning: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.5
    """Orders' worth of value that a contract may owe before its items sold anything: what learning may cost."""
    click_attribution_ms: Annotated[int, Meta(ge=0)] = 7 * 86_400_000
    view_attribution_ms: Annotated[int, Meta(ge=0)] = 86_400_000
    explained: Annotated[int, Meta(ge=0, le=200)] = 30
    """Most candidates of a decision whose scores are logged for its explanation (its slots always are)."""


# ── Requests and decisions ───────────────────────────────────────────────────────────────────────────────────


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


# ── Behaviour ────────────────────────────────────────────────────────────────────────────────────────────────


class Impression(Fact, frozen=True, tag="impression"):
    """A slot of a decision was rendered: this commits its charge."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Click(Fact, frozen=True, tag="click"):
    """The viewer opened the item."""

    id: Id
    at: Time
    decision: Id
    item: Id


class LongView(Fact, frozen=True, tag="long_view"):
    """The viewer watched the item long."""

    id: Id
    at: Time
    decision: Id
    item: Id


class Follow(Fact, frozen=True, tag="follow"):
    """The viewer follows a creator from now on (or no longer)."""

    id: Id
    at: Time
    viewer: Id
    creator: Id
    following: bool = True


class Order(Fact, frozen=True, tag="order"):
    """A paid order, promoted or not; the engine attributes it to an earlier click or view."""

    id: Id
    at: Time
    viewer: Id
    product: Id
    amount: Money
    quantity: Annotated[int, Meta(ge=1, le=1 << 30)] = 1


class Refund(Fact, frozen=True, tag="refund"):
    """Money of an order that went back to its buyer."""

    id: Id
    at: Time
    order: Id
    amount: Money


class Lead(Fact, frozen=True, tag="lead"):
    """A viewer left a merchant an enquiry, or came to its store; the merchant says whether it qualifies."""

    id: Id
    at: Time
    viewer: Id
    merchant: Id
    visit: bool = False
    """Whether it is a visit to the store rather than an enquiry."""
    qualified: bool = True


class Outcome(Fact, frozen=True, tag="outcome"):
    """A look that another system decided, with what came of it: how a platform brings its history."""

    id: Id
    at: Time
    viewer: Id
    item: Id
    scene: Word
    click: bool
    long_view: bool


class Assumed(Fact, frozen=True, tag="assumed"):
    """A replay takes a decision's slate as shown: charges and predicted values count, nothing is learned."""

    id: Id
    """The decision's."""
    at: Time


Behaviour = Impression | Click | LongView | Follow | Order | Refund | Lead | Outcome


class ViewerErased(Fact, frozen=True, tag="viewer_erased"):
    """A viewer asked to be forgotten: gone from state now, from the log at compaction."""

    id: Id
    at: Time


class Tick(Fact, frozen=True, tag="tick"):
    """Time passed: prices are updated, reservations released, labels matured."""

    at: Time


class Typed(Fact, frozen=True, tag="typed"):
    """All that people typed up to this change of the records is in the log."""

    change: Annotated[int, Meta(ge=0)]


AnyFact = (
    CatalogueEntry
    | Wish
    | WishPaused
    | WishEnded
    | Leased
    | Policy
    | Decision
    | Behaviour
    | Assumed
    | ViewerErased
    | Tick
    | Typed
)
"""Everything a log may hold."""

LOG_VERSION = 1
API_VERSION = 1

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyFact] = msgspec.msgpack.Decoder(AnyFact)


def encode(fact: AnyFact) -> bytes:
    """Return a fact as msgpack, as the log holds it."""
    return _encoder.encode(fact)


def decode(payload: bytes) -> AnyFact:
    """Return the fact of a log record.

    Raises:
        msgspec.ValidationError: the payload is no fact of this version.
    """
    return _decoder.decode(payload)
