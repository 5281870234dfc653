"""What order runs beside its HTTP addresses."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.beside import Beside, Inside

from slipring_order.dicom.settings import DicomSettings
from slipring_order.offer.stock import Stock


def beside(inside: Inside) -> Sequence[Beside]:
    """The DICOM port, when the department has set one, and the shipped catalogue, unless it wants none."""
    found: list[Beside] = [Stock(inside)] if inside.settings.shipped_exams else []
    if (settings := DicomSettings.from_env()).port:
        from slipring_order.dicom.rim import Rim  # only here: without a port a service starts without DICOM

        found.insert(0, Rim(inside, settings))
    return found
