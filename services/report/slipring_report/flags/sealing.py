"""The service's own seal on a documented critical communication: it stands beside the report, outside what was signed."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.signing.seal import canonical

COMMUNICATION_SEAL = f"{CANONICAL}/StructureDefinition/communication-seal"
_KIND = "slipring-critical-communication"  # the `typ` of the seal
_OUTSIDE = frozenset({"meta", "extension", "text"})


def sealed(told: Resource, desk: Desk) -> Resource:
    """The communication with the seal over all that it says."""
    return {**told, "extension": [{"url": COMMUNICATION_SEAL, "valueString": desk.seals.seal(_said(told), _KIND)}]}


async def faults(told: Resource, desk: Desk) -> Sequence[str]:
    """Why the seal does not stand over what the communication says now, as codes of proof_reasons.toml; none when it does."""
    seals = [one.get("valueString", "") for one in told.get("extension", []) if one.get("url") == COMMUNICATION_SEAL]
    if len(seals) != 1:
        return ["seal-missing"]
    return [f"seal-{one}" for one in await desk.seals.faults(seals[0], _said(told), _KIND)]


def _said(told: Resource) -> bytes:
    return canonical({name: value for name, value in told.items() if name not in _OUTSIDE})
