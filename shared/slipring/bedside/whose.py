"""Whose a reaction is, where no exam is at hand: the patients that a number or a name fits, and what one was given here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree

_MOST_FOUND = 20
_LOOKED_BACK = timedelta(days=30)  # a very late reaction is told within weeks
_USUALLY_WITHIN = timedelta(days=7)  # of an injection (ESUR 10: late, an hour to a week)
_GIVEN = "in-progress,on-hold,completed,stopped"


@dataclass(frozen=True, slots=True)
class Whose:
    """One patient, by the identifiers of a person's banner."""

    patient: Tree

    @property
    def id(self) -> str:
        """The patient's id."""
        return str(self.patient["id"])

    @property
    def name(self) -> str:
        """The name as it is written."""
        return names.person(self.patient)

    @property
    def number(self) -> str:
        """The number of the house."""
        return names.patient_number(self.patient)

    @property
    def born(self) -> str:
        """The date of birth as it is recorded."""
        return str(self.patient.get("birthDate", ""))

    @property
    def sex(self) -> str:
        """FHIR's administrative gender."""
        return str(self.patient.get("gender", ""))


@dataclass(frozen=True, slots=True)
class Injected:
    """One injection of contrast here."""

    id: str
    at: datetime | None
    agent: Pair

    def usual(self, now: datetime) -> bool:
        """Whether a reaction that is told now usually belongs to it."""
        return self.at is not None and now - self.at <= _USUALLY_WITHIN


async def fitting(hand: Hand, text: str) -> tuple[list[Whose], bool]:
    """The patients with this number, of the exam with this number, or whose name begins so; and whether there are more."""
    escaped, rest = names.plain(text), [("_count", str(_MOST_FOUND))]
    sheets = await asyncio.gather(
        hand.sheet("Patient", [("identifier", escaped), *rest]),
        hand.sheet("Task", [("code", "exam"), ("group-identifier", escaped), ("_include", "Task:patient"), *rest]),
        hand.sheet("Patient", [("name", escaped), *rest]),
    )
    found = {one["id"]: Whose(one) for sheet in sheets for one in sheet.resources if one["resourceType"] == "Patient"}
    return [one for one in found.values() if one.patient.get("active") is not False], any(s.following for s in sheets)


async def injected(hand: Hand, patient: str, now: datetime) -> Sequence[Injected]:
    """What this patient was given here in the last weeks, the newest first; nothing where the roles do not open it."""
    asked = [
        ("subject", patient), ("status", _GIVEN), ("effective-time", f"ge{(now - _LOOKED_BACK).isoformat()}"),
        ("_include", "MedicationAdministration:medication"), ("_count", "100"),
    ]  # fmt: skip
    told = await hand.if_allowed("MedicationAdministration", asked) or []
    drugs = {f"Medication/{one['id']}": one for one in told if one["resourceType"] == "Medication"}
    every = [_injected(one, drugs) for one in told if one["resourceType"] == "MedicationAdministration"]
    return sorted(every, key=lambda one: str(one.at), reverse=True)


def _injected(one: Tree, drugs: dict[str, Tree]) -> Injected:
    lot = drugs.get(names.reference_in(one.get("medicationReference"))) or next(iter(one.get("contained", [])), Tree())
    period = one.get("effectivePeriod", {})
    at = names.moment(one.get("effectiveDateTime") or period.get("start"))
    return Injected(str(one["id"]), at, names.concept_words(one.get("medicationCodeableConcept") or lot.get("code")))
