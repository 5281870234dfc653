"""Whether nonconformities are corrected: in time, and closed only with cause, action, effect and who verified it (4.9-4.12)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.search.moment import moment
from slipring.fhir.service import Evidence
from slipring.quality.life import state_of
from slipring.verdicts.elements import bears
from slipring.verdicts.looking import Judged, Look, broken

_CLOSED_WITH = ("input[cause]", "input[action]", "owner", "output[effect]", "output[verifier]")


async def corrections(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Those past their day and still open, and those closed without what closing takes."""
    faults = []
    for one in counted:
        task, state = one.stored.resource, state_of(one.stored.resource)
        due = moment(task.get("restriction", {}).get("period", {}).get("end"), look.zone, end_of_day=True)
        if state not in ("closed", "dismissed") and due is not None and due < look.at:
            faults.append(broken(one, "整改逾期", "its correction is overdue"))
        lacking = [need for need in _CLOSED_WITH if not bears(task, need)]
        if state == "closed" and lacking:
            said = ", ".join(lacking)
            faults.append(broken(one, f"关闭时缺少：{said}", f"closed without {said}"))
    return Judged(faults)
