"""The routes of live rooms' plans: what a room is about to sell, and for whom that is."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fieldline.errors import Refused, Unknown
from fieldline.facts import LiveRoom, StagedOffer
from fieldline.serve.body import document, user_of
from fieldline.serve.durable import durable
from fieldline.serve.openapi import replies, takes
from fieldline.serve.owners import only
from fieldline.serve.service import Service
from fieldline.serve.told import Identity, told
from fieldline.serve.wire import (
    MOST_PRODUCTS,
    AudienceAsk,
    AudienceReply,
    PlannedOffer,
    PlanReply,
    PlanSet,
    Progress,
)
from fieldline.traffic import staging
from fieldline.traffic.audiences import audiences
from fieldline.traffic.shelf import creator_of, merchant_of
from fieldline.traffic.state import State


def rooms(service: Service) -> APIRouter:
    """Return the routes under /v1/rooms."""
    router = APIRouter(prefix="/v1/rooms", tags=["live rooms"])
    decode_plan = msgspec.json.Decoder(PlanSet).decode
    decode_ask = msgspec.json.Decoder(AudienceAsk).decode
    planned = replies(PlanReply, "The plan as it stands")

    @router.get("/{id:path}/plan", summary="Read what a live room is about to sell", responses=planned)
    async def read(id: Identity) -> Response:
        return told(plan_of(service.state, id, service.now()))

    @router.put(
        "/{id:path}/plan", summary="Plan what a live room is about to sell, delay it or pull it",
        openapi_extra=takes(PlanSet), responses=planned,
    )  # fmt: skip
    async def plan(request: Request, id: Identity) -> Response:
        asked = await document(request, decode_plan)
        only(request, *_owners(service.state, id))
        await durable(service.stage(id, asked.offers, user_of(request), asked.version))
        return told(plan_of(service.state, id, service.now()))

    @router.post(
        "/{id:path}/audience", summary="See for whom products of a live room are",
        openapi_extra=takes(AudienceAsk), responses=replies(AudienceReply, "The audiences"),
    )  # fmt: skip
    async def audience(request: Request, id: Identity) -> Response:
        asked = await document(request, decode_ask)
        only(request, *_owners(service.state, id))
        return told(audience_of(service.state, id, asked.products, service.now()))

    return router


def plan_of(state: State, room: str, at: int) -> PlanReply:
    """Return the plan of a live room as it stands at a moment.

    Raises:
        Unknown: there is no such room.
    """
    item = _room(state, room)
    plan = state.staging.plans.get(room)
    leaving = staging.hazard(state.staging)
    offers = tuple(
        PlannedOffer(
            offer.product, offer.starts_at, offer.ends_at, offer.price, _status(offer, at),
            round(staging.kept(state.staging, leaving, item, offer.starts_at - at), 4),
        )
        for offer in (plan.offers if plan else ())
    )  # fmt: skip
    return PlanReply(room, plan.version if plan else 0, plan.at if plan else 0, offers)


def audience_of(state: State, room: str, products: tuple[str, ...] | None, at: int) -> AudienceReply:
    """Return for whom products of a live room are.

    Raises:
        Unknown: a room or product that nothing has.
        Refused: a product that is named twice.
    """
    _room(state, room)
    plan = state.staging.plans.get(room)
    if products is None:
        ahead = [offer.product for offer in plan.offers if _status(offer, at) != "over"] if plan else []
        products = tuple(dict.fromkeys(ahead))[:MOST_PRODUCTS]
    for number, product in enumerate(products):
        if product not in state.goods.products:
            raise Unknown(f"products[{number}]", f"no product is called {product!r}")
        if product in products[:number]:
            raise Refused(f"products[{number}]", "is there twice")
    return AudienceReply(room, at, audiences(state, room, products, at))


def _room(state: State, room: str) -> int:
    item = state.shelf.names.find(room)
    if item < 0 or not isinstance(state.shelf.facts[item], LiveRoom):
        raise Unknown("id", f"no live room is called {room!r}")
    return item


def _owners(state: State, room: str) -> tuple[str | None, str | None]:
    """A room's host, and the merchant whose goods it sells."""
    fact = state.shelf.facts[_room(state, room)]
    return creator_of(fact), merchant_of(fact, state.goods)


def _status(offer: StagedOffer, at: int) -> Progress:
    if offer.starts_at > at:
        return "due" if offer.starts_at - at <= staging.AHEAD else "waiting"
    return "on" if offer.ends_at is not None and offer.ends_at > at else "over"
