"""Images arrive after a report was signed: a Task that somebody must settle, unchanged or by an amendment (5.8.1, 5.9.1)."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.service import Arrival, Call, Changes, Desk, Resource, Save, Stored

from slipring_report import late_images
from slipring_report.late_images.arriving import news
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.gathering import signatures_of
from slipring_report.visibility import believed
from slipring_report.worklist.carrying import said
from slipring_report.worklist.people import acting
from slipring_report.worklist.states import life
from slipring_report.worklist.work_task import as_work, code_in, moved, text_of, timer_of, watched, within, work_called

LIFE = life("late-images", "late-images-state", Path(late_images.__file__).with_name("life.toml"))
CODE = "late-images"
OUTCOMES = ("unchanged", "amend")
VERIFIES = "first-sign"  # the act of slipring.staff
_TITLES = ("签名后到达的图像待核对", "images after signing, to be looked at")
_HOURS = "late_images.hours"
_CLAUSE = "CL02-A011:5.8.1"


async def study_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """What a study shows anew opens a verification of every report that was signed without it; each report has one."""
    before = arrival.before.resource if arrival.before and not arrival.before.deleted else None
    found = [] if arrival.deleted else news(arrival.resource, before)
    changes = Changes.none()
    if not found:
        return changes
    for request in (reference_of(one) for one in arrival.resource.get("basedOn", [])):
        reports = await desk.search(f"DiagnosticReport?based-on={request}") if request else []
        for report in reports:
            if not report.source and await _signed_here(report, desk):
                changes = changes.plus(await _late(report, arrival.resource, found, desk))
    return changes


async def images_settled(call: Call, desk: Desk) -> Changes:
    """Somebody has looked at late images: they change nothing, or the report will be amended."""
    task = work_called(call, CODE)
    who, outcome = await acting(call, desk, VERIFIES), code_in(call, "outcome", OUTCOMES)
    note = text_of(call, "note", "say what the images show.", "请说明图像所见。")
    state = LIFE.after(LIFE.state_of(task.resource), outcome)
    settled = moved(task.resource, LIFE, state, *_outputs(outcome, who, note, desk), now=desk.now)
    settled["owner"] = reference(who)
    cancel = [timer_of(task.reference)] if state == "settled" else []
    return Changes(
        save=[Save(settled, replaces=task.version)], cancel=cancel, answer=parameters(("return", "resource", settled))
    )


async def report_follows(report: Resource, desk: Desk) -> Changes:
    """A report that is released again settles what was to be amended; one that is withdrawn leaves nothing to verify."""
    event = {"entered-in-error": "report-withdrawn"}.get(report["status"], "released-again" if believed(report) else "")
    changes = Changes.none()
    for task in await _open_of(f"DiagnosticReport/{report['id']}", desk) if event else []:
        state = LIFE.state_of(task.resource)
        if event == "released-again" and state != "to-amend":
            continue
        over = moved(task.resource, LIFE, LIFE.after(state, event), now=desk.now)
        changes = changes.plus(Changes(save=[Save(over, replaces=task.version)], cancel=[timer_of(task.reference)]))
    return changes


async def _late(report: Stored, study: Resource, series: list[str], desk: Desk) -> Changes:
    added = [
        said("study", valueReference=reference(f"ImagingStudy/{study['id']}")),
        *(said("series", valueString=uid) for uid in series),
    ]
    for task in await _open_of(report.reference, desk):
        state = LIFE.after(LIFE.state_of(task.resource), "more-images")
        new = [one for one in added if one not in task.resource.get("input", [])]
        more = moved(task.resource, LIFE, state, now=desk.now)
        more["input"] = [*task.resource.get("input", []), *new]
        return Changes(save=[Save(more, replaces=task.version)]) if new else Changes.none()
    span = within(desk, _HOURS)
    members = {**LIFE.members(LIFE.after("none", "images-late"), ("reporting-clock", "running")), "input": added}
    opened = as_work(desk.new_id(), CODE, _TITLES, report.resource, members, clause=_CLAUSE, now=desk.now, within=span)
    return Changes(save=[Save(opened)], wake=[watched(opened, span)])


async def _signed_here(report: Stored, desk: Desk) -> bool:
    """Whether signatures of ours stand on it: a draft is still to be read with all images, an imported one never was ours."""
    return any(each.stands for each in await signatures_of(report.reference, desk))


async def _open_of(report: str, desk: Desk) -> list[Stored]:
    found = await desk.search(f"Task?code={CODE}&focus={report}&status=ready,in-progress")
    return [one for one in found if not one.source]


def _outputs(outcome: str, who: str, note: str, desk: Desk) -> list[Resource]:
    return [
        said("outcome", valueCode=outcome),
        said("done-by", valueReference=reference(who)),
        said("done-at", valueInstant=written(desk.now)),
        said("note", valueString=note),
    ]
