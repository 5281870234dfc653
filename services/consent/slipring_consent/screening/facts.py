"""What is known about one patient before contrast: the answers, and what the copies know on top.

An answer that was not given is `unknown`, and unknown is never `no`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from slipring.fhir.service import Resource

from slipring_consent.contrast.agents import is_contrast_allergy
from slipring_consent.reading import codes_in, items_of, moment
from slipring_consent.screening.packs import Policy

LOINC = "http://loinc.org"
EGFR_CODES = frozenset({"98979-8", "62238-1", "33914-3", "50384-7"})
STANDING = frozenset({"final", "amended", "corrected"})
YES_NO = {"Y": "yes", "N": "no", "true": "yes", "false": "no"}
METFORMIN_ATC = "A10BA02"


@dataclass(frozen=True, slots=True)
class ScreeningFacts:
    """What is known about one patient before contrast, from the answers and from order's copies."""

    prior_reaction: str = "unknown"  # none | mild | moderate | severe | unknown
    prior_reaction_kind: str = "unknown"  # allergic-like | physiologic | unknown
    reaction_agents: tuple[str, ...] = ()  # ATC codes of the agents that the earlier reactions were to
    planned_agent: str = ""  # ATC code of the agent that is planned
    multiple_allergies: str = "unknown"  # yes | no | unknown, as everything below unless said otherwise
    asthma: str = "unknown"
    hyperthyroidism: str = "unknown"  # manifest, not controlled
    radioiodine_planned: str = "unknown"  # treatment with radio-iodine or a thyroid scintigraphy ahead
    metformin: str = "unknown"
    beta_blocker: str = "unknown"
    interleukin_2: str = "unknown"
    nephrotoxic_drugs: str = "unknown"
    dialysis: str = "unknown"
    acute_kidney_injury: str = "unknown"
    kidney_disease: str = "unknown"
    kidney_surgery: str = "unknown"
    diabetes: str = "unknown"
    hypertension: str = "unknown"
    gout: str = "unknown"
    heart_failure: str = "unknown"
    pulmonary_hypertension: str = "unknown"
    phaeochromocytoma: str = "unknown"
    myasthenia: str = "unknown"
    homocystinuria: str = "unknown"
    myeloma: str = "unknown"
    pregnancy: str = "unknown"
    lactation: str = "unknown"
    egfr_ml_min: Decimal | None = None  # per 1.73 m2, the newest in date
    age_years: int | None = None
    sex: str = ""  # male | female | "" where nothing is known
    route: str = "intravenous"  # intravenous | arterial-first-pass | arterial-second-pass
    intensive_care: bool = False
    stat: bool = False  # the request does not wait
    last_contrast_at: datetime | None = None  # the newest earlier use of iodinated contrast, another exam's
    policy: Policy = field(default_factory=lambda: Policy("none"))


def answers_of(response: Resource) -> dict[str, str]:
    """The coded answers of a QuestionnaireResponse by linkId, as plain words."""
    found: dict[str, str] = {}
    for item in items_of(response):
        for answer in item.get("answer", []):
            code = str(answer.get("valueCoding", {}).get("code", ""))
            if "valueBoolean" in answer:
                code = "true" if answer["valueBoolean"] else "false"
            found[item["linkId"]] = YES_NO.get(code, code)
    return found


def screening_facts(
    response: Resource,
    *,
    observations: Iterable[Resource],
    allergies: Iterable[Resource],
    medications: Iterable[Resource],
    policy: Policy,
    now: datetime,
    renal_valid: timedelta,
    time_zone: str,
) -> ScreeningFacts:
    """What the patient answered, with what the copies know on top: a known fact outweighs a "no"."""
    answers = answers_of(response)
    known = _worst_reaction(allergies)
    taken = any(_is_metformin(medication) for medication in medications)
    return ScreeningFacts(
        prior_reaction=_worse(_one_of(answers, "prior-reaction", ("none", "mild", "moderate", "severe")), known),
        asthma=_one_of(answers, "asthma"),
        hyperthyroidism=_one_of(answers, "hyperthyroidism"),
        metformin="yes" if taken else _one_of(answers, "metformin"),
        dialysis=_one_of(answers, "dialysis"),
        egfr_ml_min=_newest_egfr(observations, now, renal_valid, time_zone),
        policy=policy,
    )


def _one_of(answers: dict[str, str], link: str, allowed: tuple[str, ...] = ("yes", "no")) -> str:
    return answers.get(link, "") if answers.get(link) in allowed else "unknown"


def _worse(answered: str, known: str) -> str:
    order = ("none", "unknown", "mild", "moderate", "severe")
    return max(answered, known, key=order.index)


def _worst_reaction(allergies: Iterable[Resource]) -> str:
    """The worst reaction of an active allergy to contrast; one without a grade counts as unknown."""
    worst = "none"
    for allergy in allergies:
        if not _stands(allergy):
            continue
        reactions = allergy.get("reaction", [])
        codings = codes_in(allergy.get("code"))
        codings += [coding for reaction in reactions for coding in codes_in(reaction.get("substance"))]
        if not is_contrast_allergy(codings):
            continue
        grades = [reaction.get("severity", "unknown") for reaction in reactions] or ["unknown"]
        if allergy.get("criticality") == "high":
            grades.append("severe")
        for grade in grades:
            worst = _worse(worst, grade)
    return worst


def _stands(allergy: Resource) -> bool:
    status = {code for _, code in codes_in(allergy.get("clinicalStatus"))}
    verified = {code for _, code in codes_in(allergy.get("verificationStatus"))}
    return not status & {"inactive", "resolved"} and not verified & {"refuted", "entered-in-error"}


def _is_metformin(medication: Resource) -> bool:
    codings = codes_in(medication.get("medicationCodeableConcept"))
    return medication.get("status") in ("active", "intended", "on-hold") and any(
        code == METFORMIN_ATC for _, code in codings
    )


def _newest_egfr(observations: Iterable[Resource], now: datetime, valid: timedelta, time_zone: str) -> Decimal | None:
    found: list[tuple[datetime, Decimal]] = []
    for observation in observations:
        codes = {code for system, code in codes_in(observation.get("code")) if system == LOINC}
        taken_at = moment(observation.get("effectiveDateTime"), time_zone)
        value = observation.get("valueQuantity", {}).get("value")
        if observation.get("status") in STANDING and codes & EGFR_CODES and taken_at and value is not None:
            found.append((taken_at, Decimal(str(value))))
    in_date = [entry for entry in found if now - valid <= entry[0] <= now]
    newest = max((at for at, _ in in_date), default=None)
    return min((value for at, value in in_date if at == newest), default=None)  # of two at one moment the lower
