"""`Organization/$due`: what the department owes, on any day, with the findings about its head, leads and licences."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL, Call, Changes, Desk, Resource
from slipring.rules.limits import Limits, UnknownLimit

from slipring_order.asked_day import asked_day
from slipring_order.department.due import DEPARTMENT, Standing, State, due_list
from slipring_order.department.gathering import OnRecord, department_on_record
from slipring_order.department.obligations import obligations
from slipring_order.department.standing import department_findings

OBLIGATION_SYSTEM = f"{CANONICAL}/CodeSystem/department-obligation"
_USUAL_DAYS = 30
_MOST_DAYS = 3660


async def due_told(call: Call, desk: Desk) -> Changes:
    """Everything missing, failed, overdue, or due within so many days of a day; nothing is stored."""
    on, within = asked_day(call, "on", desk.now.astimezone(desk.settings.zone).date()), _within(call)
    at = datetime.combine(on, time(12), desk.settings.zone).astimezone(UTC)
    found = await department_on_record(desk, at)
    limits = _limits(on, call, desk)
    owed = due_list(found.subjects, found.records, obligations(), limits, within)
    wanted = str(call.value("of") or "")
    subject = str((call.value("subject") or {}).get("reference", ""))
    shown = [
        one
        for one in owed
        if (not wanted or one.subject.of == wanted) and (not subject or one.subject.reference == subject)
    ]
    answer: list[Resource] = [{"name": "on", "valueDate": on.isoformat()}]
    answer += [
        {"name": state.value, "valueInteger": sum(one.state is state for one in shown)}
        for state in State
        if state is not State.MET
    ]
    answer += [as_part(one) for one in shown]
    answer += _issues(found, limits, at, desk)
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


def as_part(one: Standing) -> Resource:
    """One line of the list: whose, what, how it stands, until when, under which clause, by which interval."""
    said = one.obligation
    coding = {"system": OBLIGATION_SYSTEM, "code": said.code, "display": said.zh}
    parts: list[Resource] = [
        {"name": "of", "valueCode": one.subject.of},
        {"name": "what", "valueCoding": coding},
        {"name": "zh", "valueString": said.zh},
        {"name": "en", "valueString": said.en},
        {"name": "state", "valueCode": one.state.value},
        {"name": "clause", "valueString": said.clause},
    ]
    if one.subject.reference != DEPARTMENT:
        named = {"display": one.subject.name} if one.subject.name else {}
        parts.append({"name": "subject", "valueReference": {"reference": one.subject.reference, **named}})
    if one.due is not None:
        parts.append({"name": "due", "valueDate": one.due.isoformat()})
    if one.record is not None and one.record.source:
        parts.append({"name": "evidence", "valueReference": {"reference": one.record.source}})
    if one.limit is not None:
        parts += [
            {"name": "interval", "valueInteger": int(one.limit.value)},
            {"name": "limit", "valueString": f"{one.limit.id}|{one.limit.version}"},
            {"name": "confidence", "valueCode": one.limit.confidence},
            {"name": "confirmed", "valueBoolean": one.limit.confirmed},
        ]
    return {"name": "item", "part": parts}


def _issues(found: OnRecord, limits: Limits, at: datetime, desk: Desk) -> list[Resource]:
    about = f"{CANONICAL}/CodeSystem/department-obligation"
    return [
        {"name": "issue", "resource": as_detected_issue(one, id=f"issue-{n}", subject="", about=about, now=desk.now)}
        for n, one in enumerate(department_findings(found.staff, found.documents, limits, at), 1)
    ]


def _within(call: Call) -> timedelta:
    said = call.value("within")
    days = _USUAL_DAYS if said is None else int(said)
    if not 0 <= days <= _MOST_DAYS:
        raise unprocessable(
            f"`within` is a number of days from 0 to {_MOST_DAYS}.",
            f"within 须为 0 至 {_MOST_DAYS} 天。",
            at=call.at("within"),
            code="value",
            detail="order.due-within",
        )
    return timedelta(days=days)


def _limits(on: date, call: Call, desk: Desk) -> Limits:
    limits: Limits = desk.settings.limits.on(on)
    try:
        for one in obligations():
            if one.every:
                limits.limit(one.every)
    except UnknownLimit:
        raise unprocessable(
            "No intervals are in force on that day yet.",
            "该日期尚无生效的周期规定。",
            at=call.at("on"),
            code="value",
            detail="order.due-before-rules",
        ) from None
    return limits
