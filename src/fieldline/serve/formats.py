"""How numbers and times are written on the pages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import quote

from fieldline.contracts.incrementality import Estimate
from fieldline.serve.overview import Point, Priced, Standing
from fieldline.traffic.alerts import Alert
from fieldline.traffic.explain import Candidate
from fieldline.traffic.report import ReportRow
from fieldline.units import YUAN, Micros, in_yuan

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


def day_hour(at: int) -> str:
    """Return an instant as month, day and time in UTC+8."""
    return f"{datetime.fromtimestamp(at / 1000, CHINA):%m-%d %H:%M}"


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
    if contract.ended or now >= contract.end:
        return "ended"
    if contract.paused:
        return "paused"
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
    prices = sum(part.amount for part in candidate.organic_prices) + candidate.exploration
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


def ratio(value: float | None) -> str:
    """Return a return on spend: 3.42, or a dash where there is none."""
    return "–" if value is None else f"{value:,.2f}"


def between(estimate: Estimate) -> str:
    """Return an estimate's limits: 1.20 … 3.40; a dash where there are none."""
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.low:,.2f} … {estimate.high:,.2f}"


def plain(amount: int | None) -> str:
    """Return micro-yuan as yuan for a field that is typed into: 500, 0.25; nothing where there is none."""
    return "" if amount is None else f"{Decimal(amount) / YUAN:f}"


def local(at: int) -> str:
    """Return an instant as a field of day and time holds it, in UTC+8: 2026-11-22T09:30."""
    return f"{datetime.fromtimestamp(at / 1000, CHINA):%Y-%m-%dT%H:%M}"


def hours(value: float) -> str:
    """Return hours with as many figures as matter: 0.4, 7, 120."""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def levels(prices: Sequence[Priced], start: int, end: int) -> str:
    """Return multipliers as the points of an SVG line, from 0 to the highest of them."""
    top = max((price.alpha for price in prices), default=0.0) or 1.0
    return points([Point(price.at, price.alpha / top) for price in prices], start, end)


MONEY = ("budget_soon", "daily_soon", "no_supply")


def alerted(alert: Alert) -> dict[str, object]:
    """Return an alert's figures as its text is filled with them."""
    write = (lambda value: yuan(value * YUAN)) if alert.code in MONEY else figures
    at = "–" if alert.at is None else day_hour(alert.at)
    return {"value": write(alert.value), "limit": write(alert.limit), "at": at}


class Column(NamedTuple):
    """One column of a picture of 24 hours: where it stands and how high it is, within 100 by 36."""

    x: float
    y: float
    height: float
    label: str


def columns(rows: Sequence[ReportRow]) -> list[Column]:
    """Return the spend of each hour of the day as columns, the highest as high as the picture."""
    top = max((row.spend for row in rows), default=0) or 1
    high = {row.key: (HEIGHT - 2.0) * row.spend / top for row in rows}
    amount = {row.key: row.spend for row in rows}
    return [
        Column(
            round(100.0 * hour / 24 + 0.5, 2),
            round(HEIGHT - 1.0 - high[key], 2),
            round(high[key], 2),
            f"{key}:00 {yuan(amount[key])}",
        )
        for hour in range(24)
        if (key := f"{hour:02d}") in high
    ]


FILTERS = (
    yuan, mille, whole, tenth, figures, percent, iso, moment, clock, path, points, standing, stacked, ratio,
    between, plain, local, hours, levels, day_hour, alerted, columns,
)  # fmt: skip
