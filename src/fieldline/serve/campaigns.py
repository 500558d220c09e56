"""The routes of contracts: make, read, edit, pause, resume, end, forecast, report; and offers and alerts."""

import asyncio
import inspect
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from fieldline.contracts.horizon import day_of
from fieldline.facts import Wish
from fieldline.offers import OFFERS
from fieldline.serve.body import document, user_of
from fieldline.serve.forecasts import Forecast, ForecastNew, forecast
from fieldline.serve.openapi import replies, takes
from fieldline.serve.service import Service
from fieldline.serve.told import After, Identity, Limit, told
from fieldline.serve.wire import (
    AssuranceReply,
    AssuredDay,
    ContractEdit,
    ContractList,
    ContractNew,
    ContractReply,
    OfferList,
    OfferReply,
    contract_of,
)
from fieldline.traffic import alerts as alerting
from fieldline.traffic import assured, report
from fieldline.traffic.learning import Learning, learning
from fieldline.traffic.search.report import SearchReport, TermReport, search_report, term_report
from fieldline.traffic.state import State
from fieldline.units import Instant

PATTERN = r"^\d{4}-\d{2}-\d{2}$"
From = Annotated[
    str | None,
    Query(alias="from", pattern=PATTERN, description="First day (UTC+8); absent: that of the campaign"),
]
To = Annotated[
    str | None, Query(alias="to", pattern=PATTERN, description="Last day (UTC+8), included; absent: today")
]
By = Annotated[report.By, Query(description="How the report is split")]


def contracts(service: Service) -> APIRouter:
    """Return the routes under /v1/contracts that make and change contracts."""
    router = APIRouter(prefix="/v1/contracts", tags=["contracts"])
    decode_new = msgspec.json.Decoder(ContractNew).decode
    decode_edit = msgspec.json.Decoder(ContractEdit).decode
    decode_asked = msgspec.json.Decoder(ForecastNew).decode
    one = replies(ContractReply, "The contract")

    def shown(wish: Wish, paused: bool) -> ContractReply:
        return contract_of(wish, paused, service.state.book.ended.get(wish.id))

    @router.post(
        "", status_code=201, summary="Make a contract through an offer", openapi_extra=takes(ContractNew),
        responses=replies(ContractReply, "The contract", 201),
    )  # fmt: skip
    async def create(request: Request) -> Response:
        asked, by = await document(request, decode_new), user_of(request)
        wish = service.put_contract(asked.id, asked.offer, asked.owner, bytes(asked.terms), by)
        return told(shown(wish, False), 201)

    @router.post(
        "/forecast", summary="Forecast a contract without making it", openapi_extra=takes(ForecastNew),
        responses=replies(Forecast, "What it may expect"),
    )  # fmt: skip
    async def foresee(request: Request) -> Response:
        asked = await document(request, decode_asked)
        return told(forecast(service.state, asked.offer, asked.owner, bytes(asked.terms)))

    @router.get("", summary="List contracts by id", responses=replies(ContractList, "A page"))
    async def page(after: After = "", limit: Limit = 100) -> Response:
        wishes = service.wishes(after, limit)
        following = wishes[-1][0].id if len(wishes) == limit else None
        return told(ContractList(tuple(shown(*wish) for wish in wishes), following))

    @router.post("/{id:path}/pause", summary="Pause a contract", responses=one)
    async def pause(request: Request, id: Identity) -> Response:
        service.pause_contract(id, True, user_of(request))
        return told(shown(*service.wish(id)))

    @router.post("/{id:path}/resume", summary="Resume a paused contract", responses=one)
    async def resume(request: Request, id: Identity) -> Response:
        service.pause_contract(id, False, user_of(request))
        return told(shown(*service.wish(id)))

    @router.post("/{id:path}/end", summary="End a contract for good", responses=one)
    async def end(request: Request, id: Identity) -> Response:
        service.end_contract(id, user_of(request))
        return told(shown(*service.wish(id)))

    _looking(router, service)

    @router.get("/{id:path}", summary="Read one contract", responses=one)
    async def read(id: Identity) -> Response:
        return told(shown(*service.wish(id)))

    @router.patch(
        "/{id:path}", summary="Edit a contract's terms", openapi_extra=takes(ContractEdit), responses=one
    )
    async def edit(request: Request, id: Identity) -> Response:
        asked, by = await document(request, decode_edit), user_of(request)
        wish, paused = service.wish(id)
        changed = service.put_contract(id, wish.offer, wish.owner, bytes(asked.terms), by, asked.version)
        return told(shown(changed, paused))

    return router


def beside(service: Service) -> APIRouter:
    """Return the routes of what there is to ask for, and of what should be known."""
    router = APIRouter(prefix="/v1", tags=["contracts"])
    offered = told(OfferList(tuple(_offers())))

    @router.get("/offers", summary="List what can be asked for", responses=replies(OfferList, "The offers"))
    async def offers() -> Response:
        return offered

    @router.get(
        "/searches", summary="What was searched, and what found nothing, in the last week",
        responses=replies(SearchReport, "The searches"),
    )  # fmt: skip
    async def searches() -> Response:
        today = day_of(service.state.now)
        return told(search_report(service.state, today - 6, today))

    @router.get(
        "/alerts", summary="What should be known now", responses=replies(alerting.Alerts, "The alerts")
    )
    async def alerts() -> Response:
        state, found = service.state, list(alerting.of_model(service.state))
        for wish in tuple(state.book.wishes):
            found += alerting.alerts(state, wish)
            await asyncio.sleep(0)  # thousands of contracts must not hold up decisions
        return told(alerting.Alerts(state.now, alerting.urgent_first(found)))

    return router


def assurance_of(state: State, id: str, first: int, last: int) -> AssuranceReply:
    """Return where the assurance of each day of a campaign stands, of the days in which it ran.

    Args:
        state: only read.
        id: the campaign.
        first: day, counted from 1970-01-01 in UTC+8.
        last: likewise, included.
    """
    number = report.contract_of(state, id)
    days = []
    for day in sorted(state.tallies.get(number, {})):
        if first <= day <= last:
            found = assured.finding(state, number, day)
            result = state.credited.get((number, day), found.result)
            days.append(
                AssuredDay(
                    assured.date_of(day), assured.standing(state, number, day, Instant(state.now)), result
                )
            )
    return AssuranceReply(id, tuple(days))


def _looking(router: APIRouter, service: Service) -> None:
    """Add the routes that tell what a campaign did."""

    def days(id: str, first: str | None, last: str | None) -> tuple[int, int]:
        state = service.state
        return report.period(state, report.contract_of(state, id), first, last)

    @router.get(
        "/{id:path}/report", summary="What a campaign did, split one way",
        responses=replies(report.Report, "The report"),
    )  # fmt: skip
    async def reported(id: Identity, first: From = None, last: To = None, by: By = "day") -> Response:
        return told(report.report(service.state, id, *days(id, first, last), by))

    @router.get(
        "/{id:path}/rois", summary="The four returns of a campaign, day by day",
        responses=replies(report.Returns, "The returns"),
    )  # fmt: skip
    async def returned(id: Identity, first: From = None, last: To = None) -> Response:
        return told(report.returns(service.state, id, *days(id, first, last)))

    @router.get(
        "/{id:path}/assurance", summary="Where the assurance of each day stands",
        responses=replies(AssuranceReply, "Day by day"),
    )  # fmt: skip
    async def assurance(id: Identity, first: From = None, last: To = None) -> Response:
        return told(assurance_of(service.state, id, *days(id, first, last)))

    @router.get(
        "/{id:path}/terms", summary="What viewers searched when it paid to be found",
        responses=replies(TermReport, "The search terms"),
    )  # fmt: skip
    async def searched(id: Identity, first: From = None, last: To = None) -> Response:
        return told(term_report(service.state, id, *days(id, first, last)))

    @router.get(
        "/{id:path}/learning",
        summary="How far a campaign has learned",
        responses=replies(Learning, "How far"),
    )
    async def learned(id: Identity) -> Response:
        return told(learning(service.state, report.contract_of(service.state, id)))


def _offers() -> list[OfferReply]:
    schema, encode = msgspec.json.schema, msgspec.json.encode
    return [
        OfferReply(name, inspect.getdoc(offer.terms) or "", msgspec.Raw(encode(schema(offer.terms))))
        for name, offer in OFFERS.items()
    ]
