"""`$withdraw`: a report that should never have been (wrong patient) is taken back at once."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, successor
from slipring.fhir.terminology.own import Names

from slipring_report.amending.amendment import amends
from slipring_report.emergency.release import second_reads_of
from slipring_report.emergency.resources import timer_key
from slipring_report.handlers.asked import target
from slipring_report.lifecycle import after_withdrawal
from slipring_report.notices.receivers import receivers_of
from slipring_report.notices.resources import as_notice
from slipring_report.reading import code_of, reference_of, request_of
from slipring_report.resources import coded, parameters, reference
from slipring_report.signatures.people import lacking
from slipring_report.vocabulary import CRITICAL_FINDING, HANDOVER_STATE, TASK_CODE, WITHDRAWAL_REASON, codes_of
from slipring_report.withdrawing.resources import as_nonconformity, as_withdrawal, withdrawn_members

_TO_EXPLAIN = "other"
_OPEN = ("registered", "partial", "preliminary")


async def report_withdrawn(call: Call, desk: Desk) -> Changes:
    """Hide the content behind a banner, tell whoever received it, open a nonconformity, take its flags back."""
    report = target(call)
    if report.resource["status"] == "entered-in-error":
        raise conflict(
            "This report is withdrawn already.",
            "该报告已撤回。",
            at="DiagnosticReport.status",
            detail="report.withdrawn-already",
        )
    reason, note = _reason(call), str(call.value("note") or "")
    by = await _by(call, desk)
    withdrawal = as_withdrawal(reason, by, desk.now)
    members = withdrawn_members(report.resource, withdrawal, after_withdrawal(report.resource["status"]), desk.now)
    nonconformity = as_nonconformity(report.resource, reason, note, by, id=desk.new_id(), now=desk.now)
    notices = await _notices(report, by, desk)
    flags = await _flags(report, desk)
    drafts = await _drafts(report, desk)
    return flags.plus(
        Changes(
            save=[successor(report, **members), Save(nonconformity), *map(Save, notices), *drafts],
            answer=parameters(
                ("report", "Reference", reference(report.reference)),
                ("nonconformity", "Reference", reference(f"Task/{nonconformity['id']}")),
                *[("notice", "Reference", reference(f"Communication/{each['id']}")) for each in notices],
            ),
        )
    )


async def _notices(report: Stored, by: str, desk: Desk) -> list[Resource]:
    about = f"{report.reference}/_history/{report.version + 1}"
    return [
        as_notice("withdrawn", report.resource, about, who, id=desk.new_id(), sender=by, now=desk.now)
        for who in await receivers_of(report, desk, but=[by])
        if "issued" in report.resource
    ]


async def _flags(report: Stored, desk: Desk) -> Changes:
    """Its critical findings are errors, too; a hand-over that nobody took is over. Critical retracts the cases."""
    saves, timers = [], []
    for flag in await desk.search(f"Observation?focus={report.reference}"):
        if not flag.source and code_of(flag.resource.get("code"), CRITICAL_FINDING):
            saves.append(successor(flag, status="entered-in-error"))
    for task in await desk.search(f"Task?based-on={report.reference}"):
        waiting = (
            task.resource["status"] == "requested" and code_of(task.resource.get("code"), TASK_CODE) == "hand-over"
        )
        if waiting and not task.source:
            state = coded(HANDOVER_STATE, "withdrawn")
            saves.append(successor(task, status="cancelled", businessStatus=state))
            timers.append(f"handover:{task.resource['id']}")
    for read in await second_reads_of(report.reference, desk):
        saves.append(successor(read, status="cancelled"))
        timers.append(timer_key(read.resource["id"]))
    return Changes(save=saves, cancel=timers)


async def _drafts(report: Stored, desk: Desk) -> list[Save]:
    """A next version that was begun is not needed any more."""
    of_exam = await desk.search(f"DiagnosticReport?based-on={request_of(report.resource)}")
    begun = [one for one in of_exam if amends(one.resource) == report.reference and one.resource["status"] in _OPEN]
    return [successor(one, status="cancelled") for one in begun]


def _reason(call: Call) -> Resource:
    reason = call.value("reason")
    known: Names = codes_of(WITHDRAWAL_REASON)
    code = code_of(reason, WITHDRAWAL_REASON)
    if code not in known:
        raise unprocessable(
            "reason is a code of the code system withdrawal-reason.",
            "reason 须为 withdrawal-reason 中的代码。",
            at=call.at("reason"),
            code="code-invalid",
            detail="report.withdrawal-reason",
        )
    if code == _TO_EXPLAIN and not str(call.value("note") or "").strip():
        raise unprocessable(
            "The reason other is explained in note.",
            "原因为“其他”时须在 note 中说明。",
            at=call.at("note"),
            code="required",
            detail="report.withdrawal-unexplained",
        )
    return coded(WITHDRAWAL_REASON, code, f"{known[code]['zh']} {known[code]['en']}")


async def _by(call: Call, desk: Desk) -> str:
    """One named person who may issue reports, as of now."""
    person = desk.caller.practitioner or reference_of(call.value("by"))
    if lacks := await lacking("sign-report", person, desk):
        at = call.at("by")
        raise FhirError(
            422, [Issue("business-rule", zh=one.zh, en=one.en, at=at, detail=f"staff.{one.code}") for one in lacks]
        )
    return person
