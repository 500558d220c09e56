"""The operator's pages: rendered here, kept up to date by a script that asks for the same sections again."""

import mimetypes
import tomllib
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path as File
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Query
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from fieldline.facts import Decision
from fieldline.serve.formats import FILTERS
from fieldline.serve.overview import History, overview_of, title_of
from fieldline.serve.problem import HttpError
from fieldline.serve.service import Service
from fieldline.traffic.explain import Candidate, candidates
from fieldline.traffic.state import State

HERE = File(__file__).parent
LANGUAGES = ("en", "zh")
SHOWN = 12
"""Recent decisions on the page."""
SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # a form's Origin would be null under "no-referrer"
    "cache-control": "no-store",
}

Language = Annotated[str | None, Query(alias="lang", max_length=16)]


class Row(NamedTuple):
    """One candidate on the page."""

    candidate: Candidate
    title: str
    charge_shown: bool
    """Whether its contract bought its place."""
    source: str = ""
    """Which source brought it, where it was shown and that is known."""


class Texts:
    """The pages' texts in one language."""

    def __init__(self, messages: dict[str, dict[str, str]], language: str) -> None:
        self._messages = messages
        self._language = language

    def __call__(self, key: str, values: dict[str, object] | None = None) -> str:
        """Return a text with its values filled in."""
        return self._messages[key][self._language].format_map(values or {})


class Pages:
    """Templates, texts and static files, read once."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, str]] = tomllib.loads((HERE / "messages.toml").read_text("utf-8"))
        self._files = {file.name: file.read_bytes() for file in sorted((HERE / "static").iterdir())}
        self.environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self.environment.filters |= {write.__name__: write for write in FILTERS}
        self.environment.globals |= {"messages": self.messages, "static": self.address}

    def address(self, name: str) -> str:
        """Return a static file's address, which changes with its content."""
        return f"/static/{name}?v={blake2b(self._files[name], digest_size=6).hexdigest()}"

    def file(self, name: str) -> Response:
        """Return a static file.

        Raises:
            HttpError: there is none of this name.
        """
        if name not in self._files:
            raise HttpError(404, "unknown")
        kept = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(self._files[name], headers=kept, media_type=media)

    def page(self, template: str, language: str, values: Mapping[str, object], status: int = 200) -> Response:
        """Return a rendered page."""
        words = {
            "t": Texts(self.messages, language),
            "lang": language,
            "other": LANGUAGES[1 - LANGUAGES.index(language)],
        }
        text = self.environment.get_template(template).render(words | dict(values))
        headers = SECURITY | {"content-language": language}
        return Response(text, status, headers=headers, media_type="text/html")


def pages_of(service: Service, history: History, pages: Pages) -> APIRouter:
    """Return the routes of the pages that only show."""
    router = APIRouter(include_in_schema=False)

    def live(template: str, language: str) -> Response:
        view = overview_of(service.state, service.recent(SHOWN), history, service.models)
        return pages.page(template, language, {"view": view})

    @router.get("/")
    async def home(request: Request, lang: Language = None) -> Response:
        return live("home.html", language_of(lang, request.headers.get("accept-language", "")))

    @router.get("/live")
    async def sections(request: Request, lang: Language = None) -> Response:
        return live("live.html", language_of(lang, request.headers.get("accept-language", "")))

    @router.get("/decisions/{id:path}")
    async def explain(
        request: Request, id: Annotated[str, Path(min_length=1, max_length=128)], lang: Language = None
    ) -> Response:
        decision = service.decision(id)
        rows = rows_of(decision, service.state)
        widest = max((row.candidate.score for row in rows), default=0.0)
        values = {"decision": decision, "explanation": rows, "widest": widest}
        language = language_of(lang, request.headers.get("accept-language", ""))
        return pages.page("decision.html", language, values)

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        return pages.file(name)

    return router


def rows_of(decision: Decision, state: State) -> list[Row]:
    """Return a decision's candidates for the page, its slate first."""
    return [
        Row(
            candidate,
            title_of(state, candidate.item),
            _bought(decision, candidate),
            "" if candidate.slot is None else decision.slots[candidate.slot].source,
        )
        for candidate in candidates(decision, state.shelf.names.ids, state.book.names.ids)
    ]


def language_of(asked: str | None, accepted: str) -> str:
    """Return a page's language: the one asked for, else the best accepted one that there is, else English.

    Args:
        asked: `en`, `zh` or nothing.
        accepted: the header Accept-Language.
    """
    if asked in LANGUAGES:
        return asked
    weighed = []
    for place, part in enumerate(accepted.split(",")):
        name, _, weight = part.strip().partition(";q=")
        language = name.partition("-")[0].lower()
        if language in LANGUAGES:
            try:
                weighed.append((-float(weight or 1.0), place, language))
            except ValueError:
                continue
    return min(weighed)[2] if weighed else LANGUAGES[0]


def _bought(decision: Decision, candidate: Candidate) -> bool:
    return candidate.slot is not None and decision.slots[candidate.slot].contract is not None
