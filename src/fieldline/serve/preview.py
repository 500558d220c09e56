"""The operator's trade-off: the route that previews dials, and the page of all of them with their prices."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from fieldline.contracts.horizon import day_of
from fieldline.errors import Conflict, Refused
from fieldline.serve.openapi import replies
from fieldline.serve.owners import only
from fieldline.serve.pages import Language, Pages, language_of
from fieldline.serve.problem import Fault, HttpError
from fieldline.serve.service import Service
from fieldline.serve.told import told
from fieldline.traffic.domains.report import domain_report
from fieldline.traffic.organic.report import inclusion_report, newcomers_report, organic_report
from fieldline.traffic.prediction.outside import Models
from fieldline.traffic.preview import SAMPLE, Preview, preview
from fieldline.traffic.preview.dials import DIALS, MOST, value_of

ROWS = 3
"""Dials that the page's form offers to change at once."""

Dials = Annotated[
    list[str] | None, Query(alias="dial", max_length=MOST, description="A dial, by its path in the policy")
]
Values = Annotated[
    list[str] | None, Query(alias="value", max_length=MOST, description="Its value, one for each dial; `off`: none")
]  # fmt: skip
Sets = Annotated[
    list[str] | None, Query(alias="set", max_length=MOST, description="Both in one, as `gini:0.6`; may be repeated")
]  # fmt: skip


class DialTold(NamedTuple):
    """One dial on the page."""

    name: str
    key: str
    """Of its text."""
    source: str
    """Of candidates, where it is the share of one."""
    value: float | None


class Turnstile:
    """Lets one preview through at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.taken = False

    async def through(self, pairs: Sequence[tuple[str, str]]) -> Preview:
        """Return the preview of some dials, made between other requests, a slate at a time.

        A decision reads a state that changes under a thread, so that it is made here, in the state's own.

        Raises:
            HttpError: another is being made.
            Refused: a dial or value that cannot be.
            Conflict: no request was logged yet.
        """
        if self.taken:
            fault = Fault("preview", "another one is being made; one is at a time")
            raise HttpError(503, "overloaded", (fault,), (("retry-after", "1"),))
        self.taken = True
        try:
            service = self.service
            steps = preview(service.state, service.recent(SAMPLE), pairs, Models(service.models.live))
            while True:
                try:
                    next(steps)
                except StopIteration as done:
                    found: Preview = done.value
                    return found
                await asyncio.sleep(0)
        finally:
            self.taken = False


def previews(turnstile: Turnstile) -> APIRouter:
    """Return the route that tells what dials would do, before one is set."""
    router = APIRouter(prefix="/v1", tags=["operating"])

    @router.get(
        "/policy/preview", summary="What dials would do, predicted on the newest requests",
        responses=replies(Preview, "Today's figures, the changed ones, and the difference"),
    )  # fmt: skip
    async def show(request: Request, dial: Dials = None, value: Values = None, both: Sets = None) -> Response:
        only(request)
        return told(await turnstile.through(pairs_of(dial or [], value or [], both or [])))

    return router


def preview_pages(service: Service, turnstile: Turnstile, pages: Pages) -> APIRouter:
    """Return the route of the operator's page on every dial."""
    router = APIRouter(include_in_schema=False)

    @router.get("/policy")
    async def show(
        request: Request, dial: Dials = None, value: Values = None, lang: Language = None
    ) -> Response:
        only(request)
        pairs = [pair for pair in zip(dial or [], value or [], strict=False) if pair[1].strip()]
        found, fault, status = None, None, 200
        if pairs:
            try:
                found = await turnstile.through([(name, typed.strip()) for name, typed in pairs])
            except Refused as refused:
                fault, status = (
                    Fault(refused.field, refused.reason),
                    409 if isinstance(refused, Conflict) else 422,
                )
        state, today = service.state, day_of(service.state.now)
        values = {
            "preview": found,
            "fault": fault,
            "dials": dials_told(service),
            "asked": (pairs + [("", "")] * ROWS)[:ROWS],
            "organic": organic_report(state),
            "inclusion": inclusion_report(state),
            "newcomers": newcomers_report(state),
            "mixes": domain_report(state, today, today).mixes,
            "policy": state.policy,
        }
        language = language_of(lang, request.headers.get("accept-language", ""))
        return pages.page("policy.html", language, values, status)

    return router


def pairs_of(dials: Sequence[str], values: Sequence[str], both: Sequence[str]) -> list[tuple[str, str]]:
    """Return dials and their values as they were asked for.

    Raises:
        Refused: not one value for each dial, or a `set` without its colon.
    """
    if len(dials) != len(values):
        raise Refused("value", f"{len(dials)} dials have {len(values)} values")
    pairs = list(zip(dials, values, strict=True))
    for typed in both:
        name, colon, value = typed.partition(":")
        if not colon:
            raise Refused("set", "must be a dial, a colon and its value")
        pairs.append((name, value))
    return pairs


def dials_told(service: Service) -> list[DialTold]:
    """Return every dial that can be previewed, as it stands."""
    found = []
    for name in DIALS:
        source = name.removeprefix("sources.") if name.startswith("sources.") else ""
        key = "dial_sources" if source else "dial_" + name.replace(".", "_")
        found.append(DialTold(name, key, source, value_of(service.state.policy, name)))
    return found
