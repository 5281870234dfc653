"""Decisions out, FHIR in: the resources this service makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from slipring.fhir.service import Resource, Stored


def written(at: datetime) -> str:
    """An instant as FHIR writes it, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reference(text: str) -> Resource:
    """A Reference."""
    return {"reference": text}


def versioned(stored: Stored) -> str:
    """The reference of one version."""
    return f"{stored.reference}/_history/{stored.version}"


def coded(system: str, code: str, display: str = "") -> Resource:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def parameters(*parts: tuple[str, str, Any]) -> Resource:
    """A Parameters resource of (name, value type, value), e.g. ("report", "Reference", {...}); a resource's type is "resource"."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "resource" if kind == "resource" else f"value{kind}": value} for name, kind, value in parts
        ],
    }
