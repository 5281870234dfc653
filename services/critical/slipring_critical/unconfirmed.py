"""The numbers of this service that wait for a named person of the department."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from slipring.fhir.service import Stored
from slipring.rules.finding import Limit

from slipring_critical.ladders.choosing import SHIPPED
from slipring_critical.settings import CriticalSettings


def unconfirmed(now: datetime, approved: Sequence[Stored]) -> list[Limit]:
    """The ladders in use, unless the department's own file says that it has confirmed them (confidence S)."""
    file = CriticalSettings.from_env().ladder
    written = tomllib.loads((Path(file) if file else SHIPPED).read_text(encoding="utf-8"))
    if written["confidence"].startswith("S"):
        return []
    return [
        Limit(
            id=f"ladder.level-{entry['level']}" + (f"-{entry['finding']}" if "finding" in entry else ""),
            value=[step["answer-within-minutes"] for step in entry["step"]],
            source=written["source"],
            confidence=written["confidence"],
            since=written["from"],
            unit="min",
            confirmed=False,
        )
        for entry in written["ladder"]
    ]
