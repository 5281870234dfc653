"""CTDI from the readings of a pencil chamber in a PMMA phantom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MM_IN_CM = 10.0
HOLES = 4


class NoCtdi(ValueError):
    """The readings give no CTDIw; the text says why."""


@dataclass(frozen=True, slots=True)
class Ctdi:
    """CTDI100 in the middle and in the holes at the rim, and the weighted one; mGy."""

    centre_mgy: float
    edges_mgy: tuple[float, ...]

    @property
    def weighted_mgy(self) -> float:
        """CTDIw = 1/3 CTDI100,c + 2/3 of the mean of CTDI100,p (IEC 60601-2-44, WS 519-2019)."""
        return self.centre_mgy / 3 + 2 / 3 * sum(self.edges_mgy) / len(self.edges_mgy)


def ctdi_of_readings(
    centre_mgy_cm: float, edges_mgy_cm: Sequence[float], collimation_mm: float, factor: float = 1.0
) -> Ctdi:
    """CTDI100 = reading in mGy cm x 10 x calibration factor / (N T in mm), of each hole. Raises NoCtdi.

    >>> round(ctdi_of_readings(30.0, [33.0, 33.0, 33.0, 33.0], 10.0).weighted_mgy, 2)
    32.0
    """
    if len(edges_mgy_cm) != HOLES:
        raise NoCtdi(f"CTDIw needs the readings of {HOLES} holes at the rim, not {len(edges_mgy_cm)}")
    if not (0 < collimation_mm <= 200 and 0.5 < factor < 2):
        raise NoCtdi("the collimation is N x T in mm, the calibration factor is near 1")
    readings = (centre_mgy_cm, *edges_mgy_cm)
    if not all(0 < reading < 10_000 for reading in readings):
        raise NoCtdi("readings are products of dose and length in mGy cm, above 0")
    centre, *edges = (reading * _MM_IN_CM * factor / collimation_mm for reading in readings)
    return Ctdi(centre, tuple(edges))
