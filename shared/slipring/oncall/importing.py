"""A roster read from a calendar file: looked at by weeks with the gaps that it leaves, and stored by a second tap."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import chain, groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place
from slipring.department.road import Hand, Tree, in_portions
from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.oncall.roster import LIVE, ROSTER, may_write
from slipring.oncall.said import names_of, value_of, values_of
from slipring.pages.language import language_of, said

IMPORT = f"{ROSTER}/import"
_ROSTERS = (("active", "true"), ("service-type", f"{CANONICAL}/CodeSystem/ladder-target|"), ("_count", "100"))
_REFUSED = (400, 409, 412, 422)
_FILE = re.compile(r"data:[^,]*;base64,([A-Za-z0-9+/=]+)", re.ASCII)
_FIELDS = ("roster", "all_day_from", "complete", "table")


@dataclass(frozen=True, slots=True)
class Part:
    """Some hours of a day: a shift and what happens to it (create, update, withdraw, unchanged), or a gap and why."""

    start: datetime
    end: datetime
    people: tuple[str, ...]
    action: str = ""
    gap: str = ""

    def days(self, zone: tzinfo) -> Iterator[tuple[date, datetime, datetime]]:
        """Day by day the part of it that lies there."""
        start = self.start.astimezone(zone)
        while start < self.end:
            midnight = datetime.combine(start.date() + timedelta(days=1), datetime.min.time(), zone)
            end = min(midnight, self.end)
            yield start.date(), start, end
            start = midnight


@dataclass(frozen=True, slots=True)
class ImportPage:
    """`/alerts/roster/import`."""

    place: Place

    def routes(self) -> list[Route]:
        """The form, and the two taps: look at it, store it."""
        return self.place.routes([(IMPORT, self.form, ["GET"]), (IMPORT, self.tapped, ["POST"])])

    async def form(self, request: Request, session: Session) -> Response:
        """An empty one."""
        given = dict.fromkeys(_FIELDS, "") | {"all_day_from": "00:00"}
        return await self._page(request, session, await self.place.hand(session), given)

    async def tapped(self, request: Request, session: Session) -> Response:
        """`Schedule/[id]/$import-calendar`: on paper first, then stored as it was looked at."""
        posted, hand = await self.place.posted(request, session), await self.place.hand(session)
        given = {name: posted.get(name, "")[:4000] for name in _FIELDS}
        chosen = _FILE.fullmatch(posted.get("file", ""))
        calendar = chosen[1] if chosen else posted.get("calendar", "")
        store = posted.get("act") == "store" and not chosen  # a file that was chosen since has not been looked at
        try:
            persons = await _persons(hand, given["table"])
            told = await hand.called(
                f"Schedule/{_named(given['roster'])}/$import-calendar",
                [*_asked(calendar, given, store=store), *persons],
            )
        except FhirError as refused:
            if refused.status not in _REFUSED:
                raise
            language = language_of(request)
            beside = [said((issue.zh, issue.en), language) for issue in refused.issues]
            return await self._page(request, session, hand, given, beside=beside, status=refused.status)
        if store:
            first = min((one.start for one in _parts(told, {}) if one.action), default=self.place.now())
            return RedirectResponse(f"{ROSTER}?from={first.astimezone(self.place.zone).date().isoformat()}", 303)
        return await self._page(request, session, hand, given, told=told, calendar=calendar)

    async def _page(
        self, request: Request, session: Session, hand: Hand, given: Mapping[str, str], *,
        beside: Sequence[str] = (), told: Tree | None = None, calendar: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        rosters = await hand.found("Schedule", _ROSTERS)
        called = await names_of(hand, {who for one in _parts(told or {}, {}) for who in one.people})
        parts = _parts(told or {}, called)
        counts = {
            action: sum(one.action == action for one in parts)
            for action in ("create", "update", "withdraw", "unchanged")
        }
        heads = {one["name"]: value_of(one) for one in (told or {}).get("parameter", []) if "part" not in one}
        return self.place.page(
            request, session, "oncall/import.html", status=status, given=given, beside=beside, told=told is not None,
            calendar=calendar, weeks=_weeks(parts, self.place.zone), counts=counts, cancelled=heads.get("cancelled", 0),
            later=heads.get("later", 0), gaps=any(one.gap for one in parts), may_import=may_write(session),
            rosters=[(str(one["id"]), names.code_in(one["serviceType"][0], "ladder-target")) for one in rosters],
            live=LIVE, roster=ROSTER, address=IMPORT,
        )  # fmt: skip


def _named(roster: str) -> str:
    return roster if names.ID.fullmatch(roster) else "none"


def _asked(calendar: str, given: Mapping[str, str], *, store: bool) -> list[Tree]:
    asked: list[Tree] = [{"name": "file", "valueBase64Binary": calendar}] if calendar else []
    asked.append({"name": "dryRun", "valueBoolean": not store})
    if given["all_day_from"]:
        hour = given["all_day_from"]
        asked.append({"name": "allDayFrom", "valueTime": f"{hour}:00" if hour.count(":") == 1 else hour})
    return [*asked, {"name": "complete", "valueBoolean": given["complete"] == "yes"}]


async def _persons(hand: Hand, table: str) -> list[Tree]:
    """Each line `words = staff number`; a line that names nobody is refused."""
    lines = [(number, line.rpartition("=")) for number, line in enumerate(table.splitlines(), 1) if line.strip()]
    said = [(number, words.strip(), who.strip()) for number, (words, _, who) in lines]
    wanted = sorted({names.plain(who) for _, _, who in said if who})
    ways = [[("identifier", ",".join(some)), ("active", "true"), ("_count", "100")] for some in in_portions(wanted)]
    staff = await asyncio.gather(*(hand.found("Practitioner", way) for way in ways))
    by_number: dict[str, set[str]] = {}
    for person in chain.from_iterable(staff):
        for one in person.get("identifier", []):
            by_number.setdefault(str(one.get("value", "")), set()).add(f"Practitioner/{person['id']}")
    found: list[Tree] = []
    for number, words, who in said:
        meant = by_number.get(who, set())
        if not (words and who) or len(meant) != 1:
            raise FhirError(422, [_no_such_person(number)])
        [reference] = meant
        parts = [{"name": "named", "valueString": words}, {"name": "is", "valueReference": {"reference": reference}}]
        found.append({"name": "person", "part": parts})
    return found


def _no_such_person(number: int) -> Issue:
    return Issue(
        "business-rule", zh=f"对照表第 {number} 行须为“文字 = 工号”，且工号对应唯一在册人员。",
        en=f"Line {number} of the table is: words = staff number, of one member of staff.",
        at="Parameters.parameter.where(name='person')", detail="oncall.import-table",
    )  # fmt: skip


def _parts(told: Tree, called: Mapping[str, str]) -> list[Part]:
    """Shifts and gaps in the order of their hours."""
    found = []
    for one in told.get("parameter", []):
        if one["name"] not in ("shift", "gap"):
            continue
        values: dict[str, list[Any]] = values_of(one["part"])
        start, end = (datetime.fromisoformat(str(values[name][0])) for name in ("start", "end"))
        people = [str(who["reference"]) for who in values.get("person", [])]
        found.append(
            Part(start, end, tuple(called.get(who, who) for who in people),
                 str(values.get("action", [""])[0]), str(values.get("reason", [""])[0]))
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.start, one.end, bool(one.gap)))


def _weeks(
    parts: Sequence[Part], zone: tzinfo
) -> list[tuple[date, list[tuple[date, list[tuple[datetime, datetime, Part]]]]]]:
    """Monday -> day -> the hours that lie in it; days on which nothing is said are left out."""
    every = sorted(
        ((day, start, end, one) for one in parts for day, start, end in one.days(zone)), key=lambda part: part[:3]
    )
    days = [
        (day, [(start, end, one) for _, start, end, one in group])
        for day, group in groupby(every, key=lambda part: part[0])
    ]
    return [
        (monday, list(group))
        for monday, group in groupby(days, key=lambda entry: entry[0] - timedelta(days=entry[0].weekday()))
    ]
