"""What the checks read and what they answer, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FINDINGS, IMPRESSION, COMPARISON = "findings", "impression", "comparison"
SECTIONS = (FINDINGS, IMPRESSION, COMPARISON)
CERTAINTIES = ("definite", "suspected", "unchanged")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the department itself calls a critical finding, beside the shipped words: plain words, no patterns."""

    code: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportText:
    """One report as text, and what is known of patient and exam; what is not known is '' or None."""

    sections: Mapping[str, str] = field(default_factory=dict)
    lang: str = ""
    sex: str = ""
    age_years: float | None = None
    removed_organs: tuple[str, ...] = ()
    body_part: str = ""
    laterality: str = ""
    contrast: bool | None = None
    priors: int = 0
    own: tuple[OwnWords, ...] = ()  # of the department's catalogue


@dataclass(frozen=True, slots=True)
class Critical:
    """A critical finding that the words state: its code, how certain, and where it is said best."""

    code: str
    certainty: str
    section: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something to look at again: which check, in which section, from which character to which."""

    check: str
    section: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer for one report."""

    critical: tuple[Critical, ...] = ()
    faults: tuple[Fault, ...] = ()
