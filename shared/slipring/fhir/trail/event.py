"""One audit row as an AuditEvent, shaped after IHE's Basic Audit Log Patterns for R4. Pure."""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

CLIENT = f"{CANONICAL}/client"
SERVICE = f"{CANONICAL}/service"
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_OBJECT = {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"}
_RESOURCE = re.compile(r"^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """An audit row as it is shown, with the patients it tells something about."""

    id: int
    at: datetime
    client: str
    practitioner: str
    interaction: str
    resource: str
    disclosed: Sequence[str]
    parameters: Sequence[str]
    request_id: str
    outcome: int
    purpose: str
    patients: Sequence[str] = ()


def as_audit_event(row: Row, service: str, letter: str) -> Resource:
    """The resource: who, when, what, how and, where it was said, why."""
    coded = coding_of(row.interaction)
    recorded = row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    tree: Resource = {
        "resourceType": "AuditEvent",
        "id": f"{letter}-{row.id}",
        "meta": {"lastUpdated": recorded},
        "type": coded["type"],
        **({"subtype": [coded["subtype"]]} if "subtype" in coded else {}),
        "action": coded["action"],
        "recorded": recorded,
        "outcome": outcome_of(row.outcome),
        "outcomeDesc": f"HTTP {row.outcome}",
    }
    if row.purpose:
        tree["purposeOfEvent"] = [{"coding": [{"system": PURPOSE, "code": row.purpose}]}]
    itself = {"identifier": {"system": SERVICE, "value": service}, "display": f"slipring {service}"}
    tree["agent"] = [*_agents(row), {"type": _role("110152", "Destination Role ID"), "who": itself, "requestor": False}]
    kind = {"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}
    tree["source"] = {"site": service, "observer": itself, "type": [kind]}
    tree["entity"] = _entities(row)
    return tree


def _agents(row: Row) -> list[Resource]:
    client = {
        "type": _role("110153", "Source Role ID"),
        "who": {"identifier": {"system": CLIENT, "value": row.client or "unknown"}},
        "altId": row.client or "unknown",
        "requestor": not row.practitioner,
    }
    if not row.practitioner:
        return [client]
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
    return [{"type": {"coding": [kind]}, "who": {"reference": row.practitioner}, "requestor": True}, client]


def _entities(row: Row) -> list[Resource]:
    """What was touched, what was asked and given out, whose it is, and by which request."""
    found: list[Resource] = []
    if match := _RESOURCE.match(row.resource):
        found.append({"what": {"reference": match[0]}, "type": _OBJECT, "role": _object_role("4", "Domain Resource")})
    if row.interaction in ("search", "history", "operation") or not match:
        found.append({"type": _OBJECT, "role": _object_role("24", "Query"), "query": _asked(row)})
    elif row.parameters:  # codes that tell more, such as the roles given
        found[0]["detail"] = [{"type": "detail", "valueString": text} for text in row.parameters]
    found += [
        {"what": {"reference": given}, "type": _OBJECT, "role": _object_role("4", "Domain Resource")}
        for given in row.disclosed
        if _RESOURCE.match(given)
    ]
    person = {"system": _ENTITY_TYPE, "code": "1", "display": "Person"}
    found += [
        {"what": {"reference": f"Patient/{name}"}, "type": person, "role": _object_role("1", "Patient")}
        for name in row.patients
    ]
    if row.request_id:
        request = {"system": _BALP, "code": "XrequestId"}
        found.append({"what": {"identifier": {"value": row.request_id}}, "type": request})
    return found


def _asked(row: Row) -> str:
    """Address and names of parameters, in base64: their values are kept nowhere."""
    names = "&".join(row.parameters)
    text = f"{row.resource or row.interaction}?{names}" if names else row.resource or row.interaction
    return base64.b64encode(text.encode()).decode()


def _role(code: str, display: str) -> Resource:
    return {"coding": [{"system": _DICOM, "code": code, "display": display}]}


def _object_role(code: str, display: str) -> Resource:
    return {"system": _ROLE, "code": code, "display": display}


def touched(text: str) -> str:
    """The reference at the beginning of what a row names; '' when it names no resource."""
    match = _RESOURCE.match(text)
    return match[0] if match else ""


def coding_of(interaction: str) -> Mapping[str, Any]:
    """Type, subtype and action of an interaction."""
    return codings().get(interaction, codings()[""])


def outcome_of(status: int) -> str:
    """AuditEvent.outcome of an HTTP status."""
    return str(max((code for start, code in outcomes() if status >= start), default=0))


@cache
def outcomes() -> tuple[tuple[int, int], ...]:
    """From which HTTP status on which outcome."""
    return tuple((int(status), code) for status, code in _data()["outcomes"].items())


@cache
def codings() -> Mapping[str, Mapping[str, Any]]:
    """The codings of every interaction that the list names; '' for all others."""
    data = _data()
    systems = data["systems"]

    def coding(entry: Mapping[str, str]) -> Resource:
        return {"system": systems[entry["system"]], "code": entry["code"], "display": entry["display"]}

    types = {name: coding(entry) for name, entry in data["types"].items()}
    found = {}
    for name, entry in [*data["interactions"].items(), ("", data["other"])]:
        found[name] = {"type": types[entry["type"]], "action": entry["action"]}
        if "code" in entry:
            found[name]["subtype"] = coding(entry)
    return found


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("slipring.fhir.trail").joinpath("interactions.toml").read_text("utf-8"))
