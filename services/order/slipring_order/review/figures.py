"""From reviewed requests to figures whose members can be walked back to; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One request as it was judged first, and what came of it."""

    request: str  # ServiceRequest/id
    requester: str  # Practitioner/id; empty when nobody is known
    department: str  # Organization/id; empty when none is known
    stat: bool
    outcome: str  # of the first judgement
    rules: frozenset[str]  # what fired and asked or stopped
    overridden: bool  # a physician passed findings
    emergency: bool  # one call passed everything
    late: bool  # what was passed is still owed


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate with its members."""

    code: str
    zh: str
    en: str
    numerator: tuple[str, ...]
    denominator: int

    @property
    def score(self) -> float | None:
        """The share, or None where nothing was to be counted."""
        return len(self.numerator) / self.denominator if self.denominator else None


_FIGURES = (
    ("indications-met", "适应证符合（首次判断即正当）", "indication met: justified as first judged"),
    ("rejected", "首次判断即退回", "rejected as first judged"),
    ("overridden", "经医师放行", "passed by a physician"),
    ("stat", "急诊（绿色通道）", "stat (green channel)"),
    ("emergency-passed", "急诊先行放行", "passed in an emergency"),
    ("late-answers", "急诊先行后尚未补齐", "passed and not completed afterwards"),
)


def figures(cases: Iterable[Reviewed]) -> list[Figure]:
    """The figures of a set of requests, with one for each rule that asked or stopped."""
    held = list(cases)
    members = {
        "indications-met": [case for case in held if case.outcome == "justified"],
        "rejected": [case for case in held if case.outcome == "rejected"],
        "overridden": [case for case in held if case.overridden],
        "stat": [case for case in held if case.stat],
        "emergency-passed": [case for case in held if case.emergency],
        "late-answers": [case for case in held if case.late],
    }
    named = [Figure(code, zh, en, _requests(members[code]), len(held)) for code, zh, en in _FIGURES]
    rules = sorted({rule for case in held for rule in case.rules})
    return named + [
        Figure(rule, rule, rule, _requests(c for c in held if rule in c.rules), len(held)) for rule in rules
    ]


def _requests(cases: Iterable[Reviewed]) -> tuple[str, ...]:
    return tuple(case.request for case in cases)
