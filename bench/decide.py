"""A decide request end to end: parsed, decided among 2,000 of 20,000 items, logged, durable, answered.

The server is a process of its own on a data folder of its own, with the laboratory's large market as its
catalogue and 100 storewide contracts bidding. Told in requests per server CPU-second, all of its threads
counted, and in the spread of the decide handlers' own CPU time.
"""

import json
import sys
import tempfile
import time
from array import array
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np

from bench.load import load, serving
from fieldline.app import Fieldline, WallClock
from fieldline.lab.world import World, catalogue
from fieldline.offers import storewide
from fieldline.serve.server import listen, opened, run
from fieldline.serve.site import site_of
from fieldline.traffic.warm import warm
from fieldline.units import DAY, YUAN, Instant

CANDIDATES = 2_000
"""At least so many compete for every decision."""
ASKED = 2_016
"""So many are retrieved: a few of them may not be shown, for want of stock."""
CONTRACTS = 100
SECONDS = 4.0
WARM_S = 1.0
CONNECTIONS = 32
REQUESTS = 120_000
"""Requests at hand, more than can be answered in time: each is asked once."""
SCENE = "video"


def measure() -> dict[str, float]:
    """Return decisions per server CPU-second, and the p99 of a handler's CPU time over its p50.

    Raises:
        RuntimeError: a request was refused, or a decision had fewer candidates than it should.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        first, then = Path(folder) / "first", Path(folder) / "then"
        bodies = [_body(number) for number in range(REQUESTS)]
        first.write_bytes(b"\n".join(bodies[: REQUESTS // 4]))
        then.write_bytes(b"\n".join(bodies[REQUESTS // 4 :]))
        with serving("bench.decide", "serve", folder) as server:
            load(server.port, "/v1/decide", first, WARM_S, CONNECTIONS)
            before = server.cpu_s()
            done = load(server.port, "/v1/decide", then, SECONDS, CONNECTIONS)
            spent = server.cpu_s() - before
        report = json.loads(told.read_text())
    if done.refused or report["fewest_candidates"] < CANDIDATES:
        raise RuntimeError(f"{done.refused} refused; at least {report['fewest_candidates']} candidates")
    cpu_us = np.array(report["cpu_us"][-done.answered :])
    p50, p99 = np.percentile(cpu_us, (50, 99))
    return {
        "decide_per_cpu_s": done.answered / spent,
        "handler_p99_over_p50": float(p99 / p50),
        "handler_p50_us": float(p50),
        "decide_per_wall_s": done.answered / done.wall_s,
    }


def _body(number: int) -> bytes:
    viewer = f"viewer-{number * 7919 % 20_000:06d}"
    asked = {"id": f"request-{number:08d}", "viewer": viewer, "scene": SCENE, "candidate_limit": ASKED}
    return json.dumps(asked).encode()


def _market(app: Fieldline) -> None:
    """Put the large market and its contracts into a new engine."""
    now = Instant(time.time_ns() // 1_000_000)
    world = World.make(1, "bench")
    app.set_policy(msgspec.structs.replace(app.policy(), candidate_limit=ASKED), "bench")
    for _, entries in groupby(catalogue(world, Instant(now - DAY)), type):
        app.upsert(list(entries))
    for merchant in range(CONTRACTS):
        owner = f"merchant-{merchant:06d}"
        terms = storewide.Terms(
            merchant=owner,
            budget=10_000 * YUAN,
            goal=0.5 + merchant % 8,
            start=Instant(now - DAY),
            end=Instant(now + DAY),
        )
        app.put_contract(f"contract-{merchant}", storewide.NAME, owner, msgspec.json.encode(terms), "bench")


def _serve(folder: Path) -> None:
    cpu_ns = array("q")
    app = Fieldline.open(folder / "data", WallClock())
    _market(app)
    warm()
    listening = listen("127.0.0.1", 0)
    site = site_of(app, handled=cpu_ns.append)
    run(
        site,
        listening,
        opened(site, lambda: None, lambda: print(listening.getsockname()[1], flush=True)),
        app.tick,
    )
    fewest = min(decision.candidates for decision in app.recent(20_000))
    report = {"cpu_us": [nanoseconds / 1_000 for nanoseconds in cpu_ns], "fewest_candidates": fewest}
    (folder / "told.json").write_text(json.dumps(report))
    app.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        _serve(Path(sys.argv[2]))
    else:
        print(json.dumps(measure(), indent=2))
