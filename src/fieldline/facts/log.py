"""The log: all facts that it may hold, how time passes in it, and how they are written."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.facts.asked import Asked
from fieldline.facts.behaviour import Assumed, Behaviour
from fieldline.facts.catalogue import CatalogueEntry
from fieldline.facts.choices import ViewerErased
from fieldline.facts.deciding import Decision
from fieldline.facts.policy import Policy
from fieldline.facts.wishes import Leased, Wish, WishEnded, WishPaused
from fieldline.facts.words import Fact, Time


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
    | Asked
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
