"""Reading what clients send to the routes that are not hot: one document, or one a line."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request

from fieldline.facts import Id
from fieldline.serve.hot import decoded, read
from fieldline.serve.problem import Fault, HttpError, fault_of, not_taken, too_large, wrong_media_type

Body = TypeVar("Body")

DOCUMENT_BYTES = 1 << 20
LINES_BYTES = 64 << 20
LINE_BYTES = 1 << 20
MOST_LINES = 10_000
MOST_FAULTS = 20

JSON_LINES = ("application/x-ndjson", "application/jsonl")
_user = msgspec.json.Decoder(Id)


def media_of(request: Request) -> str:
    """Return the body's media type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def user_of(request: Request) -> str:
    """Return who asks, for the audit: the header X-Fieldline-User, `local` by default.

    Raises:
        HttpError: the name is empty, too long or not printable.
    """
    name = request.headers.get("x-fieldline-user", "local")
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise not_taken(Fault("x-fieldline-user", "expected 1 to 128 printable characters"))
    return name


async def document(request: Request, decode: Callable[[bytes], Body]) -> Body:
    """Return what a JSON body says.

    Raises:
        HttpError: another media type, too many bytes, or a field that is not taken.
    """
    if media_of(request) != "application/json":
        raise wrong_media_type(request.headers.get("content-type", ""), "application/json")
    if int(request.headers.get("content-length", "0")) > DOCUMENT_BYTES:
        raise too_large(DOCUMENT_BYTES)
    return decoded(decode, await read(request.receive, DOCUMENT_BYTES), True)


async def documents(request: Request, decode: Callable[[bytes], Body]) -> list[Body]:
    """Return what each line of a JSON Lines body says; lines are decoded as they come in.

    Raises:
        HttpError: another media type, too many bytes or lines, or fields not taken, as `line 3: price`.
    """
    if media_of(request) not in JSON_LINES:
        raise wrong_media_type(request.headers.get("content-type", ""), JSON_LINES[0])
    if int(request.headers.get("content-length", "0")) > LINES_BYTES:
        raise too_large(LINES_BYTES)
    taken: list[Body] = []
    faults: list[Fault] = []
    rest, size, number = b"", 0, 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LINES_BYTES:
            raise too_large(LINES_BYTES)
        *lines, rest = (rest + chunk).split(b"\n") if b"\n" in chunk else (rest + chunk,)
        for line in lines:
            number += 1
            _take(line, number, decode, taken, faults)
        if len(rest) > LINE_BYTES:
            faults.append(Fault(f"line {number + 1}", f"longer than {LINE_BYTES} bytes"))
        if len(faults) >= MOST_FAULTS or len(rest) > LINE_BYTES:
            break
    else:
        if rest:
            _take(rest, number + 1, decode, taken, faults)
    if not taken and not faults:
        faults.append(Fault("body", "holds no line"))
    if faults:
        raise not_taken(*faults)
    return taken


def _take(
    line: bytes, number: int, decode: Callable[[bytes], Body], taken: list[Body], faults: list[Fault]
) -> None:
    if number > MOST_LINES:
        raise HttpError(422, "refused", (Fault(f"line {number}", f"more than {MOST_LINES} lines"),))
    try:
        taken.append(decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = fault_of(error, line)
        faults.append(Fault(f"line {number}: {fault.field}", fault.reason))
