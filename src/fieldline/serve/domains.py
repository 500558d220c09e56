"""The route of what domains brought: public, private, and the middle between them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from fieldline.contracts.horizon import day_of
from fieldline.errors import Refused
from fieldline.serve.campaigns import PATTERN
from fieldline.serve.openapi import replies
from fieldline.serve.service import Service
from fieldline.serve.told import told
from fieldline.traffic.assured import day_named
from fieldline.traffic.domains.funnel import KEPT_DAYS
from fieldline.traffic.domains.report import DomainReport, domain_report

From = Annotated[
    str | None,
    Query(alias="from", pattern=PATTERN, description="First day (UTC+8); absent: the oldest that is kept"),
]
To = Annotated[
    str | None, Query(alias="to", pattern=PATTERN, description="Last day (UTC+8), included; absent: today")
]
Merchant = Annotated[str | None, Query(max_length=128, description="Of one merchant; absent: of all")]
Creator = Annotated[str | None, Query(max_length=128, description="Of one creator; absent: of all")]


def domains(service: Service) -> APIRouter:
    """Return the route under /v1/domains."""
    router = APIRouter(prefix="/v1", tags=["operating"])

    @router.get(
        "/domains", summary="What each domain brought, from public to private",
        responses=replies(DomainReport, "The report"),
    )  # fmt: skip
    async def reported(
        first: From = None, last: To = None, merchant: Merchant = None, creator: Creator = None
    ) -> Response:
        today = day_of(service.state.now)
        start = _day("from", first) if first is not None else today - KEPT_DAYS + 1
        end = _day("to", last) if last is not None else max(today, start)
        return told(domain_report(service.state, start, end, merchant, creator))

    return router


def _day(field: str, text: str) -> int:
    try:
        return day_named(text)
    except Refused as refused:
        raise Refused(field, refused.reason) from None
