"""The facts of screening, gathered from answers and resources wherever they lie: on a desk or in a Bundle. Pure.

A known fact outweighs an answered "no"; a doubt makes a "no" unknown; what is absent from records is never a "no".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipring.rules.child_bearing import uterus_removed

from slipring_consent.screening import circumstances
from slipring_consent.screening.answers import UNKNOWN, answers_of, one_of
from slipring_consent.screening.evidence import Evidence
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.history import DOUBT, YES, history_of, is_wrong
from slipring_consent.screening.kidney_injury import has_risen
from slipring_consent.screening.kidneys import renal_function
from slipring_consent.screening.packs import Policy
from slipring_consent.screening.person import Person, person_of
from slipring_consent.screening.pregnancy import denied_lately, pregnancy_known
from slipring_consent.screening.reactions_told import (
    Told,
    agents_of_worst,
    reactions_told,
    severe_allergies,
    worst,
)

# The linkId of the question where it is not the fact's name with hyphens.
_ASKED_AS = {"multiple_allergies": "severe-allergies", "radioiodine_planned": "radioiodine"}
SEVERAL = 2  # severe allergies to different things


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Against what the facts are reckoned: the time, the department's numbers, the policy pack."""

    now: datetime
    time_zone: str
    adult_formula: str
    valid_inpatient: timedelta
    valid_outpatient: timedelta
    denied_for: timedelta  # for how long it holds that a patient said she is not pregnant
    policy: Policy


def gathered(evidence: Evidence, by: Reckoning) -> ScreeningFacts:
    """All that is known of one person before contrast."""
    answers = answers_of(evidence.response)
    person = person_of(evidence.of("Patient"))
    history = history_of(evidence, by.now, by.time_zone)
    if len(severe_allergies(evidence)) >= SEVERAL:
        history["multiple_allergies"] = YES
    stated: dict[str, Any] = {name: _weighed(name, answers, history) for name in _FACTS}
    if stated["dialysis"] != "yes" and has_risen(evidence.of("Observation"), by.now, by.time_zone):
        stated["acute_kidney_injury"] = "yes"
    begun, ended = circumstances.last_contrast(evidence, by.now, by.time_zone) or (None, None)
    stated["pregnancy"] = _pregnancy(stated["pregnancy"], evidence, person, by)
    return ScreeningFacts(
        **stated,
        **_reactions(answers, reactions_told(evidence)),
        **_renal(evidence, person, by),
        planned_agent=circumstances.planned_agent(evidence),
        age_years=person.age_at(by.now, by.time_zone),
        sex=person.sex,
        uterus_removed=_uterus_removed(evidence),
        route=circumstances.route_of(evidence),
        inpatient=circumstances.inpatient(evidence),
        intensive_care=circumstances.in_intensive_care(evidence),
        stat=circumstances.is_stat(evidence),
        last_contrast_from=begun,
        last_contrast_at=ended,
        policy=by.policy,
    )


_FACTS = (
    "multiple_allergies", "asthma", "hyperthyroidism", "radioiodine_planned", "metformin", "beta_blocker",
    "interleukin_2", "nephrotoxic_drugs", "dialysis", "acute_kidney_injury", "kidney_disease", "kidney_surgery",
    "diabetes", "hypertension", "gout", "heart_disease", "heart_failure", "liver_disease", "pulmonary_hypertension",
    "phaeochromocytoma", "myasthenia", "homocystinuria", "myeloma", "pregnancy", "lactation",
)  # fmt: skip


def linked_to(fact: str) -> str:
    """The linkId of the question that asks for a fact."""
    return _ASKED_AS.get(fact, fact.replace("_", "-"))


def _weighed(fact: str, answers: dict[str, str], history: Mapping[str, str]) -> str:
    answered, known = one_of(answers, linked_to(fact)), history.get(fact, "")
    if known == YES:
        return "yes"
    return UNKNOWN if known == DOUBT and answered == "no" else answered


def _uterus_removed(evidence: Evidence) -> bool:
    conditions = [one for one in evidence.of("Condition") if not is_wrong(one)]  # "resolved" says the operation is over
    done = [one for one in evidence.of("Procedure") if one.get("status") == "completed"]
    return any(uterus_removed(one.get("code")) for one in (*conditions, *done))


def _pregnancy(told: str, evidence: Evidence, person: Person, by: Reckoning) -> str:
    if told == "no" and not denied_lately(evidence.response, by.now, by.time_zone, by.denied_for):
        told = UNKNOWN
    return pregnancy_known(told, evidence.of("Observation"), person, by.now, by.time_zone, by.denied_for)


def _reactions(answers: dict[str, str], told: list[Told]) -> dict[str, Any]:
    answered = one_of(answers, "prior-reaction", ("none", "mild", "moderate", "severe"))
    grade = worst((one.grade for one in told), answered)
    kinds = {one.kind for one in told if one.grade == grade}
    kind = next((one for one in ("allergic-like", UNKNOWN, "physiologic") if one in kinds), UNKNOWN)
    return {"prior_reaction": grade, "prior_reaction_kind": kind, "reaction_agents": agents_of_worst(told, grade)}


def _renal(evidence: Evidence, person: Person, by: Reckoning) -> dict[str, Any]:
    found = renal_function(
        evidence.of("Observation"), person, formula=by.adult_formula, now=by.now, time_zone=by.time_zone
    )
    facts: dict[str, Any] = {"egfr_formula": found.formula, "egfr_at": found.taken_at, "egfr_missing": found.missing}
    if found.taken_at is None:
        return facts
    age = by.now - found.taken_at
    facts["egfr_age_days"] = age.days
    valid = by.valid_inpatient if circumstances.inpatient(evidence) == "yes" else by.valid_outpatient
    if found.missing:
        return facts
    if age > valid:
        return {**facts, "egfr_too_old_ml_min": found.ml_min, "egfr_missing": "too-old"}
    return {**facts, "egfr_ml_min": found.ml_min, "egfr_comparator": found.comparator}
