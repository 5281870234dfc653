"""What is known about one dose of contrast: its lot, the dose itself, the patient's weight, what was given before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from slipring.fhir.service import Resource

from slipring_consent.contrast.agents import Agent, agent_named
from slipring_consent.contrast.amounts import iodine_g
from slipring_consent.contrast.injection import injection_of
from slipring_consent.contrast.lots import Lot
from slipring_consent.contrast.stock import given_ml
from slipring_consent.contrast.weight import ages, newest_weight
from slipring_consent.reading import codes_in

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ContrastFacts:
    """All that CONTRAST_RULES weigh of one administration; the defaults are a dose with nothing against it."""

    lot: str = "accepted"  # received | accepted | rejected | recalled | entered-in-error | unknown | none
    number: str = ""
    expiry: str = "in-date"  # in-date | expired | unknown
    expires: str = ""  # as the pack prints it
    agent: str = "V08AB02"  # ATC; empty when no agent of the table is named
    agent_zh: str = ""
    agent_en: str = ""
    planned: tuple[str, ...] = ()  # ATC of the agents that the request or the consent names
    strength_mg_ml: Decimal | None = Decimal(350)
    sold: tuple[Decimal, ...] = ()  # strengths that the agent is sold in
    dose_ml: Decimal | None = Decimal(60)
    earlier_ml: Decimal = Decimal(0)  # given to this person within the time that counts together
    earlier_iodine_g: Decimal = Decimal(0)
    earlier_unknown: int = 0  # doses of that time that state no amount, or no strength
    weight_kg: Decimal | None = Decimal(70)
    weight_days: Decimal = Decimal(0)  # how old the weight is
    age: tuple[int, ...] = (50, 50)  # the youngest and the oldest the patient can be; empty when nothing is known
    rate_ml_s: Decimal | None = None
    gauge: int | None = None
    limit_psi: Decimal | None = None
    access_psi: Decimal | None = None
    pack_ml: Decimal | None = None
    opened_hours: Decimal | None = None
    temperature_c: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """One dose that this person was given before."""

    volume_ml: Decimal | None
    strength: Decimal | None


def contrast_facts(
    administration: Resource,
    lot: Lot | None,
    *,
    named: bool,
    exam: Resource | None,
    consents: Iterable[Resource],
    patient: Resource | None,
    weights: Iterable[Resource],
    earlier: Sequence[Earlier],
    now: datetime,
    time_zone: str,
) -> ContrastFacts:
    """The facts of one dose; `named` says that a lot number was given, `lot` is what is kept here of it."""
    said = injection_of(administration, time_zone)
    agent = lot.agent if lot is not None else agent_of_concept(administration.get("medicationCodeableConcept"))
    weight = newest_weight(weights, now, time_zone)
    counted = [one.volume_ml for one in earlier if one.volume_ml is not None]
    iodine = [iodine_g(one.volume_ml, one.strength) for one in earlier if one.volume_ml and one.strength]
    return ContrastFacts(
        lot=lot.state if lot is not None else ("unknown" if named else "none"),
        number=lot.number if lot is not None else "",
        expiry=_expiry(lot, now),
        expires=lot.expires if lot is not None else "",
        agent=agent.atc if agent else "",
        agent_zh=agent.zh if agent else "",
        agent_en=agent.en if agent else "",
        planned=planned_agents(exam, consents),
        strength_mg_ml=lot.strength if lot is not None else None,
        sold=agent.strengths if agent else (),
        dose_ml=said.dose_ml,
        earlier_ml=sum(counted, Decimal(0)),
        earlier_iodine_g=sum(iodine, Decimal(0)),
        earlier_unknown=sum(one.volume_ml is None or one.strength is None for one in earlier),
        weight_kg=weight.kg if weight else None,
        weight_days=Decimal((now - weight.taken_at) // _DAY) if weight else Decimal(0),
        age=ages(str((patient or {}).get("birthDate", "")), now, time_zone),
        rate_ml_s=said.rate_ml_s,
        gauge=said.gauge,
        limit_psi=said.limit_psi,
        access_psi=said.access_psi,
        pack_ml=lot.pack_ml if lot is not None else None,
        opened_hours=Decimal((now - said.opened_at) / _HOUR).quantize(Decimal("0.1")) if said.opened_at else None,
        temperature_c=said.temperature_c,
    )


def agent_of_concept(concept: Resource | None) -> Agent | None:
    """The agent that a CodeableConcept names, by code or in words."""
    said = concept or {}
    return agent_named(
        codes_in(said), [said.get("text", ""), *(one.get("display", "") for one in said.get("coding", []))]
    )


def planned_agents(exam: Resource | None, consents: Iterable[Resource]) -> tuple[str, ...]:
    """The agents that the request names in its details, and that the active consent was given for."""
    concepts = list((exam or {}).get("orderDetail", []))
    for consent in consents:
        if consent.get("status") == "active":
            concepts += consent.get("provision", {}).get("code", [])
    return tuple(sorted({agent.atc for agent in map(agent_of_concept, concepts) if agent}))


def earlier_dose(administration: Resource, strength: Decimal | None) -> Earlier:
    """What an earlier administration counts."""
    return Earlier(given_ml(administration), strength)


def _expiry(lot: Lot | None, now: datetime) -> str:
    if lot is None or lot.usable_until is None:
        return "unknown"
    return "expired" if lot.expired(now) else "in-date"
