"""What order runs beside its HTTP addresses."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.beside import Beside, Inside

from slipring_order.dicom.rim import beside_order
from slipring_order.offer.stock import Stock


def beside(inside: Inside) -> Sequence[Beside]:
    """The DICOM port, when the department has set one, and the shipped catalogue, unless it wants none."""
    return [*beside_order(inside), *([Stock(inside)] if inside.settings.shipped_exams else [])]
