"""Who is on call this week, and when nobody is; a turn given away by one tap and taken by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.fhir.search.moment import counts
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.oncall.said import names_of, values_of

ROSTER = "/alerts/roster"
LIVE = f"{ROSTER}/live"
WATCHED: Mapping[str, Sequence[tuple[str, str]]] = {"Schedule": [], "Slot": []}
_TARGET = f"{CANONICAL}/CodeSystem/ladder-target"
_EXTENSION = f"{CANONICAL}/StructureDefinition"
_DAYS = 7


@dataclass(frozen=True, slots=True)
class Spell:
    """Some hours: who is on call, or why nobody would be rung; `mine`: they may be given away."""

    start: datetime
    end: datetime
    people: tuple[str, ...] = ()
    gap: str = ""
    mine: bool = False

    @property
    def last(self) -> datetime:
        """A moment of it that lies ahead as long as any of it does."""
        return self.end - timedelta(seconds=1)

    def within(self, day: date, zone: tzinfo) -> tuple[datetime, datetime] | None:
        """The part of it that lies in a day of the department."""
        begins = datetime.combine(day, time(), zone)
        ends = datetime.combine(day + timedelta(days=1), time(), zone)
        start, end = max(self.start, begins), min(self.end, ends)
        return (start, end) if start < end else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One roster of a week."""

    id: str
    office: str
    places: tuple[str, ...]
    turns: list[Spell]
    gaps: list[Spell]
    others: list[tuple[str, str]]  # reference and name of whoever may be asked to take a turn

    def days(self, monday: date, zone: tzinfo) -> Iterator[tuple[date, list[tuple[datetime, datetime, Spell]]]]:
        """Day by day what lies in it, gaps among the turns."""
        every = sorted(
            [*[one for one in self.turns if one.people], *self.gaps], key=lambda one: (one.start, bool(one.gap))
        )
        for count in range(_DAYS):
            day = monday + timedelta(days=count)
            parts = [(*part, one) for one in every if (part := one.within(day, zone))]
            yield day, parts


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A swap that waits for an answer, which nobody can give any more once it is over; `to_me`: it is mine to accept."""

    slot: str
    by: str
    to: str
    start: datetime
    end: datetime
    to_me: bool


@dataclass(frozen=True, slots=True)
class RosterPages:
    """`/alerts/roster` and its swaps."""

    place: Place

    def routes(self) -> list[Route]:
        """The week, and the two taps of a swap."""
        return self.place.routes(
            [
                (ROSTER, self.week, ["GET"]),
                (f"{ROSTER}/swap", self.swap, ["POST"]),
                (f"{ROSTER}/swaps/{{id}}", self.answer, ["POST"]),
            ]
        )

    async def week(self, request: Request, session: Session) -> Response:
        """Seven days of every roster; `?from=` begins on another Monday."""
        return await self._week(request, session, {})

    async def _week(self, request: Request, session: Session, beside: Words, *, status: int = 200) -> Response:
        hand, me = await self.place.hand(session), session.account.practitioner or ""
        monday = _monday(request.query_params.get("from", ""), self.place.now().astimezone(self.place.zone).date())
        begins = datetime.combine(monday, time(), self.place.zone)
        span = [
            {"name": "from", "valueDateTime": begins.astimezone(UTC).isoformat()},
            {"name": "until", "valueDateTime": (begins + timedelta(days=_DAYS)).astimezone(UTC).isoformat()},
        ]
        kept = await hand.found("Schedule", [("active", "true"), ("service-type", f"{_TARGET}|"), ("_count", "100")])
        told, slots, no_desk = await asyncio.gather(
            asyncio.gather(*(hand.called(f"Schedule/{one['id']}/$on-call", span) for one in kept)),
            hand.found("Slot", [("status", "busy-tentative"), ("_count", "100")]),
            hand.if_allowed("Task", names.NO_DESK),
        )
        called = await _called(hand, kept, told, slots)
        now = self.place.now()
        rosters = [_shown(one, said, called, me, now) for one, said in zip(kept, told, strict=True)]
        swaps = [swap for swap in (_swap(one, called, me) for one in slots) if swap and swap.end > now]
        return self._page(
            request, session, "roster.html", status=status, rosters=rosters, swaps=swaps, monday=monday, beside=beside,
            no_desk=bool(no_desk), may_import=may_write(session),
            before=monday - timedelta(days=_DAYS), after=monday + timedelta(days=_DAYS),
        )  # fmt: skip

    async def swap(self, request: Request, session: Session) -> Response:
        """The first tap: ask somebody to take a turn."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        given: list[Tree] = [
            {"name": "roster", "valueReference": {"reference": f"Schedule/{form.get('roster', '')[:64]}"}},
            {"name": "at", "valueDateTime": form.get("at", "")[:40]},
            {"name": "with", "valueReference": {"reference": form.get("with", "")[:100]}},
        ]
        return await self._done(request, session, hand, "Slot/$swap", given)

    async def answer(self, request: Request, session: Session) -> Response:
        """The second tap: take it, or not."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        given: list[Tree] = [{"name": "accept", "valueBoolean": form.get("accept") == "yes"}]
        return await self._done(request, session, hand, f"Slot/{named_in(request, 'Slot')}/$answer-swap", given)

    async def _done(self, request: Request, session: Session, hand: Hand, what: str, given: list[Tree]) -> Response:
        try:
            await hand.called(what, given)
        except FhirError as refused:
            return await self._week(request, session, wrong(refused, request, given, {}), status=refused.status)
        return RedirectResponse(ROSTER, 303)

    def _page(self, request: Request, session: Session, template: str, **values: Any) -> Response:
        return self.place.page(request, session, f"oncall/{template}", live=LIVE, roster=ROSTER, **values)


def may_write(session: Session) -> bool:
    """Whether a person's roles let him write rosters; whether he keeps them is for the directory to say."""
    return may(session, "Schedule", "u") and may(session, "Slot", "c")


def _monday(text: str, today: date) -> date:
    """The Monday of a day that is asked for; of today for what is none, and where no weeks can be counted any more.

    >>> [_monday(text, date(2026, 3, 4)).isoformat() for text in ("2026-03-15", "", "9999-12-31", "0001-01-01")]
    ['2026-03-09', '2026-03-02', '2026-03-02', '2026-03-02']
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if not counts(datetime.combine(day, time(), UTC)):
        day = today
    return day - timedelta(days=day.weekday())


async def _called(hand: Hand, kept: Sequence[Tree], told: Sequence[Tree], slots: Sequence[Tree]) -> dict[str, str]:
    """The names of everybody on the rosters, and of the places they are for."""
    members = [str(actor.get("reference", "")) for one in kept for actor in one.get("actor", [])]
    turns = [
        str(person["reference"])
        for said in told
        for one in said["parameter"]
        if "part" in one
        for person in values_of(one["part"]).get("person", [])
    ]
    asked = [
        str(one.get("valueReference", {}).get("reference", "")) for slot in slots for one in slot.get("extension", [])
    ]
    return await names_of(hand, {*members, *turns, *asked})


def _shown(schedule: Tree, told: Tree, called: Mapping[str, str], me: str, now: datetime) -> Shown:
    spells: dict[str, list[Spell]] = {"turn": [], "gap": []}
    for one in told["parameter"]:
        if "part" not in one:
            continue
        values = values_of(one["part"])
        who = [str(person["reference"]) for person in values.get("person", [])]
        start, end = (datetime.fromisoformat(str(values[name][0])) for name in ("start", "end"))
        spells[one["name"]].append(
            Spell(
                start, end, tuple(called.get(one, one) for one in who), str(values.get("reason", [""])[0]),
                mine=me in who and end > now,
            )
        )  # fmt: skip
    actors = [str(actor.get("reference", "")) for actor in schedule.get("actor", [])]
    return Shown(
        id=str(schedule["id"]),
        office=names.code_in(schedule["serviceType"][0], "ladder-target"),
        places=tuple(called.get(one, one) for one in actors if one.startswith("Location/")),
        turns=spells["turn"],
        gaps=spells["gap"],
        others=[(one, called.get(one, one)) for one in actors if one.startswith("Practitioner/") and one != me],
    )


def _swap(slot: Tree, called: Mapping[str, str], me: str) -> AskedFor | None:
    named = {
        str(one["url"]).rpartition("/")[2]: str(one.get("valueReference", {}).get("reference", ""))
        for one in slot.get("extension", [])
        if str(one.get("url", "")).startswith(_EXTENSION)
    }
    by, to = named.get("on-call-asked-by", ""), named.get("on-call-person", "")
    if not by or me not in named.values():
        return None
    start, end = datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"])
    return AskedFor(str(slot["id"]), called.get(by, by), called.get(to, to), start, end, to_me=me != by)
