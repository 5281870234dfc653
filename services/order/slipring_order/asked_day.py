"""The day that an operation is asked about."""

from __future__ import annotations

from datetime import date

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Call

# Outside of them no record of a department lies, and no reckoning with months leaves the calendar.
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


def asked_day(call: Call, name: str, otherwise: date | None = None) -> date:
    """A parameter that is a whole day; `otherwise` where it is not given. 422 at the parameter for anything else."""
    said = call.value(name)
    if said is None and otherwise is not None:
        return otherwise
    try:
        day = date.fromisoformat(str(said or ""))
    except ValueError:
        day = date.min
    if not _FIRST <= day <= _LAST:
        raise unprocessable(
            f"{name} is a whole day, such as 2026-03-01, from {_FIRST.year} to {_LAST.year}.",
            f"{name} 须为完整日期（如 2026-03-01），年份为 {_FIRST.year} 至 {_LAST.year}。",
            at=call.at(name),
            code="value",
            detail="order.whole-day",
        )
    return day
