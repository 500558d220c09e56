"""Words that all facts are made of: ids, times, money, places, and what a fact is."""

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
Domain = Literal["public", "private", "circle", "channel"]
"""How an impression came to its viewer: recommended; from whom they follow; near them; by a category they asked for.
The last two are the middle between public and private."""


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False, tag_field="type"):
    """What every fact is: frozen, tagged by its type, strict about its fields."""


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point on the earth in degrees (WGS 84)."""

    latitude: Annotated[float, Meta(ge=-90.0, le=90.0)]
    longitude: Annotated[float, Meta(ge=-180.0, le=180.0)]
