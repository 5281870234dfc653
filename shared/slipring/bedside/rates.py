"""How often contrast was followed by a reaction, as a picture to print: per agent or lot, each point with its cases (4.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.rates_picture import Group, picture_of
from slipring.bedside.saying import beside as said_beside
from slipring.bedside.which import in_words
from slipring.department import names
from slipring.department.answered import values_of
from slipring.department.names import Pair
from slipring.department.place import Place
from slipring.department.road import Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

RATES = f"{BEDSIDE}/reaction-rates"
BY = ("agent", "lot")


@dataclass(frozen=True, slots=True)
class Bound:
    """What a timing means: until how long after the injection (empty: without end), and where that stands."""

    code: str
    words: Pair
    until: str
    source: str


@dataclass(frozen=True, slots=True)
class RatesPage:
    """The picture of a period, and the same as a table."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/reaction-rates`."""
        return self.place.routes([(RATES, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`Medication/$reaction-rates` of `?from=&to=&by=`; without a period, of the last year."""
        asked = {name: request.query_params.get(name, "").strip() for name in ("from", "to", "by")}
        asked["by"] = asked["by"] if asked["by"] in BY else BY[0]
        hand = await self.place.hand(session)
        told: list[Tree] | None = []
        beside, status = {}, 200
        try:
            told = await hand.called_if_allowed("Medication/$reaction-rates", _asking(asked))
        except FhirError as refused:
            beside, status = said_beside(refused, request, lambda at: ""), refused.status
        groups = None if told is None else [_group(one) for one in told if one["name"] == "group"]
        start, end = _period(told or [])
        return bedside_page(
            self.place, request, session, "rates.html", status=status, asked=asked, by=BY, address=RATES,
            bounds={one.code: one for one in (_bound(part) for part in told or [] if part["name"] == "bound")},
            groups=groups, picture=picture_of(groups or []), start=start, end=end, beside=beside,
        )  # fmt: skip


def _asking(asked: Mapping[str, str]) -> list[Tree]:
    period = {name: asked[field] for name, field in (("start", "from"), ("end", "to")) if asked[field]}
    given: list[Tree] = [{"name": "by", "valueCode": asked["by"]}]
    return [*given, {"name": "period", "valuePeriod": period}] if period else given


def _group(part: Tree) -> Group:
    said = values_of(part["part"])
    cases = [names.reference_in(one["valueReference"]) for one in part["part"] if one["name"] == "case"]
    return Group(
        of=str(said["of"]),
        given=int(said["given"] or 0),
        reacted=int(said["reacted"] or 0),
        extravasations=int(said["extravasations"] or 0),
        bounds=(float(said["rate"]), float(said["low"]), float(said["high"])) if "rate" in said else None,
        cases=tuple(one.rpartition("/")[2] for one in cases),
        agent=in_words([(said.get("agent") or {}).get("text")]),
        timed=tuple(_timed(one) for one in part["part"] if one["name"] == "timed"),
    )


def _timed(part: Tree) -> tuple[str, int]:
    said = values_of(part["part"])
    return str(said["timing"]), int(said["count"])


def _bound(part: Tree) -> Bound:
    said = values_of(part["part"])
    until: Tree = said.get("until") or {}
    return Bound(
        str(said["timing"]),
        (str(said["zh"]), str(said["en"])),
        f"{until['value']} {until.get('unit', '')}".strip() if until else "",
        str(said.get("source", "")),
    )


def _period(told: Sequence[Tree]) -> tuple[datetime | None, datetime | None]:
    period: Tree = next((one["valuePeriod"] for one in told if one["name"] == "period"), {})
    return names.moment(period.get("start")), names.moment(period.get("end"))
