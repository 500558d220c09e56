"""What people type into the campaign pages: read strictly, each fault beside the field that it is about."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from fieldline.errors import Refused
from fieldline.facts import Wish
from fieldline.offers import OFFERS, Campaign, terms_of
from fieldline.serve.body import DOCUMENT_BYTES, media_of
from fieldline.serve.formats import CHINA, local, plain
from fieldline.serve.hot import read
from fieldline.serve.problem import wrong_media_type
from fieldline.units import YUAN

LONGEST_ID = 128
MEDIA = "application/x-www-form-urlencoded"
CAMPAIGNS = tuple(name for name, offer in OFFERS.items() if issubclass(offer.terms, Campaign))
"""Offers that the form can ask for."""
GOALS = tuple(name for name in CAMPAIGNS if "goal" in OFFERS[name].terms.__struct_fields__)
COSTS = tuple(name for name in CAMPAIGNS if "cost" in OFFERS[name].terms.__struct_fields__)
DAYS = tuple(name for name in CAMPAIGNS if "days" in OFFERS[name].terms.__struct_fields__)

Typed = Mapping[str, str]
"""What each field of a form holds."""


class Asked(NamedTuple):
    """A campaign as a form asks for it."""

    id: str
    offer: str
    owner: str
    terms: bytes


async def typed(request: Request) -> Typed:
    """Return the fields of a form, without what stands around them.

    Raises:
        HttpError: another media type, or too many bytes.
    """
    if media_of(request) != MEDIA:
        raise wrong_media_type(request.headers.get("content-type", ""), MEDIA)
    body = await read(request.receive, DOCUMENT_BYTES)
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    return {name: value.strip() for name, value in pairs}


def asked_of(form: Typed) -> Asked:
    """Return the campaign that a form asks for.

    Raises:
        Refused: a field that is no number, amount or time; the field is named.
    """
    offer, merchant = form.get("offer", ""), form.get("merchant", "")
    if offer not in CAMPAIGNS:
        raise Refused("offer", "is not one of the offers")
    terms: dict[str, Any] = {"merchant": merchant, "confirmed": form.get("confirmed") == "yes"}
    if not 1 <= len(form.get("id", "")) <= LONGEST_ID:
        raise Refused("id", f"must have 1 to {LONGEST_ID} characters")
    terms |= _common(form, offer)
    terms["start"] = _time(form, "start")
    if offer in DAYS:
        terms["days"] = int(_number(form, "days"))
    return Asked(form["id"], offer, merchant, msgspec.json.encode(terms))


def edited(wish: Wish, form: Typed) -> bytes:
    """Return the terms of a campaign with what a form changes in them; all else stays as it was.

    Raises:
        Refused: a field that is no number, amount or time; the field is named.
    """
    terms: dict[str, Any] = msgspec.json.decode(wish.terms)
    return msgspec.json.encode(terms | _common(form, wish.offer))


def filled(wish: Wish) -> Typed:
    """Return a campaign's terms as the fields of the form that edits it."""
    terms = terms_of(wish)
    assert isinstance(terms, Campaign)
    form = {"budget": plain(terms.budget), "daily": plain(terms.daily), "end": local(terms.end)}
    for name in ("goal", "cost"):
        value = getattr(terms, name, None)
        form[name] = "" if value is None else f"{value:g}"
    return form


def _common(form: Typed, offer: str) -> dict[str, Any]:
    """The terms that both forms hold."""
    terms: dict[str, Any] = {"budget": _money(form, "budget"), "end": _time(form, "end")}
    terms["daily"] = _money(form, "daily") if form.get("daily") else None
    both = offer in GOALS and offer in COSTS
    for name, offers in (("goal", GOALS), ("cost", COSTS)):
        if offer in offers:
            terms[name] = None if both and not form.get(name) else _number(form, name)
    return terms


def _number(form: Typed, field: str) -> float:
    return float(_decimal(form, field))


def _money(form: Typed, field: str) -> int:
    amount = _decimal(form, field) * YUAN
    if amount != amount.to_integral_value():
        raise Refused(f"terms.{field}", "has more than six decimals")
    return int(amount)


def _decimal(form: Typed, field: str) -> Decimal:
    text = form.get(field, "")
    if not text:
        raise Refused(f"terms.{field}", "is missing")
    try:
        value = Decimal(text.replace(",", "").removeprefix("¥"))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value) > 10**15:
        raise Refused(f"terms.{field}", "is not a number")
    return value


def _time(form: Typed, field: str) -> int:
    try:
        at = datetime.fromisoformat(form.get(field, ""))
    except ValueError:
        raise Refused(f"terms.{field}", "is not a day and time") from None
    if at.tzinfo is not None or at.year < 1971:
        raise Refused(f"terms.{field}", "is not a day and time")
    return int(at.replace(tzinfo=CHINA).timestamp() * 1000)
