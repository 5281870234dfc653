"""What the pages of looking back share: how one is drawn, how a day is typed, what a refusal says beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slipring.department import names
from slipring.department.place import Place
from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable
from slipring.identity.people.sessions import Session
from slipring.reading.workplace import LIVE


def review_page(place: Place, request: Request, session: Session, template: str, **values: Any) -> Response:
    """A page on which the reading room looks back."""
    return place.page(request, session, f"review/{template}", live=LIVE, names=names, **values)


def moment_typed(text: str, zone: tzinfo, *, at: str) -> str:
    """A day and time as a browser's field gives it, in the department's zone; `at`: the field that a refusal names.

    >>> from zoneinfo import ZoneInfo
    >>> moment_typed("2026-03-04T08:00", ZoneInfo("Asia/Shanghai"), at="start")
    '2026-03-04T08:00:00+08:00'
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or "T" not in text.strip():
        raise unprocessable(
            "Give the day and the time.",
            "请填写日期和时间。",
            at=f"Parameters.parameter.where(name='{at}')",
            detail="review.no-moment",
        )
    return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat(timespec="seconds")


def carried(task: Tree, kind: str, member: str = "output") -> list[Any]:
    """The values of the inputs or outputs of one kind that a Task carries."""
    return [
        value
        for entry in task.get(member, [])
        if names.code_in(entry.get("type"), "work-parameter") == kind
        for name, value in entry.items()
        if name.startswith("value")
    ]


def chosen(given: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    """One of several ways that an address names; the first where it names none of them."""
    return given.get(name, "") if given.get(name, "") in known else known[0]
