"""What stands in the form of an emergency exception, as a Consent: who approved it, why, who tried to reach whom. Pure.

Nobody signs it: the patient cannot decide and nobody close to him can be reached (Civil Code, art. 1220).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from slipring.bedside.consent_form import about, coded_concept
from slipring.bedside.standing import EXCEPTION, ContrastExam
from slipring.bedside.typed_time import time_typed
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

TRIES = (1, 2, 3)  # rows of the form in which a try to reach somebody is written
UNABLE = ("none", "limited")  # the capacities in which an exception may be
# Where a refusal points -> the field beside which it is shown; the first that fits.
_FIELDS = (
    ("'approver'", "approver"), ("'approved-at'", "approved"), ("'attempt'", "attempts"), ("'reason'", "why"),
    ("/capacity'", "unable"),
)  # fmt: skip
_TYPED = ("approver", "approved", *(f"{field}{row}" for row in TRIES for field in ("tried_by", "tried_at")))


def exception_field_at(expression: str) -> str:
    """The field that an expression of a refusal points at; '' for the whole form."""
    return expression if expression in _TYPED else next((name for part, name in _FIELDS if part in expression), "")


def rows_filled(form: Mapping[str, str]) -> list[int]:
    """The rows in which a try is written."""
    return [row for row in TRIES if form.get(f"whom{row}", "").strip() or form.get(f"outcome{row}", "").strip()]


@dataclass(frozen=True, slots=True)
class Excepted:
    """What was said in the form, with the people it names as references; `approver` is '' when nobody was named."""

    one: ContrastExam
    form: Mapping[str, str]
    approver: str
    tried_by: Mapping[int, str]  # by row
    now: datetime
    zone: tzinfo

    def consent(self) -> Tree:
        """The exception as an active Consent, of now on; what was left out is for the service to ask."""
        when = self.now.isoformat(timespec="seconds")
        base, unable = about(self.one, when), self.form.get("unable", "")
        capacity = {
            "url": f"{CANONICAL}/StructureDefinition/capacity",
            "valueCodeableConcept": coded_concept(f"{CANONICAL}/CodeSystem/capacity", unable),
        }
        return {
            **base,
            "extension": [{"url": EXCEPTION, "extension": self._parts()}, *([capacity] if unable in UNABLE else [])],
            "status": "active",
            "policyRule": coded_concept(f"{CANONICAL}/CodeSystem/consent-policy", "emergency-exception"),
            "provision": {"type": "permit", **base["provision"], "period": {"start": when}},
        }

    def _parts(self) -> Sequence[Tree]:
        why, approved = self.form.get("why", ""), self._time("approved")
        reason = coded_concept(f"{CANONICAL}/CodeSystem/emergency-exception-reason", why)
        return [
            *([{"url": "approver", "valueReference": {"reference": self.approver}}] if self.approver else []),
            *([{"url": "reason", "valueCodeableConcept": reason}] if why else []),
            {"url": "approved-at", "valueDateTime": approved},
            *(self._try(row) for row in rows_filled(self.form)),
        ]

    def _try(self, row: int) -> Tree:
        said = {name: self.form.get(f"{name}{row}", "").strip() for name in ("whom", "outcome")}
        parts: list[Tree] = [
            {"url": "by", "valueReference": {"reference": self.tried_by[row]}},
            {"url": "at", "valueDateTime": self._time(f"tried_at{row}")},
            *({"url": name, "valueString": words} for name, words in said.items() if words),
        ]
        return {"url": "attempt", "extension": parts}

    def _time(self, field: str) -> str:
        return time_typed(self.form.get(field, ""), self.now, self.zone, at=field).isoformat(timespec="seconds")
