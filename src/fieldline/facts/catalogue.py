"""The catalogue: people, goods and content, as a platform enters them."""

from typing import Annotated

from msgspec import Meta

from fieldline.facts.words import Fact, Id, Money, Name, Place, Share, Time, Word


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
    hearted: tuple[Id, ...] = ()
    """Videos liked before the log began, oldest first."""


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
    accounts: tuple[Id, ...] = ()
    """Viewers that are its own (owner, staff, helpers): what they buy or say counts for no merchant's index."""


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
