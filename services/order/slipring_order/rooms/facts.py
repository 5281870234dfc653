"""What the rules of the start look at, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class StartFacts:
    """An exam that is about to start."""

    stat: bool = False
    critical: bool = False  # a critical patient, by the request's priority or by whoever received him
    identity_waits: bool = False  # records were merged or taken apart, and nobody has confirmed the identity
    attendant: str = ""  # the clinician who stays with him
    confirmed: frozenset[str] = frozenset()  # items of the check list that are on record
    contrast: str = (
        "not-needed"  # not-needed, open, cleared, emergency-exception, refused, expired; empty before justification
    )
    pregnancy_concerns: bool = False  # the question is to be put again
    scanner: str = ""  # Device/..., when the step names one
    unfit: tuple[tuple[str, str], ...] = ()  # why the scanner is not fit, in Chinese and English


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A patient and the table of the scanner that his exam is booked on."""

    weight_kg: Decimal | None = None  # None where nobody has weighed him
    stated_kg: Decimal | None = None  # what the scanner's Device says of its table


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """The protocol of an exam that gets its time on a scanner."""

    found: bool = True  # somebody named one, or one was chosen by exam, age and scanner
    approved: bool = True
    suits: bool = True  # it is for this exam, this age and this scanner
