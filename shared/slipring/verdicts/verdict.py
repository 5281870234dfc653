"""What a check came to, and what several come to together (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from slipring.clauses.register import Words
from slipring.verdicts.declared import Check


class Verdict(StrEnum):
    """How a clause stands, the worst first."""

    NOT_MET = "not-met"
    UNCONFIRMED = "unconfirmed"  # all is well by a figure that no named person of the department has confirmed
    MET = "met"
    NO_DATA = "no-data"
    PROCEDURE = "procedure"  # no duty of the software


ALTERED = Words("存储内容与审计记录不符", "what is stored is not what the trail says was written")


@dataclass(frozen=True, slots=True)
class Breach:
    """One exception: the record that breaks the clause (`Type/id`, '' when it is an absence), and how."""

    reference: str
    how: Words
    kind: str = "broken"  # broken | incomplete | altered | absent | nonconformity


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check's answer: how many records were looked at, which break it, by which unconfirmed figures, and over what."""

    check: Check
    population: int
    breaches: tuple[Breach, ...]
    unconfirmed: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()  # `Type/id/_history/v sha256`, sorted

    @property
    def verdict(self) -> Verdict:
        """Broken by one record; without any, as the figures it relies on are; of nothing nothing is said."""
        if self.breaches:
            return Verdict.NOT_MET
        if not self.population:
            return Verdict.NO_DATA
        return Verdict.UNCONFIRMED if self.unconfirmed else Verdict.MET


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a row by those of its checks: the worst that was said; silent checks say nothing.

    >>> str(together([Verdict.MET, Verdict.NO_DATA]))
    'met'
    """
    said = set(verdicts)
    return next((one for one in Verdict if one in said), Verdict.PROCEDURE)


def digest(lines: Iterable[str]) -> str:
    """SHA-256 over distinct lines in their order of code points, each ended by a line feed."""
    return hashlib.sha256("".join(f"{line}\n" for line in sorted(set(lines))).encode()).hexdigest()
