"""As what a dose is compared, said on its Observation when it is written: kind of exam, band of patients, and the values that compare.

What indicators count is read from a record alone, and a dose does not say of itself what was ordered nor how old the patient was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.qc.indicators.dose import BANDS

from slipring_order.dose.groups import QUANTITIES
from slipring_order.dose.measuring import Patient, measured
from slipring_order.dose.report import DoseReport
from slipring_order.dose.stored import counts, stored_dose
from slipring_order.images.exam import patient_of
from slipring_order.reading import reference_of

COMPARED = f"{CANONICAL}/StructureDefinition/dose-compared"


@dataclass(frozen=True, slots=True)
class Compared:
    """What an Observation says of its group; values only of quantities that compare."""

    exam: str  # a row of the reference levels
    band: str  # adult | child
    values: Mapping[str, Decimal]  # by quantity


def compared(observation: Resource) -> Compared | None:
    """Read it back; None where nothing is said."""
    for one in observation.get("extension", []):
        if one.get("url") == COMPARED:
            parts: dict[str, Any] = {
                p["url"]: next((v for k, v in p.items() if k != "url"), None) for p in one.get("extension", [])
            }
            values = {name: Decimal(str(parts[name])) for name in QUANTITIES if parts.get(name) is not None}
            return Compared(str(parts.get("exam", "")), str(parts.get("band", "")), values)
    return None


async def with_compared(observation: Resource, desk: Desk, request: Resource | None = None) -> list[Resource]:
    """The extensions of a dose Observation with what it is compared as, in place of what was said before.

    `request`: the exam's, if it is known already; else the one that the Observation is based on.
    """
    others = [one for one in observation.get("extension", []) if one.get("url") != COMPARED]
    named = (reference_of(one) for one in observation.get("basedOn", []))
    found = [request] if request else [one.resource for each in named if (one := await _request(each, desk))]
    if not found or not counts(observation):
        return others
    stored = stored_dose(observation, desk.settings.zone)
    said = await _as_extension(observation, stored.report, found[0], stored.performed_at or desk.now, desk)
    return [*others, *said]


async def _request(reference: str, desk: Desk) -> Any:
    return await desk.read(reference) if reference.startswith("ServiceRequest/") else None


async def _as_extension(
    observation: Resource, report: DoseReport, request: Resource, at: datetime, desk: Desk
) -> Sequence[Resource]:
    zone = desk.settings.zone
    limits = desk.settings.limits.on(desk.now.astimezone(zone).date())
    born = str((await patient_of(request, desk) or {}).get("birthDate", ""))
    measure = measured(observation, report, request.get("code"), Patient(born), at.astimezone(zone).date(), limits)
    if measure is None or measure.level is None:
        return []
    band = measure.band if measure.band in BANDS else BANDS[1]
    parts: list[Resource] = [{"url": "exam", "valueCode": measure.key}, {"url": "band", "valueCode": band}]
    parts += [{"url": name, "valueDecimal": value} for name in QUANTITIES if (value := measure.of(name)) is not None]
    return [{"url": COMPARED, "extension": parts}]
