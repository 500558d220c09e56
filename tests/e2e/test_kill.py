"""A server that is killed under load loses nothing that it acknowledged."""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.e2e.served import Server, market, serving

ROUNDS = 3
CLIENTS = 4
ENOUGH = 40
"""Acknowledged requests of each client before the kill."""
JSON = {"content-type": "application/json"}


@dataclass
class Acknowledged:
    """What a server said was kept."""

    decisions: dict[str, dict[str, object]] = field(default_factory=dict)
    events: dict[str, dict[str, object]] = field(default_factory=dict)
    viewers: set[str] = field(default_factory=set)


def test_a_killed_server_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """After each kill −9 under load every acknowledged decision, event and viewer is there as told."""
    kept, data, log = Acknowledged(), tmp_path / "data", tmp_path / "server.log"
    for round_ in range(ROUNDS):
        with serving(data, log) as server:
            if round_ == 0:
                market(server)
            check(server, kept)
            kill_under_load(server, kept, round_)
    with serving(data, log) as server:
        check(server, kept)
    assert len(kept.decisions) >= ROUNDS * CLIENTS * ENOUGH // 3
    assert len(kept.events) > len(kept.decisions)
    assert len(kept.viewers) >= ROUNDS


def kill_under_load(server: Server, kept: Acknowledged, round_: int) -> None:
    """Let clients decide, tell events and add viewers at once, and kill the server in the midst of it."""
    busy = threading.Semaphore(0)
    clients = [
        threading.Thread(target=client, args=(server, kept, f"{round_}-{number}", busy))
        for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    for _ in range(CLIENTS):
        assert busy.acquire(timeout=120), "a client was not answered"
    server.process.kill()
    server.process.wait(60)
    for thread in clients:
        thread.join(60)
        assert not thread.is_alive()


def client(server: Server, kept: Acknowledged, name: str, busy: threading.Semaphore) -> None:
    """Ask until the server is gone; keep what it acknowledged."""
    asked = 0
    with httpx.Client(base_url=server.url, headers=JSON, timeout=60) as http:
        try:
            while True:
                id_ = f"{name}-{asked}"
                body = json.dumps({"id": id_, "viewer": f"v{asked % 20}", "scene": "video"})
                reply = http.post("/v1/decide", content=body)
                assert reply.status_code == 200, reply.text
                decision = kept.decisions[id_] = reply.json()
                tell(http, kept, id_, decision)
                if asked % 20 == 0:
                    viewer = f"new-{id_}"
                    lines = json.dumps({"id": viewer}).encode()
                    added = http.post(
                        "/v1/viewers", content=lines, headers={"content-type": "application/x-ndjson"}
                    )
                    assert added.status_code == 200, added.text
                    kept.viewers.add(viewer)
                asked += 1
                if asked == ENOUGH:
                    busy.release()
        except httpx.TransportError:
            return


def tell(http: httpx.Client, kept: Acknowledged, id_: str, decision: dict[str, object]) -> None:
    """Tell an impression of every slot, and a click on the first."""
    slots = decision["slots"]
    assert isinstance(slots, list)
    events = [
        {
            "type": "impression",
            "id": f"i-{id_}-{slot['position']}",
            "at": decision["at"],
            "decision": id_,
            "item": slot["item"],
        }
        for slot in slots
    ]
    events.append(events[0] | {"type": "click", "id": f"c-{id_}"})
    reply = http.post("/v1/events", content=json.dumps({"events": events}))
    assert reply.status_code == 200, reply.text
    assert reply.json()["accepted"] == len(events)
    kept.events |= {str(event["id"]): event for event in events}


def check(server: Server, kept: Acknowledged) -> None:
    """Check that all that was acknowledged is there."""
    with httpx.Client(base_url=server.url, headers=JSON, timeout=60) as http:
        for id_, decision in kept.decisions.items():
            logged = http.get(f"/v1/decisions/{id_}")
            assert logged.status_code == 200, f"{id_}: {logged.text}"
            slots = decision["slots"]
            assert isinstance(slots, list)
            assert [slot["item"] for slot in logged.json()["slots"]] == [slot["item"] for slot in slots]
        for id_ in list(kept.decisions)[::10]:
            body = {"id": id_, "viewer": "v0", "scene": "video"}
            assert http.post("/v1/decide", content=json.dumps(body)).json() == kept.decisions[id_]
        told = list(kept.events.values())
        for start in range(0, len(told), 1_000):
            batch = told[start : start + 1_000]
            reply = http.post("/v1/events", content=json.dumps({"events": batch})).json()
            assert (reply["accepted"], reply["repeated"]) == (0, len(batch))
        for viewer in kept.viewers:
            assert http.get(f"/v1/viewers/{viewer}").status_code == 200
