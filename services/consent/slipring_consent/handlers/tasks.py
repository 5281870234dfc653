"""A Task is written: by its code, one of the stories here answers for it."""

from __future__ import annotations

from slipring.fhir.service import Changes, Desk, Write

from slipring_consent.handlers.approvals import refuse_unapproved
from slipring_consent.handlers.follow_up import follow_up_changed
from slipring_consent.handlers.handing_over import refuse_by_hand
from slipring_consent.handlers.nonconformities import is_quality_task, quality_written
from slipring_consent.handlers.observation import task_changed
from slipring_consent.observing.follow_up import is_follow_up


async def task_written(write: Write, desk: Desk) -> Changes:
    """What the story of this Task says; a Task of no story is a plain record."""
    refuse_by_hand(write)
    refuse_unapproved(write)
    standing = write.before.resource if write.before is not None else write.resource
    quality = is_quality_task(standing) or is_quality_task(write.resource)
    if quality and write.method != "delete" and not write.imported:
        return await quality_written(write, desk)
    return await (follow_up_changed if is_follow_up(standing) else task_changed)(write, desk)
