"""What a round comes to by its criterion, where it stands on a day, and how each body system is covered (5.6.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from slipring.fhir.service import Resource
from slipring.rules.finding import Limit

from slipring_order.department.due import DEPARTMENT, Record
from slipring_order.eqa.form import answers, criteria, is_round, kinds

ACCEPTABLE, UNACCEPTABLE = "acceptable", "unacceptable"
_CONCLUDED = ("completed", "amended")


@dataclass(frozen=True, slots=True)
class Round:
    """One round, as it is on record."""

    reference: str  # QuestionnaireResponse/...
    status: str
    kind: str
    scheme: str
    partner: str
    systems: tuple[str, ...]
    due: date | None
    sent: date | None
    returned: date | None
    criterion: str
    score: Decimal | None
    verdict: str
    certificate: str

    @property
    def concluded(self) -> bool:
        """Whether it has its verdict."""
        return self.status in _CONCLUDED

    @property
    def alternative(self) -> bool:
        """Whether it is one of the other ways that the clause allows."""
        return bool(kinds().get(self.kind, {}).get("alternative"))

    @property
    def lacks_certificate(self) -> bool:
        """Whether the paper that a scheme gives is not kept with it."""
        wanted = kinds().get(self.kind, {}).get("certificate")
        return self.concluded and bool(wanted) and not self.certificate

    def state(self, on: date) -> str:
        """planned, late, sent, acceptable, unacceptable, or void."""
        if self.status == "entered-in-error":
            return "void"
        if self.concluded:
            return self.verdict
        if self.sent:
            return "sent"
        return "late" if self.due and self.due < on else "planned"


def verdict_of(criterion: str, score: Decimal | None, limit: Limit | None, said: str) -> str:
    """By the result and the organiser's word: acceptable only where neither speaks against it; '' where neither speaks.

    A share is at least its limit, a z score at most its limit in magnitude.
    """
    told = [said] if said else []
    if score is not None and limit is not None:
        bound = Decimal(str(limit.value))
        holds = score >= bound if criteria()[criterion]["least"] else abs(score) <= bound
        told.append(ACCEPTABLE if holds else UNACCEPTABLE)
    if not told:
        return ""
    return UNACCEPTABLE if UNACCEPTABLE in told else ACCEPTABLE


def rounds_in(responses: Iterable[Resource]) -> Iterator[Round]:
    """The rounds among these records."""
    for one in responses:
        if is_round(one):
            yield _round(one)


def covered(rounds: Iterable[Round]) -> Iterator[Record]:
    """What each concluded round is evidence of: a body system was compared on the day its result came."""
    for one in rounds:
        if one.concluded and one.returned:
            for system in one.systems:
                passed = one.verdict == ACCEPTABLE
                yield Record(DEPARTMENT, f"eqa-{system.lower()}", one.returned, passed=passed, source=one.reference)


def _round(response: Resource) -> Round:
    said = answers(response)

    def first(code: str) -> str:
        return str(next(iter(said.get(code, [])), ""))

    days = {code: _day(first(code)) for code in ("due", "sent", "returned")}
    return Round(
        f"QuestionnaireResponse/{response['id']}",
        str(response.get("status", "")),
        first("kind"),
        first("scheme"),
        first("partner"),
        tuple(said.get("system", [])),
        days["due"],
        days["sent"],
        days["returned"],
        first("criterion"),
        Decimal(first("score")) if first("score") else None,
        first("verdict"),
        first("certificate"),
    )


def _day(text: str) -> date | None:
    """A whole day; a month or a year alone is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
