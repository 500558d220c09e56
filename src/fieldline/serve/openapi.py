"""The description of every route (OpenAPI 3.1), its schemas taken from the facts themselves."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fieldline.facts import API_VERSION, Creator, LiveRoom, Merchant, Policy, Product, Request, Video, Viewer
from fieldline.serve.forecasts import Forecast, ForecastNew
from fieldline.serve.models import ModelsReply, ReliabilityReply
from fieldline.serve.overview import Overview
from fieldline.serve.problem import MEDIA_TYPE, Problem
from fieldline.serve.wire import (
    AppealList,
    AppealNew,
    AppealReply,
    AssuranceReply,
    AudienceAsk,
    AudienceReply,
    ContractEdit,
    ContractList,
    ContractNew,
    ContractReply,
    DecideReply,
    DecisionReply,
    EventBatch,
    EventsReply,
    IntentList,
    OfferList,
    PersonalisationSet,
    PlanReply,
    PlanSet,
    RulingNew,
    StageSet,
    UpsertReply,
    VoicesReply,
)
from fieldline.traffic.alerts import Alerts
from fieldline.traffic.domains.report import DomainReport
from fieldline.traffic.learning import Learning
from fieldline.traffic.organic import report as organic
from fieldline.traffic.preview import Preview
from fieldline.traffic.report import Report, Returns
from fieldline.traffic.search.report import SearchReport, TermReport
from fieldline.traffic.trust_report import TrustTold

ALONE = (Viewer, Creator, Merchant, Product, Video, LiveRoom, Request, Policy)
"""Facts that stand alone where they are sent, so that they need not say their type."""
SCHEMAS = (
    *ALONE,
    DecideReply,
    EventBatch,
    EventsReply,
    UpsertReply,
    IntentList,
    StageSet,
    PersonalisationSet,
    ContractNew,
    ContractEdit,
    ContractReply,
    ContractList,
    OfferList,
    ForecastNew,
    Forecast,
    Report,
    Returns,
    TermReport,
    SearchReport,
    DomainReport,
    PlanSet,
    PlanReply,
    AudienceAsk,
    AudienceReply,
    AssuranceReply,
    Learning,
    Alerts,
    DecisionReply,
    ModelsReply,
    ReliabilityReply,
    TrustTold,
    AppealNew,
    AppealReply,
    AppealList,
    RulingNew,
    VoicesReply,
    organic.OrganicReport,
    organic.InclusionReport,
    organic.NewcomersReport,
    organic.PoolList,
    organic.PoolReport,
    organic.CreditsReport,
    Preview,
    Overview,
    Problem,
)

Json = dict[str, Any]


def reference(kind: type[msgspec.Struct]) -> Json:
    """Return the reference to a type's schema."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def takes(kind: type[msgspec.Struct], media: str = "application/json") -> Json:
    """Return what a route's description says of its body; JSON Lines hold one of the type a line."""
    return {"requestBody": {"required": True, "content": {media: {"schema": reference(kind)}}}}


def replies(kind: type[msgspec.Struct] | None, text: str, status: int = 200) -> dict[int | str, Json]:
    """Return what a route's description says of its replies: the good one, and a problem for the rest."""
    content = {"application/json": {"schema": reference(kind)}} if kind else {}
    return {
        status: {"description": text, "content": content},
        "default": {
            "description": "A problem (RFC 9457) that names the fields at fault",
            "content": {MEDIA_TYPE: {"schema": reference(Problem)}},
        },
    }


def listed(kind: type[msgspec.Struct], text: str) -> dict[int | str, Json]:
    """Return what a route's description says where it replies with a page of things."""
    page = {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference(kind)},
            "next": {"type": ["string", "null"], "description": "Give it as `after` for the next page"},
        },
    }
    return replies(None, text) | {
        200: {"description": text, "content": {"application/json": {"schema": page}}}
    }


def described(app: FastAPI) -> Json:
    """Return the description of the whole address, the two hot routes among it."""
    document = get_openapi(
        title="Fieldline",
        version=f"{API_VERSION}",
        openapi_version="3.1.0",
        summary="Decides for every request of a shopping-content platform what to show.",
        routes=app.routes,
    )
    _, schemas = msgspec.json.schema_components(SCHEMAS, ref_template="#/components/schemas/{name}")
    for kind in ALONE:
        schema = schemas[kind.__name__]
        schema["required"] = [name for name in schema.get("required", []) if name != "type"]
    document["components"] = {"schemas": schemas}
    document["paths"] |= {
        "/v1/decide": {"post": _hot(Request, DecideReply, "Decide a slate", "The slate, once it is durable")},
        "/v1/events": {
            "post": _hot(EventBatch, EventsReply, "Tell events", "What became of them, once durable")
        },
    }
    return document


def _hot(body: type[msgspec.Struct], reply: type[msgspec.Struct], summary: str, text: str) -> Json:
    both = ("application/json", "application/msgpack")
    said = {str(status): response for status, response in replies(reply, text).items()}
    said["200"]["content"] = {media: {"schema": reference(reply)} for media in both}
    content = {media: {"schema": reference(body)} for media in both}
    return {
        "tags": ["traffic"],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_"),
        "requestBody": {"required": True, "content": content},
        "responses": said,
    }
