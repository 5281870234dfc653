"""What an administration says of its injection: dose, rate, access, pressures, saline, temperature. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.contrast.amounts import CELSIUS, ML, ML_PER_S, PSI, amount
from slipring_consent.contrast.stock import WASTED, given_ml
from slipring_consent.reading import extension_value, extensions, moment

INJECTION = f"{CANONICAL}/StructureDefinition/contrast-injection"
_UNITS = {
    "accessPressureLimit": PSI,
    "pressureLimit": PSI,
    "peakPressure": PSI,
    "salineFlush": ML,
    "agentTemperature": CELSIUS,
}
_SECOND = "s"
_FAR_TOO_COLD = Decimal(-273)


@dataclass(frozen=True, slots=True)
class Injection:
    """One injection as its record says it; None where it says nothing."""

    dose_ml: Decimal | None
    rate_ml_s: Decimal | None
    gauge: int | None
    access_psi: Decimal | None  # what the cannula or port stands by its label
    limit_psi: Decimal | None  # what the injector was set to
    peak_psi: Decimal | None  # what it reached
    saline_ml: Decimal | None
    temperature_c: Decimal | None
    opened_at: datetime | None


def injection_of(administration: Resource, time_zone: str) -> Injection:
    """Read the record; what is in another kind of unit counts as not said."""
    said = {name: amount(_part(administration, name), unit) for name, unit in _UNITS.items()}
    gauge = _part(administration, "gauge")
    return Injection(
        dose_ml=given_ml(administration),
        rate_ml_s=rate_of(administration),
        gauge=gauge if type(gauge) is int else None,
        access_psi=said["accessPressureLimit"],
        limit_psi=said["pressureLimit"],
        peak_psi=said["peakPressure"],
        saline_ml=said["salineFlush"],
        temperature_c=said["agentTemperature"],
        opened_at=moment(_part(administration, "openedAt"), time_zone),
    )


def rate_of(administration: Resource) -> Decimal | None:
    """The flow in ml/s: a quantity, or a ratio of a volume to a time."""
    dosage = administration.get("dosage", {})
    if "rateRatio" not in dosage:
        return amount(dosage.get("rateQuantity"), ML_PER_S)
    volume_ml = amount(dosage["rateRatio"].get("numerator"), ML)
    seconds = amount(dosage["rateRatio"].get("denominator"), _SECOND)
    return volume_ml / seconds if volume_ml is not None and seconds else None


def by_hand(administration: Resource) -> bool:
    """Whether no injector was used, as the record says."""
    return _part(administration, "byHand") is True


def unreadable(administration: Resource) -> Iterator[str]:
    """Where an amount stands that cannot be one: another kind of unit, only a bound, or below zero."""
    dosage = administration.get("dosage", {})
    if "dose" in dosage and _cannot_be(given_ml(administration)):
        yield "MedicationAdministration.dosage.dose"
    if {"rateQuantity", "rateRatio"} & dosage.keys() and _cannot_be(rate_of(administration)):
        yield "MedicationAdministration.dosage.rate"
    thrown = extension_value(administration, WASTED)
    if thrown is not None and _cannot_be(amount(thrown, ML)):
        yield f"MedicationAdministration.extension.where(url='{WASTED}')"
    for name, unit in _UNITS.items():
        said = _part(administration, name)
        lowest = _FAR_TOO_COLD if unit == CELSIUS else Decimal(0)
        if said is not None and _cannot_be(amount(said, unit), lowest):
            yield f"MedicationAdministration.extension.where(url='{INJECTION}').extension.where(url='{name}')"


def _cannot_be(number: Decimal | None, lowest: Decimal = Decimal(0)) -> bool:
    return number is None or number < lowest


def _part(administration: Resource, name: str) -> Any:
    for extension in extensions(administration, INJECTION):
        return extension_value(extension, name)
    return None
