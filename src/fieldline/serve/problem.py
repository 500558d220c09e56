"""What a client is told when a request is not answered: problem details, each naming its field.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

import json
import math
import re

import msgspec

from fieldline.errors import Conflict, FieldlineError, LogWriteError, Overloaded, Refused, Unknown

MEDIA_TYPE = "application/problem+json"
MAX_TEXT = 200
MAX_FAULTS = 20

_AT = re.compile(r"^(?P<reason>.*) - at `(?P<path>.*)`$", re.DOTALL)
_NAMED = re.compile(r"(?:unknown|required) field `(?P<name>.*)`$", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Fault(msgspec.Struct, frozen=True):
    """One field that was not taken, and why."""

    field: str
    reason: str


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not answered (RFC 9457), with the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[Fault, ...] = ()


class HttpError(FieldlineError):
    """A refusal that only HTTP has: a status, the name of its kind and the headers that go with it."""

    def __init__(
        self,
        status: int,
        kind: str,
        faults: tuple[Fault, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(KINDS[kind])
        self.status = status
        self.kind = kind
        self.faults = faults
        self.headers = headers


KINDS = {
    "refused": "The input is not taken; nothing was changed",
    "unknown": "No such thing",
    "forbidden": "Not for whoever asks",
    "conflict": "True input at the wrong moment or version",
    "overloaded": "Too much to do; try again later",
    "deadline": "The deadline passed before the decision",
    "starting": "Still starting; try again soon",
    "not-durable": "The facts could not be made durable; nothing was acknowledged",
    "too-large": "The body is too large",
    "media-type": "The body's media type is not taken here",
    "method": "The method is not offered here",
    "misdirected": "This host, or a page of this origin, is not served here",
    "internal": "Something unexpected went wrong",
}


def not_taken(*faults: Fault) -> HttpError:
    """Return the refusal of a body for the fields at fault."""
    return HttpError(422, "refused", faults[:MAX_FAULTS])


def too_large(limit: int) -> HttpError:
    """Return the refusal of a body of more than `limit` bytes."""
    return HttpError(413, "too-large", (Fault("body", f"more than {limit} bytes"),))


def wrong_media_type(sent: str, taken: str) -> HttpError:
    """Return the refusal of a body for its media type."""
    reason = f"`{shortened(sent)}` is not taken; send {taken}"
    return HttpError(415, "media-type", (Fault("content-type", reason),))


def starting() -> HttpError:
    """Return the refusal of everything while kernels are still being compiled; a browser tries again by itself."""
    return HttpError(503, "starting", headers=(("retry-after", "1"), ("refresh", "2")))


def deadline_passed(deadline_ms: int) -> HttpError:
    """Return the refusal of a request that waited longer than its own deadline."""
    fault = Fault("deadline_ms", f"{deadline_ms} ms passed before a decision was made")
    return HttpError(503, "deadline", (fault,), (("retry-after", "1"),))


def shortened(text: str) -> str:
    """Return a client's text fit to be said back: valid Unicode and no longer than needed to recognise it."""
    clean = _SURROGATE.sub("\ufffd", text)
    return clean if len(clean) <= MAX_TEXT else clean[: MAX_TEXT - 1] + "…"


def problem_of(error: Exception, instance: str) -> tuple[Problem, tuple[tuple[str, str], ...]]:
    """Return the problem that tells a client of an error, and the headers to send with it.

    Args:
        error: what was raised; an unknown `id` is that of the path, any other stands in the body.
        instance: the request's path.

    Returns:
        The problem and its headers; an unexpected error tells nothing of its inside.
    """
    headers: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    match error:
        case HttpError():
            status, kind, faults, headers = error.status, error.kind, error.faults, error.headers
        case Unknown() if error.field == "id":
            status, kind = 404, "unknown"
        case Conflict():
            status, kind = 409, "conflict"
        case Refused():
            status, kind = 422, "refused"
        case Overloaded():
            status, kind, headers = 503, "overloaded", (("retry-after", str(error.retry_after_s)),)
        case LogWriteError():
            status, kind = 503, "not-durable"
        case _:
            status, kind = 500, "internal"
    if isinstance(error, Refused):
        faults = (Fault(shortened(error.field), shortened(error.reason)),)
    detail = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults) or KINDS[kind]
    return Problem(
        f"urn:fieldline:problem:{kind}", KINDS[kind], status, detail, shortened(instance), faults
    ), headers


def fault_of(error: Exception, body: bytes, is_json: bool = True) -> Fault:
    """Return which field of a body could not be decoded, and why.

    Args:
        error: what msgspec raised (its own error, or UnicodeDecodeError).
        body: the bytes that it was given.
        is_json: whether the body is JSON (msgpack has no text to search).
    """
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        found = _AT.match(text)
        path, reason = (found["path"], found["reason"]) if found else ("$", text)
        named = _NAMED.search(reason)
        if named:
            path = f"{path}.{named['name']}"
        field = path.removeprefix("$").removeprefix(".")
        return Fault(shortened(field) or "body", shortened(reason))
    located = _locate(body) if is_json else None
    return located or Fault("body", shortened(text))


def _locate(body: bytes) -> Fault | None:
    """Return where JSON holds text that is no Unicode, or a number that is not finite."""
    try:
        document = json.loads(body.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str) and _SURROGATE.search(value):
            return Fault(shortened(path) or "body", "not valid UTF-8")
        if isinstance(value, float) and not math.isfinite(value):
            return Fault(shortened(path) or "body", "not a finite number")
        if isinstance(value, dict):
            for key, inner in value.items():
                name = f"{path}.{key}" if path else key
                if _SURROGATE.search(key):
                    return Fault(shortened(name), "a name that is not valid UTF-8")
                waiting.append((name, inner))
        elif isinstance(value, list):
            waiting.extend((f"{path}[{place}]", inner) for place, inner in enumerate(value))
    return None
