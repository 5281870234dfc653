"""What a check came to, and what several come to together (pure)."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from slipring.clauses.register import Words
from slipring.verdicts.declared import Check


class Verdict(StrEnum):
    """How a clause stands, the worst first."""

    NOT_MET = "not-met"
    UNCONFIRMED = "unconfirmed"  # well or not, by a figure that no named person of the department has confirmed
    MET = "met"
    NO_DATA = "no-data"
    PROCEDURE = "procedure"  # no duty of the software


ALTERED = Words("存储内容与审计记录不符", "what is stored is not what the trail says was written")


@dataclass(frozen=True, slots=True)
class Breach:
    """One exception: the record that breaks the clause (`Type/id`, '' when it is an absence), and how."""

    reference: str
    how: Words
    kind: str = "broken"  # broken | incomplete | altered | absent | nonconformity | unconfirmed
    figure: str = ""  # that it is so by: an id, or a pattern of ids; '' where no figure decides

    def by(self, waiting: Collection[str]) -> Breach:
        """The same, `unconfirmed` where its figure is among those that nobody has confirmed: such a figure fails nothing."""
        if not (self.figure and any(fnmatch.fnmatchcase(one, self.figure) for one in waiting)):
            return self
        zh, en = f"{self.how.zh}（所依数值待确认）", f"{self.how.en} (by a figure that nobody has confirmed)"
        return replace(self, how=Words(zh, en), kind="unconfirmed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check's answer: how many records were looked at, which break it, by which unconfirmed figures, and over what."""

    check: Check
    population: int
    breaches: tuple[Breach, ...]
    unconfirmed: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()  # `Type/id/_history/v sha256`, sorted
    not_then: tuple[str, ...] = ()  # copies of another service's records that were read as they are today

    @property
    def verdict(self) -> Verdict:
        """Broken by one record; without any, as the figures it relies on are; of nothing nothing is said."""
        if any(one.kind != "unconfirmed" for one in self.breaches):
            return Verdict.NOT_MET
        if self.breaches:
            return Verdict.UNCONFIRMED
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


def digest(lines: Iterable[str], before: str = "") -> str:
    """SHA-256 over distinct lines in their order of code points, each after `before` and ended by a line feed.

    >>> digest(["b", "a"], before="order ") == digest(["order a", "order b"])
    True
    """
    found = hashlib.sha256()
    for line in sorted(dict.fromkeys(lines)):  # what was in order stays so, and is sorted in a fraction of the time
        found.update(f"{before}{line}\n".encode())
    return found.hexdigest()
