"""Every route that is not hot: the catalogue, contracts, policy, decisions, health, metrics and the pages."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from fieldline.errors import FieldlineError
from fieldline.facts import CatalogueEntry, Creator, LiveRoom, Merchant, Policy, Product, Video, Viewer
from fieldline.serve import metrics as exposition
from fieldline.serve.body import document, documents, user_of
from fieldline.serve.campaign_pages import campaign_pages
from fieldline.serve.campaigns import beside, contracts
from fieldline.serve.domains import domains
from fieldline.serve.durable import durable
from fieldline.serve.metrics import Metrics
from fieldline.serve.models import ModelsReply, ReliabilityReply, models_of, reliability_of
from fieldline.serve.openapi import described, listed, replies, takes
from fieldline.serve.organic import organic, organic_pages
from fieldline.serve.overview import History, Overview, overview_of
from fieldline.serve.pages import Pages, pages_of
from fieldline.serve.preview import Turnstile, preview_pages, previews
from fieldline.serve.problem import MEDIA_TYPE, Fault, HttpError, not_taken, problem_of
from fieldline.serve.service import Service
from fieldline.serve.staging import rooms
from fieldline.serve.told import After, Identity, Limit, told
from fieldline.serve.trust import trust, trust_pages
from fieldline.serve.viewers import viewer_pages, viewers
from fieldline.serve.voices import voices
from fieldline.serve.wire import DecisionReply, UpsertReply, decision_of
from fieldline.traffic.explain import candidates

CATALOGUE: dict[str, type[CatalogueEntry]] = {
    "viewers": Viewer,
    "creators": Creator,
    "merchants": Merchant,
    "products": Product,
    "videos": Video,
    "live_rooms": LiveRoom,
}
SHOWN = 20
"""Recent decisions of an overview."""

log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


def admin(service: Service, metrics: Metrics, history: History) -> FastAPI:
    """Return the application of every route that is not hot.

    Args:
        service: the engine and its stores.
        metrics: what is counted.
        history: what the server noted since it started.
    """
    turnstile = Turnstile(service)
    app = FastAPI(title="Fieldline", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    routers = [
        viewers(service),
        trust(service),
        voices(service),
        organic(service),
    ]  # before the catalogue, whose ids may hold any path
    routers += [_catalogue(service, path, kind) for path, kind in CATALOGUE.items()]
    routers += [
        contracts(service),
        beside(service),
        domains(service),
        previews(turnstile),
        rooms(service),
        _operating(service, history),
        _system(app, service, metrics),
    ]
    pages = Pages()
    routers += [pages_of(service, history, pages), campaign_pages(service, history, pages)]
    routers += [organic_pages(service, pages), trust_pages(service, pages), viewer_pages(service, pages)]
    routers.append(preview_pages(service, turnstile, pages))
    for router in routers:
        app.include_router(router)
    answer = _problems([route for router in routers for route in router.routes])
    for error in (FieldlineError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(error, answer)
    return app


def _catalogue(service: Service, path: str, kind: type[CatalogueEntry]) -> APIRouter:
    router = APIRouter(prefix=f"/v1/{path}", tags=["catalogue"])
    tag = str(kind.__struct_config__.tag)
    name = tag.replace("_", " ")
    decode = msgspec.json.Decoder(kind).decode
    lines = takes(kind, "application/x-ndjson")
    what = f"Insert or replace {name}s, one a line, all or none"

    @router.post(
        "",
        summary=what,
        operation_id=f"put_{path}",
        openapi_extra=lines,
        responses=replies(UpsertReply, "How many"),
    )
    async def put(request: Request) -> Response:
        entries = await documents(request, decode)
        await durable(service.upsert(entries))
        return told(UpsertReply(len(entries)))

    @router.get(
        "", summary=f"List {name}s by id", operation_id=f"list_{path}", responses=listed(kind, "A page")
    )
    async def page(after: After = "", limit: Limit = 100) -> Response:
        entries = service.entries(tag, after, limit)
        following = entries[-1].id if len(entries) == limit else None
        return told({"items": entries, "next": following})

    one = replies(kind, f"The {name}")

    @router.get("/{id:path}", summary=f"Read one {name}", operation_id=f"read_{tag}", responses=one)
    async def read(id: Identity) -> Response:
        return told(service.entry(tag, id))

    return router


def _operating(service: Service, history: History) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["operating"])
    decode = msgspec.json.Decoder(Policy).decode

    @router.get("/policy", summary="Read every dial", responses=replies(Policy, "The policy"))
    async def read_policy() -> Response:
        return told(service.policy())

    @router.put(
        "/policy", summary="Set every dial", openapi_extra=takes(Policy), responses=replies(Policy, "As set")
    )
    async def set_policy(request: Request) -> Response:
        policy, by = await document(request, decode), user_of(request)
        await durable(service.set_policy(policy, by))
        return told(service.policy())

    @router.delete(
        "/viewers/{id:path}", status_code=204, summary="Forget a viewer, from the log too at its compaction",
        responses=replies(None, "Forgotten", 204),
    )  # fmt: skip
    async def erase(request: Request, id: Identity) -> Response:
        await durable(service.erase_viewer(id, user_of(request)))
        return Response(status_code=204)

    @router.get("/overview", summary="The market at a glance", responses=replies(Overview, "The market"))
    async def overview() -> Response:
        return told(overview_of(service.state, service.recent(SHOWN), history, service.models))

    @router.get("/models", summary="Which models decide", responses=replies(ModelsReply, "The models"))
    async def models() -> Response:
        return told(models_of(service.state, service.models))

    @router.get(
        "/models/reliability", summary="How often predictions came true",
        responses=replies(ReliabilityReply, "Bins by task"),
    )  # fmt: skip
    async def reliabilities() -> Response:
        return told(reliability_of(service.state))

    @router.get(
        "/decisions/{id:path}", summary="Explain a decision", responses=replies(DecisionReply, "The decision")
    )
    async def explain(id: Identity) -> Response:
        decision = service.decision(id)
        state = service.state
        parts = candidates(decision, state.shelf.names.ids, state.book.names.ids)
        return told(decision_of(decision, parts))

    return router


def _system(app: FastAPI, service: Service, metrics: Metrics) -> APIRouter:
    router = APIRouter(tags=["system"])
    metrics.watch(
        "fieldline_engine_time_seconds", "The engine's time, since 1970.", lambda: service.state.now / 1000
    )
    metrics.tally(
        "fieldline_model_rescored",
        "Candidates that the model outside was asked about, since it came.",
        lambda: service.state.outside.rescored,
    )
    metrics.tally(
        "fieldline_model_fallbacks",
        "Those of them whose chances the embedded predictor gave, the model having none.",
        lambda: service.state.outside.fallbacks,
    )

    @router.get("/healthz", summary="Whether the process lives", responses=replies(None, "It lives"))
    async def health() -> Response:
        return told({"alive": True})

    @router.get("/readyz", summary="Whether requests are answered", responses=replies(None, "They are"))
    async def ready() -> Response:
        return told({"ready": True})

    @router.get(
        "/metrics", summary="Metrics in Prometheus' text format", responses=replies(None, "The metrics")
    )
    async def expose() -> Response:
        return Response(metrics.exposition(), media_type=exposition.MEDIA_TYPE)

    @router.get("/openapi.json", include_in_schema=False)
    async def description() -> Response:
        return told(described(app))

    return router


def _problems(routes: Sequence[BaseRoute]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers every error of some routes."""

    async def answer(request: Request, error: Exception) -> Response:
        match error:
            case HTTPException(status_code=404):
                error = HttpError(404, "unknown")
            case HTTPException(status_code=405):
                error = HttpError(405, "method", headers=(("allow", ", ".join(_methods(routes, request))),))
            case RequestValidationError():
                error = not_taken(*[Fault(str(fault["loc"][-1]), fault["msg"]) for fault in error.errors()])
        problem, headers = problem_of(error, request.url.path)
        if problem.status == 500:
            log.error("%s: unexpected error", request.url.path, exc_info=error)
        return Response(_encode(problem), problem.status, dict(headers), MEDIA_TYPE)

    return answer


def _methods(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    """Return the methods that a path offers; the framework tells those of its first route alone."""
    offered = [route.methods for route in routes if isinstance(route, Route) and _fits(route, request)]
    return sorted({method for methods in offered for method in methods or ()})


def _fits(route: Route, request: Request) -> bool:
    return route.matches(request.scope)[0] is not Match.NONE
