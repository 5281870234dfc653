"""The numbers of this service that wait for a named person of the department."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from slipring.fhir.service import Stored
from slipring.rules.finding import Limit

from slipring_critical.directory.ical_lines import SHIPPED as ROSTER_IMPORT
from slipring_critical.directory.proving import SHIPPED as ROUTE_CHECK
from slipring_critical.ladders.choosing import HOURS, SHIPPED, Applied
from slipring_critical.ladders.record import LADDER, kind_of, ladder_in
from slipring_critical.settings import CriticalSettings


def unconfirmed(now: datetime, approved: Sequence[Stored]) -> list[Limit]:
    """The ladders in use, the rhythm of tests and what is read of a calendar file.

    Unless the department's own file says that it has confirmed them (confidence S).

    A shipped ladder that one of the department's own stands in the place of, at every hour and everywhere, is not in use.
    """
    settings = CriticalSettings.from_env()
    own = [one for one in _own(approved) if one.stands(now)]
    ladders = _written(settings.ladder, SHIPPED)
    waiting = [] if _confirmed(ladders) else [one for one in ladders["ladder"] if not _covered(one, own)]
    found = [
        Limit(
            id=f"ladder.level-{entry['level']}" + (f"-{entry['finding']}" if "finding" in entry else ""),
            value=[step["answer-within-minutes"] for step in entry["step"]],
            source=ladders["source"],
            confidence=ladders["confidence"],
            since=ladders["from"],
            unit="min",
            confirmed=False,
        )
        for entry in waiting
    ]
    for file, shipped, of, name, unit in (
        (settings.route_check, ROUTE_CHECK, "route-check.interval", "interval-days", "d"),
        (settings.roster_import, ROSTER_IMPORT, "roster-import.horizon", "horizon-days", "d"),
        (settings.roster_import, ROSTER_IMPORT, "roster-import.most-shifts", "most-shifts", ""),
        (settings.roster_import, ROSTER_IMPORT, "roster-import.shortest-number", "shortest-number", ""),
    ):
        written = _written(file, shipped)
        if not _confirmed(written):
            found.append(_as_limit(of, written, name, unit))
    return found


def _as_limit(id: str, written: Mapping[str, Any], name: str, unit: str) -> Limit:
    return Limit(
        id=id,
        value=written[name],
        source=written["source"],
        confidence=written["confidence"],
        since=written["from"],
        unit=unit,
        confirmed=False,
    )


def _written(file: str, shipped: Path) -> Mapping[str, Any]:
    return tomllib.loads((Path(file) if file else shipped).read_text(encoding="utf-8"))


def _confirmed(written: Mapping[str, Any]) -> bool:
    return str(written["confidence"]).startswith("S")


def _own(approved: Iterable[Stored]) -> Iterable[Applied]:
    for one in approved:
        with suppress(LookupError, ValueError):  # what cannot be read is climbed by no case either
            if kind_of(one.resource) == LADDER:
                yield ladder_in(one)


def _covered(entry: Mapping[str, Any], own: Sequence[Applied]) -> bool:
    """Whether no case climbs a shipped ladder any more: an own one for the same is always chosen before it."""
    hours = {
        one.hour
        for one in own
        if (one.ladder.level, one.finding) == (entry["level"], entry.get("finding", "")) and not one.places
    }
    return "" in hours or (entry.get("hour") or "") in hours or hours >= set(HOURS)
