"""What a Consent says of the emergency it was made in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.consents.state import EXCEPTION


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach somebody close to the patient."""

    by: str = "Practitioner/o-9"
    whom: str = "mother"
    outcome: str = "no answer"
    at_known: bool = True


@dataclass(frozen=True, slots=True)
class ExceptionFacts:
    """What a Consent says of the emergency it was made in."""

    approver: str = "Practitioner/o-head"
    approver_zh: str = ""  # why the approver may not; empty when he may
    approver_en: str = ""
    approved_at: datetime | None = None
    reason: str = "relative-unreachable"  # code of `emergency-exception-reason`; empty for any other
    capacity: str = "none"
    attempts: tuple[Attempt, ...] = ()
    refused: bool = False  # the patient, or who may speak for him, has refused contrast for this exam


def part_of_exception(name: str) -> str:
    """Where a part of the exception stands in the Consent (FHIRPath)."""
    return f"Consent.extension.where(url='{EXCEPTION}').extension.where(url='{name}')"
