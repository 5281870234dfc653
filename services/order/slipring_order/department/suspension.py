"""Why an authorisation is suspended, and the record of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Stored

from slipring_order.reading import instant


@cache
def reasons() -> Mapping[str, Any]:
    """The reasons by code, with their names."""
    tree = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
    return dict(tree["suspension-reason"]["codes"])


def as_provenance(person: Stored, who: str, reason: Resource, *, id: str, now: datetime) -> Resource:
    """Who suspended whom, when and why."""
    return {
        "resourceType": "Provenance",
        "id": id,
        "target": [{"reference": f"{person.reference}/_history/{person.version + 1}"}],
        "recorded": instant(now),
        "reason": [reason],
        "activity": {"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-qualification", "code": "suspension"}]},
        "agent": [
            {
                "type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/agent-type", "code": "decider"}]},
                "who": {"reference": who},
            }
        ],
    }
