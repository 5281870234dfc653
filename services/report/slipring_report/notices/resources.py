"""A notice to one receiver of a report: what happened to it and which version stands, without a word of its content."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource

from slipring_report.resources import coded, reference, written
from slipring_report.vocabulary import REPORT_NOTICE


def as_notice(
    kind: str, report: Resource, about: str, recipient: Resource, *, id: str, sender: str, now: datetime, note: str = ""
) -> Resource:
    """One Communication; `kind`: superseded, withdrawn or major-discrepancy, `about`: the version that stands now."""
    words = _texts()[kind]
    notice: Resource = {
        "resourceType": "Communication",
        "id": id,
        "status": "completed",
        "category": [coded(REPORT_NOTICE, kind, words["zh"])],
        "priority": words["priority"],
        "about": [reference(about)],
        "sent": written(now),
        "recipient": [recipient],
        "payload": [{"contentString": f"{words['zh']} {words['en']}"}],
    }
    notice |= {name: report[name] for name in ("subject", "encounter") if name in report}
    if sender:
        notice["sender"] = reference(sender)
    if note:
        notice["note"] = [{"text": note}]
    return notice


@cache
def _texts() -> Mapping[str, Any]:
    return dict(tomllib.loads((Path(__file__).parents[1] / "data" / "notices.toml").read_text("utf-8"))["notice"])
