"""The access report about one patient: who saw or changed what, when, why and how. Pure.

It says no more than it must: of a search that gave out resources of several patients, only those about this one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipring.fhir.service import Resource
from slipring.fhir.trail.event import Row, outcome_of, touched

COLUMNS = ("when", "service", "client", "practitioner", "how", "what", "why", "outcome", "request", "event")


@dataclass(frozen=True, slots=True)
class Access:
    """One access, as the report tells it."""

    when: str
    service: str
    client: str
    practitioner: str
    how: str  # the interaction
    what: tuple[str, ...]  # references
    why: str  # a code of v3-ActReason; '' is ordinary care
    outcome: str
    request: str
    event: str

    def part(self) -> Resource:
        """As a parameter of the operation's answer."""
        listed: list[dict[str, Any]] = [
            {"name": "when", "valueInstant": self.when},
            {"name": "service", "valueString": self.service},
            {"name": "client", "valueString": self.client},
            {"name": "how", "valueCode": self.how},
            {"name": "outcome", "valueCode": self.outcome},
            {"name": "event", "valueReference": {"reference": self.event}},
        ]
        if self.practitioner:
            listed.append({"name": "practitioner", "valueReference": {"reference": self.practitioner}})
        listed += [{"name": "what", "valueReference": {"reference": reference}} for reference in self.what]
        if self.why:
            listed.append({"name": "why", "valueCode": self.why})
        if self.request:
            listed.append({"name": "request", "valueString": self.request})
        return {"name": "access", "part": listed}

    def line(self) -> tuple[str, ...]:
        """As a line of a table; what a spreadsheet would take for a formula is led by an apostrophe."""
        cells = [" ".join(getattr(self, name)) if name == "what" else getattr(self, name) for name in COLUMNS]
        return tuple(f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells)


def references_of(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Type and id of everything these rows touched or gave out, once each."""
    found = {
        tuple(one.split("/")[:2]) for row in rows for given in (row.resource, *row.disclosed) if (one := touched(given))
    }
    return sorted((kind, name) for kind, name in found)


def accesses(
    rows: Sequence[Row], records: Collection[str], about: Collection[tuple[str, str]], service: str, letter: str
) -> Iterator[Access]:
    """The rows as the report tells them; `records`: the ids of this patient's records; `about`: what is about him."""
    for row in rows:
        named = [one for given in (row.resource, *row.disclosed) if (one := touched(given))]
        own = [one for one in named if _his(tuple(one.split("/")[:2]), records, about)]
        yield Access(
            row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            service,
            row.client or "unknown",
            row.practitioner,
            row.interaction,
            tuple(dict.fromkeys(own)),
            row.purpose,
            outcome_of(row.outcome),
            row.request_id,
            f"AuditEvent/{letter}-{row.id}",
        )


def _his(key: tuple[str, ...], records: Collection[str], about: Collection[tuple[str, str]]) -> bool:
    return (key[0] == "Patient" and key[1] in records) or key in about


def as_report(patient: str, viewer: str, at: datetime, parts: Sequence[Resource]) -> Resource:
    """The whole report; whoever asked for it stands in it."""
    made = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": f"Patient/{patient}"}},
            {"name": "made", "valueInstant": made},
            {"name": "viewer", "valueString": viewer},
            *parts,
        ],
    }
