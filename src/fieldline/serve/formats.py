"""How numbers and times are written on the pages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple
from urllib.parse import quote

from fieldline.serve.overview import Point, Standing
from fieldline.traffic.explain import Candidate
from fieldline.units import Micros, in_yuan

CHINA = timezone(timedelta(hours=8))
HEIGHT = 36.0
"""Of a curve's picture; its width is 100."""


def yuan(amount: float) -> str:
    """Return micro-yuan as yuan: ¥0.0123, ¥4.50, ¥12,345."""
    value = in_yuan(Micros(int(amount)))
    if value == 0:
        return "¥0"
    if abs(value) < 1:
        return f"¥{value:.4f}"
    return f"¥{value:,.2f}" if abs(value) < 10_000 else f"¥{value:,.0f}"


def mille(per_look: float) -> str:
    """Return yuan per look as yuan per 1,000 looks."""
    value = per_look * 1_000
    return f"{value:,.2f}" if abs(value) < 10_000 else f"{value:,.0f}"


def whole(value: float) -> str:
    """Return a count with its thousands apart."""
    return f"{value:,.0f}"


def tenth(value: float) -> str:
    """Return a number with one decimal."""
    return f"{value:,.1f}"


def figures(value: float) -> str:
    """Return a number with three figures."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def percent(share: float) -> str:
    """Return a share in per cent: 0.4%, 12%."""
    return f"{share:.1%}" if abs(share) < 0.0995 else f"{share:.0%}"


def iso(at: int) -> str:
    """Return an instant as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def moment(at: int) -> str:
    """Return an instant's day and time in UTC+8."""
    return f"{datetime.fromtimestamp(at / 1000, CHINA):%Y-%m-%d %H:%M:%S}"


def clock(at: int) -> str:
    """Return an instant's time of day in UTC+8."""
    return f"{datetime.fromtimestamp(at / 1000, CHINA):%H:%M:%S}"


def path(name: str) -> str:
    """Return an id fit to stand in an address."""
    return quote(name, safe="")


def points(curve: Sequence[Point], start: int, end: int) -> str:
    """Return a curve as the points of an SVG line: x from start to end, y from none to all of the target."""
    length = max(end - start, 1)
    return " ".join(
        f"{100.0 * min(max((at.at - start) / length, 0.0), 1.0):.2f},"
        f"{HEIGHT - 1.0 - (HEIGHT - 2.0) * min(max(at.share, 0.0), 1.0):.2f}"
        for at in curve
    )


def standing(contract: Standing, now: int) -> str:
    """Return the word for how a contract stands."""
    if contract.paused:
        return "paused"
    if now >= contract.end:
        return "ended"
    if now < contract.start:
        return "waiting"
    return "running" if contract.running else "idle"


class Bar(NamedTuple):
    """One part of a stacked bar, in per cent of its width."""

    kind: str
    x: float
    width: float


def stacked(candidate: Candidate, widest: float) -> list[Bar]:
    """Return what a candidate's score is made of, as parts of a bar as wide as the highest score."""
    trust = candidate.trust_factor
    prices = sum(part.amount for part in candidate.organic_prices)
    bars, x = [], 0.0
    for kind, amount in (
        ("viewer", candidate.viewer_value * trust),
        ("goods", candidate.goods_value * trust),
        ("price", prices),
    ):
        width = round(100.0 * max(amount, 0.0) / widest, 2) if widest > 0 else 0.0
        if width:
            bars.append(Bar(kind, round(x, 2), width))
        x += width
    return bars


FILTERS = (yuan, mille, whole, tenth, figures, percent, iso, moment, clock, path, points, standing, stacked)
