"""A Task is written by hand: the work of the reading room moves by its operations, so that no rule is gone around."""

from __future__ import annotations

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Write

from slipring_report.certificates.reading import is_ours as is_about_certificate
from slipring_report.handlers.certificates import request_written
from slipring_report.handlers.records import task_written as others_written
from slipring_report.reading import code_of
from slipring_report.vocabulary import TASK_CODE

BY_OPERATION = {
    "reading": "$claim, $renew, $give-back",
    "late-images": "$settle-images",
    "discordance": "$contact-clinic, $ask-repeat, $conclude-discordance",
    "re-reading": "$re-read",
    "re-reading-draw": "$draw-rereading",
    "conference": "$plan-conference, $add-case, $attend, $close-conference",
    "conference-case": "$conclude-case",
}


async def task_written(write: Write, desk: Desk) -> Changes:
    """The reading room's Tasks are opened and moved by the service; imported history is kept as it came."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if any(map(is_about_certificate, trees)) and not (write.imported and write.before is None):
        return await request_written(write, desk)
    codes = [code for tree in trees if (code := code_of(tree.get("code"), TASK_CODE)) in BY_OPERATION]
    if codes and not (write.imported and write.before is None):
        raise unprocessable(
            f"A Task of code {codes[0]} moves by its operations only: {BY_OPERATION[codes[0]]}.",
            f"代码为 {codes[0]} 的任务只能通过操作推进：{BY_OPERATION[codes[0]]}。",
            at="Task.code",
            detail="report.work-by-operation",
        )
    return await others_written(write, desk)
