"""Repeat buyers' voices over HTTP: for a live room or an item page, and with their orders for who may check them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from fieldline.errors import Unknown
from fieldline.serve.openapi import replies
from fieldline.serve.owners import is_own
from fieldline.serve.problem import Fault, HttpError
from fieldline.serve.service import Service
from fieldline.serve.told import Identity, told
from fieldline.serve.wire import VoiceEvidence, VoicesReply, VoiceTold
from fieldline.traffic.shelf import merchant_of, product_of
from fieldline.traffic.state import State
from fieldline.trust.quotes import Quote, clean, quotes_of
from fieldline.trust.voices import Quotable, quotable

SHOWN = 6
MOST = 12

Most = Annotated[int, Query(ge=1, le=MOST, description="Most quotes")]
Evidenced = Annotated[bool, Query(description="With orders; for the operator and the merchant alone")]


def voices(service: Service) -> APIRouter:
    """Return the routes under /v1/merchants/{id} and /v1/items/{id} of what repeat buyers say."""
    router = APIRouter(prefix="/v1", tags=["trust"])
    listed = replies(VoicesReply, "The quotes, praise and criticism where there are both")

    @router.get("/merchants/{id:path}/voices", summary="What repeat buyers say", responses=listed)
    async def of_merchant(
        request: Request, id: Identity, most: Most = SHOWN, evidence: Evidenced = False
    ) -> Response:
        return await reply(request, id, None, most, evidence)

    @router.get(
        "/items/{id:path}/voices",
        summary="What repeat buyers say, of an item's product first",
        responses=listed,
    )
    async def of_item(
        request: Request, id: Identity, most: Most = SHOWN, evidence: Evidenced = False
    ) -> Response:
        merchant, product = seller_of(service.state, id)
        return await reply(request, merchant, product, most, evidence)

    async def reply(
        request: Request, merchant: str | None, product: str | None, most: int, evidence: bool
    ) -> Response:
        if evidence and not is_own(request, merchant):
            raise HttpError(
                403, "forbidden", (Fault("evidence", "is for the operator and the merchant alone"),)
            )
        reviews = reviews_of(service.state, merchant) if merchant is not None else []
        quotes = await asyncio.to_thread(quotes_of, reviews, most, product)  # decisions go on meanwhile
        return told(VoicesReply(merchant, len(reviews), tuple(voice_of(quote, evidence) for quote in quotes)))

    return router


def voices_of(state: State, merchant: str, most: int = SHOWN) -> tuple[VoiceTold, ...]:
    """Return what repeat buyers say of a merchant, without their orders.

    Args:
        state: only read.
        merchant: its id.
        most: how many quotes.

    Raises:
        Unknown: there is no such merchant.
    """
    return tuple(voice_of(quote, False) for quote in quotes_of(reviews_of(state, merchant), most))


def reviews_of(state: State, merchant: str) -> list[Quotable]:
    """Return the reviews of a merchant that may be quoted; its own accounts never are.

    Raises:
        Unknown: there is no such merchant.
    """
    fact = state.goods.merchants.get(merchant)
    if fact is None:
        raise Unknown("id", f"no merchant is called {merchant!r}")
    own = {state.people.names.find(account) for account in (merchant, *fact.accounts)}
    return quotable(state.trust.voices, merchant, own)


def seller_of(state: State, item: str) -> tuple[str | None, str | None]:
    """Return an item's merchant and its product, None where it has none.

    Raises:
        Unknown: there is no such item.
    """
    number = state.shelf.names.find(item)
    if number < 0:
        raise Unknown("id", f"no item is called {item!r}")
    fact = state.shelf.facts[number]
    return merchant_of(fact, state.goods), product_of(fact)


def voice_of(quote: Quote, evidence: bool) -> VoiceTold:
    """Return a quote as it is told, with what vouches for it where that is asked for."""
    review = quote.review
    return VoiceTold(
        quote.text, review.stars, quote.mood, len(review.orders), review.at, review.product,
        clean(review.reply) or None, VoiceEvidence(review.id, review.orders) if evidence else None,
    )  # fmt: skip
