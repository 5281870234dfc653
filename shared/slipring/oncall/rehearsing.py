"""Whom a finding would ring: a ladder rehearsed for a ward, a level and a moment, such as a Sunday at three in the morning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, wrong
from slipring.department.road import Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.oncall.roster import LIVE, ROSTER
from slipring.oncall.said import names_of, value_of, values_of


@dataclass(frozen=True, slots=True)
class RehearsalPage:
    """`/alerts/roster/rehearsal`."""

    place: Place

    def routes(self) -> list[Route]:
        """The one page."""
        return self.place.routes([(f"{ROSTER}/rehearsal", self.rehearsal, ["GET"])])

    async def rehearsal(self, request: Request, session: Session) -> Response:
        """`Schedule/$who-is-rung`: what happens at three in the morning of a Sunday."""
        given, asked = _question(request.query_params, self.place.zone)
        hand, beside, answer = await self.place.hand(session), Words(), None
        wards = await hand.if_allowed("Location", [("status", "active"), ("_count", "200")]) or []
        wards = sorted(wards, key=lambda one: str(one.get("name", "")))
        try:
            answer = await hand.called("Schedule/$who-is-rung", asked)
        except FhirError as refused:
            beside = wrong(refused, request, asked, {"at": "at", "level": "level"})
        steps = [values_of(one["part"]) for one in (answer or {}).get("parameter", []) if one["name"] == "step"]
        told = {one["name"]: value_of(one) for one in (answer or {}).get("parameter", [])}
        called = await names_of(hand, {who for step in steps for who in _people(step)})
        return self.place.page(
            request, session, "oncall/rehearsal.html", status=200 if answer else 422, given=given, wards=wards,
            beside=beside, steps=steps, told=told, called=called, live=LIVE, roster=ROSTER,
        )  # fmt: skip


def _question(query: Mapping[str, str], zone: tzinfo) -> tuple[dict[str, str], list[Tree]]:
    """What was asked, as it stands in the form, and as parameters."""
    given = {name: str(query.get(name, ""))[:100] for name in ("level", "ward", "at")}
    given["level"] = given["level"] or "1"
    asked: list[Tree] = [{"name": "level", "valueCode": given["level"]}]
    if given["ward"]:
        asked.append({"name": "ward", "valueReference": {"reference": f"Location/{given['ward']}"}})
    if given["at"]:
        local = names.moment(f"{given['at']}:00Z")
        moment = local.replace(tzinfo=zone).isoformat() if local else given["at"]
        asked.append({"name": "at", "valueDateTime": moment})
    return given, asked


def _people(step: Mapping[str, Any]) -> list[str]:
    """Everybody whom a step would ring, by reference."""
    return [one["reference"] for target in step["target"] for one in target.get("person", [])]
