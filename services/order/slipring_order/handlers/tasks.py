"""Each kind of Task has its guard; Tasks of other kinds are plain records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Changes, Desk, Resource, Write, WriteHandler

from slipring_order.downtime.kit import is_reservation
from slipring_order.equipment.round import is_round
from slipring_order.equipment.verification import is_verification
from slipring_order.grading.drawing import is_of_a_draw
from slipring_order.handlers.aborts import abort_written, is_abort
from slipring_order.handlers.downtime_kit import reservation_written
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.image_draw import draw_written
from slipring_order.handlers.patients import identity_confirmed
from slipring_order.handlers.qc_rounds import round_written
from slipring_order.handlers.qc_verification import verification_written
from slipring_order.handlers.quality import is_quality_task, quality_written
from slipring_order.identity import is_confirmation

# A Task is guarded by the first line that it fits, or that it fitted before it was written.
_GUARDS: Sequence[tuple[Callable[[Resource], bool], WriteHandler]] = (
    (is_abort, abort_written),
    (is_confirmation, identity_confirmed),
    (is_of_a_draw, draw_written),
    (is_quality_task, quality_written),
    (is_reservation, reservation_written),
    (is_round, round_written),
    (is_verification, verification_written),
)


async def guarded(write: Write, desk: Desk) -> Changes:
    """Let the guard of this kind of Task decide; exams guard themselves."""
    held = [write.resource, *([write.before.resource] if write.before else [])]
    for fits, guard in _GUARDS:
        if write.imported or not any(fits(task) for task in held):
            continue
        if write.method == "delete":
            raise conflict(
                "This Task is a record of the department and stays.",
                "该任务为科室记录，不可删除。",
                at="Task",
                detail="order.task-is-kept",
            )
        return await guard(write, desk)
    return await task_written(write, desk)
