"""Load on a server in another process: keep-alive connections with one request each under way.

`python -m bench.load PORT PATH BODIES SECONDS CONNECTIONS` reads one request body a line from BODIES and
prints what came of it as JSON. Requests are told by the server's CPU seconds, so that the generator's own
speed says nothing.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of load did."""

    answered: int
    refused: int
    """Answers of another status than 200."""
    wall_s: float


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    reply: bytearray
    length: int = -1


def drive(port: int, path: str, bodies: list[bytes], seconds: float, connections: int) -> Load:
    """Send bodies in turn over several connections, for so many seconds or until they are used up."""
    fields = "host: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    head = f"POST {path} HTTP/1.1\r\n{fields}".encode()
    requests = iter([b"%s%d\r\n\r\n%s" % (head, len(body), body) for body in bodies])
    poll = selectors.DefaultSelector()
    answered = refused = busy = 0
    start = time.perf_counter()
    for _ in range(connections):
        connection = _Connection(socket.create_connection(("127.0.0.1", port)), bytearray())
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(connection.socket, selectors.EVENT_READ, connection)
        request = next(requests, None)
        if request is not None:
            connection.socket.sendall(request)
            busy += 1
    end = start + seconds
    while busy:
        for key, _ in poll.select():
            connection = key.data
            ok = _reply(connection)
            if ok is None:
                continue
            answered += 1
            refused += not ok
            busy -= 1
            request = next(requests, None) if time.perf_counter() < end else None
            if request is not None:
                connection.socket.sendall(request)
                busy += 1
    return Load(answered, refused, time.perf_counter() - start)


def _reply(connection: _Connection) -> bool | None:
    """Read what has come; return whether the whole reply is a 200, or None while more is to come."""
    reply = connection.reply
    part = connection.socket.recv(65536)
    if not part:
        raise ConnectionError("the server closed a connection")
    reply += part
    if connection.length < 0:
        end = reply.find(b"\r\n\r\n")
        if end < 0:
            return None
        field = reply.lower().index(b"content-length:", 0, end) + 15
        connection.length = end + 4 + int(reply[field : reply.find(b"\r\n", field)])
    if len(reply) < connection.length:
        return None
    ok = reply.startswith(b"HTTP/1.1 200")
    reply.clear()
    connection.length = -1
    return ok


def load(port: int, path: str, bodies: Path, seconds: float, connections: int = 32) -> Load:
    """Drive a server from a process of its own."""
    command = [
        sys.executable,
        "-m",
        "bench.load",
        str(port),
        path,
        str(bodies),
        str(seconds),
        str(connections),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return Load(**json.loads(done.stdout))


ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    pid: int
    port: int

    def cpu_s(self) -> float:
        """Return the CPU seconds that the process has used so far, in all of its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(module: str, *words: str) -> Iterator[Served]:
    """Run `python -m module words…`, which prints its port once it serves, and stop it at the end."""
    command = [sys.executable, "-m", module, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.strip().isdigit():
                raise RuntimeError(f"{module} did not start: {line!r}")
            yield Served(process.pid, int(line))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    port, path, bodies, seconds, connections = sys.argv[1:]
    lines = Path(bodies).read_bytes().splitlines()
    print(json.dumps(asdict(drive(int(port), path, lines, float(seconds), int(connections)))))
