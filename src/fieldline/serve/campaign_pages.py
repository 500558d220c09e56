"""The pages of campaigns: one of each, with its report and its forms, and one to make a new one."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fieldline.contracts.horizon import day_end
from fieldline.errors import Conflict, OutOfReach, Refused, Unknown
from fieldline.offers import OFFERS
from fieldline.serve.body import user_of
from fieldline.serve.campaigns import assurance_of
from fieldline.serve.forecasts import Forecast, forecast
from fieldline.serve.formats import local, path
from fieldline.serve.forms import CAMPAIGNS, COSTS, DAYS, GOALS, Asked, Typed, asked_of, edited, filled, typed
from fieldline.serve.overview import History, standing_of
from fieldline.serve.pages import LANGUAGES, Language, Pages, language_of
from fieldline.serve.problem import Fault
from fieldline.serve.service import Service
from fieldline.traffic import report
from fieldline.traffic.search.report import term_report
from fieldline.units import DAY, HOUR, MINUTE

WEEK = 7
SHOPS = 500
"""Most shops that the form suggests."""
Identity = Annotated[str, Path(min_length=1, max_length=128)]
By = Annotated[report.By, Query()]


def campaign_pages(service: Service, history: History, pages: Pages) -> APIRouter:
    """Return the routes of the campaigns' pages.

    Args:
        service: the engine and its stores.
        history: what the server noted since it started.
        pages: templates and texts.
    """
    router = APIRouter(include_in_schema=False)

    def language(request: Request, asked: str | None) -> str:
        return language_of(asked, request.headers.get("accept-language", ""))

    def one(
        id: str, lang: str, by: report.By, form: Typed | None = None, fault: Fault | None = None
    ) -> Response:
        view = view_of(service, history, id, by)
        view |= {"form": form or view["form"], "fault": fault}
        return pages.page("campaign.html", lang, view, 422 if fault else 200)

    def new(
        lang: str,
        form: Typed,
        expected: Forecast | None = None,
        fault: Fault | None = None,
        note: str | None = None,
    ) -> Response:
        shops = sorted(service.state.goods.merchants.values(), key=lambda shop: shop.id)[:SHOPS]
        values: dict[str, object] = {"form": form, "shops": shops, "expected": expected, "fault": fault}
        values |= {"offers": CAMPAIGNS, "goals": GOALS, "costs": COSTS, "day_offers": DAYS, "note": note}
        return pages.page("new.html", lang, values, 422 if fault else 200)

    @router.get("/campaigns/new")
    async def blank(request: Request, lang: Language = None) -> Response:
        return new(language(request, lang), blank_form(service))

    @router.post("/campaigns/new")
    async def make(request: Request) -> Response:
        form, by = await typed(request), user_of(request)
        lang = language(request, form.get("lang"))
        try:
            asked = asked_of(form)
            if form.get("step") == "create":
                service.put_contract(asked.id, asked.offer, asked.owner, asked.terms, by)
                return _see(asked.id, lang)
        except OutOfReach:
            pass  # the page says so beside the forecast, and asks for a confirmation
        except Refused as refused:
            return new(lang, form, fault=Fault(refused.field, refused.reason))
        return _foretold(asked, form, lang)

    def _foretold(asked: Asked, form: Typed, lang: str) -> Response:
        try:
            expected = forecast(service.state, asked.offer, asked.owner, asked.terms)
        except Conflict as conflict:
            if conflict.field == "terms":
                return new(lang, form, note="too_little")
            return new(lang, form, fault=Fault(conflict.field, conflict.reason))
        except Refused as refused:
            return new(lang, form, fault=Fault(refused.field, refused.reason))
        return new(lang, form, expected)

    @router.get("/campaigns/{id:path}")
    async def show(request: Request, id: Identity, lang: Language = None, by: By = "hour") -> Response:
        return one(id, language(request, lang), by)

    @router.post("/campaigns/{id:path}/edit")
    async def edit(request: Request, id: Identity) -> Response:
        form, by = await typed(request), user_of(request)
        lang = language(request, form.get("lang"))
        wish, _ = service.wish(id)
        try:
            version = int(form["version"]) if form.get("version", "").isdecimal() else 0
            service.put_contract(id, wish.offer, wish.owner, edited(wish, form), by, version)
        except Refused as refused:
            return one(id, lang, "hour", form, Fault(refused.field, refused.reason))
        return _see(id, lang)

    @router.post("/campaigns/{id:path}/{way}")
    async def change(request: Request, id: Identity, way: str) -> Response:
        form, by = await typed(request), user_of(request)
        lang = language(request, form.get("lang"))
        if way not in ("pause", "resume", "end"):
            raise Unknown("id", f"nothing at {id!r} is called {way!r}")
        try:
            if way == "end":
                service.end_contract(id, by)
            else:
                service.pause_contract(id, way == "pause", by)
        except Conflict as conflict:
            return one(id, lang, "hour", fault=Fault(conflict.field, conflict.reason))
        return _see(id, lang)

    return router


def view_of(service: Service, history: History, id: str, by: report.By) -> dict[str, object]:
    """Return all that a campaign's page shows.

    Args:
        service: the engine and its stores.
        history: what the server noted since it started.
        id: the campaign.
        by: how its report is split.

    Raises:
        Unknown: there is none.
        Refused: it was granted, not bought.
    """
    state = service.state
    wish, _ = service.wish(id)
    number = report.contract_of(state, id)
    first, last = report.period(state, number, None, None)
    standing = standing_of(state, id, history)
    return {
        "at": state.now,
        "wish": wish,
        "contract": standing,
        "merchant": state.book.contracts[number].merchant,
        "report": report.report(state, id, first, last, by),
        "hours": report.report(state, id, first, last, "hour").rows,
        "returns": report.returns(state, id, first, last),
        "assurance": assurance_of(state, id, first, last),
        "assured": state.book.contracts[number].assured,
        "searched": term_report(state, id, first, last),
        "by": by,
        "ways": report.BY,
        "terms": OFFERS[wish.offer].terms.__struct_fields__,
        "form": filled(wish),
    }


def blank_form(service: Service) -> Mapping[str, str]:
    """Return the fields of a form for a new campaign: of a week, from now on."""
    now = service.state.now
    start = now - now % MINUTE + MINUTE
    end = day_end(now) + (WEEK - 1) * DAY if day_end(now) - now >= HOUR else day_end(now) + WEEK * DAY
    count = 1 + len(service.state.book.wishes)
    while f"campaign-{count}" in service.state.book.wishes:
        count += 1
    return {
        "id": f"campaign-{count}",
        "offer": "storewide",
        "days": "30",
        "start": local(start),
        "end": local(end),
    }


def _see(id: str, language: str) -> Response:
    assert language in LANGUAGES
    return RedirectResponse(f"/campaigns/{path(id)}?lang={language}", 303)
