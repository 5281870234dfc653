"""What a physician decides to do about a finding, as the page offers it and as the finding keeps it. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL


@cache
def actions() -> Mapping[str, Pair]:
    """The measures that are offered, by code."""
    data = tomllib.loads(Path(__file__).with_name("mitigations.toml").read_text(encoding="utf-8"))["actions"]
    return {code: (str(words["zh"]), str(words["en"])) for code, words in data.items()}


def mitigation(action: str, note: str, by: str, at: datetime) -> Tree | None:
    """The `DetectedIssue.mitigation` of a decision; None when nothing that is offered was chosen."""
    words = actions().get(action)
    if words is None:
        return None
    coding = {"system": f"{CANONICAL}/CodeSystem/contrast-mitigation", "code": action, "display": words[1]}
    return {
        "action": {"coding": [coding], "text": f"{words[0]}：{note}" if note else words[0]},
        "date": at.isoformat(timespec="seconds"),
        "author": {"reference": by},
    }
