"""What a decide request costs before any deciding: the hot route against one in FastAPI and Pydantic.

Both are uvicorn processes with the same settings, the same payloads and the same checks (types without
coercion, unknown fields refused, lengths and ranges) and a decision that is always the same. Told in requests
per server CPU-second.
"""

import json
import socket
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from bench.load import load, serving
from fieldline.app import Recorded
from fieldline.facts import Behaviour, Decision, Request, Slot
from fieldline.ports import Commit
from fieldline.serve.hot import Asgi, Receive, Scope, Send, Site
from fieldline.serve.metrics import Metrics
from fieldline.serve.server import run

ROUNDS = 5
SECONDS = 1.5
AT = 1_700_000_000_000
SLOTS = 10


class Kept:
    """A commit that is durable already."""

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def done(self) -> bool:
        """Return True."""
        return True

    def add_done_callback(self, fn: object) -> None:
        """Never asked: it is done."""


class Stub:
    """A service that always decides the same slate."""

    def __init__(self) -> None:
        slots = tuple(
            Slot(f"video-{n:06d}", "contract-1" if n == 1 else None, 0, 0.0, 0.0, 0.01, n, n)
            for n in range(SLOTS)
        )
        self._decision = Decision(
            "r", AT, "viewer-000001", "video", slots, (1.0,) * SLOTS, 2_000, True, 0.002
        )
        self._commit = Kept()

    def decide(self, request: Request, paid: bool = True) -> tuple[Decision, Commit]:  # noqa: ARG002
        """Return the slate."""
        return self._decision, self._commit

    def record(self, events: Sequence[Behaviour]) -> tuple[Recorded, Commit]:
        """Take everything."""
        return Recorded(len(events), 0), self._commit


def hot() -> Asgi:
    """Return the hot route over the stub."""

    async def nothing(scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError(scope["path"])

    site = Site(Stub(), nothing, Metrics())
    site.ready = True
    return site


def pydantic() -> Asgi:
    """Return the same route in FastAPI with Pydantic models."""
    from fastapi import FastAPI
    from pydantic import BaseModel, ConfigDict, Field

    strict = ConfigDict(strict=True, extra="forbid")
    Id = Annotated[str, Field(min_length=1, max_length=128)]
    Word = Annotated[str, Field(min_length=1, max_length=64)]

    class Place(BaseModel):
        model_config = strict
        latitude: Annotated[float, Field(ge=-90.0, le=90.0)]
        longitude: Annotated[float, Field(ge=-180.0, le=180.0)]

    class Asked(BaseModel):
        model_config = strict
        id: Id
        viewer: Id
        scene: Word
        at: Annotated[int, Field(ge=0, le=1 << 52)] | None = None
        slots: Annotated[int, Field(ge=1, le=50)] | None = None
        category: Word | None = None
        place: Place | None = None
        candidates: Annotated[list[Id], Field(max_length=5_000)] = []
        candidate_limit: Annotated[int, Field(ge=1, le=20_000)] | None = None
        deadline_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None

    class Placed(BaseModel):
        item: str
        position: int
        sponsored: bool
        contract: str | None = None

    class Reply(BaseModel):
        id: str
        at: int
        scene: str
        slots: list[Placed]
        organic_only: bool
        version: int = 1

    app = FastAPI()
    stub = Stub()

    @app.post("/v1/decide", response_model_exclude_none=True)
    async def decide(asked: Asked) -> Reply:
        decision, _ = stub.decide(Request(asked.id, asked.viewer, asked.scene))
        slots = [
            Placed(
                item=slot.item, position=position, sponsored=slot.contract is not None, contract=slot.contract
            )
            for position, slot in enumerate(decision.slots)
        ]
        return Reply(
            id=decision.id, at=decision.at, scene=decision.scene, slots=slots, organic_only=not decision.paid
        )

    return app


def measure() -> dict[str, float]:
    """Return both routes' requests per server CPU-second and their ratio (medians of interleaved rounds)."""
    with tempfile.TemporaryDirectory() as folder:
        bodies = Path(folder) / "bodies"
        bodies.write_bytes(b"\n".join(_body(n) for n in range(60_000)))
        rates: dict[str, list[float]] = {"hot": [], "pydantic": []}
        with serving("bench.route", "hot") as fast, serving("bench.route", "pydantic") as plain:
            servers = {"hot": fast, "pydantic": plain}
            for server in servers.values():
                load(server.port, "/v1/decide", bodies, 0.3)
            for _ in range(ROUNDS):
                for name, server in servers.items():
                    before = server.cpu_s()
                    done = load(server.port, "/v1/decide", bodies, SECONDS)
                    if done.refused:
                        raise RuntimeError(f"{name} refused {done.refused} of {done.answered} requests")
                    rates[name].append(done.answered / (server.cpu_s() - before))
    quick, slow = (statistics.median(rates[name]) for name in ("hot", "pydantic"))
    return {"route_speedup": quick / slow, "route_per_cpu_s": quick, "route_pydantic_per_cpu_s": slow}


def _body(number: int) -> bytes:
    viewer = f"viewer-{number * 7919 % 20_000:06d}"
    asked = {
        "id": f"request-{number:08d}",
        "viewer": viewer,
        "scene": "video",
        "at": AT + number,
        "slots": SLOTS,
    }
    return json.dumps(asked | {"candidate_limit": 2_000, "deadline_ms": 5_000}).encode()


def _serve(name: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)

    async def started() -> None:
        print(listening.getsockname()[1], flush=True)

    run({"hot": hot, "pydantic": pydantic}[name](), listening, started)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _serve(sys.argv[1])
    else:
        print(json.dumps(measure(), indent=2))
