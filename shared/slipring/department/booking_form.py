"""The form of a booking: a time from the list, or one that is typed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable

BOOKABLE = ("justified", "scheduled", "arrived", "ready")


def booking_call(form: Mapping[str, str], zone: tzinfo) -> tuple[list[Tree], dict[str, str]]:
    """The parameters of `$schedule`, and in which field each of them was given.

    `slot`: a scanner's id and a time, as the list of free times offers it, or nothing for the next one that is free;
    `scanner` and `start`: typed, in a form of their own (`typed`). A time that cannot be read is no wish for the next
    free one.
    """
    scanner, _, start = form.get("slot", "").partition("|")
    fields = {"scanner": "slot", "period": "slot"}
    if form.get("typed") or "slot" not in form:
        scanner, start = form.get("scanner", ""), form.get("start", "").strip()
        fields = {"scanner": "scanner", "period": "start"}
    call: list[Tree] = []
    if scanner:
        call.append({"name": "scanner", "valueReference": {"reference": f"Device/{scanner}"}})
    if start:
        call.append({"name": "period", "valuePeriod": {"start": _moment(start, zone)}})
    return call, fields


def _moment(text: str, zone: tzinfo) -> str:
    """What a person typed as a time in the department, as an instant."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise unprocessable(
            "Write the time as 2026-03-01 14:30.",
            "请按 2026-03-01 14:30 的格式填写时间。",
            at="Parameters.parameter.where(name='period')",
            code="value",
            detail="department.no-such-time",
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()
