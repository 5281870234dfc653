"""Durable reminders: when a certificate, paper or check lapses, a Task says so; when it is renewed, the Task is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from slipring.fhir.service import CANONICAL, Changes, Desk, Due, Resource, Save, Stored, Wake, successor

from slipring_order.department.due import DEPARTMENT, Standing, State, standings
from slipring_order.department.gathering import OnRecord, one_on_record
from slipring_order.department.obligations import obligations
from slipring_order.nonconformity import department_task
from slipring_order.reading import codings, instant, reference_of

LAPSES = "lapses"  # the timer's name
RENEWAL = "renewal"
OBLIGATION_SYSTEM = f"{CANONICAL}/CodeSystem/department-obligation"
_INPUT_SYSTEM = f"{CANONICAL}/CodeSystem/task-input"
_OPEN = "requested,received,accepted,in-progress,on-hold"
_LAPSED = frozenset({State.OVERDUE, State.FAILED})


def reminder(reference: str) -> Changes:
    """Look at what this person or device owes right after the commit, and again when the next of it lapses."""
    subject = reference if reference.startswith(("Practitioner/", "Device/")) else ""
    key = f"lapses:{subject or 'department'}"
    return Changes(wake=[Wake(LAPSES, reference, key=key, payload={"subject": subject})])


async def lapsed(due: Due, desk: Desk) -> Changes:
    """Open a Task for each thing that lapsed, close those that were renewed, and wait for the next day one lapses."""
    subject = str(due.payload.get("subject", DEPARTMENT))
    today = desk.now.astimezone(desk.settings.zone).date()
    found = await one_on_record(subject, desk, desk.now)
    standing = standings(found.subjects, found.records, obligations(), desk.settings.limits.on(today))
    open_tasks = await _open_tasks(subject, desk)
    saves = _opened(standing, open_tasks, subject, desk) + _closed(standing, open_tasks, desk)
    days = list(_days_of_change(found, standing, today))
    wake = [Wake(LAPSES, due.subject, _until(min(days), desk), due.key, due.payload)] if days else []
    return Changes(save=saves, wake=wake)


def _days_of_change(found: OnRecord, standing: Sequence[Standing], today: date) -> Iterator[date]:
    """The days to come on which something else may be owed: what holds ends, a duty begins, a record becomes known."""
    yield from (one.due + timedelta(days=1) for one in standing if one.state is State.MET and one.due is not None)
    spans = (span for one in found.staff.values() for held in one.duties.values() for span in held)
    yield from (span.start for span in spans if span.start is not None and span.start > today)
    yield from (record.on for record in found.records if record.on > today)


async def _open_tasks(subject: str, desk: Desk) -> dict[str, Stored]:
    """The open renewals of this subject by obligation."""
    found = await desk.search(f"Task?code={RENEWAL}&status={_OPEN}" + (f"&focus={subject}" if subject else ""))
    return {_owed(one.resource): one for one in found if reference_of(one.resource.get("focus")) == subject}


def _opened(standing: Sequence[Standing], held: dict[str, Stored], subject: str, desk: Desk) -> list[Save]:
    return [
        Save(_renewal(one, subject, desk))
        for one in standing
        if one.state in _LAPSED and one.obligation.code not in held
    ]


def _closed(standing: Sequence[Standing], held: dict[str, Stored], desk: Desk) -> list[Save]:
    lapsed_now = {one.obligation.code for one in standing if one.state in _LAPSED}
    done = {"status": "completed", "lastModified": instant(desk.now)}
    return [successor(task, **done) for code, task in held.items() if code not in lapsed_now]


def _renewal(one: Standing, subject: str, desk: Desk) -> Resource:
    said, day = one.obligation, one.due.isoformat() if one.due else ""
    failed = one.state is State.FAILED
    task = department_task(
        RENEWAL,
        id=desk.new_id(),
        zh=f"{said.zh}：{day} {'不合格' if failed else '到期'}，须更新。",
        en=f"{said.en}: {'failed' if failed else 'lapsed'} on {day}, to be renewed.",
        clause=said.clause,
        about=subject,
        now=desk.now,
        evidence=[one.record.source] if one.record and one.record.source else [],
    )
    coding = {"system": OBLIGATION_SYSTEM, "code": said.code, "display": said.zh}
    kind = {"coding": [{"system": _INPUT_SYSTEM, "code": "obligation"}]}
    return {**task, "input": [{"type": kind, "valueCodeableConcept": {"coding": [coding]}}]}


def _owed(task: Resource) -> str:
    for entry in task.get("input", []):
        for coding in codings(entry.get("valueCodeableConcept")):
            if coding.get("system") == OBLIGATION_SYSTEM:
                return str(coding["code"])
    return ""


def _until(day: date, desk: Desk) -> timedelta:
    """From now to the first moment of this day, by the department's clock."""
    begins = datetime.combine(day, time.min, desk.settings.zone).astimezone(UTC)
    return max(begins - desk.now, timedelta(0))
