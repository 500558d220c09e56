"""Service: how merchants served their buyers, what buyers said of it, and what was contested."""

from typing import Annotated, Literal

from msgspec import Meta

from fieldline.facts.words import Fact, Id, Time

Words = Annotated[str, Meta(max_length=2_000)]


class Delivery(Fact, frozen=True, tag="delivery"):
    """An order reached its buyer; it is late where it was promised earlier."""

    id: Id
    at: Time
    order: Id
    promised: Time | None = None


class Review(Fact, frozen=True, tag="review"):
    """What the buyer of an order said of it, in stars and words."""

    id: Id
    at: Time
    order: Id
    stars: Annotated[int, Meta(ge=1, le=5)]
    text: Words = ""
    tone: Annotated[float, Meta(ge=-1.0, le=1.0)] | None = None
    """How its words sound, from −1 to 1; filled in as it is taken, where there is a model of sentiment."""


class Reply(Fact, frozen=True, tag="reply"):
    """What the merchant answered to a review."""

    id: Id
    at: Time
    review: Id
    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Dialogue(Fact, frozen=True, tag="dialogue"):
    """A viewer asked a merchant's service: how long the first answer took, and whether it solved the matter."""

    id: Id
    at: Time
    viewer: Id
    merchant: Id
    waited_ms: Annotated[int, Meta(ge=0, le=1 << 40)]
    solved: bool | None = None
    """None: nobody knows."""


Contestable = Literal["review", "refund", "delivery", "dialogue", "item"]


class Appeal(Fact, frozen=True, tag="appeal"):
    """A merchant or creator contests something: a review, a refund, a delivery, or that an item was refused."""

    id: Id
    at: Time
    by: Id
    kind: Contestable
    about: Id
    """The id of what is contested."""
    reason: Annotated[str, Meta(min_length=1, max_length=1_000)]


class Ruling(Fact, frozen=True, tag="ruling"):
    """A person decided an appeal: upheld, what was contested counts no longer, and an item is shown again."""

    id: Id
    at: Time
    appeal: Id
    upheld: bool
    reason: Annotated[str, Meta(max_length=1_000)] = ""


Service = Delivery | Review | Reply | Dialogue
"""What the platform tells of orders."""

Contested = Appeal | Ruling
"""What merchants and operators say of that."""

Served = Service | Contested
