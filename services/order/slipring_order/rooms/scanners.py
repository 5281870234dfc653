"""The shell around fitness: fetch what a scanner's tests say, and judge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order.reading import instant
from slipring_order.rooms.fitness import Fitness, fitness
from slipring_order.rooms.measured import TEST_SYSTEM, is_past, measured_at
from slipring_order.rooms.scanner_standard import tests

# The longest interval is a year; a baseline of the status test before the last one is still found.
_AS_FAR_BACK = timedelta(days=3 * 366)


async def measured_on(scanner: str, desk: Desk, *only: str) -> list[Stored]:
    """The test results of a scanner; `only`: of these tests."""
    return _told_in_time(await desk.search(_results_of(scanner, desk, only)), desk)


async def fit_among(devices: Sequence[Stored], desk: Desk) -> list[Stored]:
    """Those of these scanners that may scan now; their results are looked up at once."""
    results = await desk.searches([_results_of(device.reference, desk) for device in devices])
    return [
        device
        for device, found in zip(devices, results, strict=True)
        if judged_fitness(device.resource, [one.resource for one in _told_in_time(found, desk)], desk).fit
    ]


def _told_in_time(found: Sequence[Stored], desk: Desk) -> list[Stored]:
    """Those kept here that were measured before they were stored: history of a day to come is no result when it has come."""
    measured = ((one, measured_at(one.resource, desk.settings.zone)) for one in found if not one.source)
    return [one for one, at in measured if at is None or is_past(at, one.updated_at)]


def _results_of(scanner: str, desk: Desk, only: Sequence[str] = ()) -> str:
    codes = ",".join(f"{TEST_SYSTEM}|{code}" for code in only or tests())
    return f"Observation?subject={scanner}&code={codes}&date=ge{instant(desk.now - _AS_FAR_BACK)}"


async def scanner_fitness(scanner: str, desk: Desk) -> Fitness | None:
    """Whether a scanner may scan now; None when it is not known here."""
    device = await desk.read(scanner) if scanner.startswith("Device/") else None
    if device is None:
        return None
    return judged_fitness(device.resource, [one.resource for one in await measured_on(scanner, desk)], desk)


def judged_fitness(device: Resource, observations: list[Resource], desk: Desk) -> Fitness:
    """Judge by the department's own limits and edition."""
    settings = desk.settings
    return fitness(
        device, observations, desk.now, settings.scanner_limits, settings.zone, edition=settings.scanner_edition
    )
