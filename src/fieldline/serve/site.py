"""The whole address: the hot routes, the admin API and the pages over one engine."""

from collections.abc import Callable

from fieldline.serve.admin import admin
from fieldline.serve.hot import Site
from fieldline.serve.metrics import Metrics
from fieldline.serve.overview import History
from fieldline.serve.queue import Limits
from fieldline.serve.service import Service
from fieldline.settings import value_of

HOSTS = frozenset({b"127.0.0.1", b"localhost", b"[::1]"})
"""Names under which the loopback is asked for."""


def site_of(
    service: Service,
    *,
    hosts: frozenset[bytes] | None = HOSTS,
    handled: Callable[[int], None] | None = None,
) -> Site:
    """Return the site of an engine, under the limits of the settings.

    Args:
        service: the engine and its stores.
        hosts: names that the Host header may hold, or None for any.
        handled: told the CPU nanoseconds of every decide request's handling, for the bench.
    """
    metrics, history = Metrics(), History()
    limits = Limits(soft=value_of("organic_above"), hard=value_of("most_in_flight"))
    return Site(
        service,
        admin(service, metrics, history),
        metrics,
        limits=limits,
        hosts=hosts,
        reply_before_durable=value_of("reply_before_durable"),
        handled=handled,
        note=lambda wall_s: history.beat(service.state, wall_s),
    )
