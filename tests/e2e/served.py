"""A real server in a process of its own, for tests that need one."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
STARTED = re.compile(r"(http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send one request with a JSON body."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if body is not None else {}
        return httpx.request(method, self.url + path, content=content, headers=headers, timeout=60)

    def put(self, path: str, entries: Iterable[dict[str, object]]) -> httpx.Response:
        """Upsert catalogue entries."""
        lines = "\n".join(json.dumps(entry) for entry in entries).encode()
        headers = {"content-type": "application/x-ndjson"}
        return httpx.post(f"{self.url}/v1/{path}", content=lines, headers=headers, timeout=60)


def start(*words: str, log: Path) -> "subprocess.Popen[bytes]":
    """Start a fieldline command whose output goes to a file."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "fieldline.cli", *words],
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
        )


@contextmanager
def serving(data: Path, log: Path, *words: str) -> Iterator[Server]:
    """Run `fieldline serve` on a data folder, and kill it if it still runs at the end."""
    log.write_bytes(b"")
    process = start("serve", "--data", str(data), "--port", "0", *words, log=log)
    try:
        yield Server(process, _address(process, log))
    finally:
        process.kill()
        process.wait(60)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(3_000):  # kernels compile for long where nothing is cached yet
        found = STARTED.search(log.read_text("utf-8", "replace"))
        if found:
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text('utf-8', 'replace')}")


def market(server: Server) -> None:
    """Upsert 20 viewers, 6 creators, 3 merchants, 9 products and 60 videos, and make one contract."""
    now = int(time.time() * 1000)
    entries: dict[str, list[dict[str, object]]] = {
        "viewers": [{"id": f"v{n}"} for n in range(20)],
        "creators": [{"id": f"c{n}", "followers": 10 ** (n + 2)} for n in range(6)],
        "merchants": [{"id": f"m{n}"} for n in range(3)],
        "products": [
            {"id": f"p{n}", "merchant": f"m{n % 3}", "price": 10_000_000 * (n + 1), "stock": 1_000}
            for n in range(9)
        ],
        "videos": [
            {
                "id": f"x{n}",
                "creator": f"c{n % 6}",
                "category": f"k{n % 5}",
                "title": f"视频 {n} <b>&</b>",
                "product": f"p{n % 9}",
            }
            for n in range(60)
        ],
    }
    for path, lines in entries.items():
        reply = server.put(path, lines)
        assert reply.status_code == 200, reply.text
    terms = {
        "merchant": "m1",
        "budget": 500_000_000,
        "goal": 0.5,
        "start": now - 1000,
        "end": now + 86_400_000,
    }
    contract = {"id": "storewide-1", "offer": "storewide", "owner": "m1", "terms": terms}
    reply = server.ask("POST", "/v1/contracts", contract)
    assert reply.status_code == 201, reply.text
