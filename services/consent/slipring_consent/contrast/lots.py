"""A lot of contrast as its Medication says it: agent, strength, number, expiry, and what was decided about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import BEGINNING, interval
from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.contrast.agents import Agent, agent_named
from slipring_consent.contrast.amounts import ML, amount, strength_mg_per_ml
from slipring_consent.reading import codes_in, extension_value, extensions, reference_of

LOT_STATE = f"{CANONICAL}/StructureDefinition/lot-state"
RECEIVED, ACCEPTED, REJECTED, RECALLED = "received", "accepted", "rejected", "recalled"


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot, as it is kept."""

    number: str
    agent: Agent | None
    strength: Decimal | None  # mg of iodine per ml
    state: str  # received | accepted | rejected | recalled | entered-in-error
    expires: str  # as written; empty when nothing is said
    usable_until: datetime | None  # the first moment at which it is out of date; None when nothing is said
    pack_ml: Decimal | None = None

    def expired(self, now: datetime) -> bool:
        """Whether it is out of date; a lot without an expiry date is neither in nor out of it."""
        return self.usable_until is not None and now >= self.usable_until


def lot_of(medication: Resource, time_zone: str, at: datetime | None = None) -> Lot | None:
    """The lot a Medication is, with what was decided up to a moment; None when it names no lot number."""
    number = lot_number(medication)
    if not number:
        return None
    expires = str(medication.get("batch", {}).get("expirationDate", ""))
    return Lot(
        number=number,
        agent=agent_of_lot(medication),
        strength=strength_of(medication),
        state=state_of(medication, at),
        expires=expires,
        usable_until=usable_until(expires, time_zone),
        pack_ml=amount(medication.get("amount", {}).get("numerator"), ML),
    )


def lot_number(medication: Resource) -> str:
    """The lot number as packs print it, without the blanks around it."""
    return str(medication.get("batch", {}).get("lotNumber", "")).strip()


def agent_of_lot(medication: Resource) -> Agent | None:
    """The agent by its code, else by the name that the text says."""
    code = medication.get("code", {})
    texts = [code.get("text", ""), *(coding.get("display", "") for coding in code.get("coding", []))]
    return agent_named(codes_in(code), texts)


def strength_of(medication: Resource) -> Decimal | None:
    """The first strength in mg/ml that an ingredient states."""
    found = (strength_mg_per_ml(one.get("strength")) for one in medication.get("ingredient", []))
    return next((one for one in found if one is not None), None)


def usable_until(expires: str, time_zone: str) -> datetime | None:
    """The end of the day, month or year that a pack prints, in the department's time zone.

    2027-05 is usable through the last of May: the first moment out of date is 1 June 00:00 there.
    """
    found = interval(expires, ZoneInfo(time_zone)) if expires else None
    return found.high if found else None


def state_of(medication: Resource, at: datetime | None = None) -> str:
    """What was decided last about a lot, or up to a moment; one that nobody has decided about is `received`."""
    if medication.get("status") == "entered-in-error":
        return "entered-in-error"
    decided = [one for one in decisions(medication) if at is None or _decided_at(one) <= at]
    states = states_of(decided)
    return states[-1] if states else RECEIVED


def states_of(decided: Iterable[Resource]) -> list[str]:
    """The state that each decision set, in order."""
    return [str(extension_value(one, "state") or "") for one in decided]


def decisions(medication: Resource) -> list[Resource]:
    """All that was decided about a lot, in order."""
    return extensions(medication, LOT_STATE)


def _decided_at(decision: Resource) -> datetime:
    said = interval(str(extension_value(decision, "at") or ""))
    return said.low if said else BEGINNING  # one that was imported without a time stood from the start


def as_decision(state: str, who: str, at: str, note: str = "") -> Resource:
    """One decision about a lot: what, by whom, when, and why."""
    parts: list[Resource] = [
        {"url": "state", "valueCode": state},
        {"url": "by", "valueReference": {"reference": who}},
        {"url": "at", "valueDateTime": at},
    ]
    return {"url": LOT_STATE, "extension": [*parts, *([{"url": "note", "valueString": note}] if note else [])]}


def same_lot(one: Resource, other: Resource) -> bool:
    """Whether two Medications are one lot: number and agent agree, and no strength or maker says otherwise."""
    if lot_number(one) != lot_number(other) or not _same_agent(one, other):
        return False
    return all(_agree(pair) for pair in (map(strength_of, (one, other)), map(_maker, (one, other))))


def _same_agent(one: Resource, other: Resource) -> bool:
    named = agent_of_lot(one), agent_of_lot(other)
    if all(named):
        return named[0] == named[1]
    codes, others = one.get("code", {}), other.get("code", {})
    return bool(set(codes_in(codes)) & set(codes_in(others))) or codes.get("text") == others.get("text")


def _maker(medication: Resource) -> str | None:
    return reference_of(medication.get("manufacturer")) or None


def _agree(said: Iterable[object]) -> bool:
    return len({one for one in said if one is not None}) < 2
