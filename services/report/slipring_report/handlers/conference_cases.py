"""`Task/$conclude-case`: what a conference came to on a case, and whether it goes into the report (5.6.1)."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save

from slipring_report.conference.folding import draft_of, folded
from slipring_report.conference.resources import CASE, attendees
from slipring_report.department import zone_of
from slipring_report.handlers.conferences import CASES, CHAIRS, LIFE, conference_of
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.worklist.carrying import said
from slipring_report.worklist.people import acting
from slipring_report.worklist.work_task import code_in, text_of, work_called

FOLDS = ("report", "none")


async def case_concluded(call: Call, desk: Desk) -> Changes:
    """Say what a conference came to; `fold=report` brings it into a draft's text, or begins an `appended` version."""
    task = work_called(call, CASE)
    who = await acting(call, desk, CHAIRS)
    state = CASES.after(CASES.state_of(task.resource), "conclude")
    result = text_of(call, "result", "say what the conference came to.", "请写明讨论结论。")
    fold = code_in(call, "fold", FOLDS, unless="none")
    conference = await desk.read(conference_of(task))
    if conference is None or LIFE.state_of(conference.resource) != "planned" or not attendees(conference.resource):
        raise unprocessable(
            "A case is concluded at its conference: say first who is there ($attend).",
            "病例须在讨论会上得出结论：请先登记到会人员（$attend）。",
            at="Task.partOf",
            detail="report.case-without-people",
        )
    outputs = [
        said("result", valueString=result),
        said("done-by", valueReference=reference(who)),
        said("done-at", valueInstant=written(desk.now)),
        said("fold", valueCode=fold),
    ]
    changes = Changes.none()
    if fold == "report":
        report = await desk.read(reference_of(task.resource["focus"]))
        if report is not None:
            on = f"{desk.now.astimezone(zone_of(desk)):%Y-%m-%d}"
            changes = await folded(report, result, on, who, desk)
            if draft := draft_of(changes):
                outputs.append(said("draft", valueReference=reference(draft)))
    done = {
        **task.resource,
        **CASES.members(state),
        "output": [*task.resource.get("output", []), *outputs],
        "lastModified": written(desk.now),
    }
    answer = parameters(("return", "resource", done))
    return changes.plus(Changes(save=[Save(done, replaces=task.version)], answer=answer))
