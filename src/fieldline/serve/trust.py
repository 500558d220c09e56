"""Trust over HTTP: a merchant's index and advice, appeals and rulings, and the page of both."""

from typing import Annotated, get_args

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fieldline.errors import Refused, Unknown
from fieldline.facts import Appeal, Contestable, Ruling
from fieldline.serve.body import document, user_of
from fieldline.serve.durable import durable
from fieldline.serve.formats import path
from fieldline.serve.forms import Typed, typed
from fieldline.serve.openapi import replies, takes
from fieldline.serve.owners import is_own, only
from fieldline.serve.pages import Language, Pages, language_of
from fieldline.serve.problem import Fault
from fieldline.serve.service import Service
from fieldline.serve.told import Identity, told
from fieldline.serve.voices import voices_of
from fieldline.serve.wire import AppealList, AppealNew, AppealReply, RulingNew
from fieldline.traffic import trust_report
from fieldline.traffic.trust_report import TrustTold
from fieldline.trust import appeals
from fieldline.trust.appeals import Case

KINDS: tuple[Contestable, ...] = get_args(Contestable)
RULINGS = ("uphold", "reject")
By = Annotated[str | None, Query(max_length=128, description="Who appealed; absent: all")]


def trust(service: Service) -> APIRouter:
    """Return the routes of merchants' trust and of appeals."""
    router = APIRouter(prefix="/v1", tags=["trust"])
    decode_appeal = msgspec.json.Decoder(AppealNew).decode
    decode_ruling = msgspec.json.Decoder(RulingNew).decode
    one = replies(AppealReply, "The appeal")

    @router.get(
        "/merchants/{id:path}/trust", summary="A merchant's index, what it is made of, and advice",
        responses=replies(TrustTold, "The index"),
    )  # fmt: skip
    async def index(id: Identity) -> Response:
        return told(trust_report.told(service.state, id))

    @router.get(
        "/appeals", summary="List appeals, newest first", responses=replies(AppealList, "The appeals")
    )
    async def statement(request: Request, by: By = None) -> Response:
        only(request, *((by,) if by else ()))
        found = appeals.statement(service.state.trust.appeals, by)
        return told(AppealList(tuple(reply_of(case) for case in found)))

    @router.post(
        "/appeals", status_code=201, summary="Contest a review, refund, delivery, dialogue or a refused item",
        openapi_extra=takes(AppealNew), responses=replies(AppealReply, "The appeal", 201),
    )  # fmt: skip
    async def contest(request: Request) -> Response:
        asked, by = await document(request, decode_appeal), user_of(request)
        only(request, asked.by)
        fact = Appeal(asked.id, service.now(), asked.by, asked.kind, asked.about, asked.reason)
        await durable(service.appeal(fact, by))
        return told(reply_of(case_of(service, asked.id)), 201)

    @router.post(
        "/appeals/{id:path}/ruling", summary="Rule on an appeal; a later ruling takes an earlier one's place",
        openapi_extra=takes(RulingNew), responses=one,
    )  # fmt: skip
    async def rule(request: Request, id: Identity) -> Response:
        asked, by = await document(request, decode_ruling), user_of(request)
        only(request)
        case_of(service, id)
        await durable(service.rule(ruling_of(service, id, asked.upheld, asked.reason), by))
        return told(reply_of(case_of(service, id)))

    @router.get("/appeals/{id:path}", summary="Read one appeal", responses=one)
    async def read(request: Request, id: Identity) -> Response:
        case = case_of(service, id)
        only(request, case.by)
        return told(reply_of(case))

    return router


def trust_pages(service: Service, pages: Pages) -> APIRouter:
    """Return the routes of a merchant's trust page."""
    router = APIRouter(include_in_schema=False)

    def page(request: Request, id: str, lang: str, fault: Fault | None = None) -> Response:
        view = trust_report.told(service.state, id)
        own = is_own(request, id)
        cases = appeals.statement(service.state.trust.appeals, id) if own else ()
        shop = service.state.goods.merchants[id]
        values = {
            "merchant": id,
            "name": shop.name or id,
            "view": view,
            "cases": cases,
            "said": voices_of(service.state, id),
            "kinds": KINDS,
            "fault": fault,
        }
        return pages.page("trust.html", lang, values, 422 if fault else 200)

    @router.get("/merchants/{id:path}/trust")
    async def show(request: Request, id: Identity, lang: Language = None) -> Response:
        return page(request, id, language_of(lang, request.headers.get("accept-language", "")))

    @router.post("/merchants/{id:path}/trust/{way}")
    async def change(request: Request, id: Identity, way: str) -> Response:
        form, by = await typed(request), user_of(request)
        lang = language_of(form.get("lang"), request.headers.get("accept-language", ""))
        trust_report.told(service.state, id)  # a merchant that nothing has is no fault of the form
        if way != "appeal" and way not in RULINGS:
            raise Unknown("id", f"nothing at {id!r} is called {way!r}")
        only(request, *((id,) if way == "appeal" else ()))
        try:
            if way == "appeal":
                await durable(service.appeal(appeal_of(service, id, form), by))
            else:
                appeal, reason = form.get("appeal", ""), form.get("reason", "")
                await durable(service.rule(ruling_of(service, appeal, way == "uphold", reason), by))
        except Refused as refused:
            return page(request, id, lang, Fault(refused.field, refused.reason))
        return RedirectResponse(f"/merchants/{path(id)}/trust?lang={lang}", 303)

    return router


def reply_of(case: Case) -> AppealReply:
    """Return what is told of an appeal."""
    return AppealReply(
        case.id, case.at, case.by, case.kind, case.about, case.reason,
        case.status, case.ruled_at or None, case.ruling,
    )  # fmt: skip


def case_of(service: Service, id: str) -> Case:
    """Return an appeal.

    Raises:
        Unknown: there is none of this id.
    """
    case = service.state.trust.appeals.cases.get(id)
    if case is None:
        raise Unknown("id", f"no appeal is called {id!r}")
    return case


def appeal_of(service: Service, merchant: str, form: Typed) -> Appeal:
    """Return the appeal that the page's form asks for.

    Raises:
        Refused: a kind that is none, nothing named, or no reason.
    """
    about, reason = form.get("about", ""), form.get("reason", "")
    if not 1 <= len(about) <= 128:
        raise Refused("about", "must have 1 to 128 characters")
    if not 1 <= len(reason) <= 1_000:
        raise Refused("reason", "must have 1 to 1000 characters")
    number = len(service.state.trust.appeals.cases) + 1
    while f"appeal-{number}" in service.state.trust.appeals.cases:
        number += 1
    return Appeal(f"appeal-{number}", service.now(), merchant, _kind(form.get("kind", "")), about, reason)


def ruling_of(service: Service, appeal: str, upheld: bool, reason: str) -> Ruling:
    """Return a ruling now.

    Raises:
        Refused: its reason is too long.
    """
    if len(reason) > 1_000:
        raise Refused("reason", "must have at most 1000 characters")
    now = service.now()
    return Ruling(f"{appeal}@{now}"[:128], now, appeal, upheld, reason)


def _kind(typed: str) -> Contestable:
    for kind in KINDS:
        if typed == kind:
            return kind
    raise Refused("kind", "is not one of those offered")
