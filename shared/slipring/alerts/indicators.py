"""How critical findings were told: shares with their intervals as a picture, medians, and who was rung at night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.alerts.boards import ALERTS, LIVE
from slipring.department import names
from slipring.department.place import Place
from slipring.department.road import Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said
from slipring.pages.plots.lanes import lanes_of

INDICATORS = f"{ALERTS}/indicators"


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or a median as it was told."""

    code: str
    counts: str
    bounds: tuple[float, float, float] | None
    value: float | None
    cases: Sequence[str]


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """The indicators of a period."""

    place: Place

    def routes(self) -> list[Route]:
        """`/alerts/indicators`."""
        return self.place.routes([(INDICATORS, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Of `?from=&to=` by the department's days; without them, of the last 90."""
        asked = {name: request.query_params.get(name, "").strip()[:10] for name in ("from", "to")}
        hand = await self.place.hand(session)
        told: Sequence[Tree] | None = []
        says, status = [], 200
        try:
            told = await hand.called_if_allowed("Task/$critical-indicators", self._period(asked))
        except FhirError as refused:
            if refused.status not in (400, 422):
                raise
            status = refused.status
            says = [said((issue.zh, issue.en), language_of(request)) for issue in refused.issues]
        shares = [_figure(one["part"]) for one in told or [] if one["name"] == "share"]
        rings = [{p["name"]: p for p in one["part"]} for one in told or [] if one["name"] == "nightRings"]
        who = [names.reference_in(one["who"]["valueReference"]) for one in rings]
        counts = [int(one["count"]["valueInteger"]) for one in rings]
        people = await people_named(hand, who)
        return self.place.page(
            request, session, "alerts/indicators.html", status=status, live=LIVE, board=ALERTS, address=INDICATORS,
            asked=asked, says=says, allowed=told is not None, shares=shares,
            picture=lanes_of([(one, one.bounds) for one in shares if one.bounds]),
            rates=[_figure(one["part"]) for one in told or [] if one["name"] == "rate"],
            medians=[_figure(one["part"]) for one in told or [] if one["name"] == "median"],
            rings=[(names.person(people.get(one)) or one, count) for one, count in zip(who, counts, strict=True)],
        )  # fmt: skip

    def _period(self, asked: dict[str, str]) -> list[Tree]:
        told = {"start": (asked["from"], 0), "end": (asked["to"], 1)}
        period = {name: _midnight(day, later, self.place.zone) for name, (day, later) in told.items() if day}
        return [{"name": "period", "valuePeriod": period}] if period else []


def _midnight(day: str, later: int, zone: tzinfo) -> str:
    """The first moment of a day of the department, or of so many days later; what is no day is passed on, to be refused.

    >>> from zoneinfo import ZoneInfo
    >>> [_midnight(day, 1, ZoneInfo("Asia/Shanghai")) for day in ("2026-03-31", "9999-12-31", "soon")]
    ['2026-03-31T16:00:00+00:00', '9999-12-31', 'soon']
    """
    try:
        return (
            datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), zone).astimezone(UTC).isoformat()
        )
    except (ValueError, OverflowError):
        return day


def _figure(parts: Sequence[Tree]) -> Figure:
    values = {str(p["name"]): p for p in parts if p["name"] != "case"}

    def number(name: str) -> float | None:
        return float(values[name]["valueDecimal"]) if name in values else None

    value, low, high = number("value"), number("low"), number("high")
    wanted = [name for name in ("numerator", "denominator", "count", "of") if name in values]
    counts = "/".join(str(values[name]["valueInteger"]) for name in wanted)
    bounds = (value, low, high) if value is not None and low is not None and high is not None else None
    cases = [names.reference_in(p["valueReference"]).rpartition("/")[2] for p in parts if p["name"] == "case"]
    return Figure(str(values["code"]["valueCode"]), counts, bounds, value, cases)
