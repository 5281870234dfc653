"""The services that are installed, by their entry points: shared code imports none of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from slipring.fhir.service import Service


def installed() -> Mapping[str, Service]:
    """Every service by its name."""
    points = sorted(entry_points(group="slipring.services"), key=lambda point: point.name)
    return {point.name: point.load() for point in points}
