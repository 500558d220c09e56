"""The two routes that take thousands of requests a second, as raw ASGI; all others go to another app."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

import msgspec

from fieldline.app import Recorded
from fieldline.errors import Overloaded
from fieldline.facts import Decision, Request
from fieldline.ports import Commit
from fieldline.serve.metrics import Metrics
from fieldline.serve.problem import (
    MEDIA_TYPE,
    HttpError,
    deadline_passed,
    fault_of,
    not_taken,
    problem_of,
    starting,
    too_large,
    wrong_media_type,
)
from fieldline.serve.queue import Limits, Queue, Seconds, Work
from fieldline.serve.service import Deciding
from fieldline.serve.wire import EventBatch, EventsReply, reply_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Body = TypeVar("Body")

JSON = b"application/json"
MSGPACK = b"application/msgpack"
ALWAYS = frozenset({"/healthz", "/metrics"})
"""Paths that are answered before the site is ready."""
_TAKEN = "application/json or application/msgpack"

log = logging.getLogger(__name__)
_problem_encoder = msgspec.json.Encoder()


class Site:
    """Everything under one address: POST /v1/decide and POST /v1/events here, the rest in `others`.

    Args:
        service: the engine and its log.
        others: the ASGI application of every other path.
        metrics: what is counted.
        limits: how much may be in flight.
        hosts: the names that the Host header may hold (without port), or None for any.
        reply_before_durable: whether a decision may be told before it is on the disk (events never are).
        clock: seconds, monotonic.
        handled: told the CPU nanoseconds of every decide request's handling, for the bench.
        note: called every second of wall time, which it is told, while the site is served.
    """

    def __init__(
        self,
        service: Deciding,
        others: Asgi,
        metrics: Metrics,
        *,
        limits: Limits | None = None,
        hosts: frozenset[bytes] | None = None,
        reply_before_durable: bool = False,
        clock: Callable[[], Seconds] = time.perf_counter,
        handled: Callable[[int], None] | None = None,
        note: Callable[[Seconds], None] | None = None,
    ) -> None:
        self.ready = False
        self.note = note
        self._service = service
        self._others = others
        self._metrics = metrics
        self._limits = limits or Limits()
        self._hosts = hosts
        self._clock = clock
        self._handled = handled
        self._queue = Queue(self._limits.slice_s, clock)
        self._decide_durable = not reply_before_durable
        self._requests = {
            JSON: msgspec.json.Decoder(Request).decode,
            MSGPACK: msgspec.msgpack.Decoder(Request).decode,
        }
        self._batches = {
            JSON: msgspec.json.Decoder(EventBatch).decode,
            MSGPACK: msgspec.msgpack.Decoder(EventBatch).decode,
        }
        self._encode = {JSON: msgspec.json.Encoder().encode, MSGPACK: msgspec.msgpack.Encoder().encode}
        metrics.watch(
            "fieldline_in_flight", "Requests taken and not yet answered.", lambda: self._queue.in_flight
        )

    @property
    def in_flight(self) -> int:
        """Return how many requests were taken and are not yet answered."""
        return self._queue.in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"] if scope["type"] == "http" else None
        if path == "/v1/decide":
            await self._answer(scope, receive, send, self._decide)
        elif path == "/v1/events":
            await self._answer(scope, receive, send, self._record)
        elif path is not None and self._hosts is not None and not named(scope, self._hosts):
            await refuse(send, HttpError(421, "misdirected"), path)
        elif path is not None and not self.ready and path not in ALWAYS:
            await refuse(send, starting(), path)
        else:
            await self._others(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, route: "Route") -> None:
        arrived = self._clock()
        try:
            taken, told = self._admit(scope)
            body = await read(receive, self._limits.body)
            reply = await route(body, taken, told, arrived)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001  (every error is an answer)
            status = await refuse(send, error, scope["path"])
        else:
            status = 200
            await answer(send, 200, told, reply)
        self._metrics.count(scope["path"], status)

    def _admit(self, scope: Scope) -> tuple[bytes, bytes]:
        """Return the media types of the body and of the reply, or refuse before the body is read."""
        taken = told = JSON
        declared = 0
        for name, value in scope["headers"]:
            if name == b"content-type":
                taken = value
            elif name == b"content-length":
                declared = int(value)
            elif name == b"accept":
                told = MSGPACK if MSGPACK in value else JSON
        if self._hosts is not None and not named(scope, self._hosts):
            raise HttpError(421, "misdirected")
        if scope["method"] != "POST":
            raise HttpError(405, "method", headers=(("allow", "POST"),))
        if not self.ready:
            raise starting()
        if self._queue.in_flight >= self._limits.hard:
            raise Overloaded()
        if declared > self._limits.body:
            raise too_large(self._limits.body)
        if taken not in self._requests:
            sent = taken
            taken = sent.partition(b";")[0].strip().lower()
            if taken not in self._requests:
                raise wrong_media_type(sent.decode("latin-1"), _TAKEN)
        return taken, told

    async def _decide(self, body: bytes, taken: bytes, told: bytes, arrived: Seconds) -> bytes:
        handled = self._handled
        began = time.thread_time_ns() if handled else 0
        request = decoded(self._requests[taken], body, taken == JSON)
        work = Work(request, self._run_decide, arrived, self._decide_durable)
        if handled:
            work.cpu_ns = time.thread_time_ns() - began
        decision = await self._queue.result(work)
        began = time.thread_time_ns() if handled else 0
        reply = self._encode[told](reply_of(decision))
        metrics = self._metrics
        if decision.paid:
            metrics.mixed += 1
        else:
            metrics.organic_only += 1
        metrics.decide_seconds.observe(self._clock() - arrived)
        if handled:
            handled(work.cpu_ns + time.thread_time_ns() - began)
        return reply

    def _run_decide(self, work: Work[Request, Decision]) -> tuple[Decision, Commit]:
        began = time.thread_time_ns() if self._handled else 0
        request, metrics = work.asked, self._metrics
        paid = self._queue.in_flight <= self._limits.soft
        if not paid:
            metrics.dropped_overload += 1
        if request.deadline_ms is not None:
            waited = (self._clock() - work.arrived) * 1000 / request.deadline_ms
            if waited >= 1:
                raise deadline_passed(request.deadline_ms)
            if waited > 0.5:
                paid = False
                metrics.dropped_deadline += 1
                fewer = self._limits.late_candidates
                asked = request.candidate_limit
                request = msgspec.structs.replace(request, candidate_limit=min(fewer, asked or fewer))
        answer = self._service.decide(request, paid)
        if self._handled:
            work.cpu_ns += time.thread_time_ns() - began
        return answer

    async def _record(self, body: bytes, taken: bytes, told: bytes, arrived: Seconds) -> bytes:
        batch = decoded(self._batches[taken], body, taken == JSON)
        recorded = await self._queue.result(Work(batch, self._run_record, arrived))
        metrics = self._metrics
        metrics.accepted += recorded.accepted
        metrics.repeated += recorded.repeated
        metrics.events_seconds.observe(self._clock() - arrived)
        return self._encode[told](EventsReply(recorded.accepted, recorded.repeated))

    def _run_record(self, work: Work[EventBatch, Recorded]) -> tuple[Recorded, Commit]:
        return self._service.record(work.asked.events)


Route = Callable[[bytes, bytes, bytes, Seconds], Awaitable[bytes]]


class Gone(Exception):
    """The client hung up before its request was whole."""


async def read(receive: Receive, limit: int) -> bytes:
    """Return a request's body.

    Raises:
        HttpError: it is larger than `limit` bytes; what is beyond is not kept.
        Gone: the client hung up.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and message["type"] == "http.request" and len(body) <= limit:
        return body
    chunks, size = [body], len(body)
    while message.get("more_body") and size <= limit:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        chunks.append(chunk)
    if message["type"] == "http.disconnect":
        raise Gone
    if size > limit:
        raise too_large(limit)
    return b"".join(chunks)


def decoded(decode: Callable[[bytes], Body], body: bytes, is_json: bool) -> Body:
    """Return what a body says.

    Raises:
        HttpError: it says nothing that is taken; names the field.
    """
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_taken(fault_of(error, body, is_json)) from None


def named(scope: Scope, hosts: frozenset[bytes]) -> bool:
    """Return whether a request came under a served name, from no page of another origin."""
    host = origin = None
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
        elif name == b"origin":
            origin = value.partition(b"://")[2]
    return host is not None and _bare(host) in hosts and (origin is None or _bare(origin) in hosts)


def _bare(address: bytes) -> bytes:
    """Return an address without its port, in lower case."""
    name, colon, port = address.rpartition(b":")
    return (name if colon and port.isdigit() else address).lower()


async def answer(
    send: Send, status: int, media: bytes, body: bytes, headers: tuple[tuple[str, str], ...] = ()
) -> None:
    """Send a whole response."""
    extra = [(name.encode(), value.encode()) for name, value in headers] if headers else []
    head = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: Exception, path: str) -> int:
    """Send the problem that tells of an error and return its status; log what was unexpected."""
    problem, headers = problem_of(error, path)
    if problem.status >= 500 and problem.status != 503:
        log.error("%s: unexpected error", path, exc_info=error)
    await answer(send, problem.status, MEDIA_TYPE.encode(), _problem_encoder.encode(problem), headers)
    return problem.status
