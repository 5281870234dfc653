"""`Task/$claim`, `$renew`, `$give-back`: one reader has a case in hand, for a while that a durable timer ends (5.6.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Due, Resource, Save, Stored, Wake

from slipring_report.department import limit_of
from slipring_report.resources import parameters, written
from slipring_report.worklist.carrying import said
from slipring_report.worklist.issuing import claim_timer
from slipring_report.worklist.life import after, clock_of, in_state, state_of
from slipring_report.worklist.notices import as_notice
from slipring_report.worklist.people import acting
from slipring_report.worklist.reading_task import claimed_by, holder_of, is_reading, lease_of, unclaimed

LEASE = "claim-lease"
READS = "draft-report"  # the act of slipring.staff
_TAKEN = ("阅片任务已由他人接管，请停止书写。", "The case you had in hand was taken over: stop writing.")


async def reading_claimed(call: Call, desk: Desk) -> Changes:
    """Take a case in hand; whoever has it keeps it, unless a named person takes it over and says why."""
    task = reading_called(call)
    who, minutes = await acting(call, desk, READS), _minutes(call, desk)
    holder, reason = _held_by(task.resource, desk), str(call.value("reason") or "").strip()
    if holder in ("", who):
        return _held(task, task.resource, _claimed(task.resource, holder), who, minutes, desk)
    if not reason:
        raise _held_already(task.resource)
    state = after(state_of(task.resource), "take-over")
    told = said("taken-over", valueString=f"{written(desk.now)} {holder} -> {who}: {reason}")
    taken = {**task.resource, "output": [*task.resource.get("output", []), told]}
    notice = Save(as_notice(desk.new_id(), task.reference, holder, *_TAKEN, now=desk.now))
    return _held(task, taken, state, who, minutes, desk).plus(Changes(save=[notice]))


async def claim_renewed(call: Call, desk: Desk) -> Changes:
    """Keep a case for longer; one that is no longer held by whoever asks is not."""
    task = reading_called(call)
    who, minutes = await acting(call, desk, READS), _minutes(call, desk)
    state = after(state_of(task.resource), "renew")
    if _held_by(task.resource, desk) != who:
        raise _not_the_holder(task.resource)
    return _held(task, task.resource, state, who, minutes, desk)


async def case_given_back(call: Call, desk: Desk) -> Changes:
    """Let go of a case, so that somebody else may read it."""
    task = reading_called(call)
    who = await acting(call, desk, READS)
    state = after(state_of(task.resource), "give-back")
    if holder_of(task.resource) != who:
        raise _not_the_holder(task.resource)
    note = str(call.value("note") or "").strip()
    notes = {"note": [*task.resource.get("note", []), {"text": note, "time": written(desk.now)}]} if note else {}
    freed = _freed({**task.resource, **notes}, state, desk)
    return Changes(
        save=[Save(freed, replaces=task.version)],
        cancel=[claim_timer(task.reference)],
        answer=parameters(("return", "resource", freed)),
    )


async def claim_over(due: Due, desk: Desk) -> Changes:
    """The lease has run out and nobody renewed it: the case is anybody's again."""
    task = await desk.read(due.subject)
    if task is None or state_of(task.resource) != "claimed" or lease_of(task.resource) != due.payload.get("until"):
        return Changes.none()
    freed = _freed(task.resource, after("claimed", "lease-over"), desk)
    return Changes(save=[Save(freed, replaces=task.version)])


def reading_called(call: Call) -> Stored:
    """The reading that an operation is called on."""
    if call.target is None or not is_reading(call.target.resource):
        raise unprocessable(
            "This is called on the reading of an exam (a Task of code reading).",
            "该操作须针对检查的阅片任务（代码 reading 的 Task）调用。",
            at="Task.code",
            detail="report.no-reading",
        )
    return call.target


def _claimed(task: Resource, holder: str) -> str:
    """The state that a claim leads to; over a lease that is over, it is as if its timer had fired."""
    state = state_of(task)
    if holder:
        return after(state, "renew")
    return after(after(state, "lease-over") if state == "claimed" else state, "claim")


def _held(task: Stored, tree: Resource, state: str, who: str, minutes: int, desk: Desk) -> Changes:
    """The case in somebody's hand until the lease is over, with the timer that ends it."""
    until = desk.now + timedelta(minutes=minutes)
    held = {
        **tree,
        **in_state(state, clock_of(tree)),
        **claimed_by(tree, who, until, now=desk.now),
        "lastModified": written(desk.now),
    }
    wake = Wake(
        LEASE, task.reference, timedelta(minutes=minutes), claim_timer(task.reference), {"until": written(until)}
    )
    return Changes(
        save=[Save(held, replaces=task.version)],
        wake=[wake],
        answer=parameters(("return", "resource", held), ("until", "Instant", written(until))),
    )


def _freed(tree: Resource, state: str, desk: Desk) -> Resource:
    members: dict[str, Any] = {
        **tree,
        **in_state(state, clock_of(tree)),
        **unclaimed(tree),
        "lastModified": written(desk.now),
    }
    return {name: value for name, value in members.items() if value is not None}


def _held_by(task: Resource, desk: Desk) -> str:
    """Who holds it now; a lease that is over holds nothing, also while its timer has not fired yet."""
    lease = lease_of(task)
    standing = state_of(task) == "claimed" and bool(lease) and datetime.fromisoformat(lease) > desk.now
    return holder_of(task) if standing else ""


def _minutes(call: Call, desk: Desk) -> int:
    most = int(limit_of(desk, "claim.most_minutes").value)
    asked = call.value("minutes")
    if asked is None:
        return int(limit_of(desk, "claim.minutes").value)
    if not isinstance(asked, int) or not 1 <= asked <= most:
        raise unprocessable(
            f"A case is claimed for 1 to {most} minutes.",
            f"领取时间须为 1 至 {most} 分钟。",
            at=call.at("minutes"),
            code="value",
            detail="report.claim-minutes",
        )
    return asked


def _held_already(task: Resource) -> FhirError:
    holder, until = holder_of(task), lease_of(task)
    return conflict(
        f"{holder} has this case in hand until {until}; whoever takes it over says why (reason).",
        f"该病例已由 {holder} 领取，有效至 {until}；接管须说明理由（reason）。",
        at="Task.owner",
        detail="report.case-held",
    )


def _not_the_holder(task: Resource) -> FhirError:
    holder = holder_of(task) or "-"
    issue = Issue(
        "conflict",
        zh=f"该病例不在您手中（现持有人：{holder}）。",
        en=f"You do not have this case in hand (it is held by: {holder}).",
        at="Task.owner",
        detail="report.case-not-held",
    )
    return FhirError(409, [issue])
