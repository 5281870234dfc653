"""The department as a whole, as plain facts that its rules read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DepartmentFacts:
    """Who leads, since when CT is practised, and what licence and agreement cover."""

    heads: int = 0  # people named head of the CT room
    head_lacks: tuple[str, ...] = ()  # codes of what the nearest of them lacks
    diagnosis_leads: int = 0  # people of the department who may lead the diagnosis
    technical_leads: int = 0
    licensed: bool = False  # a practice licence is in force
    licence_names_imaging: bool = False
    years_of_ct: int = 0  # completed since the licence
    agreed: bool = False  # a service agreement is in force
    agreement_lacks: tuple[str, ...] = ()  # codes of the parts it does not cover
