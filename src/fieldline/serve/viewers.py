"""What viewers see and choose of themselves: their intents, and whether they are treated personally."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import Chosen, IntentCorrected, IntentsReset, Personalised, Stage
from fieldline.people.intent import STAGES
from fieldline.serve.body import document, user_of
from fieldline.serve.durable import durable
from fieldline.serve.formats import path
from fieldline.serve.forms import typed
from fieldline.serve.openapi import replies, takes
from fieldline.serve.pages import Language, Pages, language_of
from fieldline.serve.problem import Fault
from fieldline.serve.service import Service
from fieldline.serve.told import Identity, told
from fieldline.serve.wire import IntentList, IntentReply, PersonalisationSet, StageSet
from fieldline.traffic.intents import standing

WAYS = ("correct", "reset", "personalisation")
"""What the forms of the page ask for."""
Category = Annotated[str, Path(min_length=1, max_length=64)]


def viewers(service: Service) -> APIRouter:
    """Return the routes under /v1/viewers/{id} by which a viewer sees, corrects, resets and opts out."""
    router = APIRouter(prefix="/v1/viewers", tags=["viewers"])
    decode_stage = msgspec.json.Decoder(StageSet).decode
    decode_choice = msgspec.json.Decoder(PersonalisationSet).decode
    listed = replies(IntentList, "The viewer's intents, the surest first")

    @router.get("/{id:path}/intents", summary="See what is inferred of a viewer", responses=listed)
    async def see(id: Identity) -> Response:
        return told(intents_of(service, id))

    @router.put(
        "/{id:path}/intents/{category:path}", summary="Correct one intent of a viewer",
        openapi_extra=takes(StageSet), responses=listed,
    )  # fmt: skip
    async def correct(request: Request, id: Identity, category: Category) -> Response:
        asked = await document(request, decode_stage)
        chosen = IntentCorrected(id, service.now(), category, asked.stage)
        await durable(service.choose(chosen, user_of(request)))
        return told(intents_of(service, id))

    @router.delete(
        "/{id:path}/intents", status_code=204, summary="Forget what was inferred of a viewer",
        responses=replies(None, "Forgotten", 204),
    )  # fmt: skip
    async def reset(request: Request, id: Identity) -> Response:
        await durable(service.choose(IntentsReset(id, service.now()), user_of(request)))
        return Response(status_code=204)

    @router.put(
        "/{id:path}/personalisation", summary="Opt out of personalisation, or in again",
        openapi_extra=takes(PersonalisationSet), responses=listed,
    )  # fmt: skip
    async def choose(request: Request, id: Identity) -> Response:
        asked = await document(request, decode_choice)
        await durable(service.choose(Personalised(id, service.now(), asked.on), user_of(request)))
        return told(intents_of(service, id))

    return router


def viewer_pages(service: Service, pages: Pages) -> APIRouter:
    """Return the routes of the viewer's own page."""
    router = APIRouter(include_in_schema=False)

    def page(id: str, lang: str, fault: Fault | None = None) -> Response:
        values = {"viewer": id, "view": intents_of(service, id), "stages": STAGES, "fault": fault}
        return pages.page("viewer.html", lang, values, 422 if fault else 200)

    @router.get("/viewers/{id:path}")
    async def show(request: Request, id: Identity, lang: Language = None) -> Response:
        return page(id, language_of(lang, request.headers.get("accept-language", "")))

    @router.post("/viewers/{id:path}/{way}")
    async def change(request: Request, id: Identity, way: str) -> Response:
        form, by = await typed(request), user_of(request)
        lang = language_of(form.get("lang"), request.headers.get("accept-language", ""))
        intents_of(service, id)  # a viewer that nothing has is no fault of the form
        if way not in WAYS:
            raise Unknown("id", f"nothing at {id!r} is called {way!r}")
        try:
            chosen = asked_of(way, id, form.get("category", ""), form.get("choice", ""), service.now())
            await durable(service.choose(chosen, by))
        except (Refused, Conflict) as refused:
            return page(id, lang, Fault(refused.field, refused.reason))
        return RedirectResponse(f"/viewers/{path(id)}?lang={lang}", 303)

    return router


def asked_of(way: str, id: str, category: str, choice: str, at: int) -> Chosen:
    """Return what a form of the viewer's page asks for.

    Args:
        way: one of `WAYS`.
        id: the viewer.
        category: of a correction.
        choice: a stage or `none`; `on` or `off`.
        at: now.

    Raises:
        Refused: a choice that is none.
    """
    match way, choice:
        case "reset", _:
            return IntentsReset(id, at)
        case "personalisation", "on" | "off":
            return Personalised(id, at, choice == "on")
        case "correct", _:
            stages: dict[str, Stage | None] = {stage: stage for stage in STAGES} | {"none": None}
            if choice in stages:
                return IntentCorrected(id, at, _category(category), stages[choice])
    raise Refused("choice", "is not one of those offered")


def intents_of(service: Service, id: str) -> IntentList:
    """Return a viewer's intents as the viewer is told them.

    Raises:
        Unknown: there is no such viewer.
    """
    at = service.now()
    now = standing(service.state, id, at)
    found = tuple(IntentReply(of.category, of.stage, round(of.confidence, 4), of.said) for of in now.intents)
    return IntentList(id, at, now.personalised, found, now.unwanted)


def _category(typed: str) -> str:
    if not 1 <= len(typed) <= 64:
        raise Refused("category", "must have 1 to 64 characters")
    return typed
