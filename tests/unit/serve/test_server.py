"""Where the server may listen."""

import socket

import pytest

from fieldline.errors import FieldlineError
from fieldline.serve.server import PortInUse, listen, url_of


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::", ""])
def test_only_the_loopback_is_served(host: str) -> None:
    """Any address but the loopback is refused, in one line."""
    with pytest.raises(FieldlineError, match="loopback") as refused:
        listen(host, 0)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:"), ("localhost", "http://127.0.0.1:")]
)
def test_a_free_port_is_found(host: str, url: str) -> None:
    """Port 0 takes a free one, and the address says which."""
    with listen(host, 0) as listening:
        assert url_of(listening) == url + str(listening.getsockname()[1])


def test_a_port_in_use_is_told_in_one_line() -> None:
    """A port that somebody listens on is refused by its number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} of 127.0.0.1 is in use") as refused:
            listen("127.0.0.1", port)
    assert "\n" not in str(refused.value)
