"""The routes and the page of organic prices: inclusion, newcomers, pools, credits, and what each costs."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fieldline.serve.body import user_of
from fieldline.serve.openapi import replies
from fieldline.serve.owners import OPERATOR, is_own
from fieldline.serve.pages import Language, Pages, language_of
from fieldline.serve.problem import Fault, HttpError
from fieldline.serve.service import Service
from fieldline.serve.told import Identity, told
from fieldline.traffic.organic import report


def organic(service: Service) -> APIRouter:
    """Return the routes that tell of organic prices; dials are set with the policy, pools as contracts."""
    router = APIRouter(prefix="/v1", tags=["organic"])

    @router.get(
        "/policy/organic", summary="Every organic price with a name, and what it costs",
        responses=replies(report.OrganicReport, "The prices"),
    )  # fmt: skip
    async def prices() -> Response:
        return told(report.organic_report(service.state))

    @router.get(
        "/policy/inclusion", summary="How equally creators are seen, and what that costs",
        responses=replies(report.InclusionReport, "The Gini and its price"),
    )  # fmt: skip
    async def inclusion() -> Response:
        return told(report.inclusion_report(service.state))

    @router.get(
        "/policy/newcomers", summary="Whether new works had their first looks in time",
        responses=replies(report.NewcomersReport, "The floors"),
    )  # fmt: skip
    async def newcomers() -> Response:
        return told(report.newcomers_report(service.state))

    @router.get(
        "/pools", summary="List pools, the newest first", responses=replies(report.PoolList, "The pools")
    )
    async def pools() -> Response:
        return told(report.pools_report(service.state))

    @router.get(
        "/pools/{id:path}", summary="A pool's statement, whole and by member",
        responses=replies(report.PoolReport, "The statement"),
    )  # fmt: skip
    async def pool(request: Request, id: Identity) -> Response:
        found, by = report.pool_report(service.state, id), user_of(request)
        if by in (OPERATOR, found.owner):
            return told(found)
        own = tuple(member for member in found.members if member.id == by)
        return told(msgspec.structs.replace(found, members=own))

    @router.get(
        "/merchants/{id:path}/credits", summary="What a merchant's paid exposure earned, and what became of it",
        responses=replies(report.CreditsReport, "The statement"),
    )  # fmt: skip
    async def credit(request: Request, id: Identity) -> Response:
        found = report.credits_report(service.state, id)
        if not is_own(request, id):
            raise HttpError(403, "forbidden", (Fault("id", "is for the operator and the merchant alone"),))
        return told(found)

    return router


def organic_pages(service: Service, pages: Pages) -> APIRouter:
    """Return the route of the operator's page on organic prices."""
    router = APIRouter(include_in_schema=False)

    @router.get("/policy/organic")
    async def show(request: Request, lang: Language = None) -> Response:
        state = service.state
        values = {
            "organic": report.organic_report(state),
            "inclusion": report.inclusion_report(state),
            "newcomers": report.newcomers_report(state),
            "pools": report.pools_report(state).items,
            "earned": state.policy.earned,
        }
        language = language_of(lang, request.headers.get("accept-language", ""))
        return pages.page("organic.html", language, values)

    return router
