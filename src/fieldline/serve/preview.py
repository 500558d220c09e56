"""The operator's trade-off: the route that previews dials, and the page of all of them with their prices."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from fieldline import engine
from fieldline.contracts import Contract
from fieldline.contracts.horizon import day_of
from fieldline.errors import Conflict, Refused
from fieldline.facts import Wish
from fieldline.offers import contracts_of, pool
from fieldline.serve.openapi import replies
from fieldline.serve.owners import OPERATOR, only
from fieldline.serve.pages import Language, Pages, language_of
from fieldline.serve.problem import Fault, HttpError
from fieldline.serve.service import Service
from fieldline.serve.told import told
from fieldline.traffic.domains.report import domain_report
from fieldline.traffic.organic.report import inclusion_report, newcomers_report, organic_report
from fieldline.traffic.prediction.outside import Models
from fieldline.traffic.preview import SAMPLE, Preview, preview
from fieldline.traffic.preview.dials import DIALS, MOST, dials_of, mix_of, number_of, value_of
from fieldline.traffic.preview.pooled import pools_there
from fieldline.traffic.state import State
from fieldline.units import HOUR

ROWS = 3
"""Dials that the page's form offers to change at once."""
NEW = "pool that is asked about"
"""What stands for the id of a pool that nobody made yet."""
MOST_HOURS = 8_784
POOLS = 50
"""Most pools that the page offers, the newest first."""

Dials = Annotated[
    list[str] | None, Query(alias="dial", max_length=MOST, description="A dial, by its path in the policy")
]
Values = Annotated[
    list[str] | None, Query(alias="value", max_length=MOST, description="Its value, one for each dial; `off`: none")
]  # fmt: skip
Planned = Annotated[
    str | None,
    Query(alias="pool", max_length=100_000, description="A pool that nobody made yet: the terms of one, as JSON"),
]  # fmt: skip
Looks = Annotated[str, Query(alias="pool_looks", max_length=24)]
Hours = Annotated[str, Query(alias="pool_hours", max_length=5)]
Whose = Annotated[str, Query(alias="pool_whose", max_length=2_000)]
Sets = Annotated[
    list[str] | None, Query(alias="set", max_length=MOST, description="Both in one, as `gini:0.6`; may be repeated")
]  # fmt: skip


class DialTold(NamedTuple):
    """One dial on the page."""

    name: str
    value: float | None
    group: Literal["policy", "mixes", "pools"] = "policy"
    key: str = ""
    """Of its text."""
    of: str = ""
    """The source whose share it is, the scene, or the pool."""
    domain: str = ""


class NewPool(NamedTuple):
    """A pool that nobody made yet, as it was typed."""

    looks: str = ""
    hours: str = ""
    whose: str = ""


class Turnstile:
    """Lets one preview through at a time."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.taken = False

    async def through(self, pairs: Sequence[tuple[str, str]], terms: bytes | None = None) -> Preview:
        """Return the preview of some dials and a pool's terms, made between other requests, a slate at a time.

        A decision reads a state that changes under a thread, so that it is made here, in the state's own.

        Raises:
            HttpError: another is being made.
            Refused: a dial or value that cannot be, or a pool.
            Conflict: no request was logged yet.
        """
        if self.taken:
            fault = Fault("preview", "another one is being made; one is at a time")
            raise HttpError(503, "overloaded", (fault,), (("retry-after", "1"),))
        self.taken = True
        try:
            service = self.service
            contract = None if terms is None else pool_asked(service.state, terms)
            models = Models(service.models.live)
            steps = preview(service.state, service.recent(SAMPLE), pairs, models, contract)
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
    async def show(
        request: Request, dial: Dials = None, value: Values = None, both: Sets = None, planned: Planned = None
    ) -> Response:
        only(request)
        pairs = pairs_of(dial or [], value or [], both or [])
        return told(await turnstile.through(pairs, planned.encode() if planned is not None else None))

    return router


def preview_pages(service: Service, turnstile: Turnstile, pages: Pages) -> APIRouter:
    """Return the route of the operator's page on every dial."""
    router = APIRouter(include_in_schema=False)

    @router.get("/policy")
    async def show(
        request: Request, dial: Dials = None, value: Values = None, looks: Looks = "", hours: Hours = "",
        whose: Whose = "", lang: Language = None,
    ) -> Response:  # fmt: skip
        only(request)
        pairs = [pair for pair in zip(dial or [], value or [], strict=False) if pair[1].strip()]
        new = NewPool(looks.strip(), hours.strip(), whose.strip())
        found, fault, status = None, None, 200
        if pairs or any(new):
            try:
                terms = terms_of(service.state, new) if any(new) else None
                found = await turnstile.through([(name, typed.strip()) for name, typed in pairs], terms)
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
            "new_pool": new,
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
        name, colon, value = typed.rpartition(":")
        if not colon:
            raise Refused("set", "must be a dial, a colon and its value")
        pairs.append((name, value))
    return pairs


def pool_asked(state: State, terms: bytes) -> Contract:
    """Return the contract that a pool nobody made yet would be.

    Raises:
        Refused: terms that cannot be; their field is named, as `pool.looks`.
    """
    try:
        text = terms.decode()
        wish = Wish(NEW, state.now, state.book.versions.get(NEW, 0) + 1, pool.NAME, OPERATOR, text)
        engine.check(state, wish)
        (contract,) = contracts_of(wish)
    except Refused as refused:
        raise Refused("pool" + refused.field.removeprefix("terms"), refused.reason) from None
    return contract


def terms_of(state: State, new: NewPool) -> bytes:
    """Return the terms of a pool that begins now, as it was typed; who is no merchant is taken for a creator.

    Raises:
        Refused: looks or hours that are no number.
    """
    whose = [name.strip() for name in new.whose.replace("，", ",").split(",") if name.strip()]
    merchants = [name for name in whose if name in state.goods.merchants]
    hours = number_of("pool.hours", new.hours)
    if hours is None or not 0.0 < hours <= MOST_HOURS:
        raise Refused("pool.hours", f"must be above 0 and at most {MOST_HOURS}")
    return msgspec.json.encode(
        {
            "name": NEW,
            "looks": number_of("pool.looks", new.looks),
            "merchants": merchants,
            "creators": [name for name in whose if name not in merchants],
            "start": state.now,
            "end": state.now + int(hours * HOUR),
        }
    )


def dials_told(service: Service) -> list[DialTold]:
    """Return every dial that can be previewed, as it stands."""
    state = service.state
    found = []
    for name in DIALS:
        source = name.removeprefix("sources.") if name.startswith("sources.") else ""
        key = "dial_sources" if source else "dial_" + name.replace(".", "_")
        found.append(DialTold(name, value_of(state.policy, name), key=key, of=source))
    for name in dials_of(state.policy):
        mixed = mix_of(name)
        if mixed:
            found.append(DialTold(name, value_of(state.policy, name), "mixes", of=mixed[0], domain=mixed[1]))
    found += [
        DialTold(f"pools.{id}.looks", looks, "pools", of=id) for id, looks in pools_there(state)[:POOLS]
    ]
    return found
