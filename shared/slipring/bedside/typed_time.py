"""A time of day as it is typed of something that has happened. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from slipring.fhir.outcome import unprocessable

_HALF_A_DAY = timedelta(hours=12)


def time_typed(text: str, now: datetime, zone: tzinfo, *, at: str) -> datetime:
    """The time of day that was typed, of the night before where today's lies half a day ahead; now when nothing was.

    `at`: the field that a refusal points at.

    >>> from zoneinfo import ZoneInfo
    >>> china = ZoneInfo("Asia/Shanghai")
    >>> time_typed("23:58", datetime(2026, 3, 2, 0, 5, tzinfo=china), china, at="ended").isoformat()
    '2026-03-01T23:58:00+08:00'
    """
    if not text.strip():
        return now
    try:
        hour, minute = (int(part) for part in text.strip().split(":")[:2])
        found = now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    except ValueError:
        raise unprocessable(
            "Type a time, such as 14:05.", "请输入时间，例如 14:05。", at=at, detail="bedside.no-time"
        ) from None
    return found - timedelta(days=1) if found - now > _HALF_A_DAY else found
