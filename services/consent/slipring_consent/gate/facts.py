"""All that the gate weighs for one administration, at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateFacts:
    """All that the gate weighs for one administration, at one moment."""

    exam_known: bool = True
    exam_active: bool = True
    same_patient: bool = True
    identity_waits: bool = False  # records were merged or taken apart, and nobody has confirmed who this is
    running: tuple[str, ...] = ()  # other injections of this exam that are permitted and not over
    foreign: tuple[str, ...] = ()  # where it names exam, patient or people by an address instead of Type/id
    consent: str = (
        "active"  # active | emergency-exception | not-yet | expired | withdrawn | refused | sign-again | none
    )
    screening: str = "completed"  # completed | none
    high_findings: tuple[str, ...] = ()  # rule keys that stop
    open_questions: tuple[str, ...] = ()  # rule keys a physician has to decide
    performers: int = 1
    unqualified_zh: str = ""  # why nobody named here may give contrast; empty when one may
    unqualified_en: str = ""
    observer: bool = True
