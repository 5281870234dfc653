"""Conferences and their cases as the pages show them: gathered in few searches, the next one first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from slipring.department import names
from slipring.department.exams import Exam, exams_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.review.workplace import carried

CONFERENCES = "/reading/conferences"
_CONFERENCE = ("code", "conference")
_CASE = ("code", "conference-case")
_LASTS = timedelta(hours=12)  # so long after its beginning a conference is still the one to put a case on
_A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Meeting:
    """One conference; `people`: the practitioners whom it names, by reference."""

    task: Tree
    people: Mapping[str, Tree] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The Task's id."""
        return str(self.task["id"])

    @property
    def address(self) -> str:
        """Where it is shown."""
        return f"{CONFERENCES}/{self.id}"

    @property
    def start(self) -> datetime | None:
        """When it begins, or began."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("start"))

    @property
    def place(self) -> str:
        """Where people meet."""
        return str(self.task.get("description", ""))

    @property
    def held(self) -> bool:
        """Whether it is over, and on record as held."""
        return names.code_in(self.task.get("businessStatus"), "conference-state") == "held"

    @property
    def chair(self) -> str:
        """Who chairs, by name."""
        return names.person(self.people.get(names.reference_in(self.task.get("owner"))))

    @property
    def attended(self) -> list[str]:
        """The references of whoever was there."""
        return list(dict.fromkeys(names.reference_in(one) for one in carried(self.task, "attendee", "input")))

    @property
    def attendees(self) -> list[str]:
        """Who was there, by name; somebody whom the person's roles do not open by his reference."""
        return [names.person(self.people.get(one)) or one for one in self.attended]


@dataclass(frozen=True, slots=True)
class Discussed:
    """A case of a conference; `exam` is None where the person's roles do not open it."""

    task: Tree
    exam: Exam | None = None
    report: Tree | None = None
    asked_by: str = ""
    meeting: Meeting | None = None

    @property
    def id(self) -> str:
        """The Task's id."""
        return str(self.task["id"])

    @property
    def state(self) -> str:
        """listed, concluded, put-off."""
        return names.code_in(self.task.get("businessStatus"), "conference-case-state")

    @property
    def question(self) -> str:
        """What is asked of the conference."""
        return str(self.task.get("description", ""))

    @property
    def result(self) -> str:
        """What the conference came to."""
        return next((str(one) for one in carried(self.task, "result")), "")

    @property
    def folded(self) -> bool:
        """Whether the result went into the report."""
        return "report" in carried(self.task, "fold")

    @property
    def draft(self) -> str:
        """The id of the addition that somebody still signs, or ''."""
        return next((names.reference_in(one).rpartition("/")[2] for one in carried(self.task, "draft")), "")

    @property
    def report_id(self) -> str:
        """The report that it is about."""
        return names.reference_in(self.task.get("focus")).rpartition("/")[2]


async def planned(hand: Hand) -> list[Meeting]:
    """The conferences that are still to be held, the soonest first."""
    found = await hand.found("Task", [_CONFERENCE, ("status", "ready")])
    return sorted(await _with_people(hand, found), key=lambda one: str(one.start))


def next_of(meetings: Sequence[Meeting], now: datetime) -> Meeting | None:
    """The conference that a case is put on: the next one, or one that goes on right now.

    >>> at = lambda text: Meeting({"id": text, "restriction": {"period": {"start": text}}})
    >>> days = [at("2026-03-04T08:00:00+08:00"), at("2026-03-11T08:00:00+08:00")]
    >>> next_of(days, datetime.fromisoformat("2026-03-05T08:00:00+08:00")).id
    '2026-03-11T08:00:00+08:00'
    """
    return next((one for one in meetings if one.start and one.start > now - _LASTS), None)


async def held(hand: Hand, start: str, end: str, following: str) -> tuple[list[Meeting], str]:
    """A page of those that were held, the newest first; and what leads to the next page.

    `start`, `end`: days by which it was over, '' for any.
    """
    asked = [_CONFERENCE, ("status", "completed"), ("_sort", "-modified"), ("_count", str(_A_PAGE))]
    asked += [("period", f"ge{start}")] if start else []
    asked += [("period", f"eb{date.fromisoformat(end) + timedelta(days=1)}")] if end else []
    sheet = await hand.sheet("Task", asked, following)
    return await _with_people(hand, sheet.resources), sheet.following


async def meeting_of(hand: Hand, meeting: str) -> Meeting:
    """One conference by its id."""
    [one] = await _with_people(hand, [await hand.read(f"Task/{meeting}")])
    return one


async def cases_on(hand: Hand, meeting: str) -> list[Discussed]:
    """The cases of a conference, in the order in which they were put on it."""
    return await _cases(hand, [_CASE, ("part-of", f"Task/{meeting}"), ("_sort", "authored-on")])


async def discussed(hand: Hand, report: str) -> list[Discussed]:
    """Every conference that a report is or was on, the newest first, each with its conference."""
    cases = await _cases(hand, [_CASE, ("focus", f"DiagnosticReport/{report}"), ("_sort", "-authored-on")])
    on = [names.reference_in(one.task.get("partOf")).rpartition("/")[2] for one in cases]
    found = await hand.found("Task", [("_id", ",".join(sorted(set(on))))]) if on else []
    meetings = {one.id: one for one in await _with_people(hand, found)}
    return [
        Discussed(one.task, one.exam, one.report, one.asked_by, meetings.get(at))
        for one, at in zip(cases, on, strict=True)
    ]


async def missed_weeks(hand: Hand, since: datetime) -> list[datetime]:
    """When a week without a conference was put on record, since a moment, the newest first."""
    asked = [("code", "report.conference-weekly"), ("identified", f"ge{since.isoformat(timespec='seconds')}")]
    told = await hand.if_allowed("DetectedIssue", asked)
    return sorted((at for one in told or [] if (at := names.moment(one.get("identifiedDateTime")))), reverse=True)


async def _cases(hand: Hand, asked: Sequence[tuple[str, str]]) -> list[Discussed]:
    tasks = await hand.found("Task", asked)
    requests = [
        ref for one in tasks for based in one.get("basedOn", [])
        if (ref := str(based.get("reference", ""))).startswith("ServiceRequest/")
    ]  # fmt: skip
    ids = sorted({names.reference_in(one.get("focus")).rpartition("/")[2] for one in tasks})
    exams, reports, people = await asyncio.gather(
        exams_of(hand, "focus", requests),
        hand.about("DiagnosticReport", "_id", ids),
        people_named(hand, [names.reference_in(one.get("requester")) for one in tasks]),
    )
    by_request = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    by_id: dict[str, Any] = {str(one["id"]): one for one in reports or []}
    found = []
    for one in tasks:
        based = [str(each.get("reference", "")) for each in one.get("basedOn", [])]
        exam = next((by_request[each] for each in based if each in by_request), None)
        report = by_id.get(names.reference_in(one.get("focus")).rpartition("/")[2])
        found.append(Discussed(one, exam, report, names.person(people.get(names.reference_in(one.get("requester"))))))
    return found


async def _with_people(hand: Hand, tasks: Sequence[Tree]) -> list[Meeting]:
    bare = [Meeting(one) for one in tasks]
    named = [names.reference_in(one.task.get("owner")) for one in bare] + [who for one in bare for who in one.attended]
    people = await people_named(hand, named)
    return [Meeting(one.task, people) for one in bare]
