"""When something in the rooms happened, where it is entered later: in time, in order, and after a while with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Desk, Resource, Stored

from slipring_order.reading import instant, moment
from slipring_order.resources import TASK_CODE_SYSTEM
from slipring_order.rooms.arriving import arrived_at


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The moment, why it was entered late ('' where it was not), and who entered it."""

    at: datetime
    now: datetime
    late: str = ""

    def on(self, record: Resource) -> Resource:
        """A Provenance with the moment beside that of its recording."""
        if self.at == self.now:
            return record
        why = {"coding": [{"system": TASK_CODE_SYSTEM, "code": "late-record"}], "text": self.late}
        reasons = [*record.get("reason", []), *([why] if self.late else [])]
        return {**record, "occurredDateTime": instant(self.at), **({"reason": reasons} if reasons else {})}

    def noted(self, task: Resource, who: str) -> Resource:
        """The notes of an exam with why its entry is late; nothing where it is not."""
        if not self.late:
            return {}
        note = {"authorReference": {"reference": who}, "time": instant(self.now), "text": self.late}
        return {"note": [*task.get("note", []), note]}


async def occurred(call: Call, exam: Stored, desk: Desk, *, scanned: bool = False) -> Occurrence:
    """`occurred` and `lateReason` of a call; now where it names none.

    422 for what is no moment, is still to come, or lies further back than `rooms.late-entry` without a reason; 409 where
    what it follows came after it: the arrival, with `scanned` the beginning of the scan.
    """
    said = call.value("occurred")
    at = desk.now if said is None else zoned(said)
    if at is None or at > desk.now:
        raise unprocessable(
            "occurred is a moment with a time zone that is not in the future.", "occurred 须为带时区且不晚于现在的时刻。",
            at=call.at("occurred"), code="value", detail="order.occurred-moment",
        )  # fmt: skip
    if said is None:
        return Occurrence(desk.now, desk.now)
    before = await _before(exam, desk, scanned=scanned)
    if before is not None and at < before:
        raise conflict(
            "It cannot have happened before what it follows: the arrival, the beginning of the scan.",
            "发生时刻不能早于其前一环节（到检、检查开始）。",
            at=call.at("occurred"), detail="order.occurred-order",
        )  # fmt: skip
    minutes, late = late_minutes(desk), str(call.value("lateReason") or "").strip()
    if at < desk.now - timedelta(minutes=minutes) and not late:
        raise unprocessable(
            f"What is entered more than {minutes} minutes later has a reason (lateReason).",
            f"补录超过 {minutes} 分钟前发生的事项须注明原因（lateReason）。",
            at=call.at("lateReason"), code="required", detail="order.occurred-late",
        )  # fmt: skip
    return Occurrence(at, desk.now, late)


def late_minutes(desk: Desk) -> int:
    """From when on an entry is late."""
    today = desk.now.astimezone(desk.settings.zone).date()
    return int(desk.settings.limits.limit("rooms.late-entry", on=today).value)


async def _before(exam: Stored, desk: Desk, *, scanned: bool) -> datetime | None:
    zone = desk.settings.zone
    begun = moment(exam.resource.get("executionPeriod", {}).get("start"), zone) if scanned else None
    return max((one for one in (await arrived_at(exam, desk), begun) if one is not None), default=None)
