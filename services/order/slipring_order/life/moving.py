"""What becomes of everything beside an exam when it moves: the same by whichever road it does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipring.fhir.service import Desk, Save, Stored

from slipring_order import resources
from slipring_order.judging.follow_ups import follow_ups_follow
from slipring_order.life import late
from slipring_order.lifecycle import SCANNED
from slipring_order.reading import moment
from slipring_order.rooms.following import step_follows
from slipring_order.rooms.starting import end_findings, issues_of

_OVER = SCANNED | {"discontinued"}


async def exam_follows(
    exam: Stored, target: str, desk: Desk, period: Mapping[str, Any] | None = None, *, who: str = ""
) -> list[Save]:
    """The saves beside an exam that moves to a state: its step and appointment, what its check list lacks, what it owes.

    `period`: the executionPeriod that it will have, where that is another than it has. `who` records it, where not the caller.
    """
    saves = await step_follows(exam, target, desk)
    was = resources.state_of(exam.resource)
    if was == target:
        return saves
    if target in SCANNED and was not in SCANNED:
        saves += issues_of(await end_findings(exam.resource, desk), exam.resource, desk)
    if target in _OVER and was not in _OVER:
        saves += await late.completed(exam.reference, who or desk.caller.practitioner or "", desk)
    said = exam.resource.get("executionPeriod", {}) if period is None else period
    ended_at: datetime = moment(said.get("end"), desk.settings.zone) or desk.now
    return [*saves, *await follow_ups_follow(exam, target, ended_at, desk)]
