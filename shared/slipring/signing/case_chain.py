"""The chain of a critical case: every event carries the digest of itself and of the event before it.

One case has one writer at a time, so the chain never forks. Whatever is altered, left out or put elsewhere later no longer
fits; that nothing was cut off at its end, the seal over its head says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from slipring.signing.seal import canonical

CASE_HEAD = "slipring-critical-case"  # the `typ` of the seal over a case's head


def start(case: str) -> str:
    """What the first event of a case (`Task/k-...`) follows; no two cases begin alike."""
    return hashlib.sha256(canonical({"case": case})).hexdigest()


def link(previous: str, event: Mapping[str, str]) -> str:
    """The digest of an event (its parts as text) that follows another one."""
    return hashlib.sha256(canonical({**event, "prev": previous})).hexdigest()


def texts(parts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The parts of a case-event extension as text, as they are chained and proved."""
    said = {}
    for part in parts:
        value = next(value for name, value in part.items() if name.startswith("value"))
        said[str(part["url"])] = str(value["reference"] if isinstance(value, Mapping) else value)
    return said


def head(case: str, digest: str, count: int) -> bytes:
    """What is sealed: how many events the case had, and the digest of the last."""
    return canonical({"case": case, "events": count, "head": digest})
