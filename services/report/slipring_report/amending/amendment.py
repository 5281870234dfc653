"""The next version of a released report, while it is a draft: what it amends, how and why (decision 27). Pure.

The draft is a DiagnosticReport of its own, the department's like any draft, and says in an extension what it amends. It
is signed as it will stand: under the id of the report it amends. Released, its content is that report's next version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from slipring.fhir.service import Resource

from slipring_report.reading import extension, reference_of
from slipring_report.vocabulary import AMENDMENT

Kind = Literal["amended", "corrected", "appended"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a version says of the one before it."""

    report: str  # DiagnosticReport/r-x
    version: int  # the version that is amended
    sha256: str  # of the signed form of that version
    kind: str
    reason: Resource
    author: str
    note: str = ""


def amendment_of(report: Resource) -> Amendment | None:
    """What this report, draft or released, amends; None for a first version."""
    parts: dict[str, Any] = {
        part["url"]: next((value for name, value in part.items() if name.startswith("value")), None)
        for part in extension(report, AMENDMENT).get("extension", [])
    }
    of = parts.get("of") or {}
    if not of:
        return None
    return Amendment(
        report=reference_of(of),
        version=int(str(of["reference"]).rpartition("/")[2]),
        sha256=str(parts["sha256"]),
        kind=str(parts["kind"]),
        reason=parts["reason"],
        author=reference_of(parts.get("author")),
        note=str(parts.get("note") or ""),
    )


def amends(report: Resource) -> str:
    """The report of which this one is the next version in draft; '' for every other report."""
    found = amendment_of(report)
    return found.report if found and found.report != f"DiagnosticReport/{report['id']}" else ""


def as_it_will_stand(report: Resource) -> Resource:
    """The report under the id that its content will have when it is released: what is signed and verified."""
    named = amends(report)
    return {**report, "id": named.partition("/")[2]} if named else report
