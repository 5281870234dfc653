"""The approval that an emergency waits for: the exception on record completes its Task, and nobody does by hand."""

from __future__ import annotations

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Write

from slipring_consent.consenting.exception import DUE
from slipring_consent.reading import has_code
from slipring_consent.resources import TASK_CODE

_KEPT = ("code", "focus", "for", "basedOn", "requester", "output")  # of what it waits for; who sees to it may change


def refuse_unapproved(write: Write) -> None:
    """Such a Task may be seen to, or put aside as not needed; it is neither done, undone nor made another one by hand."""
    before = write.before.resource if write.before is not None else None
    if write.imported or not any(has_code(one.get("code"), TASK_CODE, DUE) for one in (before or {}, write.resource)):
        return
    states = {write.resource.get("status"), (before or {}).get("status")}
    settled = "completed" in states and (len(states) > 1 or before is None)
    altered = before is not None and any(before.get(name) != write.resource.get(name) for name in _KEPT)
    if write.method == "delete" or settled or altered:
        raise conflict(
            "What waits for the approval of an emergency is completed by the Consent of that exception alone.",
            "待补办的紧急批准，只能由该紧急例外的知情同意记录完成。",
            at="Task.status",
            detail="consent.approval-by-exception",
        )
