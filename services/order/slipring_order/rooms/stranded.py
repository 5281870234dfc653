"""Patients who are booked on a scanner that cannot take them: it was put out of service, or its time was blocked.

Their bookings stand until somebody moves them, for nobody but the department can tell where to; so it is told of them.
"""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import Desk, Resource, Save, Stored
from slipring.rules.finding import Finding, Weight

from slipring_order.rooms.appointments import booked_on
from slipring_order.rooms.day import Span, rooms_data
from slipring_order.rooms.scanner import in_service, is_ct

RULE = "order.bookings-to-move"


async def bookings_to_move(scanner: str, span: Span, desk: Desk, *, because_of: str = "") -> list[Save]:
    """A finding that counts the bookings of a span on a scanner and names the first; nothing when there are none."""
    booked = await booked_on(scanner, span, desk)
    if not booked:
        return []
    count, named = len(booked), booked[: rooms_data()["stranded"]["named"]]
    rest_zh, rest_en = (
        (f"（列出最早的 {len(named)} 例）", f" The first {len(named)} are named.") if count > len(named) else ("", "")
    )
    finding = Finding(
        RULE, "1", "CL02-A011:5.3.1.4", Weight.WARN,
        f"该 CT 停用或停机期间已有 {count} 例预约，请改约。{rest_zh}",
        f"{count} exams are booked on the scanner while it is out of use: move them.{rest_en}",
        "Device", {"bookings": count},
    )  # fmt: skip
    issue = as_detected_issue(finding, id=desk.new_id(), subject="", about=scanner, now=desk.now)
    issue["implicated"] += [{"reference": one} for one in (because_of, *(one.appointment for one in named)) if one]
    return [Save(issue)]


async def taken_out_of_service(device: Resource, before: Stored | None, desk: Desk, *, deleted: bool) -> list[Save]:
    """What to say when a scanner is put out of service, or is no longer a scanner of the department."""
    if before is None or not _takes_patients(before.resource) or (not deleted and _takes_patients(device)):
        return []
    ahead = timedelta(days=rooms_data()["slots"]["furthest_days"] + 1)
    return await bookings_to_move(before.reference, Span(desk.now, desk.now + ahead), desk)


def _takes_patients(device: Resource) -> bool:
    return is_ct(device) and in_service(device)
